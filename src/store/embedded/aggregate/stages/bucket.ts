import { compare } from '../../bson/compare.js';
import { Int32 } from 'bson';
import { isDoc, orderOf, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { compileExpression, type Variables } from '../expression.js';

export const COUNT: Doc = { count: { $sum: new Int32(1) } };

export const isExpression = (v: Value): boolean =>
  (typeof v === 'string' && v.startsWith('$')) ||
  (isDoc(v) && Object.keys(v).length === 1 && Object.keys(v)[0]?.startsWith('$') === true);

export const readsField = (v: Value): boolean =>
  typeof v === 'string'
    ? /^\$[^$]/.test(v)
    : Array.isArray(v)
      ? v.some(readsField)
      : isDoc(v) && !('$literal' in v) && Object.values(v).some(readsField);

/** An expression that needs no document. @throws {EngineError} `code`: it reads a field */
function constantOf(v: Value, code: number, what: string, variables: Variables): Value {
  if (readsField(v))
    throw new EngineError(code, `The $bucket '${what}' must be a constant value or constant expression`);
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
