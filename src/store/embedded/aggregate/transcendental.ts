import { Decimal128 } from 'bson';
import { type Numeric, toNumber } from '../bson/types.js';
import { EngineError } from '../errors.js';
import { GREATEST, LEAST_EXPONENT, MOST_DIGITS, scaled } from './decimals.js';

/**
 * Logarithms, powers and angles of decimals. Numbers are held as integers of 10^-PLACES, some 35 digits more than a
 * result has. MongoDB comes by way of binary numbers of 113 bits (Intel's decimal library), so results are rounded to those first:
 * what is whole there has no digits behind the point.
 */
const PLACES = 70;
const ONE = 10n ** BigInt(PLACES);
/** Precision of IEEE 754's binary128, in bits. */
const BITS = 113;
/** Powers of ten of its greatest number and of its least. */
const MOST_BINARY = 4932;
const LEAST_BINARY = -4966;
/** Below 10^-TINY an angle and its sine are one to the last digit. */
const TINY = -20;
/** From 10^HUGE on the places do not reach for what is left of a full circle. */
const HUGE = 30;

/** A positive number in full: `value` · 10^`ten`. */
interface Scientific {
  readonly value: bigint;
  readonly ten: number;
}

const lengthOf = (digits: bigint): number => digits.toString().replace('-', '').length;
const times = (a: bigint, b: bigint): bigint => (a * b) / ONE;
const over = (a: bigint, b: bigint): bigint => (a * ONE) / b;

/** The whole root, rounded down, by Newton's way from above. */
export function root(square: bigint): bigint {
  if (square < 2n) return square;
  let last = 1n << BigInt((square.toString(2).length + 1) >> 1);
  for (let next = (last + square / last) / 2n; next < last; next = (last + square / last) / 2n) last = next;
  return last;
}
const rootOf = (v: bigint): bigint => root(v * ONE);

function fixed(v: Numeric): bigint {
  const { digits, exponent } = scaled(v);
  const places = exponent + PLACES;
  return places >= 0 ? digits * 10n ** BigInt(places) : digits / 10n ** BigInt(-places);
}

/** `value` · 10^`ten` as a decimal, by way of binary128. */
function decimal(value: bigint, ten = 0): Decimal128 {
  if (value === 0n) return Decimal128.fromString('0');
  const negative = value < 0n;
  const top = negative ? -value : value;
  // How far the point is moved to have all bits before it.
  let shift = BITS - (top.toString(2).length - ONE.toString(2).length);
  if (((top << BigInt(Math.max(shift, 0))) / (ONE << BigInt(Math.max(-shift, 0)))) >> BigInt(BITS) > 0n) shift -= 1;
  const scale = 1n << BigInt(Math.abs(shift));
  const [numerator, denominator] = shift >= 0 ? [top * scale, ONE] : [top, ONE * scale];
  const bits = (2n * numerator + denominator) / (2n * denominator);
  let [digits, exponent] = shift >= 0 ? [bits * 5n ** BigInt(shift), -shift] : [bits * scale, 0];
  while (exponent < 0 && digits % 10n === 0n) [digits, exponent] = [digits / 10n, exponent + 1];
  const highest = lengthOf(digits) - 1 + exponent + ten;
  const sign = negative ? '-' : '';
  if (highest > GREATEST) return Decimal128.fromString(`${sign}Infinity`);
  if (highest < LEAST_EXPONENT) return Decimal128.fromString(`${sign}0E${LEAST_EXPONENT}`);
  if (lengthOf(digits) <= MOST_DIGITS) return Decimal128.fromString(`${sign}${digits}E${exponent + ten}`);
  return Decimal128.fromStringWithRounding(`${sign}${digits}E${exponent + ten}`);
}

/** The sum of a series, each term made of the one before; it ends where a term is no more. */
function series(
  first: bigint,
  next: (term: bigint, n: number) => bigint,
  of = (term: bigint, _n: number) => term,
): bigint {
  let sum = 0n;
  for (let [term, n] = [first, 0]; term !== 0n; [term, n] = [next(term, n), n + 1]) sum += of(term, n);
  return sum;
}

/** Of |z| < 1, by its series: the sign of its terms alternates for atan, and does not for atanh. */
function arc(z: bigint, sign: 1n | -1n): bigint {
  const square = sign * times(z, z);
  return series(
    z,
    (term) => times(term, square),
    (term, n) => term / BigInt(2 * n + 1),
  );
}

