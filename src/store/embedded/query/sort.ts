import { Double } from 'bson';
import type { Collation } from '../bson/collation.js';
import { compare } from '../bson/compare.js';
import { emptyArray } from '../bson/key.js';
import { isDoc, isNumeric, orderOf, toWhole } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { scoreOf } from './text/search.js';
import { indexValues, type Part } from './index-values.js';
import { assertPath } from './path.js';

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Number-of-Indexed-Fields-in-a-Compound-Index */
const MOST_KEYS = 32;
/** Stand for paths that no document has. */
const TEXT_SCORE = '$textScore';
const RANDOM = '$randVal';
const SEARCH_SCORE = '$searchScore';

/** What the field `$meta` may name; no document has a score of Atlas Search, so by that all are equal. */
const META: Readonly<Record<string, string>> = {
  textScore: TEXT_SCORE,
  randVal: RANDOM,
  searchScore: SEARCH_SCORE,
  vectorSearchScore: SEARCH_SCORE,
};

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/meta/ @throws {EngineError} 17312, 9, 31138 */
function metaOf(order: Doc): string {
  const [name, ...others] = Object.keys(order);
  if (name !== '$meta') throw new EngineError(17312, '$meta is the only expression supported by $sort right now');
  if (others.length > 0)
    throw new EngineError('FailedToParse', 'Cannot have additional keys in a $meta sort specification');
  const what = order['$meta'];
  if (what === 'geoNearDistance')
    throw new EngineError('NotImplemented', `a sort by $meta '${what}' is not supported by the embedded engine`);
  const path = typeof what === 'string' && Object.hasOwn(META, what) ? META[what] : undefined;
  if (path === undefined) throw new EngineError(31138, `Illegal $meta sort: ${String(what)}`);
  return path;
}

/** @throws {EngineError} 2, 15974, 15975: an order that is neither 1 nor −1; `stage`: of a pipeline, where there is no $natural */
export function sortFields(spec: Doc, stage?: '$sort'): [path: string, direction: 1 | -1][] {
  const fields = Object.entries(spec).map(([path, order]): [string, 1 | -1] => {
    if (isDoc(order)) return [metaOf(order), -1];
    if (!isNumeric(order)) throw new EngineError(15974, `Illegal key in $sort specification: ${path}`);
    const direction = toWhole(order);
    if (direction !== 1 && direction !== -1)
      throw new EngineError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    if (stage || path !== '$natural') assertPath(path);
    return [path, direction];
  });
  const keys = fields.filter(([path]) => !Object.values(META).includes(path)).length;
  if (keys > MOST_KEYS) throw new EngineError(13103, `too many compound keys: ${keys}`);
  return fields;
}

/** As `compare`; an empty array is below null. */
const comparePart = (a: Part, b: Part, collation?: Collation): number => {
  if (a !== emptyArray && b !== emptyArray) return compare(a, b, collation?.compare);
  if (a === b) return 0;
  // Only MinKey is below it.
  const other = a === emptyArray ? b : a;
  const below = other !== emptyArray && orderOf(other) === 0x01;
  return (a === emptyArray) === below ? 1 : -1;
};

/** What a document is sorted by: the least value of an array going up, the greatest going down. */
export function sortKey(doc: Doc, parts: readonly string[], direction: 1 | -1, collation?: Collation): Part {
  const { values } = indexValues(doc, parts);
  let [best] = values;
  for (const v of values) if (comparePart(v, best, collation) * direction < 0) best = v;
  return best;
}

/** What a document is sorted by, path for path. */
export type SortKeys = readonly Part[];

/** The sort in two steps, for many documents: each one's keys are made once. */
export function compileSortKeys(
  spec: Doc,
  stage?: '$sort',
  collation?: Collation,
): { keysOf(doc: Doc): SortKeys; compare(a: SortKeys, b: SortKeys): number } {
  const fields = sortFields(spec, stage).map(([path, direction]) => [path.split('.'), direction] as const);
  return {
    keysOf: (doc) =>
      fields.map(([parts, direction]) => {
        const [first] = parts;
        if (first === TEXT_SCORE) return new Double(scoreOf(doc));
        if (first === RANDOM) return new Double(Math.random());
        return first === SEARCH_SCORE ? undefined : sortKey(doc, parts, direction, collation);
      }),
    compare(a, b) {
      for (const [i, [, direction]] of fields.entries()) {
        const order = comparePart(a[i], b[i], collation);
        if (order !== 0) return order * direction;
      }
      return 0;
    },
  };
}

/** Compares documents as `sort` does. https://www.mongodb.com/docs/manual/reference/method/cursor.sort/ */
export function compileSort(spec: Doc, collation?: Collation): (a: Doc, b: Doc) => number {
  const { keysOf, compare: compareKeys } = compileSortKeys(spec, undefined, collation);
  return (a, b) => compareKeys(keysOf(a), keysOf(b));
}
