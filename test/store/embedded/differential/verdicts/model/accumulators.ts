import { equal, isDoc, isList, type Json, numberOf, type NumberType, plain, same, text } from '../json.js';
import { docOf, listOf } from '../request.js';
import { order } from './order.js';

/** What an accumulator is given of each document, in the order in which the documents come. */
export interface Given {
  readonly values: readonly (Json | undefined)[];
  /** What $top and $bottom sort by: the values, one for each field of `sortBy`. */
  readonly keys: readonly (readonly Json[])[];
  /** Whether that order is known; after a $group it is not. */
  readonly ordered: boolean;
  /** Which of equal values $min or $max gives; undefined where it may be any of them. */
  readonly ties?: 'first' | 'last' | undefined;
}
type Permits = (made: Json | undefined, given: Given, spec: Json) => boolean;

/** The types of number, the narrowest first. */
const WIDTH: readonly NumberType[] = ['Int', 'Long', 'Double', 'Decimal'];
/** How far two numbers may lie apart that were added in another order, relative to the greatest of what was added. */
const SLACK = 1e-12;

const present = (values: readonly (Json | undefined)[]): readonly Json[] => values.filter((v) => v !== undefined);
const known = (values: readonly (Json | undefined)[]): readonly Json[] => present(values).filter((v) => v !== null);
const numbers = (values: readonly (Json | undefined)[]): readonly { type: NumberType; value: number }[] =>
  values.map(numberOf).filter((n) => n !== undefined);
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const sorted = (list: readonly Json[]): string => text(list.map(text).toSorted());

/** Whether a value is a number, as far as adding in another order leaves it. */
function near(made: Json | undefined, wanted: number, parts: readonly number[]): boolean {
  const value = numberOf(made)?.value;
  if (value === undefined) return false;
  if (!Number.isFinite(wanted)) return Object.is(value, wanted);
  return Math.abs(value - wanted) <= SLACK * Math.max(...parts.map(Math.abs), Math.abs(wanted), 0);
}
const isSum: Permits = (made, { values }) => {
  const list = numbers(values);
  const widest = Math.max(0, ...list.map(({ type }) => WIDTH.indexOf(type)));
  const type = WIDTH.indexOf(numberOf(made)?.type ?? 'Int');
  const wanted = sum(list.map(({ value }) => value));
  // Whole numbers that outgrow their type take the next one.
  const fits =
    type === widest || (widest < 2 && type === widest + 1 && Math.abs(wanted) >= 2 ** (widest === 0 ? 31 : 63));
  return (
    fits &&
    near(
      made,
      wanted,
      list.map(({ value }) => value),
    )
  );
};
const isAverage: Permits = (made, { values }) => {
  const list = numbers(values);
  if (list.length === 0) return made === null;
  const type = list.some((n) => n.type === 'Decimal') ? 'Decimal' : 'Double';
  const parts = list.map(({ value }) => value);
  return numberOf(made)?.type === type && near(made, sum(parts) / parts.length, parts);
};
const isDeviation =
  (sample: 0 | 1): Permits =>
  (made, { values }) => {
    const parts = numbers(values).map(({ value }) => value);
    if (parts.length <= sample) return made === null;
    const mean = sum(parts) / parts.length;
    const squares = sum(parts.map((x) => (x - mean) ** 2));
    return near(made, Math.sqrt(squares / (parts.length - sample)), parts);
  };
const isAtPlace =
  (at: 0 | -1): Permits =>
  (made, { values, ordered }) =>
    ordered ? same(made, values.at(at) ?? null) : values.some((v) => same(made, v ?? null));
const areAtEnd =
  (cut: (list: readonly Json[], n: number) => readonly Json[]): Permits =>
  (made, { values, ordered }, spec) => {
    const list = values.map((v) => v ?? null);
    const n = numberOf(docOf(spec)['n'])?.value ?? 0;
    return ordered
      ? same(made, cut(list, n))
      : isList(made) && made.length === Math.min(n, list.length) && made.every((v) => list.some((w) => same(v, w)));
  };
const isExtreme =
  (sign: 1 | -1): Permits =>
  (made, { values, ties }) => {
    const list = known(values);
    if (list.length === 0) return made === null;
    const extremes = list.filter((v) => list.every((w) => sign * order(v, w) <= 0));
    return ties === undefined
      ? extremes.some((v) => same(v, made))
      : same(made, extremes.at(ties === 'first' ? 0 : -1));
  };
const areExtreme =
  (sign: 1 | -1): Permits =>
  (made, { values }, spec) =>
    equal(
      made,
      known(values)
        .toSorted((a, b) => sign * order(a, b))
        .slice(0, numberOf(docOf(spec)['n'])?.value ?? 0),
    );
/** Of documents that sort alike any one may be the first. */
const isAtTop =
  (sign: 1 | -1): Permits =>
  (made, { values, keys }, spec) => {
    const directions = Object.values(docOf(docOf(spec)['sortBy'])).map((d) => numberOf(d)?.value ?? 1);
    const compared = (a: readonly Json[], b: readonly Json[]): number =>
      directions.map((d, i) => sign * d * order(a[i], b[i])).find((by) => by !== 0) ?? 0;
    return values.some((v, i) => same(made, v ?? null) && keys.every((key) => compared(keys[i] ?? [], key) <= 0));
  };
const isMerged: Permits = (made, { values, ordered }) => {
  const docs = known(values).filter(isDoc);
  const whole: Json = Object.assign({}, ...docs);
  if (ordered) return same(made, whole);
  return (
    isDoc(made) &&
    same(Object.keys(made).toSorted(), Object.keys(docOf(whole)).toSorted()) &&
    Object.entries(made).every(([name, v]) => docs.some((doc) => same(doc[name], v)))
  );
};

/** Whether an accumulator may make a value of what it is given, by its page under reference/operator/aggregation/. */
export const ACCUMULATORS: Readonly<Record<string, Permits>> = {
  $sum: isSum,
  $count: (made, { values }) => numberOf(made)?.value === values.length,
  $avg: isAverage,
  $stdDevPop: isDeviation(0),
  $stdDevSamp: isDeviation(1),
  $min: isExtreme(1),
  $max: isExtreme(-1),
  $minN: areExtreme(1),
  $maxN: areExtreme(-1),
  $first: isAtPlace(0),
  $last: isAtPlace(-1),
  $firstN: areAtEnd((list, n) => list.slice(0, n)),
  $lastN: areAtEnd((list, n) => list.slice(-n)),
  $top: isAtTop(1),
  $bottom: isAtTop(-1),
  $push: (made, { values, ordered }) =>
    ordered ? same(made, present(values)) : isList(made) && sorted(made) === sorted(present(values)),
  $addToSet: (made, { values }) => {
    const list = listOf(made);
    const texts = new Set(list.map(plain));
    return (
      texts.size === list.length &&
      same([...texts].toSorted(), [...new Set(present(values).map(plain))].toSorted()) &&
      list.every((v) => values.some((w) => same(v, w)))
    );
  },
  $mergeObjects: isMerged,
};
