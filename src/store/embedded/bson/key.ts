import { Binary, BSONRegExp, BSONSymbol, Code, Double, Int32, ObjectId, Timestamp } from 'bson';
import { difference, exact, type Exact } from './exact.js';
import { isNumeric, type Numeric, orderOf, toNumber } from './types.js';
import type { Doc, Value } from './value.js';

/** The type byte of an empty array's place in an index: below null, as MongoDB's `undefined`. */
const EMPTY_ARRAY = 0x04;
/** Stands in a key where an array was empty. */
export const emptyArray = Symbol('an empty array');

const number = Buffer.alloc(8);

/** Writes a double so that its bytes sort as the numbers do. */
function order(bytes: Buffer, at: number, value: number): void {
  bytes.writeDoubleBE(value === 0 ? 0 : value, at);
  if (value < 0) for (let i = at; i < at + 8; i += 1) bytes[i] = ~(bytes[i] ?? 0) & 0xff;
  else bytes[at] = (bytes[at] ?? 0) ^ 0x80;
}

function orderedDouble(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  order(bytes, 0, value);
  return bytes;
}

function nextDown(value: number): number {
  number.writeDoubleBE(value);
  const raw = number.readBigInt64BE();
  if (value === 0) return -Number.MIN_VALUE;
  number.writeBigInt64BE(value > 0 ? raw - 1n : raw + 1n);
  return number.readDoubleBE();
}

/** What a number is above the double before it: exponent, then digits, so that bytes sort as the remainders do. */
function remainder({ digits, ten, two }: Exact): Buffer {
  const whole = two < 0 ? digits * 5n ** BigInt(-two) : digits * 2n ** BigInt(two);
  const text = whole.toString().replace(/0+$/, '');
  const exponent = whole.toString().length + ten + Math.min(two, 0);
  const head = Buffer.alloc(3);
  head[0] = 1;
  head.writeUInt16BE(exponent + 0x8000, 1);
  return Buffer.concat([head, Buffer.from(text, 'latin1'), Buffer.from([0])]);
}

/** Equal numbers of any type have equal bytes. NaN sorts below −∞. */
function numberBytes(v: Numeric): Buffer[] {
  const value = exact(v);
  if (typeof value === 'number')
    return Number.isNaN(value) ? [Buffer.alloc(8), Buffer.from([0])] : [orderedDouble(value), Buffer.from([0])];
  let near = toNumber(v);
  if (!Number.isFinite(near)) near = near > 0 ? Number.MAX_VALUE : -Infinity;
  for (;;) {
    if (near === -Infinity) return [orderedDouble(near), Buffer.from([1]), Buffer.from(v.toString()), Buffer.from([0])];
    const left = difference(value, exactOf(near));
    if (left.digits === 0n) return [orderedDouble(near), Buffer.from([0])];
    if (left.digits > 0n) return [orderedDouble(near), remainder(left)];
    near = nextDown(near);
  }
}

const exactOf = (n: number): Exact => {
  if (Number.isSafeInteger(n)) return { digits: BigInt(n), ten: 0, two: 0 };
  number.writeDoubleBE(n);
  const raw = number.readBigUInt64BE();
  const exponent = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const digits = exponent === 0 ? fraction : fraction | 0x10000000000000n;
  return { digits: n < 0 ? -digits : digits, ten: 0, two: (exponent === 0 ? 1 : exponent) - 1075 };
};

/** A text that ends: a zero inside is escaped, so that no key is the beginning of another. */
function textBytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (!bytes.includes(0)) return Buffer.concat([bytes, Buffer.from([0, 0])]);
  const escaped: number[] = [];
  for (const b of bytes) escaped.push(...(b === 0 ? [0, 0xff] : [b]));
  return Buffer.from([...escaped, 0, 0]);
}

const int64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value + (1n << 63n)));
  return bytes;
};

