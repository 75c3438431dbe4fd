import { type Collation, foldValue } from '../bson/collation.js';
import { compare } from '../bson/compare.js';
import { encodeValue } from '../bson/key.js';
import type { Doc, Value } from '../bson/value.js';
import { visitPath } from './path.js';

/** The different values at a path, in order; an array counts as its elements. https://www.mongodb.com/docs/manual/reference/command/distinct/ */
export function* distinctValues(
  docs: Iterable<Doc | undefined>,
  path: string,
  collation?: Collation,
): Generator<undefined, Value[]> {
  const found = new Map<string, Value>();
  const parts = path.split('.');
  for (const doc of docs) {
    if (!doc) {
      yield;
      continue;
    }
    visitPath(doc, parts, (v) => {
      for (const value of Array.isArray(v) ? v : [v])
        if (value !== undefined) {
          const key = encodeValue(collation ? foldValue(value, collation) : value).toString('latin1');
          if (!found.has(key)) found.set(key, value);
        }
      return false;
    });
  }
  return [...found.entries()]
    .toSorted(([a, v], [b, w]) => (collation && compare(v, w, collation.compare)) || (a < b ? -1 : 1))
    .map(([, v]) => v);
}
