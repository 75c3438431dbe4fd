import { BSONRegExp } from 'bson';
import { isDoc, truthy } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';

/** The operators that tell a place, in the order in which MongoDB sorts the conditions of a query (`MatchExpression::MatchType`). */
const SORTED = (
  '$elemMatch $size $eq $lte $lt $gt $gte $regex $mod $exists $in $bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear ' +
  '$type $geoWithin $within $geoIntersects'
).split(' ');

/** A condition of one operator on one path. */
interface Condition {
  readonly path: string;
  readonly rank: number;
  readonly operand: Value;
}

const operatorsIn = (v: Value): Doc | undefined =>
  isDoc(v) && Object.keys(v)[0]?.startsWith('$') && !('$ref' in v) ? v : undefined;

const condition = (path: string, operator: string, operand: Value): Condition => ({
  path,
  rank: SORTED.indexOf(operator),
  operand,
});

/** A value, as `$eq` (unless it is a regular expression), `$in` and `$all` take it. */
const held = (path: string, v: Value): Condition =>
  condition(path, v instanceof BSONRegExp ? '$regex' : '$eq', operatorsIn(v) ? { $eq: v } : v);

function conditionsOn(path: string, operand: Value): Condition[] {
  const operators = operatorsIn(operand);
  // `_id` is no array, and has no place.
  if (path === '_id') return [];
  if (!operators) return [held(path, operand)];
  return Object.entries(operators).flatMap(([operator, v]): Condition[] => {
    if (operator === '$all' && Array.isArray(v))
      return v.map((item) =>
        isDoc(item) && '$elemMatch' in item ? condition(path, '$elemMatch', item) : held(path, item),
      );
    if (operator === '$in' && Array.isArray(v) && v.length === 1) return [held(path, v[0])];
    if (!SORTED.includes(operator) || (operator === '$exists' && !truthy(v))) return [];
    const { $options } = operators;
    return [
      condition(path, operator, {
        [operator]: v,
        ...(operator === '$regex' && $options !== undefined && { $options }),
      }),
    ];
  });
}

/** The path and the value of a query that says only that they are equal. */
function equality(part: Value): { path: string; v: Value } | undefined {
  const [[path, v] = [], second] = isDoc(part) ? Object.entries(part) : [];
  if (path === undefined || second || path.startsWith('$')) return undefined;
  const operators = operatorsIn(v);
  if (!operators) return { path, v };
  const { $eq, ...others } = operators;
  const plain = '$eq' in operators && !operatorsIn($eq) && !($eq instanceof BSONRegExp);
  return plain && Object.keys(others).length === 0 ? { path, v: $eq } : undefined;
}

/** Of several alternatives none tells a place, but values of one path are one `$in`. */
function alternatives(parts: readonly Value[]): Condition[] {
  const [only] = parts;
  if (parts.length === 1 && isDoc(only)) return conditionsOf(only);
  const equal = parts.map(equality);
  const [first] = equal;
  if (!first || equal.some((e) => e?.path !== first.path)) return [];
  return conditionsOn(first.path, { $in: equal.map((e) => e?.v) });
}

const conditionsOf = (filter: Doc): Condition[] =>
  Object.entries(filter).flatMap(([key, operand]) => {
    if (!key.startsWith('$')) return conditionsOn(key, operand);
    if (!Array.isArray(operand)) return [];
    if (key === '$or') return alternatives(operand);
    return key === '$and' ? operand.flatMap((part) => (isDoc(part) ? conditionsOf(part) : [])) : [];
  });

/**
 * The conditions of a query that tell the place for the positional `$`, path and operand; where several do, the last one holds,
 * in the order in which MongoDB sorts them: by operator, then by path. Negations and alternatives tell none.
 * https://www.mongodb.com/docs/manual/reference/operator/update/positional/#multiple-array-matches
 */
export const placing = (filter: Doc): (readonly [path: string, operand: Value])[] =>
  conditionsOf(filter)
    .toSorted((a, b) => a.rank - b.rank || (a.path < b.path ? -1 : Number(a.path > b.path)))
    .map(({ path, operand }) => [path, operand] as const);