const LN2 = 2n * arc(ONE / 3n, 1n);
const PI = 4n * (4n * arc(ONE / 5n, -1n) - arc(ONE / 239n, -1n));
const LN10 = lnFixed({ value: 10n * ONE, ten: 0 });

function lnFixed({ value, ten }: Scientific): bigint {
  let [v, twos] = [value, 0n];
  while (v > (3n * ONE) / 2n) [v, twos] = [v / 2n, twos + 1n];
  while (v < (3n * ONE) / 4n) [v, twos] = [v * 2n, twos - 1n];
  const ln = 2n * arc(over(v - ONE, v + ONE), 1n) + twos * LN2;
  return ten === 0 ? ln : ln + BigInt(ten) * LN10;
}

/** Between 1 and 10, with its power of ten. */
function scientific(v: Numeric): Scientific {
  const { digits, exponent } = scaled(v);
  const ten = lengthOf(digits) - 1;
  return { value: (digits * ONE) / 10n ** BigInt(ten), ten: exponent + ten };
}
/** What stands for a number that may have more digits than PLACES holds before the point. */
const large = (v: bigint): Scientific => {
  const ten = Math.max(lengthOf(v) - PLACES - 1, 0);
  return { value: v / 10n ** BigInt(ten), ten };
};

function expFixed(x: bigint): Scientific {
  const tens = x / LN10;
  const rest = x - tens * LN10;
  return { value: series(ONE, (term, n) => times(term, rest) / BigInt(n + 1)), ten: Number(tens) };
}

function sineAndCosine(x: bigint): [sine: bigint, cosine: bigint] {
  const angle = x % (2n * PI);
  const square = -times(angle, angle);
  const wave = (first: bigint, from: number): bigint =>
    series(first, (term, n) => times(term, square) / BigInt((2 * n + from) * (2 * n + from + 1)));
  return [wave(angle, 2), wave(ONE, 1)];
}

function atanFixed(x: bigint): bigint {
  if (x < 0n) return -atanFixed(-x);
  if (x > ONE) return PI / 2n - atanFixed(over(ONE, x));
  // Halved twice, so that the series is short.
  const half = (z: bigint): bigint => over(z, ONE + rootOf(ONE + times(z, z)));
  return 4n * arc(half(half(x)), -1n);
}

const finite = (v: Decimal128): boolean => /\d/.test(v.toString());
const powerOf = (v: Decimal128): number => {
  const { digits, exponent } = scaled(v);
  return digits === 0n ? -Infinity : lengthOf(digits) - 1 + exponent;
};

export const exp = (v: Decimal128): Decimal128 => {
  const n = toNumber(v);
  if (Math.abs(n) > 15_000) return n > 0 ? Decimal128.fromString('Infinity') : decimal(1n, LEAST_EXPONENT - PLACES);
  const { value, ten } = expFixed(fixed(v));
  return decimal(value, ten);
};
export const ln = (v: Decimal128): Decimal128 => decimal(lnFixed(scientific(v)));
export const log10 = (v: Decimal128): Decimal128 => {
  const { value, ten } = scientific(v);
  return decimal(over(lnFixed({ value, ten: 0 }), LN10) + BigInt(ten) * ONE);
};
/** Powers end where binary128 does, which is before decimals do. */
export function inBinaryRange(v: Decimal128): Decimal128 {
  if (!finite(v)) return v;
  const ten = powerOf(v);
  if (ten > MOST_BINARY) return Decimal128.fromString(v.toString().startsWith('-') ? '-Infinity' : 'Infinity');
  return ten < LEAST_BINARY ? Decimal128.fromString(`0E${LEAST_EXPONENT}`) : v;
}

/** Of a base above 0. */
export function power(base: Decimal128, exponent: Decimal128): Decimal128 {
  const x = times(lnFixed(scientific(base)), fixed(exponent));
  if (lengthOf(x) > PLACES + 5)
    return x > 0n ? Decimal128.fromString('Infinity') : decimal(1n, LEAST_EXPONENT - PLACES);
  const { value, ten } = expFixed(x);
  return inBinaryRange(decimal(value, ten));
}

