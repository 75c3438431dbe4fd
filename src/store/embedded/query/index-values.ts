import { emptyArray } from '../bson/key.js';
import { isDoc } from '../bson/types.js';
import type { Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { field } from './path.js';

export type Part = Value | typeof emptyArray;

/**
 * The values a path gives to an index, and to a sort: every element of an array, undefined where it is missing. A number
 * in the path is the place in an array where it has one.
 *
 * @throws {EngineError} 16746: the number is a place in the array and a field of its documents as well
 */
export function indexValues(value: Value, parts: readonly string[], at = 0): { values: Part[]; array: boolean } {
  const part = parts[at];
  if (part === undefined) {
    if (!Array.isArray(value)) return { values: [value], array: false };
    return { values: value.length === 0 ? [emptyArray] : value, array: true };
  }
  if (isDoc(value)) return indexValues(field(value, part), parts, at + 1);
  if (!Array.isArray(value)) return { values: [undefined], array: false };
  if (/^\d+$/.test(part) && Number(part) < value.length) {
    if (value.some((item) => isDoc(item) && Object.hasOwn(item, part)))
      throw new EngineError(
        16746,
        `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${part}'`,
      );
    return indexValues(value[Number(part)], parts, at + 1);
  }
  if (value.length === 0) return { values: [undefined], array: true };
  const values = value.flatMap((item) =>
    isDoc(item) ? indexValues(field(item, part), parts, at + 1).values : [undefined],
  );
  return { values, array: true };
}
