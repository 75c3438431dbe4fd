import { Decimal128, Double, Int32, Long } from 'bson';
import { isNumeric, type Numeric, toNumber } from '../bson/types.js';
import type { Value } from '../bson/value.js';
import { EngineError } from '../errors.js';

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** Whole numbers stay whole: int32 grows into long; a long that overflows becomes a double, as in aggregation. */
function whole(value: bigint, wide: boolean): Numeric | undefined {
  if (!wide && value >= -(2n ** 31n) && value < 2n ** 31n) return new Int32(Number(value));
  return value >= MIN && value <= MAX ? Long.fromBigInt(value) : undefined;
}

const scaled = (v: Numeric): { digits: bigint; exponent: number } => {
  const [mantissa = '0', exponent = '0'] = v.toString().split(/e/i);
  const [int = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(int + fraction), exponent: Number(exponent) - fraction.length };
};

function decimal(a: Numeric, b: Numeric, operator: '+' | '-' | '*'): Decimal128 {
  if (![a, b].every((v) => Number.isFinite(toNumber(v)))) {
    const [x, y] = [toNumber(a), toNumber(b)];
    return Decimal128.fromString(String(operator === '+' ? x + y : operator === '-' ? x - y : x * y));
  }
  const [x, y] = [scaled(a), scaled(b)];
  if (operator === '*') return Decimal128.fromStringWithRounding(`${x.digits * y.digits}E${x.exponent + y.exponent}`);
  const exponent = Math.min(x.exponent, y.exponent);
  const left = x.digits * 10n ** BigInt(x.exponent - exponent);
  const right = y.digits * 10n ** BigInt(y.exponent - exponent);
  return Decimal128.fromStringWithRounding(`${operator === '+' ? left + right : left - right}E${exponent}`);
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
export const computeWide = (a: Numeric, b: Numeric, operator: '+' | '-' | '*'): Numeric =>
  compute(a, b, operator) ??
  new Double(
    operator === '+'
      ? toNumber(a) + toNumber(b)
      : operator === '-'
        ? toNumber(a) - toNumber(b)
        : toNumber(a) * toNumber(b),
  );

/** $add of values that may be dates. https://www.mongodb.com/docs/manual/reference/operator/aggregation/add/ */
export function add(values: readonly Value[]): Value {
  if (values.some((v) => v === null || v === undefined)) return null;
  const date = values.find((v) => v instanceof Date);
  let sum: Numeric = new Int32(0);
  for (const v of values) {
    if (v === date) continue;
    if (!isNumeric(v))
      throw new EngineError(
        v instanceof Date ? 16612 : 'TypeMismatch',
        v instanceof Date ? 'only one date allowed in an $add expression' : '$add only supports numeric or date types',
      );
    sum = computeWide(sum, v, '+');
  }
  return date instanceof Date ? new Date(date.getTime() + toNumber(sum)) : sum;
}

export function subtract(a: Value, b: Value): Value {
  if (a === null || a === undefined || b === null || b === undefined) return null;
  if (a instanceof Date && b instanceof Date) return Long.fromNumber(a.getTime() - b.getTime());
  if (a instanceof Date && isNumeric(b)) return new Date(a.getTime() - toNumber(b));
  if (isNumeric(a) && isNumeric(b)) return computeWide(a, b, '-');
  throw new EngineError('TypeMismatch', "can't $subtract these types");
}

export function multiply(values: readonly Value[]): Value {
  if (values.some((v) => v === null || v === undefined)) return null;
  let product: Numeric = new Int32(1);
  for (const v of values) {
    if (!isNumeric(v)) throw new EngineError('TypeMismatch', '$multiply only supports numeric types');
    product = computeWide(product, v, '*');
  }
  return product;
}
