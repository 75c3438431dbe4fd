import { Decimal128, Double } from 'bson';
import { type Exact, exact } from '../bson/exact.js';
import { type Numeric, toNumber } from '../bson/types.js';

/** A decimal: `digits` · 10^`exponent`. */
interface Scaled {
  readonly digits: bigint;
  readonly exponent: number;
}

/** Digits of a decimal, and the least exponent of one (IEEE 754-2008, decimal128). */
export const MOST_DIGITS = 34;
export const LEAST_EXPONENT = -6176;

/** A double becomes a decimal of 15 digits, but for 0. https://www.mongodb.com/docs/manual/reference/operator/aggregation/toDecimal/ */
export function toDecimal(v: Numeric): Decimal128 {
  if (v instanceof Decimal128) return v;
  if (!(v instanceof Double)) return Decimal128.fromString(v.toString());
  if (!Number.isFinite(v.value)) return Decimal128.fromString(String(v.value));
  if (v.value === 0) return Decimal128.fromString(Object.is(v.value, -0) ? '-0' : '0');
  return Decimal128.fromString(v.value.toPrecision(15));
}

/** A finite double to its last digit. */
export function scaledDouble(n: number): Scaled {
  let { digits, two } = exact(new Double(n)) as Exact;
  for (; two < 0 && digits % 2n === 0n; two += 1) digits /= 2n;
  return two < 0
    ? { digits: digits * 5n ** BigInt(-two), exponent: two }
    : { digits: digits * 2n ** BigInt(two), exponent: 0 };
}

/** A double to the last of 34 digits, as $sum and $avg add it to decimals. */
export const exactDecimal = (n: number): Decimal128 =>
  Number.isFinite(n) ? fromScaled(scaledDouble(n)) : Decimal128.fromString(String(n));

export function scaled(v: Numeric): Scaled {
  const [mantissa = '0', exponent = '0'] = toDecimal(v).toString().split(/e/i);
  const [int = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(int + fraction), exponent: Number(exponent) - fraction.length };
}

/** The exponent of the greatest digit that a decimal can have; what is beyond is infinite. */
export const GREATEST = 6144;

/** Rounded, a half to even, to the digits and to the least exponent that a decimal has. */
export function fromScaled({ digits, exponent }: Scaled): Decimal128 {
  const negative = digits < 0n;
  const length = digits.toString().length - (negative ? 1 : 0);
  if (digits !== 0n && length - 1 + exponent > GREATEST)
    return Decimal128.fromString(negative ? '-Infinity' : 'Infinity');
  const places = Math.max(length - MOST_DIGITS, LEAST_EXPONENT - exponent);
  if (places <= 0) return Decimal128.fromString(`${digits}E${exponent}`);
  return signed({ digits: cut(digits, places, 'even'), exponent: exponent + places }, negative);
}

export type Rounding = 'floor' | 'ceil' | 'trunc' | 'even';

/** `digits` without its last `places` digits. */
export function cut(digits: bigint, places: number, how: Rounding): bigint {
  const unit = 10n ** BigInt(places);
  const quotient = digits / unit;
  const rest = digits % unit;
  if (rest === 0n || how === 'trunc') return quotient;
  if (how === 'floor') return rest < 0n ? quotient - 1n : quotient;
  if (how === 'ceil') return rest > 0n ? quotient + 1n : quotient;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  if (twice < unit || (twice === unit && quotient % 2n === 0n)) return quotient;
  return rest < 0n ? quotient - 1n : quotient + 1n;
}

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

export const finite = (v: Numeric): boolean => Number.isFinite(toNumber(v)) || /\d/.test(v.toString());

/** Of decimals and of numbers that become ones. */
export function decimal(a: Numeric, b: Numeric, operator: '+' | '-' | '*'): Decimal128 {
  if (!finite(a) || !finite(b)) {
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

/** To 34 digits. */
export function divideDecimal(a: Numeric, b: Numeric): Decimal128 {
  if (!finite(a) || !finite(b)) {
    const quotient = toNumber(a) / toNumber(b);
    return quotient === 0
      ? signed({ digits: 0n, exponent: LEAST_EXPONENT }, isNegative(a) !== isNegative(b))
      : Decimal128.fromString(String(quotient));
  }
  const [x, y] = [scaled(a), scaled(b)];
  const wanted = Math.max(0, MOST_DIGITS + 2 + y.digits.toString().length - x.digits.toString().length);
  const top = x.digits * 10n ** BigInt(wanted);
  let digits = top / y.digits;
  let exponent = x.exponent - y.exponent - wanted;
  const even = digits * y.digits === top;
  // A quotient that comes out even is written as short as the operands' own exponents allow.
  while (even && digits !== 0n && digits % 10n === 0n && exponent < x.exponent - y.exponent) {
    digits /= 10n;
    exponent += 1;
  }
  if (digits === 0n) exponent = x.exponent - y.exponent;
  // One more digit says on which side of the half the rest lies.
  if (!even) {
    digits = digits * 10n + (digits < 0n ? -1n : 1n);
    exponent -= 1;
  }
  return signed({ digits, exponent }, isNegative(a) !== isNegative(b));
}
