import { EngineError } from '../../errors.js';
import { compare, equals } from '../../bson/compare.js';
import { isDoc, truthy, typeName } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import type { Operator } from '../expression.js';
import { arrayOf, isNull, lazily, many, one, two } from './arguments.js';

/** The elements in order, each once. */
function distinct(items: Iterable<Value>): Value[] {
  const sorted = [...items].toSorted(compare);
  return sorted.filter((v, i) => i === 0 || !equals(v, sorted[i - 1]));
}

const contains = (list: readonly Value[], v: Value): boolean => list.some((item) => equals(item, v));
const set = (v: Value, code: number, name: string): readonly Value[] =>
  arrayOf(v, code, `All operands of ${name} must be arrays`);

const isConstant = (v: Value): boolean =>
  typeof v === 'string'
    ? !v.startsWith('$')
    : !isDoc(v) || Object.entries(v).every(([k, inner]) => !k.startsWith('$') && isConstant(inner));

const setEquals: Operator = many((values) => {
  if (values.length < 2) throw new EngineError(17045, '$setEquals needs at least two arguments');
  const lists = values.map((v) => distinct(set(v, 17044, '$setEquals')));
  return lists.every((l) => compare(l, lists[0]) === 0);
});

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/#set-expression-operators */
export const sets: Readonly<Record<string, Operator>> = {
  $setUnion: lazily((values) => {
    const all: Value[] = [];
    for (const v of values) {
      if (isNull(v)) return null;
      all.push(...set(v, 17043, '$setUnion'));
    }
    return distinct(all);
  }),
  $setIntersection: lazily((values) => {
    let common: readonly Value[] | undefined;
    for (const v of values) {
      if (isNull(v)) return null;
      const list = set(v, 17047, '$setIntersection');
      common = common ? common.filter((item) => contains(list, item)) : list;
    }
    return distinct(common ?? []);
  }),
  $setDifference: two((a, b) => {
    if (isNull(a) || isNull(b)) return null;
    const [x, y] = [set(a, 17048, '$setDifference'), set(b, 17049, '$setDifference')];
    return x.filter((item, i) => !contains(y, item) && !contains(x.slice(0, i), item));
  }),
  // What no document can make an array of is refused before the first one.
  $setEquals(argument, name, compile) {
    const operands = Array.isArray(argument) && argument.length > 1 ? argument : [];
    const odd = operands.filter((v) => !Array.isArray(v) && isConstant(v));
    if (odd.length > 0)
      throw new EngineError(5887502, `All operands of $setEquals must be arrays, found: ${typeName(odd[0])}`);
    return setEquals(argument, name, compile);
  },
  $setIsSubset: two((a, b) => {
    const [x, y] = [set(a, 17046, '$setIsSubset'), set(b, 17042, '$setIsSubset')];
    return x.every((item) => contains(y, item));
  }),
  $anyElementTrue: one((v) => set(v, 17041, '$anyElementTrue').some(truthy)),
  $allElementsTrue: one((v) => set(v, 17040, '$allElementsTrue').every(truthy)),
};
