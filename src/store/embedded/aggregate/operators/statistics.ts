import { Binary, Double, Int32, Long } from 'bson';
import { compare } from '../../bson/compare.js';
import { isDoc, isNumeric, type Numeric, toNumber, typeName } from '../../bson/types.js';
import { encode, type Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { Sum } from '../arithmetic.js';
import type { Operator } from '../expression.js';
import { compileList, fieldsOf, isNull, one } from './arguments.js';

/** Of several operands, or of the elements of one that is an array. */
const overList =
  (compute: (values: readonly Value[]) => Value): Operator =>
  (argument, _name, compile) => {
    const args = compileList(argument, compile);
    return (doc, v) => {
      const values = args.map((a) => a(doc, v));
      const [only] = values;
      return compute(values.length === 1 && Array.isArray(only) ? only : values);
    };
  };

function summed(values: readonly Value[]): Sum {
  const sum = new Sum();
  for (const v of values) if (isNumeric(v)) sum.add(v);
  return sum;
}

/** A long counts as a double in an average of operands, unlike in one of a group. */
const averaged = (v: Value): Value => (isNumeric(v) && v instanceof Long ? new Double(v.toNumber()) : v);

function extreme(values: readonly Value[], sign: 1 | -1): Value {
  let best: Value = null;
  for (const v of values) if (!isNull(v) && (best === null || compare(v, best) * sign > 0)) best = v;
  return best;
}

/** The standard deviation, always a double; null of too few. https://www.mongodb.com/docs/manual/reference/operator/aggregation/stdDevPop/ */
export function deviation(values: readonly Numeric[], sample: boolean): Value {
  const n = values.length;
  if (n < (sample ? 2 : 1)) return null;
  // Welford's way, as numbers far from 0 would lose their digits in a sum of squares.
  let mean = 0;
  let squares = 0;
  for (const [i, v] of values.entries()) {
    const x = toNumber(v);
    const delta = x - mean;
    mean += delta / (i + 1);
    squares += delta * (x - mean);
  }
  return new Double(Math.sqrt(squares / (sample ? n - 1 : n)));
}

/** The values at the given shares, as doubles. https://www.mongodb.com/docs/manual/reference/operator/aggregation/percentile/ */
export function percentiles(values: readonly Numeric[], shares: Value): Value[] {
  if (!Array.isArray(shares) || shares.length === 0)
    throw new EngineError(7750301, "The $percentile 'p' field must be an array of numbers from [0.0, 1.0]");
  const sorted = values.toSorted(compare).map(toNumber);
  return shares.map((p) => {
    const share = isNumeric(p) ? toNumber(p) : Number.NaN;
    if (!(share >= 0 && share <= 1))
      throw new EngineError(
        isNumeric(p) ? 7750303 : 7750302,
        "The $percentile 'p' field must be an array of numbers from [0.0, 1.0]",
      );
    const at = Math.max(Math.ceil(share * sorted.length) - 1, 0);
    const v = sorted[at];
    return v === undefined ? null : new Double(v);
  });
}

const numbersOf = (v: Value): Numeric[] => (Array.isArray(v) ? v.filter(isNumeric) : isNumeric(v) ? [v] : []);

/** The parts of $percentile and $median. @throws {EngineError} `notObject`; 40414, 40415; 14, 2: another method */
export function quantileParts(name: string, argument: Value, notObject: number): { input: Value; shares: Value } {
  const spec = fieldsOf(
    argument,
    name,
    { required: name === '$median' ? ['input', 'method'] : ['input', 'p', 'method'] },
    { notObject, unknown: 40415, missing: 40414 },
  );
  const { input, p, method } = spec as Record<string, Value>;
  if (typeof method !== 'string')
    throw new EngineError('TypeMismatch', `BSON field '${name}.method' is the wrong type '${typeName(method)}'`);
  if (method !== 'approximate')
    throw new EngineError('BadValue', "Currently only 'approximate' can be used as percentile 'method'");
  return { input, shares: name === '$median' ? [new Double(0.5)] : p };
}

const quantile =
  (notObject: number): Operator =>
  (argument, name, compile) => {
    const parts = quantileParts(name, argument, notObject);
    const [input, shares] = [compile(parts.input), compile(parts.shares)];
    return (doc, v) => {
      const values = percentiles(numbersOf(input(doc, v)), shares(doc, v));
      return name === '$median' ? (values[0] ?? null) : values;
    };
  };

/** Accumulators as expressions, and the sizes of values. */
export const statistics: Readonly<Record<string, Operator>> = {
  $sum: overList((values) => summed(values).result()),
  $avg: overList((values) => summed(values.map(averaged)).mean()),
  $min: overList((values) => extreme(values, -1)),
  $max: overList((values) => extreme(values, 1)),
  $stdDevPop: overList((values) => deviation(values.filter(isNumeric), false)),
  $stdDevSamp: overList((values) => deviation(values.filter(isNumeric), true)),
  $percentile: quantile(7436200),
  $median: quantile(7436201),
  $bsonSize: one((v) => {
    if (isNull(v)) return null;
    if (!isDoc(v)) throw new EngineError(31393, `$bsonSize requires a document input, found: ${typeName(v)}`);
    return new Int32(encode(v).length);
  }),
  $binarySize: one((v) => {
    if (isNull(v)) return null;
    if (typeof v === 'string') return new Int32(Buffer.byteLength(v));
    if (v instanceof Binary) return new Int32(v.position);
    throw new EngineError(51276, `$binarySize requires a string or BinData argument, found: ${typeName(v)}`);
  }),
};