function push(parts: Uint8Array[], v: Value): void {
  const type = orderOf(v);
  parts.push(Buffer.from([type]));
  if (v === null || v === undefined) return;
  if (typeof v === 'string') parts.push(textBytes(v));
  else if (v instanceof BSONSymbol) parts.push(textBytes(v.value));
  else if (typeof v === 'boolean') parts.push(Buffer.from([Number(v)]));
  else if (v instanceof Date) parts.push(int64(BigInt(v.getTime())));
  else if (v instanceof ObjectId) parts.push(v.id);
  else if (v instanceof Timestamp) parts.push(int64(BigInt.asUintN(64, v.toBigInt()) - (1n << 63n)));
  else if (isNumeric(v)) parts.push(...numberBytes(v));
  else if (Array.isArray(v)) {
    for (const item of v) push(parts, item);
    parts.push(Buffer.from([0]));
  } else if (v instanceof Binary) {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(v.position, 0);
    head[4] = v.sub_type;
    parts.push(head, v.value());
  } else if (v instanceof BSONRegExp) parts.push(textBytes(v.pattern), textBytes(v.options));
  else if (v instanceof Code) {
    parts.push(textBytes(v.code));
    if (v.scope) push(parts, v.scope);
  } else if (type === 0x14) {
    for (const [name, value] of Object.entries(v as Doc)) {
      if (value === undefined) continue;
      parts.push(Buffer.from([orderOf(value)]), textBytes(name));
      push(parts, value);
    }
    parts.push(Buffer.from([0]));
  }
}

/** The same bytes as `push` makes, of the values that most keys are made of, in one piece. */
function inOnePiece(v: Value | typeof emptyArray): Buffer | undefined {
  if (typeof v === 'string' && !v.includes('\0')) {
    const bytes = Buffer.allocUnsafe(Buffer.byteLength(v) + 3);
    bytes[0] = orderOf(v);
    bytes.fill(0, bytes.write(v, 1) + 1);
    return bytes;
  }
  if (v instanceof ObjectId) {
    const bytes = Buffer.allocUnsafe(1 + v.id.length);
    bytes[0] = orderOf(v);
    bytes.set(v.id, 1);
    return bytes;
  }
  if ((v instanceof Int32 || v instanceof Double) && !Number.isNaN(v.value)) {
    const bytes = Buffer.allocUnsafe(10);
    bytes[0] = orderOf(v);
    order(bytes, 1, v.value);
    bytes[9] = 0;
    return bytes;
  }
  return undefined;
}

function inPieces(v: Value | typeof emptyArray): Buffer {
  const parts: Uint8Array[] = [];
  if (v === emptyArray) parts.push(Buffer.from([EMPTY_ARRAY]));
  else push(parts, v);
  return Buffer.concat(parts);
}

/** One value's bytes: they sort as `compare` sorts the values, and none is the beginning of another. */
export function encodeValue(v: Value | typeof emptyArray, direction: 1 | -1 = 1): Buffer {
  const bytes = inOnePiece(v) ?? inPieces(v);
  if (direction === -1) for (let i = 0; i < bytes.length; i += 1) bytes[i] = ~(bytes[i] ?? 0) & 0xff;
  return bytes;
}

/** The key of several values, each ascending or descending. */
export const encodeKey = (
  values: readonly (Value | typeof emptyArray)[],
  directions: readonly (1 | -1)[] = [],
): Buffer => Buffer.concat(values.map((v, i) => encodeValue(v, directions[i] ?? 1)));

/** The least key that is above every key beginning with `prefix`. */
export function after(prefix: Buffer): Buffer {
  const bytes = Buffer.from(prefix);
  for (let i = bytes.length - 1; i >= 0; i -= 1) {
    if (bytes[i] !== 0xff) {
      bytes[i] = (bytes[i] ?? 0) + 1;
      return bytes.subarray(0, i + 1);
    }
  }
  return Buffer.from([0xff, 0xff]);
}
