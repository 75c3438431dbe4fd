import { equals } from '../../bson/compare.js';
import { isDoc, toInteger, typeName } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import { compileFilter } from '../../query/match.js';
import { bad, failed, mismatch, type Operator, REMOVE, show } from '../change.js';

/** Names at the top of a query: a condition that begins with one is a query on documents, not a test of a value. */
const OF_DOCUMENTS = new Set([
  '$and',
  '$or',
  '$nor',
  '$not',
  '$expr',
  '$jsonSchema',
  '$comment',
  '$text',
  '$where',
  '$alwaysTrue',
  '$alwaysFalse',
  '$sampleRate',
  '$ref',
  '$id',
  '$db',
]);

const without =
  (leaves: (v: Value) => boolean): ReturnType<Operator> =>
  (before) => {
    if (before === undefined) return REMOVE;
    if (!Array.isArray(before)) throw bad('Cannot apply $pull to a non-array value');
    const left = before.filter((v) => !leaves(v));
    return left.length === before.length ? before : left;
  };

/** https://www.mongodb.com/docs/manual/reference/operator/update/pull/ */
export const pull: Operator = (operand, _path, { collation }) => {
  const options = { near: 'element', ...(collation && { collation }) } as const;
  const [first = ''] = isDoc(operand) ? Object.keys(operand) : [];
  if (typeName(operand) === 'regex' || (first.startsWith('$') && !OF_DOCUMENTS.has(first))) {
    const filter = compileFilter({ v: operand }, options);
    return without((v) => filter.test({ v }));
  }
  if (!isDoc(operand)) return without((v) => equals(v, operand, collation?.compare));
  const filter = compileFilter(operand, options);
  return without((v) => isDoc(v) && filter.test(v));
};

/** https://www.mongodb.com/docs/manual/reference/operator/update/pullAll/ */
export const pullAll: Operator = (operand, _path, { collation }) => {
  if (!Array.isArray(operand)) throw bad(`$pullAll requires an array argument but was given a ${typeName(operand)}`);
  return without((v) => operand.some((o) => equals(o, v, collation?.compare)));
};

/** https://www.mongodb.com/docs/manual/reference/operator/update/pop/ */
export const pop: Operator = (operand, path) => {
  const way = toInteger(operand);
  if (way !== 1 && way !== -1) throw failed(`$pop expects 1 or -1, found: ${show(operand)}`);
  return (before) => {
    if (before === undefined) return REMOVE;
    if (!Array.isArray(before))
      throw mismatch(`Path '${path}' contains an element of non-array type '${typeName(before)}'`);
    return way === 1 ? before.slice(0, -1) : before.slice(1);
  };
};
