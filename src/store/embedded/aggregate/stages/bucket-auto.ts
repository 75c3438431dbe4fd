import { compare } from '../../bson/compare.js';
import { isDoc, isNumeric, toInteger, toNumber, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { inSlices, mapInSlices, Slice, sortInSlices } from '../../query/slices.js';
import { accumulatorField, compileAccumulator } from '../accumulators.js';
import { compileExpression } from '../expression.js';
import { collect, type PipelineEnv, type Stage } from '../stage.js';
import { COUNT, isExpression } from './bucket.js';
import { isGranularity, rounded } from './granularity.js';

interface Spec {
  readonly groupBy: Value;
  readonly buckets: number;
  readonly output: Doc;
  readonly granularity: string | undefined;
}

/** @throws {EngineError} 40239 to 40246, 40257, 40261: a part that can not be, or is missing */
function checked(spec: Value): Spec {
  if (!isDoc(spec))
    throw new EngineError(40240, `The argument to $bucketAuto must be an object, but found type: ${typeName(spec)}.`);
  const { groupBy, buckets, output, granularity, ...rest } = spec as Record<string, Value>;
  const [odd] = Object.keys(rest);
  if (odd !== undefined) throw new EngineError(40245, `Unrecognized option to $bucketAuto: ${odd}.`);
  if (groupBy === undefined || buckets === undefined)
    throw new EngineError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified.");
  if (!isExpression(groupBy))
    throw new EngineError(
      40239,
      "The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression",
    );
  if (!isNumeric(buckets))
    throw new EngineError(
      40241,
      `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeName(buckets)}.`,
    );
  const n = toInteger(buckets);
  if (n === undefined || Math.abs(n) >= 2 ** 31)
    throw new EngineError(40242, "The $bucketAuto 'buckets' field must be representable as a 32-bit integer");
  if (n <= 0) throw new EngineError(40243, `The $bucketAuto 'buckets' field must be greater than 0, but found: ${n}`);
  if (output !== undefined && !isDoc(output))
    throw new EngineError(40244, "The $bucketAuto 'output' field must be an object");
  if (granularity !== undefined && typeof granularity !== 'string')
    throw new EngineError(
      40261,
      `The $bucketAuto 'granularity' field must be a string, but found type: ${typeName(granularity)}.`,
    );
  if (granularity !== undefined && !isGranularity(granularity))
    throw new EngineError(40257, `Unknown rounding granularity '${granularity}'`);
  return { groupBy, buckets: n, output: output && Object.keys(output).length > 0 ? output : COUNT, granularity };
}

/** What a granularity can not round. @throws {EngineError} 40258 to 40260 */
function assertRoundable(v: Value): void {
  if (!isNumeric(v))
    throw new EngineError(
      40258,
      `$bucketAuto can specify a 'granularity' with numeric boundaries only, found ${typeName(v)}`,
    );
  const n = toNumber(v);
  if (Number.isNaN(n)) throw new EngineError(40259, "$bucketAuto can't round NaN to a 'granularity'");
  if (n < 0) throw new EngineError(40260, "$bucketAuto can't round a negative number to a 'granularity'");
}

/**
 * Buckets of as many documents as each would have if all were equal; one takes in all that equal its last, or that its
 * rounded bound leaves below it. https://www.mongodb.com/docs/manual/reference/operator/aggregation/bucketAuto/
 */
export function bucketAuto(spec: Value, env: PipelineEnv): Stage {
  const { groupBy, buckets, output, granularity } = checked(spec);
  const key = compileExpression(groupBy);
  const fields = Object.entries(output).map(([name, v]) => ({
    name,
    ...compileAccumulator(...accumulatorField(name, v)),
  }));
  const round = (v: Value, up: boolean): Value =>
    granularity !== undefined && isNumeric(v) ? rounded(v, granularity, up) : v;
  const results = function* (docs: readonly Doc[]): Generator<undefined, Doc[]> {
    const keyed = yield* mapInSlices(docs, (doc) => {
      const by = key(doc, env.variables);
      if (granularity !== undefined) assertRoundable(by);
      return { doc, by: by ?? null };
    });
    const rows = yield* sortInSlices(keyed, (a, b) => compare(a.by, b.by));
    const size = Math.max(1, Math.round(rows.length / buckets));
    const slice = new Slice();
    const out: Doc[] = [];
    let min = round(rows[0]?.by, false);
    for (let at = 0; at < rows.length;) {
      const from = at;
      at = out.length === buckets - 1 ? rows.length : Math.min(at + size, rows.length);
      const last = rows[at - 1]?.by;
      let max = round(last, true);
      while (at < rows.length && (compare(rows[at]?.by, last) === 0 || compare(rows[at]?.by, max) < 0)) at += 1;
      const next = rows[at]?.by;
      // With a granularity the bound is the rounded one, but 0 stays 0 and bounds nothing.
      if (granularity === undefined) max = next ?? rows[at - 1]?.by;
      else if (next !== undefined && isNumeric(max) && toNumber(max) === 0) max = round(next, false);
      const parts = fields.map((f) => f.make(null, env.variables));
      for (const { doc } of rows.slice(from, at)) {
        for (const [i, f] of fields.entries()) parts[i]?.add(f.evaluate(doc, env.variables));
        if (slice.over()) yield;
      }
      out.push({ _id: { min, max }, ...Object.fromEntries(fields.map((f, i) => [f.name, parts[i]?.result()])) });
      min = granularity === undefined ? next : max;
    }
    return out;
  };
  return async function* (input) {
    const docs = await collect(input, env, '$bucketAuto');
    yield* await inSlices(results(docs), () => env.pause());
  };
}
