import { Int32 } from 'bson';
import { compare } from '../../bson/compare.js';
import { encodeValue } from '../../bson/key.js';
import { isDoc, isNumeric, toInteger, toNumber, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { checked } from '../../commands/fields.js';
import { EngineError } from '../../errors.js';
import { assertPath, plainPath } from '../../query/path.js';
import { inSlices, Slice, sortInSlices } from '../../query/slices.js';
import { compileSort } from '../../query/sort.js';
import { add } from '../arithmetic.js';
import { pathValue } from '../expression.js';
import { shifted, unitOf } from '../operators/date-arithmetic.js';
import { UTC } from '../operators/timezone.js';
import { collect, type PipelineEnv, type Stage } from '../stage.js';
import { setPath } from './one-to-one.js';

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/densify/#behavior */
const MOST_DOCUMENTS = 500_000;

type Bounds = 'full' | 'partition' | readonly [low: Value, high: Value];

interface Spec {
  readonly field: readonly string[];
  readonly partition: readonly (readonly string[])[];
  readonly bounds: Bounds;
  readonly dates: boolean;
  next(v: Value): Value;
}

const bad = (code: number, message: string): EngineError => new EngineError(code, message);

/** @throws {EngineError} 5733402 to 5733406, 5733409, 5733410, 5876900, 5946800, 5946802: bounds that can not be */
function boundsOf(v: Value, step: Value, unit: string | undefined): Bounds {
  if (v === 'full' || v === 'partition') return v;
  if (typeof v === 'string') throw bad(5946802, "Bounds string must either be 'full' or 'partition'");
  if (!Array.isArray(v))
    throw bad(5733404, "The bounds must be 'full', 'partition', or an ascending array of two numbers or two dates");
  if (v.length !== 2) throw bad(5733403, 'A bounding array in a range statement must have exactly two elements');
  const [low, high] = v as [Value, Value];
  if (compare(low, high) > 0)
    throw bad(5733402, 'A bounding array must be an ascending array of either two dates or two numbers');
  if (isNumeric(low)) {
    if (unit !== undefined) throw bad(5733409, 'Numeric bounds may not have unit parameter');
    if (!isNumeric(high)) throw bad(5733406, 'A bounding array must contain either both dates or both numeric types');
    if (typeName(low) !== typeName(high) || typeName(low) !== typeName(step))
      throw bad(5876900, 'Upper bound, lower bound, and step must all have the same type');
  } else {
    if (!(low instanceof Date)) throw bad(5946800, 'Explicit bounds must be numeric or dates');
    if (!(high instanceof Date))
      throw bad(5733405, 'A bounding array must contain either both dates or both numeric types');
    if (unit === undefined) throw bad(5733410, 'A bounding array of dates must specify a unit');
  }
  return [low, high];
}

/** @throws {EngineError} 9, 14, 40414, 40415, and those of MongoDB's for steps, units, bounds and partitions */
function parsed(spec: Value): Spec {
  if (!isDoc(spec))
    throw new EngineError(
      'FailedToParse',
      `The $densify stage specification must be an object, found ${typeName(spec)}`,
    );
  const given = checked(spec, '$densify', { field: 'string', partitionByFields: 'list', range: 'object' });
  const required = (doc: Doc, path: string, name: string): Value => {
    if (doc[name] === undefined)
      throw new EngineError(40414, `BSON field '${path}.${name}' is missing but a required field`);
    return doc[name];
  };
  const field = String(required(given, '$densify', 'field'));
  const range = checked(required(given, '$densify', 'range') as Doc, '$densify.range', {
    bounds: 'own',
    step: 'own',
    unit: 'string',
  });
  const limits = required(range, '$densify.range', 'bounds');
  const step = required(range, '$densify.range', 'step');
  if (!isNumeric(step) || !(toNumber(step) > 0))
    throw bad(5733401, 'The step parameter in a range statement must be a strictly positive numeric value');
  const whole = toInteger(step);
  if (range['unit'] !== undefined && whole === undefined)
    throw bad(6586400, 'The step parameter in a range statement must be a whole number when densifying a date range');
  const unit = range['unit'] === undefined ? undefined : unitOf(range['unit'], '$densify', 5439013);
  const bounds = boundsOf(limits, step, unit);
  const names = (given['partitionByFields'] ?? []) as readonly Value[];
  const partition = names.map((name, i) => {
    if (typeof name !== 'string')
      throw new EngineError(
        'TypeMismatch',
        `BSON field '$densify.partitionByFields.${i}' is the wrong type '${typeName(name)}', expected type 'string'`,
      );
    return assertPath(name);
  });
  if (bounds === 'partition' && partition.length === 0)
    throw bad(
      5733408,
      "One cannot specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds.",
    );
  return {
    field: assertPath(field),
    partition,
    bounds,
    dates: unit !== undefined,
    next: (v) =>
      v instanceof Date && unit !== undefined ? shifted(v.getTime(), unit, whole ?? 0, UTC) : add([v, step]),
  };
}

/** What a document is densified by; null: it passes as it is. @throws {EngineError} 5733201, 6053600: neither, or the other */
function placeOf(doc: Doc, { field, dates }: Spec): Value {
  const v = plainPath(doc, field.join('.'));
  if (v === null || v === undefined) return null;
  if (!isNumeric(v) && !(v instanceof Date)) throw bad(5733201, 'Densify field type must be numeric or a date');
  if (dates !== v instanceof Date)
    throw bad(6053600, `Encountered ${typeName(v)} densify value in collection when the step has another unit.`);
  return v;
}

/** The documents of one partition so far: the next place on its steps. */
interface Partition {
  readonly fields: Doc;
  next: Value;
}

/**
 * Fills the steps between the documents, which come sorted by the field; within partitions, by the field alone where
 * the bounds are those of all. https://www.mongodb.com/docs/manual/reference/operator/aggregation/densify/
 */
export function densify(argument: Value, env: PipelineEnv): Stage {
  const spec = parsed(argument);
  const { field, partition, bounds, next } = spec;
  const sortBy = [...(bounds === 'full' ? [] : partition), field].map((parts) => [parts.join('.'), new Int32(1)]);
  const order = compileSort(Object.fromEntries(sortBy));
  const filled = function* (docs: readonly Doc[]): Generator<undefined, Doc[]> {
    const slice = new Slice();
    const out: Doc[] = [];
    const partitions = new Map<string, Partition>();
    let made = 0;
    const fill = function* (part: Partition, until: Value, inclusive = false): Generator<undefined, void> {
      for (
        let sign = compare(part.next, until);
        sign < 0 || (inclusive && sign === 0);
        sign = compare(part.next, until)
      ) {
        out.push(setPath(part.fields, field, part.next) as Doc);
        made += 1;
        if (made > MOST_DOCUMENTS)
          throw bad(5897900, `Generated ${made} documents in $densify, which is over the limit of ${MOST_DOCUMENTS}`);
        part.next = next(part.next);
        if (slice.over()) yield;
      }
    };
    const [low, high] = typeof bounds === 'string' ? [] : bounds;
    let [least, greatest]: Value[] = [low, high];
    for (const doc of yield* sortInSlices(docs, order)) {
      const at = placeOf(doc, spec);
      if (at === null) {
        out.push(doc);
        continue;
      }
      if (bounds === 'full') [least, greatest] = [least ?? at, at];
      let fields: Doc = {};
      for (const parts of partition) fields = setPath(fields, parts, pathValue(doc, parts)) as Doc;
      const key = encodeValue(fields).toString('latin1');
      let part = partitions.get(key);
      if (!part) {
        part = { fields, next: bounds === 'partition' ? at : least };
        partitions.set(key, part);
      }
      yield* fill(part, high !== undefined && compare(high, at) < 0 ? high : at);
      out.push(doc);
      if (compare(part.next, at) === 0) part.next = next(at);
    }
    if (partitions.size === 0 && low !== undefined) partitions.set('', { fields: {}, next: low });
    if (bounds !== 'partition' && greatest !== undefined)
      for (const part of partitions.values()) yield* fill(part, greatest, bounds === 'full');
    return out;
  };
  return async function* (input) {
    yield* await inSlices(filled(await collect(input, env, '$densify')), () => env.pause());
  };
}
