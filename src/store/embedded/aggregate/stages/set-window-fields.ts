import { Decimal128, Double, Int32, Long } from 'bson';
import { compare } from '../../bson/compare.js';
import { encodeValue } from '../../bson/key.js';
import { isDoc, isNumeric, orderOf, toInteger, toNumber, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { mapInSlices, Slice, sortInSlices } from '../../query/slices.js';
import { compileSort } from '../../query/sort.js';
import { compileAccumulator } from '../accumulators.js';
import { covariance } from '../covariance.js';
import { add, divide, multiply, subtract, toDecimal } from '../arithmetic.js';
import { compileExpression, pathValue, type Variables } from '../expression.js';
import { shifted, UNIT_MS, unitOf } from '../operators/date-arithmetic.js';
import { UTC } from '../operators/timezone.js';
import { setPath } from './one-to-one.js';

/** The documents of one partition, in order, and the value they are sorted by. */
interface Partition {
  readonly docs: readonly Doc[];
  readonly by: readonly Value[];
  readonly sortBy: Doc | undefined;
}
/** The result for each document of a partition. */
type Compute = (partition: Partition, variables: Variables) => Value[] | Generator<undefined, Value[]>;
/** The documents that stand in the window of one of them: from, up to but without. */
type Window = (partition: Partition, at: number) => [number, number];

const bad = (message: string): EngineError => new EngineError('FailedToParse', message);

function documentsWindow(bounds: readonly Value[], sortBy: Doc | undefined): Window {
  const [low, high] = bounds.map((b, i) => {
    if (b === 'current') return 0;
    if (b === 'unbounded') return i === 0 ? -Infinity : Infinity;
    const n = isNumeric(b) ? toInteger(b) : undefined;
    if (n === undefined) throw bad("Numeric document-based bounds must be an integer, 'current' or 'unbounded'");
    return n;
  }) as [number, number];
  if (low > high) throw new EngineError(5339900, 'Lower bound must not exceed upper bound');
  if (!sortBy && (Number.isFinite(low) || Number.isFinite(high)))
    throw new EngineError(5339901, 'Document-based bounds require a sortBy');
  return ({ docs }, at) => [Math.max(0, at + low), Math.min(docs.length, at + high + 1)];
}

/** Where the values begin that pass a test, which all after the first do. */
function firstOf(values: readonly Value[], test: (v: Value) => boolean): number {
  let [from, to] = [0, values.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (test(values[middle])) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** Of numbers by themselves, of dates by time in a unit. */
function rangeWindow(bounds: readonly Value[], unit: Value, sortBy: Doc | undefined): Window {
  if (unit !== undefined && typeof unit !== 'string') throw bad("'unit' must be a string");
  const offsets = bounds.map((b) => {
    if (b === 'current') return new Int32(0);
    if (b === 'unbounded') return undefined;
    if (!isNumeric(b)) throw bad("Range-based bounds must be numbers, 'current' or 'unbounded'");
    if (unit !== undefined && toInteger(b) === undefined)
      throw bad("With 'unit', range-based bounds must be an integer");
    return b;
  });
  const [lower, upper] = offsets;
  if (lower && upper && compare(lower, upper) > 0)
    throw new EngineError(5339900, 'Lower bound must not exceed upper bound');
  const by = unit === undefined ? undefined : unitOf(unit, '$setWindowFields', 5439013);
  const directions = Object.values(sortBy ?? {});
  if (directions.length !== 1) throw new EngineError(5339902, 'Range-based bounds require sortBy a single field');
  if (isNumeric(directions[0]) && toNumber(directions[0]) < 0)
    throw new EngineError(8947401, 'Range-based bounds require an ascending sortBy');
  const fits = (v: Value): boolean => (by === undefined ? isNumeric(v) : v instanceof Date);
  const moved = (v: Value, offset: Value): Value =>
    v instanceof Date ? shifted(v.getTime(), by ?? 'millisecond', toInteger(offset) ?? 0, UTC) : add([v, offset]);
  return ({ by: values }, at) => {
    const own = values[at];
    if (by === undefined && own instanceof Date)
      throw new EngineError(
        5429413,
        'Invalid range: For windows that involve date or time ranges, a unit must be provided.',
      );
    if (!fits(own))
      throw new EngineError(
        by === undefined ? 5429414 : 5429513,
        `Invalid range: Expected the sortBy field to be a ${by === undefined ? 'number' : 'Date'}, but it was ${typeName(own)}`,
      );
    const [low, high] = offsets.map((offset) => offset && moved(own, offset));
    // Values of other types stand before and after those of its own.
    const type = orderOf(own);
    const from = firstOf(values, (v) => (low === undefined ? orderOf(v) >= type : compare(v, low) >= 0));
    const to = firstOf(values, (v) => (high === undefined ? orderOf(v) > type : compare(v, high) > 0));
    return [from, to];
  };
}

function windowOf(spec: Value, sortBy: Doc | undefined): Window {
  if (spec === undefined) return ({ docs }) => [0, docs.length];
  if (!isDoc(spec)) throw bad("'window' field must be an object");
  const { documents, range, unit, ...rest } = spec as Record<string, Value>;
  if (Object.keys(rest).length > 0) throw bad(`'window' field contains an unknown field: ${Object.keys(rest)[0]}`);
  if (documents !== undefined && (range !== undefined || unit !== undefined))
    throw bad("Window bounds can specify either 'documents' or 'range', and 'unit' only with 'range'.");
  const bounds = documents ?? range;
  if (bounds === undefined && unit !== undefined)
    throw bad("Window bounds can only specify 'unit' with range-based bounds.");
  if (bounds === undefined) return ({ docs }) => [0, docs.length];
  if (!Array.isArray(bounds) || bounds.length !== 2) throw bad('Window bounds must be a 2-element array');
  return documents === undefined ? rangeWindow(bounds, unit, sortBy) : documentsWindow(bounds, sortBy);
}

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

function shift(argument: Value): Compute {
  if (!isDoc(argument)) throw bad('Argument to $shift must be an object');
  const by = toInteger(argument['by']);
  if (by === undefined) throw bad("$shift requires an integer 'by'");
  const output = compileExpression(argument['output']);
  const otherwise = compileExpression('default' in argument ? argument['default'] : null);
  return ({ docs, sortBy }, v) => {
    if (!sortBy) throw new EngineError('FailedToParse', "'$shift' requires a sortBy");
    return docs.map((_, i) => {
      const doc = docs[i + by];
      return doc ? (output(doc, v) ?? null) : otherwise({}, v);
    });
  };
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

/** Gaps between known values: the last one carried on, or a straight line. */
function filled(name: '$locf' | '$linearFill', argument: Value): Compute {
  const input = compileExpression(argument);
  return ({ docs, by }, v) => {
    const values = docs.map((doc) => input(doc, v) ?? null);
    if (name === '$locf') {
      let last: Value = null;
      return values.map((value) => (last = value ?? last));
    }
    const place = (i: number): number => {
      const at = by[i];
      if (at instanceof Date) return at.getTime();
      if (isNumeric(at)) return toNumber(at);
      throw new EngineError(605001, `$linearFill sortBy must be numeric or a date, found ${typeName(at)}`);
    };
    const known = values.flatMap((value, i) => (value === null ? [] : [i]));
    return values.map((value, i) => {
      if (value !== null) return value;
      const before = known.findLast((k) => k < i);
      const after = known.find((k) => k > i);
      if (before === undefined || after === undefined) return null;
      const [a, b] = [values[before], values[after]];
      if (!isNumeric(a) || !isNumeric(b)) throw new EngineError('TypeMismatch', '$linearFill needs numbers');
      const [run, length] = [place(i) - place(before), place(after) - place(before)];
      if (a instanceof Decimal128 || b instanceof Decimal128)
        return add([a, divide(multiply([subtract(b, a), exact(run)]), exact(length))]);
      return new Double(toNumber(a) + (toNumber(b) - toNumber(a)) * (run / length));
    });
  };
}

/** $derivative and $integral over the window. */
function calculus(name: string, argument: Value, window: Window): Compute {
  if (!isDoc(argument)) throw bad(`${name} needs an object`);
  const input = compileExpression(argument['input']);
  const { unit } = argument as Record<string, Value>;
  if (unit !== undefined && (typeof unit !== 'string' || UNIT_MS[unit] === undefined))
    throw bad(`${name} needs a unit of time from week to millisecond`);
  const scale = typeof unit === 'string' ? (UNIT_MS[unit] ?? 1) : 1;
  return (partition, v) => {
    const x = partition.by.map((b) =>
      b instanceof Date ? b.getTime() / scale : isNumeric(b) ? toNumber(b) : Number.NaN,
    );
    const y = partition.docs.map((doc) => {
      const value = input(doc, v);
      return isNumeric(value) ? toNumber(value) : Number.NaN;
    });
    return partition.docs.map((_, i) => {
      const [from, to] = window(partition, i);
      if (name === '$derivative') {
        if (to - from < 2) return null;
        const run = (x[to - 1] as number) - (x[from] as number);
        return run === 0 ? null : new Double(((y[to - 1] as number) - (y[from] as number)) / run);
      }
      if (to - from < 1) return null;
      let area = 0;
      for (let k = from + 1; k < to; k += 1)
        area += (((y[k] as number) + (y[k - 1] as number)) / 2) * ((x[k] as number) - (x[k - 1] as number));
      return new Double(area);
    });
  };
}

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
    const keys = Object.keys(sortBy ?? {}).length;
    if (keys === 0 || (keys > 1 && name !== '$documentNumber'))
      throw new EngineError(5371602, `${name} must be specified with a top level sortBy expression with one element`);
    return ranks(name);
  }
  const odd = names.find((k) => k !== name && k !== 'window');
  if (name === undefined || odd !== undefined)
    throw bad(`Window function found an unknown argument: ${odd ?? 'no function'}`);
  const argument = spec[name];
  if (name === '$shift') return shift(argument);
  if (name === '$expMovingAvg') return expMovingAvg(argument, sortBy);
  if (name === '$locf' || name === '$linearFill') return filled(name, argument);
  const window = windowOf(spec['window'], sortBy);
  if (name === '$derivative' || name === '$integral') return calculus(name, argument, window);
  if (name === '$minMaxScaler')
    throw new EngineError('NotImplemented', `${name} is not supported by the embedded engine`);
  const slides = name.startsWith('$stdDev') && isSliding(spec['window']);
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
      const acc = accumulator.make(null, v);
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
