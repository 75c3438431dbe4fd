import { Binary, BSONRegExp, BSONSymbol, Code, ObjectId, Timestamp } from 'bson';
import { compareNumbers } from './exact.js';
import { isDoc, isNumeric, orderOf } from './types.js';
import type { Doc, Value } from './value.js';

const byNumber = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
const byBytes = (a: Uint8Array, b: Uint8Array): number => Math.sign(Buffer.compare(a, b));

/** Strings go by their UTF-8 bytes, which is the order of code points; UTF-16 units differ from it beyond U+FFFF. */
export function compareStrings(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    return xHigh === yHigh ? byNumber(x, y) : xHigh ? 1 : -1;
  }
  return byNumber(a.length, b.length);
}

type CompareText = (a: string, b: string) => number;

function compareDocs(a: Doc, b: Doc, text: CompareText): number {
  const left = Object.entries(a).filter(([, v]) => v !== undefined);
  const right = Object.entries(b).filter(([, v]) => v !== undefined);
  const n = Math.min(left.length, right.length);
  for (let i = 0; i < n; i += 1) {
    const [ka, va] = left[i] as [string, Value];
    const [kb, vb] = right[i] as [string, Value];
    const order = byNumber(orderOf(va), orderOf(vb)) || compareStrings(ka, kb) || compare(va, vb, text);
    if (order !== 0) return order;
  }
  return byNumber(left.length, right.length);
}

function compareArrays(a: readonly Value[], b: readonly Value[], text: CompareText): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i += 1) {
    const order = compare(a[i], b[i], text);
    if (order !== 0) return order;
  }
  return byNumber(a.length, b.length);
}

/**
 * MongoDB's order of all values: by type first, numbers of all types as one; missing is null.
 * `text`: a collation's order of texts. https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
 */
export function compare(a: Value, b: Value, text: CompareText = compareStrings): number {
  const type = orderOf(a);
  const order = byNumber(type, orderOf(b));
  if (order !== 0) return order;
  if (isNumeric(a) && isNumeric(b) && type === 0x0a) return compareNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') return text(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return byNumber(Number(a), Number(b));
  if (a instanceof Date && b instanceof Date) return byNumber(a.getTime(), b.getTime());
  if (a instanceof ObjectId && b instanceof ObjectId) return byBytes(a.id, b.id);
  if (a instanceof Timestamp && b instanceof Timestamp) return Math.sign(a.compare(b));
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b, text);
  if (a instanceof Binary && b instanceof Binary)
    return byNumber(a.position, b.position) || byNumber(a.sub_type, b.sub_type) || byBytes(a.value(), b.value());
  if (a instanceof BSONRegExp && b instanceof BSONRegExp)
    return compareStrings(a.pattern, b.pattern) || compareStrings(a.options, b.options);
  if (a instanceof Code && b instanceof Code)
    return compareStrings(a.code, b.code) || compareDocs(a.scope ?? {}, b.scope ?? {}, text);
  const textOf = (v: Value): string | undefined =>
    v instanceof BSONSymbol ? v.value : typeof v === 'string' ? v : undefined;
  const x = textOf(a);
  const y = textOf(b);
  if (x !== undefined && y !== undefined) return text(x, y);
  if (isDoc(a) && isDoc(b)) return compareDocs(a, b, text);
  return 0;
}

export const equals = (a: Value, b: Value, text?: CompareText): boolean => compare(a, b, text) === 0;
