import { Decimal128, Double, Int32, Long } from 'bson';
import type { Numeric } from './types.js';

/** A finite number exactly: `digits` · 10^`ten` · 2^`two`. */
export interface Exact {
  readonly digits: bigint;
  readonly ten: number;
  readonly two: number;
}

const bits = new DataView(new ArrayBuffer(8));

function exactDouble(value: number): Exact {
  if (Number.isSafeInteger(value)) return { digits: BigInt(value), ten: 0, two: 0 };
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const exponent = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const digits = exponent === 0 ? fraction : fraction | 0x10000000000000n;
  return { digits: value < 0 ? -digits : digits, ten: 0, two: (exponent === 0 ? 1 : exponent) - 1075 };
}

function exactDecimal(text: string): Exact {
  const [mantissa = '0', exponent = '0'] = text.split('E');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), ten: Number(exponent) - fraction.length, two: 0 };
}

/** NaN and the infinities come back as the number itself. */
export function exact(v: Numeric): Exact | number {
  if (v instanceof Int32) return { digits: BigInt(v.value), ten: 0, two: 0 };
  if (v instanceof Double) return Number.isFinite(v.value) ? exactDouble(v.value) : v.value;
  if (v instanceof Long) return { digits: v.toBigInt(), ten: 0, two: 0 };
  const text = (v as Decimal128).toString();
  if (text === 'NaN') return Number.NaN;
  if (text.endsWith('Infinity')) return text.startsWith('-') ? -Infinity : Infinity;
  return exactDecimal(text);
}

/** A finite number as a fraction of integers. */
function fraction(n: Exact): [whole: bigint, divisor: bigint] {
  const part = (sign: 1 | -1): bigint =>
    10n ** BigInt(Math.max(n.ten * sign, 0)) * 2n ** BigInt(Math.max(n.two * sign, 0));
  return [n.digits * part(1), part(-1)];
}

/** The integer that a number stands for, to its last digit; undefined: it is none. */
export function exactInteger(v: Numeric): bigint | undefined {
  const n = exact(v);
  if (typeof n === 'number') return undefined;
  const [whole, divisor] = fraction(n);
  return whole % divisor === 0n ? whole / divisor : undefined;
}

/** What is left of a number without its fraction, if it has a place in 64 bits. */
export function cutToLong(v: Numeric): bigint | undefined {
  const n = exact(v);
  if (typeof n === 'number') return undefined;
  const [whole, divisor] = fraction(n);
  return BigInt.asIntN(64, whole / divisor) === whole / divisor ? whole / divisor : undefined;
}

/** `a − b`, exactly, as a numerator over a common power: only its sign and size matter to the callers. */
export function difference(
  a: Exact,
  b: Exact,
): { readonly digits: bigint; readonly ten: number; readonly two: number } {
  const ten = Math.min(a.ten, b.ten);
  const two = Math.min(a.two, b.two);
  const scaled = (x: Exact): bigint => x.digits * 10n ** BigInt(x.ten - ten) * 2n ** BigInt(x.two - two);
  return { digits: scaled(a) - scaled(b), ten, two };
}

/** NaN is below every number and equal to itself; all types of number are one. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  if ((a instanceof Int32 || a instanceof Double) && (b instanceof Int32 || b instanceof Double)) {
    if (a.value < b.value) return -1;
    if (a.value > b.value) return 1;
    if (a.value === b.value) return 0;
    return Number(Number.isNaN(b.value)) - Number(Number.isNaN(a.value));
  }
  const x = exact(a);
  const y = exact(b);
  if (typeof x === 'number' || typeof y === 'number') {
    const place = (n: Exact | number): number =>
      typeof n !== 'number' ? 1 : Number.isNaN(n) ? -1 : n === -Infinity ? 0 : 2;
    return Math.sign(place(x) - place(y));
  }
  const { digits } = difference(x, y);
  return digits < 0n ? -1 : digits > 0n ? 1 : 0;
}
