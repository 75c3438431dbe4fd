import { Timestamp } from 'bson';
import { isDoc, typeName } from '../../bson/types.js';
import { bad, type Operator, REMOVE } from '../change.js';

/** https://www.mongodb.com/docs/manual/reference/operator/update/set/ */
export const set: Operator = (operand) => () => operand;

/** https://www.mongodb.com/docs/manual/reference/operator/update/setOnInsert/ */
export const setOnInsert: Operator =
  (operand) =>
  (before, { inserting }) =>
    inserting ? operand : (before ?? REMOVE);

/** https://www.mongodb.com/docs/manual/reference/operator/update/unset/ */
export const unset: Operator = () => () => REMOVE;

/** https://www.mongodb.com/docs/manual/reference/operator/update/currentDate/ */
export const currentDate: Operator = (operand, _path, { now }) => {
  if (!isDoc(operand) && typeof operand !== 'boolean')
    throw bad(`${typeName(operand)} is not valid type for $currentDate. Please use a boolean or a document`);
  const odd = isDoc(operand) ? Object.keys(operand).find((k) => k !== '$type') : undefined;
  if (odd !== undefined) throw bad(`Unrecognized $currentDate option: ${odd}`);
  const type = isDoc(operand) ? operand['$type'] : 'date';
  if (type === 'date') return () => now;
  if (type === 'timestamp') return () => new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 });
  throw bad(
    "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}",
  );
};
