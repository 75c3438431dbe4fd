import { BSONRegExp } from 'bson';
import { after, encodeValue } from '../bson/key.js';
import { isDoc, isNumeric, orderOf, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';

export interface Edge {
  readonly bytes: Buffer;
  readonly inclusive: boolean;
  readonly text: string;
}
export interface Interval {
  readonly low: Edge;
  readonly high: Edge;
}
/** What the filter says of one path, as far as bounds can say it. */
export interface Predicate {
  intervals: Interval[];
  /** Every interval is one value. */
  points: boolean;
  /** The bounds say no less than the filter does, if no array is involved. */
  exact: boolean;
  /** Neither null nor missing can match. */
  present: boolean;
  equal: Value;
  /** Two bounds that in an array may be met by different elements. */
  both: boolean;
}

/** A value as explain prints it. */
export const show = (v: Value): string => (v === undefined ? 'null' : JSON.stringify(v));
const point = (v: Value): Interval => {
  const edge = { bytes: encodeValue(v), inclusive: true, text: show(v) };
  return { low: edge, high: edge };
};
/** Bounds can't say it: an array stands for itself or for an element, a regular expression for strings. */
export const unbounded = (v: Value): boolean => Array.isArray(v) || v instanceof BSONRegExp || v === undefined;

const everything: Interval = {
  low: { bytes: Buffer.alloc(0), inclusive: true, text: 'MinKey' },
  high: { bytes: Buffer.from([0xff]), inclusive: false, text: 'MaxKey' },
};

/** The range that comparisons make. Undefined: bounds can't say it. */
export function rangeOf(operators: Doc): Interval | undefined {
  let low: Edge | undefined;
  let high: Edge | undefined;
  let type: number | undefined;
  for (const [operator, v] of Object.entries(operators)) {
    const lower = operator === '$gt' || operator === '$gte';
    if (!lower && operator !== '$lt' && operator !== '$lte') continue;
    const order = orderOf(v);
    if (unbounded(v) || v === null || order === 0x01 || order === 0x7f) return undefined;
    // NaN sorts below all numbers and is compared with none: a range that begins or ends there says another thing.
    if (isNumeric(v) && Number.isNaN(toNumber(v))) return undefined;
    if (type !== undefined && type !== order) return undefined;
    type = order;
    const edge = { bytes: encodeValue(v), inclusive: operator === '$gte' || operator === '$lte', text: show(v) };
    if (lower) low = edge;
    else high = edge;
  }
  if (type === undefined) return undefined;
  const floor =
    type === 0x0a ? Buffer.concat([Buffer.from([type]), Buffer.alloc(8), Buffer.from([1])]) : Buffer.from([type]);
  return {
    low: low ?? { bytes: floor, inclusive: true, text: '-inf' },
    high: high ?? { bytes: Buffer.from([type + 1]), inclusive: false, text: 'inf' },
  };
}

/** The text that every match of an anchored expression begins with. */
function prefixOf(regex: BSONRegExp): string {
  if (regex.options.includes('i') || regex.options.includes('x') || regex.options.includes('m')) return '';
  const literal = /^\^([\p{L}\p{N} _:;,@#/<>=!&"'~%-]*)(.?)/u.exec(regex.pattern);
  if (!literal?.[1] || regex.pattern.includes('|')) return '';
  return '*?{'.includes(literal[2] || ' ') ? [...literal[1]].slice(0, -1).join('') : literal[1];
}

/** The first text that does not begin as another does, as explain prints the end of a prefix. */
function followerOf(prefix: string): string {
  const characters = [...prefix];
  const last = characters.pop()?.codePointAt(0) ?? 0;
  return characters.join('') + String.fromCodePoint(Math.min(last + 1, 0x10ffff));
}

/** What a condition says of its path. Undefined: nothing that bounds can say. */
export function predicateOf(condition: Value): Predicate | undefined {
  const none = { equal: undefined, both: false };
  const operators: Doc =
    isDoc(condition) && Object.keys(condition)[0]?.startsWith('$') ? condition : { $eq: condition };
  const count = Object.keys(operators).length;
  if ('$eq' in operators) {
    const v = operators['$eq'];
    if (v instanceof BSONRegExp && !('$eq' in (isDoc(condition) ? condition : {}))) {
      const prefix = prefixOf(v);
      if (prefix === '') return undefined;
      const low = { bytes: encodeValue(prefix).subarray(0, -2), inclusive: true, text: show(prefix) };
      const high = { bytes: after(low.bytes), inclusive: false, text: show(followerOf(prefix)) };
      return { ...none, intervals: [{ low, high }], points: false, exact: false, present: true };
    }
    if (unbounded(v)) return undefined;
    return {
      intervals: [point(v)],
      points: true,
      exact: v !== null && count === 1,
      present: v !== null,
      equal: v,
      both: false,
    };
  }
  if ('$in' in operators) {
    const list = operators['$in'];
    if (!Array.isArray(list) || list.some(unbounded) || list.length > 1000) return undefined;
    const intervals = list.map(point).toSorted((a, b) => Buffer.compare(a.low.bytes, b.low.bytes));
    const different = intervals.filter(
      (v, i) => i === 0 || !v.low.bytes.equals((intervals[i - 1] as Interval).low.bytes),
    );
    const present = !list.includes(null);
    return { ...none, intervals: different, points: true, exact: present && count === 1, present };
  }
  const range = rangeOf(operators);
  if (range) {
    const names = Object.keys(operators);
    const [lower, upper] = [
      ['$gt', '$gte'],
      ['$lt', '$lte'],
    ].map((side) => names.filter((name) => side.includes(name)).length) as [number, number];
    const used = lower + upper;
    return {
      ...none,
      intervals: [range],
      points: false,
      // Of two bounds on one side the range has one only.
      exact: used === count && lower <= 1 && upper <= 1,
      present: true,
      both: used > 1,
    };
  }
  if ('$exists' in operators && operators['$exists'] === true)
    return { ...none, intervals: [everything], points: false, exact: false, present: true };
  return undefined;
}

/** Is all of the inner interval in the outer one? */
export function contains(outer: Interval, inner: Interval | undefined): boolean {
  if (!inner) return false;
  const low = Buffer.compare(outer.low.bytes, inner.low.bytes);
  const high = Buffer.compare(outer.high.bytes, inner.high.bytes);
  return (
    (low < 0 || (low === 0 && (outer.low.inclusive || !inner.low.inclusive))) &&
    (high > 0 || (high === 0 && (outer.high.inclusive || !inner.high.inclusive)))
  );
}
