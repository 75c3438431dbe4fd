import { Decimal128, Double, Int32, Long } from 'bson';
import { isNumeric, isZero, type Numeric, toNumber, typeName } from '../bson/types.js';
import type { Value } from '../bson/value.js';
import { EngineError } from '../errors.js';

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** A decimal: `digits` · 10^`exponent`. */
interface Scaled {
  readonly digits: bigint;
  readonly exponent: number;
}

/** Whole numbers stay whole: int32 grows into long; undefined: beyond a long. */
export function whole(value: bigint, wide: boolean): Int32 | Long | undefined {
  if (!wide && value >= -(2n ** 31n) && value < 2n ** 31n) return new Int32(Number(value));
  return value >= MIN && value <= MAX ? Long.fromBigInt(value) : undefined;
}

/** A double becomes a decimal of 15 digits, but for 0. https://www.mongodb.com/docs/manual/reference/operator/aggregation/toDecimal/ */
export function toDecimal(v: Numeric): Decimal128 {
  if (v instanceof Decimal128) return v;
  if (!(v instanceof Double)) return Decimal128.fromString(v.toString());
  if (!Number.isFinite(v.value)) return Decimal128.fromString(String(v.value));
  if (v.value === 0) return Decimal128.fromString(Object.is(v.value, -0) ? '-0' : '0');
  return Decimal128.fromString(v.value.toPrecision(15));
}

export function scaled(v: Numeric): Scaled {
  const [mantissa = '0', exponent = '0'] = toDecimal(v).toString().split(/e/i);
  const [int = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(int + fraction), exponent: Number(exponent) - fraction.length };
}

/** The exponent of the greatest digit that a decimal can have; what is beyond is infinite. */
export const GREATEST = 6144;

export function fromScaled({ digits, exponent }: Scaled): Decimal128 {
  const negative = digits < 0n;
  if (digits !== 0n && digits.toString().length - (negative ? 2 : 1) + exponent > GREATEST)
    return Decimal128.fromString(negative ? '-Infinity' : 'Infinity');
  return Decimal128.fromStringWithRounding(`${digits}E${exponent}`);
}

/** What sums of decimals begin with: it leaves no exponent above 0. */
const ZERO = Decimal128.fromString('0');
/** Digits of a decimal, and the least exponent of one (IEEE 754-2008, decimal128). */
export const MOST_DIGITS = 34;
export const LEAST_EXPONENT = -6176;

/** The same number with all 34 digits, as MongoDB's power has them. */
export function widened({ digits, exponent }: Scaled): Decimal128 {
  if (digits === 0n) return fromScaled({ digits, exponent: LEAST_EXPONENT });
  const length = digits.toString().replace('-', '').length;
  const more = Math.min(Math.max(MOST_DIGITS - length, 0), exponent - LEAST_EXPONENT);
  return fromScaled(
    more > 0 ? { digits: digits * 10n ** BigInt(more), exponent: exponent - more } : { digits, exponent },
  );
}

/** The same number with a lower exponent; undefined: it would need more digits than a decimal has. */
export function fitted({ digits, exponent }: Scaled, wanted: number): Scaled | undefined {
  const all = digits * 10n ** BigInt(exponent - wanted);
  return all.toString().replace('-', '').length > MOST_DIGITS ? undefined : { digits: all, exponent: wanted };
}

export const isNegative = (v: Numeric): boolean => v.toString().startsWith('-');
/** A decimal 0 has a sign as well. */
export const signed = (v: Scaled, negative: boolean): Decimal128 =>
  v.digits === 0n && negative ? Decimal128.fromString(`-0E${v.exponent}`) : fromScaled(v);

const isFinite = (v: Numeric): boolean => Number.isFinite(toNumber(v)) || /\d/.test(v.toString());

function decimal(a: Numeric, b: Numeric, operator: '+' | '-' | '*'): Decimal128 {
  if (!isFinite(a) || !isFinite(b)) {
    const [x, y] = [toNumber(a), toNumber(b)];
    return Decimal128.fromString(String(operator === '+' ? x + y : operator === '-' ? x - y : x * y));
  }
  const [x, y] = [scaled(a), scaled(b)];
  if (operator === '*') {
    const digits = x.digits * y.digits;
    return signed({ digits, exponent: x.exponent + y.exponent }, isNegative(a) !== isNegative(b));
  }
  const exponent = Math.min(x.exponent, y.exponent);
  const left = x.digits * 10n ** BigInt(x.exponent - exponent);
  const right = y.digits * 10n ** BigInt(y.exponent - exponent);
  const zeros = left === 0n && isNegative(a) && isNegative(b) === (operator === '+');
  return signed({ digits: operator === '+' ? left + right : left - right, exponent }, zeros);
}

