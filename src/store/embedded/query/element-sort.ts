import type { Collation } from '../bson/collation.js';
import { compare } from '../bson/compare.js';
import { isDoc, isNumeric, toNumber } from '../bson/types.js';
import type { Value } from '../bson/value.js';
import type { EngineError } from '../errors.js';
import { field } from './path.js';

/** What lies at a path: a number is a place in an array; what is missing is null. */
function at(value: Value, parts: readonly string[]): Value {
  let here = value;
  for (const part of parts) {
    if (Array.isArray(here)) here = /^\d+$/.test(part) ? here[Number(part)] : null;
    else here = isDoc(here) ? field(here, part) : null;
  }
  return here ?? null;
}

/**
 * The order of an array's elements for $push and $sortArray: of themselves, or of fields in them. What lies in a field is compared as
 * it is: an array is not looked into as a sort of documents does.
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/sortArray/
 *
 * @throws what `refused` makes of: neither 1 nor -1, no field, a path with an empty part
 */
export function elementOrder(
  sort: Value,
  refused: (message: string) => EngineError,
  collation: Collation | undefined,
): (a: Value, b: Value) => number {
  const directed = (v: Value): number => {
    const direction = isNumeric(v) ? toNumber(v) : 0;
    if (Math.abs(direction) !== 1) throw refused('The $sort element value must be either 1 or -1');
    return direction;
  };
  if (!isDoc(sort)) {
    const direction = directed(sort);
    return (a, b) => compare(a, b, collation?.compare) * direction;
  }
  const fields = Object.entries(sort).map(([path, v]) => {
    const parts = path.split('.');
    const direction = directed(v);
    if (parts.includes(''))
      throw refused(`The $sort field is a dotted field but has an empty part, or is empty: '${path}'`);
    return { parts, direction };
  });
  if (fields.length === 0) throw refused('The $sort pattern is empty when it should be a set of fields.');
  return (a, b) => {
    for (const { parts, direction } of fields) {
      const order = compare(at(a, parts), at(b, parts), collation?.compare);
      if (order !== 0) return order * direction;
    }
    return 0;
  };
}
