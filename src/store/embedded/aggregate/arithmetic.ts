import { Decimal128, Double, Int32, Long } from 'bson';
import { isNumeric, isZero, type Numeric, toInt32, toNumber, typeName } from '../bson/types.js';
import type { Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { decimal, divideDecimal, exactDecimal, finite, isNegative, scaled, signed, toDecimal } from './decimals.js';

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** Whole numbers stay whole: int32 grows into long; undefined: beyond a long. */
export function whole(value: bigint, wide: boolean): Int32 | Long | undefined {
  if (!wide && value >= -(2n ** 31n) && value < 2n ** 31n) return new Int32(Number(value));
  return value >= MIN && value <= MAX ? Long.fromBigInt(value) : undefined;
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

/** What sums of decimals begin with: it leaves no exponent above 0. */
const ZERO = Decimal128.fromString('0');
/**
 * Adds numbers of all types as $sum does: whole numbers exactly, doubles with the lost digits carried on, so that the
 * order does not matter; the result has the widest type. https://www.mongodb.com/docs/manual/reference/operator/aggregation/sum/
 */
export class Sum {
  #small = 0;
  #big = 0n;
  #double = 0;
  #rest = 0;
  /** A NaN or an infinity, also one that doubles grew to, is carried beside, or the rest would turn into NaN. */
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
      const [sum, rest] = twoSum(this.#double, v.value);
      if (!Number.isFinite(sum) || this.#special !== 0) {
        this.#special += Number.isFinite(v.value) && this.#special === 0 ? sum : v.value;
        return;
      }
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
    const [total, rest] = this.#parts(sum);
    if (!this.#decimal) return new Double(total + rest);
    const others = !this.#doubles && whole(sum, true);
    return decimal(this.#decimal, others || decimal(exactDecimal(total), exactDecimal(rest), '+'), '+');
  }

  /** What is no decimal, as a double and what it leaves. */
  #parts(sum: bigint): [total: number, rest: number] {
    if (this.#special !== 0) return [this.#special, 0];
    const high = Number(sum);
    const low = Number(sum - BigInt(high));
    const [total, rest] = twoSum(this.#double, high);
    return Number.isFinite(total) ? [total, rest + this.#rest + low] : [total, 0];
  }

  /** The mean of what was added; null of nothing. */
  mean(): Numeric | null {
    if (this.count === 0) return null;
    const sum = this.result();
    if (sum instanceof Decimal128) return divideDecimal(sum, new Int32(this.count));
    return new Double(toNumber(sum) / this.count);
  }
}

const isNull = (v: Value): v is null | undefined => v === null || v === undefined;

/**
 * $add of values that may be dates; ends at the first null. Whole numbers are added exactly; from the first double or decimal on one
 * after the other, without what $sum carries on. https://www.mongodb.com/docs/manual/reference/operator/aggregation/add/
 */
export function add(values: Iterable<Value>): Value {
  const sum = new Sum();
  let total: Numeric | undefined;
  let date: Date | undefined;
  for (const v of values) {
    if (isNull(v)) return null;
    if (v instanceof Date) {
      if (date) throw new EngineError(16612, 'only one date allowed in an $add expression');
      date = v;
    } else if (!isNumeric(v))
      throw new EngineError('TypeMismatch', `$add only supports numeric or date types, not ${typeName(v)}`);
    else if (!total && !(v instanceof Double || v instanceof Decimal128)) sum.add(v);
    else total = computeWide(total ?? sum.result(), v, '+');
  }
  total ??= sum.result();
  return date ? dateAt(date.getTime() + nearest(toNumber(total))) : total;
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
    if (!finite(a) || Number.isNaN(toNumber(b))) return Decimal128.fromString('NaN');
    if (!finite(b)) return toDecimal(a);
    const [x, y] = [scaled(a), scaled(b)];
    const exponent = Math.min(x.exponent, y.exponent);
    const left = x.digits * 10n ** BigInt(x.exponent - exponent);
    const right = y.digits * 10n ** BigInt(y.exponent - exponent);
    return signed({ digits: left % right, exponent }, isNegative(a));
  }
  // A double of a whole number of 32 bits counts as an integer where it is the divisor.
  if (a instanceof Double || (b instanceof Double && toInt32(b) === undefined))
    return new Double(toNumber(a) % toNumber(b));
  const rest = BigInt(a.toString()) % BigInt(b.toString());
  return whole(rest, a instanceof Long || b instanceof Long) ?? null;
}