/** The type of the result is the widest of both: decimal, double, long, int. Undefined: a long overflowed. */
export function compute(a: Numeric, b: Numeric, operator: '+' | '-' | '*'): Numeric | undefined {
  if (a instanceof Decimal128 || b instanceof Decimal128) return decimal(a, b, operator);
  if (a instanceof Double || b instanceof Double) {
    const [x, y] = [toNumber(a), toNumber(b)];
    return new Double(operator === '+' ? x + y : operator === '-' ? x - y : x * y);
  }
  const [x, y] = [BigInt(a.toString()), BigInt(b.toString())];
  return whole(operator === '+' ? x + y : operator === '-' ? x - y : x * y, a instanceof Long || b instanceof Long);
}

/** In aggregation a long that overflows becomes a double. */
const computeWide = (a: Numeric, b: Numeric, operator: '+' | '-' | '*'): Numeric =>
  compute(a, b, operator) ??
  new Double(
    operator === '+'
      ? toNumber(a) + toNumber(b)
      : operator === '-'
        ? toNumber(a) - toNumber(b)
        : toNumber(a) * toNumber(b),
  );

/** The exact sum of two doubles: what fits into one, and what it leaves. */
function twoSum(a: number, b: number): [sum: number, rest: number] {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}

/**
 * Adds numbers of all types as $sum does: whole numbers exactly, doubles with the lost digits carried on, so that the
 * order does not matter; the result has the widest type. https://www.mongodb.com/docs/manual/reference/operator/aggregation/sum/
 */
export class Sum {
  #small = 0;
  #big = 0n;
  #double = 0;
  #rest = 0;
  /** A NaN or an infinity is carried beside, or the rest would turn into NaN. */
  #special = 0;
  #decimal: Decimal128 | undefined;
  #doubles = false;
  #longs = false;
  count = 0;

  add(v: Numeric): void {
    this.count += 1;
    if (v instanceof Int32) this.#addWhole(v.value);
    else if (v instanceof Double) {
      this.#doubles = true;
      if (!Number.isFinite(v.value)) {
        this.#special += v.value;
        return;
      }
      const [sum, rest] = twoSum(this.#double, v.value);
      this.#double = sum;
      this.#rest += rest;
    } else if (v instanceof Decimal128) this.#decimal = decimal(this.#decimal ?? ZERO, v, '+');
    else {
      this.#longs = true;
      this.#big += v.toBigInt();
    }
  }

  #addWhole(n: number): void {
    const sum = this.#small + n;
    if (Number.isSafeInteger(sum)) this.#small = sum;
    else {
      this.#big += BigInt(this.#small) + BigInt(n);
      this.#small = 0;
    }
  }

