import { compare } from '../../bson/compare.js';
import { Int32 } from 'bson';
import { isDoc, isNumeric, orderOf, toInteger, toNumber, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { accumulatorField } from '../accumulators.js';
import { compileExpression, type Variables } from '../expression.js';

const COUNT: Doc = { count: { $sum: new Int32(1) } };

const isExpression = (v: Value): boolean =>
  (typeof v === 'string' && v.startsWith('$')) ||
  (isDoc(v) && Object.keys(v).length === 1 && Object.keys(v)[0]?.startsWith('$') === true);

/** https://en.wikipedia.org/wiki/Preferred_number, as $bucketAuto names them */
const GRANULARITIES = [
  'R5', 'R10', 'R20', 'R40', 'R80', '1-2-5', 'E6', 'E12', 'E24', 'E48', 'E96', 'E192', 'POWERSOF2',
]; // prettier-ignore

/**
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/bucketAuto/
 *
 * @throws {EngineError} 40239 to 40246, 40257, 40261: a part that can not be, or is missing
 */
export function assertBucketAuto(spec: Value): void {
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
  for (const [name, accumulator] of Object.entries(output ?? {})) accumulatorField(name, accumulator);
  if (granularity === undefined) return;
  if (typeof granularity !== 'string')
    throw new EngineError(
      40261,
      `The $bucketAuto 'granularity' field must be a string, but found type: ${typeName(granularity)}.`,
    );
  if (!GRANULARITIES.includes(granularity))
    throw new EngineError(40257, `Unknown rounding granularity '${granularity}'`);
}

/** What a granularity can not round. @throws {EngineError} 40258 to 40260, or 238 for what has no end */
export function assertRoundable({ groupBy }: Doc, docs: readonly Doc[], variables: Variables): void {
  const evaluate = compileExpression(groupBy);
  for (const doc of docs) {
    const v = evaluate(doc, variables);
    if (!isNumeric(v))
      throw new EngineError(
        40258,
        `$bucketAuto can specify a 'granularity' with numeric boundaries only, found ${typeName(v)}`,
      );
    const n = toNumber(v);
    if (Number.isNaN(n)) throw new EngineError(40259, "$bucketAuto can't round NaN to a 'granularity'");
    if (n < 0) throw new EngineError(40260, "$bucketAuto can't round a negative number to a 'granularity'");
    if (n === Infinity)
      throw new EngineError('NotImplemented', 'Infinity with a granularity is not supported by the embedded engine');
  }
}

/** An expression that needs no document. @throws {EngineError} `code`: it reads a field */
function constantOf(v: Value, code: number, what: string, variables: Variables): Value {
  const reads = (inner: Value): boolean =>
    typeof inner === 'string'
      ? /^\$[^$]/.test(inner)
      : Array.isArray(inner)
        ? inner.some(reads)
        : isDoc(inner) && !('$literal' in inner) && Object.values(inner).some(reads);
  if (reads(v)) throw new EngineError(code, `The $bucket '${what}' must be a constant value or constant expression`);
  return compileExpression(v)({}, variables);
}

/** As the $group and the $sort that stand for it. https://www.mongodb.com/docs/manual/reference/operator/aggregation/bucket/ */
export function bucket(spec: Value, variables: Variables): Doc[] {
  if (!isDoc(spec))
    throw new EngineError(40201, `Argument to $bucket stage must be an object, but found type: ${typeName(spec)}.`);
  const { groupBy, boundaries, output = COUNT, ...rest } = spec as Record<string, Value>;
  const odd = Object.keys(rest).find((k) => k !== 'default');
  if (odd !== undefined) throw new EngineError(40197, `Unrecognized option to $bucket: ${odd}.`);
  if (groupBy === undefined || boundaries === undefined)
    throw new EngineError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  if (!isExpression(groupBy))
    throw new EngineError(40202, "The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression");
  if (!Array.isArray(boundaries)) throw new EngineError(40200, "The $bucket 'boundaries' field must be an array");
  const limits = boundaries.map((b) => constantOf(b, 40191, 'boundaries', variables));
  if (limits.length < 2) throw new EngineError(40192, "The $bucket 'boundaries' field must have at least 2 values");
  for (const [i, b] of limits.entries()) {
    const next = limits[i + 1];
    if (next === undefined) continue;
    if (orderOf(b) !== orderOf(next))
      throw new EngineError(40193, "All values in the 'boundaries' option to $bucket must have the same type");
    if (compare(b, next) >= 0)
      throw new EngineError(40194, "The 'boundaries' option to $bucket must be sorted, but elements are not");
  }
  if (!isDoc(output)) throw new EngineError(40196, "The $bucket 'output' field must be an object");
  if ('_id' in output) throw new EngineError(15948, "The $bucket 'output' field may not name '_id'");
  const fallback = 'default' in spec ? constantOf(spec['default'], 40195, 'default', variables) : undefined;
  if (
    fallback !== undefined &&
    orderOf(fallback) === orderOf(limits[0]) &&
    compare(fallback, limits[0]) >= 0 &&
    compare(fallback, limits.at(-1)) < 0
  )
    throw new EngineError(
      40199,
      "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
    );
  const branches = limits.slice(0, -1).map((low, i) => ({
    case: { $and: [{ $gte: [groupBy, { $literal: low }] }, { $lt: [groupBy, { $literal: limits[i + 1] }] }] },
    // oxlint-disable-next-line unicorn/no-thenable -- MongoDB's own name, and never awaited
    then: { $literal: low },
  }));
  return [
    {
      $group: {
        _id: { $switch: { branches, ...('default' in spec && { default: { $literal: fallback } }) } },
        ...output,
      },
    },
    { $sort: { _id: new Int32(1) } },
  ];
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/sortByCount/ */
export function sortByCount(spec: Value): Doc[] {
  if (!isExpression(spec))
    throw isDoc(spec)
      ? new EngineError(
          40147,
          'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
        )
      : new EngineError(
          typeof spec === 'string' ? 40148 : 40149,
          'the sortByCount field must be defined as a $-prefixed path or an expression',
        );
  return [{ $group: { _id: spec, ...COUNT } }, { $sort: { count: new Int32(-1) } }];
}
