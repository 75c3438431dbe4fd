import { Int32 } from 'bson';
import { compare } from '../../bson/compare.js';
import { isDoc, isNumeric, orderOf, toInteger, toNumber, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { add } from '../arithmetic.js';
import type { Variables } from '../expression.js';
import { shifted, unitOf } from '../operators/date-arithmetic.js';
import { UTC } from '../operators/timezone.js';

/** The documents of one partition, in order, and the value they are sorted by. */
export interface Partition {
  readonly docs: readonly Doc[];
  readonly by: readonly Value[];
  readonly sortBy: Doc | undefined;
}
/** The result for each document of a partition. */
export type Compute = (partition: Partition, variables: Variables) => Value[] | Generator<undefined, Value[]>;
/** The documents that stand in the window of one of them: from, up to but without. */
export type Window = (partition: Partition, at: number) => [number, number];

export const bad = (message: string): EngineError => new EngineError('FailedToParse', message);

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

/** The window of an output. @throws {EngineError} 9, 5339900, 5339901, 5339902, 8947401: there is no such */
export function windowOf(spec: Value, sortBy: Doc | undefined): Window {
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
