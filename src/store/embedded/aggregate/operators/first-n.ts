import { compare } from '../../bson/compare.js';
import { isNumeric, toInteger, typeName } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { isNull } from './arguments.js';

/** $firstN and its like: over an array here, over documents as accumulators. */
export function firstN(name: string, input: Value, n: Value): Value {
  if (!Array.isArray(input))
    throw new EngineError(5788200, `${name} requires an array input, found: ${typeName(input)}`);
  const most = countOf(n);
  if (name === '$firstN') return input.slice(0, most);
  if (name === '$lastN') return input.slice(Math.max(input.length - most, 0));
  const sorted = input.filter((v) => !isNull(v)).toSorted((a, b) => compare(a, b) * (name === '$maxN' ? -1 : 1));
  return sorted.slice(0, most);
}

/** @throws {EngineError} 5787902, 5787903, 5787908: not a whole number above 0 */
export function countOf(n: Value): number {
  const options = { inGroup: 7548606 };
  if (!isNumeric(n))
    throw new EngineError(5787902, `Value for 'n' must be of integral type, but found ${typeName(n)}`, options);
  const most = toInteger(n);
  if (most === undefined)
    throw new EngineError(5787903, `Value for 'n' must be of integral type, but found ${n}`, options);
  if (most <= 0) throw new EngineError(5787908, `'n' must be greater than 0, found ${most}`, options);
  return most;
}
