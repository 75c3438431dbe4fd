import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { compareNumbers, exactInteger } from './exact.js';
import type { Doc, Value } from './value.js';

export type Numeric = Int32 | Double | Long | Decimal128;

/** A Timestamp is a Long to JavaScript, but no number. */
export const isNumeric = (v: Value): v is Numeric =>
  v instanceof Int32 ||
  v instanceof Double ||
  (v instanceof Long && !(v instanceof Timestamp)) ||
  v instanceof Decimal128;

/** An embedded document: none of BSON's own value classes. A Timestamp is a Long to JavaScript, so it is asked first. */
export const isDoc = (v: Value): v is Doc =>
  typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Date) && !('_bsontype' in v);

/** The number as a double; a Long or Decimal128 beyond its precision is rounded. */
export function toNumber(v: Numeric): number {
  if (v instanceof Int32 || v instanceof Double) return v.value;
  return v instanceof Long ? v.toNumber() : Number(v.toString());
}

/** The integer that a value stands for, or undefined: not a number, or not whole. */
export function toInteger(v: Value): number | undefined {
  if (!isNumeric(v)) return undefined;
  const n = toNumber(v);
  // A decimal may have a fraction that a double does not see.
  return Number.isInteger(n) && !(v instanceof Decimal128 && exactInteger(v) === undefined) ? n : undefined;
}

/** The whole number of 32 bits that a value stands for, or undefined. */
export function toInt32(v: Value): number | undefined {
  const n = toInteger(v);
  return n === undefined || n < -(2 ** 31) || n >= 2 ** 31 ? undefined : n;
}

/** The whole number that an option of a command stands for: a double is cut, a decimal rounded half to even, NaN is 0. */
export function toWhole(v: Numeric): number {
  const n = toNumber(v);
  if (Number.isNaN(n)) return 0;
  if (!(v instanceof Decimal128)) return Math.trunc(n);
  if (Math.abs(n % 1) !== 0.5) return Math.round(n);
  // A decimal that is nearly the half between two is on one side of it.
  const side = compareNumbers(v, new Double(n));
  return side === 0 ? 2 * Math.round(n / 2) : side < 0 ? Math.floor(n) : Math.ceil(n);
}

/** MongoDB's type name, as `$type` takes it. https://www.mongodb.com/docs/manual/reference/bson-types/ */
export function typeName(v: Value): string {
  if (v === undefined) return 'missing';
  if (v === null) return 'null';
  if (typeof v === 'string') return 'string';
  if (typeof v === 'boolean') return 'bool';
  if (Array.isArray(v)) return 'array';
  if (v instanceof Date) return 'date';
  if (v instanceof Timestamp) return 'timestamp';
  if (v instanceof Int32) return 'int';
  if (v instanceof Double) return 'double';
  if (v instanceof Long) return 'long';
  if (v instanceof Decimal128) return 'decimal';
  if (v instanceof ObjectId) return 'objectId';
  if (v instanceof Binary) return 'binData';
  if (v instanceof BSONRegExp) return 'regex';
  if (v instanceof BSONSymbol) return 'symbol';
  if (v instanceof Code) return v.scope ? 'javascriptWithScope' : 'javascript';
  if (v instanceof MinKey) return 'minKey';
  if (v instanceof MaxKey) return 'maxKey';
  return 'object';
}

/** The bytes of binary data as BSON has them: the old subtype begins with its length. https://bsonspec.org/spec.html */
export function storedBytes(v: Binary): Uint8Array {
  const bytes = v.buffer.subarray(0, v.position);
  if (v.sub_type !== Binary.SUBTYPE_BYTE_ARRAY) return bytes;
  const length = Buffer.alloc(4);
  length.writeInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Of no prototype: a name that every object has is no type's. */
export const typeNumbers: Readonly<Record<string, number>> = Object.assign(Object.create(null) as object, {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
});

/**
 * The place of a value's type in the order of all values; also the first byte of an index key.
 * https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
 */
export function orderOf(v: Value): number {
  if (v === null || v === undefined) return 0x05;
  if (typeof v === 'string') return 0x0f;
  if (typeof v === 'boolean') return 0x28;
  if (Array.isArray(v)) return 0x19;
  if (v instanceof Date) return 0x2d;
  if (v instanceof Timestamp) return 0x2f;
  if (isNumeric(v)) return 0x0a;
  if (v instanceof ObjectId) return 0x23;
  if (v instanceof Binary) return 0x1e;
  if (v instanceof BSONRegExp) return 0x32;
  if (v instanceof BSONSymbol) return 0x0f;
  if (v instanceof Code) return v.scope ? 0x41 : 0x3c;
  if (v instanceof MinKey) return 0x01;
  if (v instanceof MaxKey) return 0x7f;
  return 0x14;
}

/** A decimal may be less than any double, and none all the same. */
export const isZero = (v: Numeric): boolean =>
  toNumber(v) === 0 && !(v instanceof Decimal128 && /^-?[\d.]*[1-9]/.test(v.toString()));

/** What counts as true: all but false, null, missing and the zeros. */
export const truthy = (v: Value): boolean =>
  v !== undefined && v !== null && v !== false && !(isNumeric(v) && isZero(v));

/** How many documents and arrays lie in each other. */
export function depthOf(v: Value): number {
  if (!Array.isArray(v) && !isDoc(v)) return 0;
  let deepest = 0;
  for (const inner of Array.isArray(v) ? v : Object.values(v)) deepest = Math.max(deepest, depthOf(inner));
  return 1 + deepest;
}
