import { equals } from '../../bson/compare.js';
import { isDoc, toInteger, typeName } from '../../bson/types.js';
import type { Doc } from '../../bson/value.js';
import { elementOrder } from '../../query/element-sort.js';
import { bad, mismatch, notArray, type Operator } from '../change.js';

const MODIFIERS = ['$each', '$position', '$slice', '$sort'];

/** How many, or where. @throws {EngineError} 2: no whole number */
function whole(modifiers: Doc, name: string): number | undefined {
  if (!(name in modifiers)) return undefined;
  const n = toInteger(modifiers[name]);
  if (n === undefined || n < -(2 ** 63) || n > 2 ** 63)
    throw bad(`The value for ${name} must be an integer value but was given type: ${typeName(modifiers[name])}`);
  return n;
}

/** https://www.mongodb.com/docs/manual/reference/operator/update/push/ */
export const push: Operator = (operand, path, { collation }) => {
  const modifiers = isDoc(operand) && '$each' in operand ? operand : undefined;
  const items = modifiers ? modifiers['$each'] : [operand];
  if (!Array.isArray(items))
    throw bad(`The argument to $each in $push must be an array but it was of type: ${typeName(items)}`);
  const odd = Object.keys(modifiers ?? {}).find((key) => !MODIFIERS.includes(key));
  if (odd !== undefined) throw bad(`Unrecognized clause in $push: ${odd}`);
  const position = whole(modifiers ?? {}, '$position');
  const slice = whole(modifiers ?? {}, '$slice');
  const sort = modifiers?.['$sort'];
  const order = sort === undefined ? undefined : elementOrder(sort, bad, collation);
  return (before) => {
    if (before !== undefined && !Array.isArray(before)) throw notArray('$push', path, before);
    let list = [...(before ?? [])];
    const at =
      position === undefined
        ? list.length
        : position < 0
          ? Math.max(list.length + position, 0)
          : Math.min(position, list.length);
    list.splice(at, 0, ...items);
    if (order) list = list.toSorted(order);
    if (slice !== undefined) list = slice === 0 ? [] : slice > 0 ? list.slice(0, slice) : list.slice(slice);
    return list;
  };
};

/** https://www.mongodb.com/docs/manual/reference/operator/update/addToSet/ */
export const addToSet: Operator = (operand, path, { collation }) => {
  const isEach = isDoc(operand) && Object.keys(operand)[0] === '$each';
  const items = isEach ? operand['$each'] : [operand];
  if (!Array.isArray(items))
    throw mismatch(`The argument to $each in $addToSet must be an array but it was of type ${typeName(items)}`);
  if (isEach && Object.keys(operand).length > 1)
    throw bad(`Found unexpected fields after $each in $addToSet: ${JSON.stringify(Object.keys(operand))}`);
  return (before) => {
    if (before !== undefined && !Array.isArray(before)) throw notArray('$addToSet', path, before);
    const list = [...(before ?? [])];
    for (const item of items) if (!list.some((there) => equals(there, item, collation?.compare))) list.push(item);
    return list.length === before?.length ? before : list;
  };
};