  result(): Numeric {
    const sum = this.#big + BigInt(this.#small);
    if (!this.#decimal && !this.#doubles) {
      const exact = whole(sum, this.#longs);
      if (exact) return exact;
    }
    const asDouble = this.#asDouble(sum);
    if (!this.#decimal) return new Double(asDouble);
    const others = this.#doubles ? new Double(asDouble) : (whole(sum, true) ?? new Double(asDouble));
    return asDouble === 0 && !this.#special ? this.#decimal : decimal(this.#decimal, others, '+');
  }

  #asDouble(sum: bigint): number {
    if (this.#special !== 0) return this.#special;
    const high = Number(sum);
    const low = Number(sum - BigInt(high));
    const [total, rest] = twoSum(this.#double, high);
    return total + (rest + this.#rest + low);
  }

  /** Null of nothing. */
  mean(): Numeric | null {
    if (this.count === 0) return null;
    const sum = this.result();
    if (sum instanceof Decimal128) return divideDecimal(sum, new Int32(this.count));
    return new Double(toNumber(sum) / this.count);
  }
}

/** To 34 digits. */
function divideDecimal(a: Numeric, b: Numeric): Decimal128 {
  if (!isFinite(a) || !isFinite(b)) return Decimal128.fromString(String(toNumber(a) / toNumber(b)));
  const [x, y] = [scaled(a), scaled(b)];
  const wanted = Math.max(0, MOST_DIGITS + 2 + y.digits.toString().length - x.digits.toString().length);
  const top = x.digits * 10n ** BigInt(wanted);
  let digits = top / y.digits;
  let exponent = x.exponent - y.exponent - wanted;
  const exact = digits * y.digits === top;
  // A quotient that comes out even is written as short as the operands' own exponents allow.
  while (exact && digits !== 0n && digits % 10n === 0n && exponent < x.exponent - y.exponent) {
    digits /= 10n;
    exponent += 1;
  }
  if (digits === 0n) exponent = x.exponent - y.exponent;
  // One more digit says on which side of the half the rest lies.
  if (!exact) {
    digits = digits * 10n + (digits < 0n ? -1n : 1n);
    exponent -= 1;
  }
  return signed({ digits, exponent }, isNegative(a) !== isNegative(b));
}

const isNull = (v: Value): v is null | undefined => v === null || v === undefined;

/** $add of values that may be dates; ends at the first null. https://www.mongodb.com/docs/manual/reference/operator/aggregation/add/ */
export function add(values: Iterable<Value>): Value {
  const sum = new Sum();
  let date: Date | undefined;
  for (const v of values) {
    if (isNull(v)) return null;
    if (v instanceof Date) {
      if (date) throw new EngineError(16612, 'only one date allowed in an $add expression');
      date = v;
    } else if (isNumeric(v)) sum.add(v);
    else throw new EngineError('TypeMismatch', `$add only supports numeric or date types, not ${typeName(v)}`);
  }
  return date ? dateAt(date.getTime() + nearest(toNumber(sum.result()))) : sum.result();
}

/** A half goes away from 0. */
const nearest = (ms: number): number => Math.sign(ms) * Math.round(Math.abs(ms));

/** @throws {EngineError} 15: no date lies there */
export function dateAt(ms: number): Date {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) throw new EngineError('Overflow', 'date overflow');
  return date;
}

export function subtract(a: Value, b: Value): Value {
  if (isNull(a) || isNull(b)) return null;
  if (a instanceof Date && b instanceof Date) return Long.fromNumber(a.getTime() - b.getTime());
  if (a instanceof Date && isNumeric(b)) return dateAt(a.getTime() - Math.round(toNumber(b)));
  if (isNumeric(a) && isNumeric(b)) return computeWide(a, b, '-');
  throw new EngineError('TypeMismatch', `can't $subtract ${typeName(b)} from ${typeName(a)}`);
}

export function multiply(values: Iterable<Value>): Value {
  let product: Numeric = new Int32(1);
  for (const v of values) {
    if (isNull(v)) return null;
    if (!isNumeric(v))
      throw new EngineError('TypeMismatch', `$multiply only supports numeric types, not ${typeName(v)}`);
    product = computeWide(product, v, '*');
  }
  return product;
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/divide/ */
export function divide(a: Value, b: Value): Value {
  if (isNull(a) || isNull(b)) return null;
  if (!isNumeric(a) || !isNumeric(b))
    throw new EngineError('TypeMismatch', `$divide only supports numeric types, not ${typeName(a)} and ${typeName(b)}`);
  if (isZero(b)) throw new EngineError('BadValue', "can't $divide by zero", { inGroup: 4848401 });
  if (a instanceof Decimal128 || b instanceof Decimal128) return divideDecimal(a, b);
  return new Double(toNumber(a) / toNumber(b));
}

/** The rest has the dividend's sign. https://www.mongodb.com/docs/manual/reference/operator/aggregation/mod/ */
export function modulo(a: Value, b: Value): Value {
  if (isNull(a) || isNull(b)) return null;
  if (!isNumeric(a) || !isNumeric(b))
    throw new EngineError(16611, `$mod only supports numeric types, not ${typeName(a)} and ${typeName(b)}`);
  if (isZero(b))
    throw new EngineError(a instanceof Decimal128 || b instanceof Decimal128 ? 5733415 : 16610, "can't $mod by zero", {
      inGroup: 4848403,
    });
  if (a instanceof Decimal128 || b instanceof Decimal128) {
    if (!isFinite(a)) return Decimal128.fromString('NaN');
    if (!isFinite(b)) return toDecimal(a);
    const [x, y] = [scaled(a), scaled(b)];
    const exponent = Math.min(x.exponent, y.exponent);
    const left = x.digits * 10n ** BigInt(x.exponent - exponent);
    const right = y.digits * 10n ** BigInt(y.exponent - exponent);
    return signed({ digits: left % right, exponent }, isNegative(a));
  }
  // A whole double as divisor counts as an integer.
  if (a instanceof Double || (b instanceof Double && !Number.isSafeInteger(b.value)))
    return new Double(toNumber(a) % toNumber(b));
  const rest = BigInt(a.toString()) % BigInt(b.toString());
  return whole(rest, a instanceof Long || b instanceof Long) ?? null;
}
