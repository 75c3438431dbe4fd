import { compare } from '../bson/compare.js';
import { isDoc, isNumeric, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { visitPath } from './path.js';

/** @throws {EngineError} 2, 15974, 15975: an order that is neither 1 nor −1; `stage`: with the codes of $sort */
export function sortFields(spec: Doc, stage?: '$sort'): [path: string, direction: 1 | -1][] {
  return Object.entries(spec).map(([path, order]) => {
    if (isDoc(order) && '$meta' in order)
      throw new EngineError('NotImplemented', '$meta sort is not supported by the embedded engine');
    if (!isNumeric(order))
      throw stage
        ? new EngineError(15974, `Illegal key in $sort specification: ${path}`)
        : new EngineError(isDoc(order) ? 17312 : 15974, `Illegal key in $sort specification: ${path}`);
    const direction = Math.trunc(toNumber(order));
    if (direction !== 1 && direction !== -1)
      throw new EngineError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    if (path === '') throw new EngineError(40352, 'FieldPath cannot be constructed with empty string');
    if (path.split('.').some((p) => p === ''))
      throw new EngineError(path.endsWith('.') ? 40353 : 15998, 'FieldPath field names may not be empty strings.');
    if (path.split('.').some((p) => p.startsWith('$')) && path !== '$natural')
      throw new EngineError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
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

/** The sort in two steps, for many documents: each one's keys are made once. */
export function compileSortKeys(
  spec: Doc,
  stage?: '$sort',
): { keysOf(doc: Doc): Value[]; compare(a: readonly Value[], b: readonly Value[]): number } {
  const fields = sortFields(spec, stage);
  return {
    keysOf: (doc) => fields.map(([path, direction]) => sortKey(doc, path, direction)),
    compare(a, b) {
      for (const [i, [, direction]] of fields.entries()) {
        const order = compare(a[i], b[i]);
        if (order !== 0) return order * direction;
      }
      return 0;
    },
  };
}

/** Compares documents as `sort` does. https://www.mongodb.com/docs/manual/reference/method/cursor.sort/ */
export function compileSort(spec: Doc, stage?: '$sort'): (a: Doc, b: Doc) => number {
  const fields = sortFields(spec, stage);
  return (a, b) => {
    for (const [path, direction] of fields) {
      const order = compare(sortKey(a, path, direction), sortKey(b, path, direction));
      if (order !== 0) return order * direction;
    }
    return 0;
  };
}
