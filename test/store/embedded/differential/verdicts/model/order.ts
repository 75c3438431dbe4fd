import { isDoc, isList, isObject, type Json, numberOf } from '../json.js';

/** The classes of values in MongoDB's order (reference/bson-type-comparison-order/). */
const CLASSES = ['null', 'number', 'string', 'document', 'list', '$binary', '$oid', 'boolean', '$date'];
function classOf(v: Json): number {
  if (v === null) return 0;
  if (isList(v)) return CLASSES.indexOf('list');
  if (numberOf(v) !== undefined) return CLASSES.indexOf('number');
  if (isDoc(v)) return CLASSES.indexOf('document');
  return CLASSES.indexOf(isObject(v) ? (Object.keys(v)[0] ?? '') : typeof v);
}

const byValue = <T extends number | boolean>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
const millisOf = (v: Json): number => numberOf(isObject(v) ? v['$date'] : undefined)?.value ?? 0;
const bytesOf = (v: Json): Buffer => {
  const { base64 } = isObject(v) && isObject(v['$binary']) ? v['$binary'] : {};
  return Buffer.from(typeof base64 === 'string' ? base64 : '', 'base64');
};

/** The first that is not 0 of the comparisons of two lists' items, then of their lengths. */
function inTurn<T>(a: readonly T[], b: readonly T[], compared: (x: T, y: T) => number): number {
  for (const [i, x] of a.entries()) {
    const y = b[i];
    if (y === undefined) return 1;
    const by = compared(x, y);
    if (by !== 0) return by;
  }
  return a.length - b.length;
}

/** Compares two values as MongoDB sorts them; what is missing is null. */
export function order(one: Json | undefined, other: Json | undefined): number {
  const [a, b] = [one ?? null, other ?? null];
  const by = classOf(a) - classOf(b);
  if (by !== 0) return by;
  const [x, y] = [numberOf(a)?.value, numberOf(b)?.value];
  if (x !== undefined && y !== undefined)
    return Number.isNaN(x) || Number.isNaN(y) ? Number(Number.isNaN(y)) - Number(Number.isNaN(x)) : byValue(x, y);
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === 'boolean' && typeof b === 'boolean') return byValue(a, b);
  if (isList(a) && isList(b)) return inTurn(a, b, order);
  if (isDoc(a) && isDoc(b))
    return inTurn(
      Object.entries(a),
      Object.entries(b),
      ([k, v], [l, w]) => classOf(v) - classOf(w) || Buffer.compare(Buffer.from(k), Buffer.from(l)) || order(v, w),
    );
  if (isObject(a) && isObject(b) && '$binary' in a)
    return bytesOf(a).length - bytesOf(b).length || Buffer.compare(bytesOf(a), bytesOf(b));
  if (isObject(a) && isObject(b) && '$date' in a) return byValue(millisOf(a), millisOf(b));
  return Buffer.compare(Buffer.from(JSON.stringify(a)), Buffer.from(JSON.stringify(b)));
}
