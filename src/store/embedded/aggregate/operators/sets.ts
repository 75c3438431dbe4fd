import { EngineError } from '../../errors.js';
import { compare, equals } from '../../bson/compare.js';
import { truthy } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import type { Operator } from '../expression.js';
import { arrayOf, between, isNull, lazily, one, two } from './arguments.js';

/** The elements in order, each once. */
function distinct(items: Iterable<Value>): Value[] {
  const sorted = [...items].toSorted(compare);
  return sorted.filter((v, i) => i === 0 || !equals(v, sorted[i - 1]));
}

const contains = (list: readonly Value[], v: Value): boolean => list.some((item) => equals(item, v));
const set = (v: Value, code: number, name: string): readonly Value[] =>
  arrayOf(v, code, `All operands of ${name} must be arrays`);

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
  $setEquals: between(1, Infinity, (values) => {
    if (values.length < 2) throw new EngineError(17045, '$setEquals needs at least two arguments');
    const lists = values.map((v) => distinct(set(v, 17044, '$setEquals')));
    return lists.every((l) => compare(l, lists[0]) === 0);
  }),
  $setIsSubset: two((a, b) => {
    const [x, y] = [set(a, 17046, '$setIsSubset'), set(b, 17042, '$setIsSubset')];
    return x.every((item) => contains(y, item));
  }),
  $anyElementTrue: one((v) => set(v, 17041, '$anyElementTrue').some(truthy)),
  $allElementsTrue: one((v) => set(v, 17040, '$allElementsTrue').every(truthy)),
};
