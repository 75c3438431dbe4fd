import { Decimal128, Double, Int32, Long } from 'bson';
import { compare } from '../../bson/compare.js';
import { encodeValue } from '../../bson/key.js';
import { isDoc, isNumeric, type Numeric, toInteger, toNumber, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { mapInSlices, Slice, sortInSlices } from '../../query/slices.js';
import { compileSort } from '../../query/sort.js';
import { compileAccumulator, OF_A_SCAN } from '../accumulators.js';
import { add, divide, multiply, subtract } from '../arithmetic.js';
import { toDecimal } from '../decimals.js';
import { covariance } from '../covariance.js';
import { compileExpression, pathValue, type Variables } from '../expression.js';
import { readsField } from './bucket.js';
import { calculus } from './calculus.js';
import { setPath } from './one-to-one.js';
import { bad, type Compute, type Partition, windowOf } from './window.js';

/** $rank and its like: 1 for the first, as ties say. */
function ranks(name: string): Compute {
  return ({ docs, by }) => {
    let [rank, dense] = [0, 0];
    return docs.map((_, i) => {
      if (i === 0 || compare(by[i], by[i - 1]) !== 0) {
        rank = i + 1;
        dense += 1;
      }
      return new Int32(name === '$rank' ? rank : name === '$denseRank' ? dense : i + 1);
    });
  };
}

function shift(argument: Value, sortBy: Doc | undefined): Compute {
  if (!isDoc(argument)) throw bad('Argument to $shift must be an object');
  const { by: places, output: value, default: fallback = null, ...rest } = argument as Record<string, Value>;
  if (Object.keys(rest).length > 0) throw bad('Unknown argument in $shift');
  const by = toInteger(places);
  if (by === undefined) throw bad("$shift requires 'by' as an integer value.");
  if (value === undefined) throw bad("$shift requires an 'output' expression.");
  if (readsField(fallback)) throw bad("'$shift:default' expression must yield a constant value.");
  if (!sortBy) throw bad("'$shift' requires a sortBy");
  const [output, otherwise] = [compileExpression(value), compileExpression(fallback)];
  return ({ docs }, v) =>
    docs.map((_, i) => {
      const doc = docs[i + by];
      return doc ? (output(doc, v) ?? null) : otherwise({}, v);
    });
}

/**
 * Computed in decimals; a decimal result from the first decimal on.
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/expMovingAvg/
 */
function expMovingAvg(argument: Value, sortBy: Doc | undefined): Compute {
  if (!isDoc(argument) || Object.keys(argument).length !== 2 || !('input' in argument))
    throw bad(
      "$expMovingAvg sub object must have exactly two fields: an 'input' field, and either an 'N' field or an 'alpha' field",
    );
  if (!sortBy) throw bad("$expMovingAvg requires an explicit 'sortBy'");
  const { N, alpha } = argument as Record<string, Value>;
  const n = toInteger(N);
  if (N !== undefined && (n === undefined || n <= 0)) throw bad("'N' field must be an integer greater than zero");
  if (N === undefined && !(isNumeric(alpha) && toNumber(alpha) > 0 && toNumber(alpha) < 1))
    throw bad("'alpha' must be between 0 and 1 (exclusive)");
  const one = toDecimal(new Int32(1));
  const share = isNumeric(alpha) ? toDecimal(alpha) : divide(toDecimal(new Int32(2)), new Int32((n ?? 0) + 1));
  const rest = subtract(one, share);
  const input = compileExpression(argument['input']);
  return ({ docs }, v) => {
    let last: Value = null;
    let decimals = false;
    return docs.map((doc) => {
      const value = input(doc, v);
      if (isNumeric(value)) {
        decimals ||= value instanceof Decimal128;
        const own = toDecimal(value);
        last = last === null ? own : add([multiply([own, share]), multiply([last, rest])]);
      }
      return isNumeric(last) && !decimals ? new Double(toNumber(last)) : last;
    });
  };
}

/** A number for arithmetic with decimals: a whole one brings no digits behind the point. */
const exact = (n: number): Value => (Number.isSafeInteger(n) ? Long.fromNumber(n) : new Double(n));

/** The last known value carried on. https://www.mongodb.com/docs/manual/reference/operator/aggregation/locf/ */
function carried(argument: Value): Compute {
  const input = compileExpression(argument);
  return ({ docs }, v) => {
    let last: Value = null;
    return docs.map((doc) => (last = input(doc, v) ?? last));
  };
}

/** Gaps between known values by a straight line. https://www.mongodb.com/docs/manual/reference/operator/aggregation/linearFill/ */
function linear(argument: Value, sortBy: Doc | undefined): Compute {
  if (Object.keys(sortBy ?? {}).length !== 1)
    throw new EngineError(
      605001,
      '$linearFill must be specified with a top level sortBy expression with exactly one element',
    );
  const input = compileExpression(argument);
  return ({ docs, by }, v) => {
    const values = docs.map((doc) => input(doc, v) ?? null);
    const dated = by[0] instanceof Date;
    const places = by.map((at, i) => {
      if (at instanceof Date !== dated || !(dated || isNumeric(at)))
        throw new EngineError(
          'TypeMismatch',
          `Value of the sortBy field must be numeric or a date, but found ${typeName(at)}`,
        );
      if (i > 0 && compare(at, by[i - 1]) === 0)
        throw new EngineError(6050106, 'There can be no repeated values in the sort field in the same partition');
      return at instanceof Date ? at.getTime() : toNumber(at as Numeric);
    });
    const place = (i: number): number => places[i] as number;
    for (const value of values)
      if (value !== null && !isNumeric(value))
        throw new EngineError(
          'TypeMismatch',
          `Value to be filled must be numeric or nullish, but found ${typeName(value)}`,
        );
    const known = values.flatMap((value, i) => (value === null ? [] : [i]));
    return values.map((value, i) => {
      if (value !== null) return value;
      const before = known.findLast((k) => k < i);
      const after = known.find((k) => k > i);
      if (before === undefined || after === undefined) return null;
      const [a, b] = [values[before], values[after]] as [Numeric, Numeric];
      const [run, length] = [place(i) - place(before), place(after) - place(before)];
      if (a instanceof Decimal128 || b instanceof Decimal128)
        return add([a, divide(multiply([subtract(b, a), exact(run)]), exact(length))]);
      return new Double(toNumber(a) + (toNumber(b) - toNumber(a)) * (run / length));
    });
  };
}

/** Functions of the whole partition. */
const FRAMELESS: Readonly<Record<string, (argument: Value, sortBy: Doc | undefined) => Compute>> = {
  $shift: shift,
  $expMovingAvg: expMovingAvg,
  $locf: carried,
  $linearFill: linear,
};

/** A window whose first document changes: MongoDB takes values out of its sums again. */
const isSliding = (window: Value): boolean => {
  const bounds = isDoc(window) ? (window['documents'] ?? window['range']) : undefined;
  return Array.isArray(bounds) && bounds[0] !== 'unbounded';
};

/** What has no end can not be taken out again: null as long as it is there. Of one number the deviation is an int. */
function slidingDeviation(name: string, values: readonly Value[], deviation: Value): Value {
  const numbers = values.filter(isNumeric);
  if (numbers.some((v) => !Number.isFinite(toNumber(v)))) return null;
  return name === '$stdDevPop' && numbers.length === 1 ? new Int32(0) : deviation;
}

function compileOutput(spec: Value, sortBy: Doc | undefined): Compute {
  if (!isDoc(spec)) throw bad('Window function specification must be an object');
  const names = Object.keys(spec);
  const name = names.find((k) => k.startsWith('$'));
  if (name !== undefined && ['$rank', '$denseRank', '$documentNumber'].includes(name)) {
    if (names.length > 1) throw new EngineError(5371601, 'Rank style window functions take no other arguments');
    const argument = spec[name];
    if (!isDoc(argument) || Object.keys(argument).length > 0)
      throw new EngineError(5371603, `${name} must be specified with '{}' as the value`);
    if (Object.keys(sortBy ?? {}).length !== 1)
      throw new EngineError(5371602, `${name} must be specified with a top level sortBy expression with one element`);
    return ranks(name);
  }
  const odd = names.find((k) => k !== name && k !== 'window');
  if (name === undefined || odd !== undefined)
    throw bad(`Window function found an unknown argument: ${odd ?? 'no function'}`);
  const argument = spec[name];
  const frameless = FRAMELESS[name];
  if (frameless) {
    if ('window' in spec) throw bad(`'window' field is not allowed in ${name}`);
    return frameless(argument, sortBy);
  }
  if (name === '$derivative' || name === '$integral') {
    const read = calculus(name, argument, sortBy);
    if (name === '$derivative' && !('window' in spec)) throw bad('$derivative requires explicit window bounds');
    return read(windowOf(spec['window'], sortBy));
  }
  const window = windowOf(spec['window'], sortBy);
  if (name === '$minMaxScaler')
    throw new EngineError('NotImplemented', `${name} is not supported by the embedded engine`);
  const sliding = isSliding(spec['window']);
  const slides = sliding && name.startsWith('$stdDev');
  // A window that slides keeps its values sorted: of equal ones the last that came is the greatest.
  const own = sliding && name === '$max' ? OF_A_SCAN[name] : undefined;
  let accumulator: ReturnType<typeof compileAccumulator>;
  try {
    accumulator = name.startsWith('$covariance') ? covariance(name, argument) : compileAccumulator(name, argument);
  } catch (error) {
    if (error instanceof EngineError && error.code === 15952) throw bad(`Unrecognized window function, ${name}`);
    throw error;
  }
  return function* (partition, v) {
    const values = yield* mapInSlices(partition.docs, (doc) => accumulator.evaluate(doc, v));
    const slice = new Slice();
    const results: Value[] = [];
    for (let i = 0; i < values.length; i += 1) {
      const [from, to] = window(partition, i);
      const acc = (own ?? accumulator.make)(null, v);
      for (let k = from; k < to; k += 1) {
        acc.add(values[k]);
        if (slice.over()) yield;
      }
      results.push(slides ? slidingDeviation(name, values.slice(from, to), acc.result()) : acc.result());
    }
    return results;
  };
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/setWindowFields/ */
export function setWindowFields(
  spec: Value,
  variables: Variables,
): (docs: readonly Doc[]) => Generator<undefined, Doc[]> {
  if (!isDoc(spec)) throw bad('the $setWindowFields stage specification must be an object');
  const odd = Object.keys(spec).find((k) => !['partitionBy', 'sortBy', 'output'].includes(k));
  if (odd !== undefined) throw new EngineError(40415, `BSON field '$setWindowFields.${odd}' is an unknown field.`);
  const { output } = spec as Record<string, Value>;
  const sortBy = spec['sortBy'] ?? undefined;
  if (sortBy !== undefined && !isDoc(sortBy))
    throw new EngineError('TypeMismatch', "BSON field '$setWindowFields.sortBy' must be an object");
  if (!isDoc(output))
    throw new EngineError(40414, "BSON field '$setWindowFields.output' is missing but a required field");
  const partitionBy = compileExpression(spec['partitionBy'] ?? null);
  const order = sortBy && compileSort(sortBy);
  const outputs = Object.entries(output).map(([path, f]) => [path.split('.'), compileOutput(f, sortBy)] as const);
  const paths = Object.keys(sortBy ?? {}).map((p) => p.split('.'));
  const byOf = (doc: Doc): Value => {
    const values = paths.map((p) => pathValue(doc, p) ?? null);
    return values.length === 1 ? values[0] : values;
  };
  return function* (docs) {
    const partitions = new Map<string, { key: Value; docs: Doc[] }>();
    const slice = new Slice();
    for (const doc of docs) {
      if (slice.over()) yield;
      const key = partitionBy(doc, variables);
      if (Array.isArray(key))
        throw new EngineError('TypeMismatch', 'An expression used to partition cannot evaluate to value of type array');
      const bytes = encodeValue(key).toString('latin1');
      const there = partitions.get(bytes);
      if (there) there.docs.push(doc);
      else partitions.set(bytes, { key, docs: [doc] });
    }
    const ordered = [...partitions.values()].toSorted((a, b) => compare(a.key, b.key));
    const out: Doc[] = [];
    for (const { docs: mine } of ordered) {
      const sorted = order ? yield* sortInSlices(mine, order) : mine;
      const partition: Partition = { docs: sorted, by: yield* mapInSlices(sorted, byOf), sortBy };
      const columns: (readonly [string[], readonly Value[]])[] = [];
      for (const [path, compute] of outputs) {
        const values = compute(partition, variables);
        columns.push([path, Array.isArray(values) ? values : yield* values]);
        yield;
      }
      const row = (doc: Doc, i: number): Doc =>
        columns.reduce((d, [path, values]) => setPath(d, path, values[i]) as Doc, doc);
      for (const doc of yield* mapInSlices(sorted, row)) out.push(doc);
    }
    return out;
  };
}
