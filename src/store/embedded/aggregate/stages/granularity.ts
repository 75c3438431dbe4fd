import { Decimal128, Double, Int32 } from 'bson';
import { compare } from '../../bson/compare.js';
import { type Numeric, toNumber } from '../../bson/types.js';
import { EngineError } from '../../errors.js';
import { power } from '../operators/numbers.js';

const numbers = (text: string): readonly number[] => text.split(' ').map(Number);

/** Numbers between two powers of ten. https://en.wikipedia.org/wiki/Preferred_number, those least rounded */
const SERIES: Readonly<Record<string, readonly number[]>> = {
  R5: numbers('10 16 25 40 63'),
  R10: numbers('100 125 160 200 250 315 400 500 630 800'),
  R20: numbers('100 112 125 140 160 180 200 224 250 280 315 355 400 450 500 560 630 710 800 900'),
  R40: numbers(
    '100 106 112 118 125 132 140 150 160 170 180 190 200 212 224 236 250 265 280 300 315 335 355 375 400 425 450 475 500 530 560 600 630 670 710 750 800 850 900 950',
  ),
  R80: numbers(
    '103 109 115 122 128 136 145 155 165 175 185 195 206 218 230 243 258 272 290 307 325 345 365 387 412 437 462 487 515 545 575 615 650 690 730 775 825 875 925 975',
  ),
  '1-2-5': [10, 20, 50],
  E6: numbers('10 15 22 33 47 68'),
  E12: numbers('10 12 15 18 22 27 33 39 47 56 68 82'),
  E24: numbers('10 11 12 13 15 16 18 20 22 24 27 30 33 36 39 43 47 51 56 62 68 75 82 91'),
  ...Object.fromEntries([48, 96, 192].map((n) => [`E${n}`, steps(n)])),
};

/** An E series of three digits: the powers of the n-th root of ten, but for one that tradition writes otherwise. */
function steps(n: number): number[] {
  return Array.from({ length: n }, (_, i) => Math.round(100 * 10 ** (i / n))).map((v) => (v === 919 ? 920 : v));
}

export const isGranularity = (name: string): boolean => name === 'POWERSOF2' || name in SERIES;

/** By tens one after the other, as MongoDB comes to the last digit of a double. */
function timesTen(ten: number): number {
  let n = 1;
  for (let i = 0; i < Math.abs(ten); i += 1) n = ten < 0 ? n / 10 : n * 10;
  return n;
}

/** The power of two above a number, or below it; of a decimal a decimal, else as small a type as holds it. */
function powerOfTwo(v: Numeric, up: boolean): Numeric {
  const two = (n: number): Numeric =>
    power(new Int32(2), v instanceof Decimal128 ? Decimal128.fromString(String(n)) : new Int32(n)) as Numeric;
  let n = Math.round(Math.log2(toNumber(v)));
  while (compare(two(n), v) >= 0) n -= 1;
  while (compare(two(n + 1), v) < 0) n += 1;
  if (!up) return two(n);
  return compare(two(n + 1), v) > 0 ? two(n + 1) : two(n + 2);
}

/**
 * The next number of a series above a number, or below it; 0 stays 0.
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/bucketAuto/#granularity
 *
 * @throws {EngineError} 238: of what has no end
 */
export function rounded(v: Numeric, granularity: string, up: boolean): Numeric {
  const n = toNumber(v);
  if (n === 0) return v;
  if (n === Infinity)
    throw new EngineError('NotImplemented', 'Infinity with a granularity is not supported by the embedded engine');
  if (granularity === 'POWERSOF2') return powerOfTwo(v, up);
  const series = SERIES[granularity] ?? [];
  const ten = Math.floor(Math.log10(n / (series[0] ?? 1)));
  const near = [ten - 1, ten, ten + 1].flatMap((exponent) =>
    series.map((s) =>
      v instanceof Decimal128 ? Decimal128.fromString(`${s}E${exponent}`) : new Double(s * timesTen(exponent)),
    ),
  );
  return (up ? near.find((s) => compare(s, v) > 0) : near.findLast((s) => compare(s, v) < 0)) ?? v;
}