function hyperbolic(x: bigint, sign: 1n | -1n): Decimal128 {
  const { value, ten } = expFixed(x < 0n ? -x : x);
  // What e^-x adds is beyond the digits of a large power.
  const other = ten > PLACES ? 0n : over(ONE, value) / 10n ** BigInt(ten);
  const sum = ten > PLACES ? value : value * 10n ** BigInt(ten) + sign * other;
  return decimal((sign === -1n && x < 0n ? -sum : sum) / 2n, ten > PLACES ? ten : 0);
}

function tanhFixed(x: bigint): bigint {
  if (x < 0n) return -tanhFixed(-x);
  if (x > 100n * ONE) return ONE;
  const { value, ten } = expFixed(2n * x);
  const square = value * 10n ** BigInt(ten);
  return over(square - ONE, square + ONE);
}

const asinFixed = (x: bigint): bigint =>
  x * x === ONE * ONE ? (x > 0n ? PI : -PI) / 2n : atanFixed(over(x, rootOf(ONE - times(x, x))));
const asinhFixed = (x: bigint): bigint => {
  const size = x < 0n ? -x : x;
  const ln_ = lnFixed(large(size + rootOf(ONE + times(size, size))));
  return x < 0n ? -ln_ : ln_;
};

/** Functions that are the angle itself near 0. */
const NEAR_ITSELF = new Set(['sin', 'tan', 'asin', 'atan', 'sinh', 'tanh', 'asinh', 'atanh']);

const functions: Readonly<Record<string, (x: bigint) => Decimal128>> = {
  sin: (x) => decimal(sineAndCosine(x)[0]),
  cos: (x) => decimal(sineAndCosine(x)[1]),
  tan: (x) => {
    const [sine, cosine] = sineAndCosine(x);
    return decimal(over(sine, cosine));
  },
  asin: (x) => decimal(asinFixed(x)),
  acos: (x) => decimal(PI / 2n - asinFixed(x)),
  atan: (x) => decimal(atanFixed(x)),
  sinh: (x) => hyperbolic(x, -1n),
  cosh: (x) => hyperbolic(x, 1n),
  tanh: (x) => decimal(tanhFixed(x)),
  asinh: (x) => decimal(asinhFixed(x)),
  acosh: (x) => decimal(lnFixed(large(x + rootOf(times(x, x) - ONE)))),
  atanh: (x) =>
    x === ONE || x === -ONE
      ? Decimal128.fromString(x > 0n ? 'Infinity' : '-Infinity')
      : decimal(lnFixed(large(over(ONE + x, ONE - x))) / 2n),
};

/**
 * A function of one decimal that is finite, and of which the result is.
 *
 * @throws {EngineError} 238: an angle that goes round too often
 */
export function ofAngle(name: string, v: Decimal128): Decimal128 {
  const ten = powerOf(v);
  if (ten < TINY && NEAR_ITSELF.has(name)) return v;
  if (ten >= HUGE && ['sin', 'cos', 'tan'].includes(name))
    throw new EngineError(
      'NotImplemented',
      `$${name} of a decimal from 10^${HUGE} on is not supported by the embedded engine`,
    );
  if (ten > 5 && (name === 'sinh' || name === 'cosh'))
    return Decimal128.fromString(name === 'sinh' && toNumber(v) < 0 ? '-Infinity' : 'Infinity');
  const compute = functions[name];
  if (!compute) throw new Error(`no function ${name}`);
  return compute(fixed(v));
}

/** The angle of a point. */
export function atan2(y: Decimal128, x: Decimal128): Decimal128 {
  if (!finite(y) || !finite(x) || toNumber(y) === 0 || toNumber(x) === 0) {
    const n = Math.atan2(toNumber(y), toNumber(x));
    const quarters = BigInt(Math.round((n / Math.PI) * 4) || 0);
    return Number.isNaN(n) ? Decimal128.fromString('NaN') : decimal((quarters * PI) / 4n);
  }
  const [a, b] = [scaled(y), scaled(x)];
  const least = Math.min(a.exponent, b.exponent);
  const whole = ({ digits, exponent }: typeof a): bigint => digits * 10n ** BigInt(exponent - least);
  const angle = atanFixed(over(whole(a), whole(b)));
  return decimal(b.digits > 0n ? angle : angle + (a.digits > 0n ? PI : -PI));
}
