import { compare } from '../bson/compare.js';
import { isDoc, toInteger } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { visitPath } from './path.js';

/** @throws {EngineError} BadValue: an order that is neither 1 nor −1 */
export function sortFields(spec: Doc): [path: string, direction: 1 | -1][] {
  return Object.entries(spec).map(([path, order]) => {
    if (isDoc(order) && '$meta' in order)
      throw new EngineError('NotImplemented', '$meta sort is not supported by the embedded engine');
    const direction = toInteger(order);
    if (direction !== 1 && direction !== -1)
      throw new EngineError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    if (path === '') throw new EngineError('BadValue', 'FieldPath cannot be constructed with empty string');
    return [path, direction];
  });
}

/** What a document is sorted by: the least value of an array going up, the greatest going down; an empty array is below null. */
export function sortKey(doc: Doc, path: string, direction: 1 | -1): Value {
  let best: Value;
  let any = false;
  const offer = (v: Value): void => {
    if (!any || compare(v, best) * direction < 0) best = v;
    any = true;
  };
  visitPath(doc, path.split('.'), (v) => {
    if (Array.isArray(v) && v.length > 0) for (const item of v) offer(item);
    else offer(Array.isArray(v) ? undefined : v);
    return false;
  });
  return best;
}

/** Compares documents as `sort` does. https://www.mongodb.com/docs/manual/reference/method/cursor.sort/ */
export function compileSort(spec: Doc): (a: Doc, b: Doc) => number {
  const fields = sortFields(spec);
  return (a, b) => {
    for (const [path, direction] of fields) {
      const order = compare(sortKey(a, path, direction), sortKey(b, path, direction));
      if (order !== 0) return order * direction;
    }
    return 0;
  };
}
