import { Double } from 'bson';
import { isDoc } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { visitPath } from '../path.js';
import type { SortKeys } from '../sort.js';
import { type Near, nearIn } from './operators.js';

/** How far the nearest value at a path is, if one is within the limits. */
export function distanceAt(doc: Doc, parts: readonly string[], near: Near): number | undefined {
  let least: number | undefined;
  visitPath(doc, parts, (v) => {
    const d = near.distanceTo(v);
    if (d !== undefined && (least === undefined || d < least)) least = d;
    return false;
  });
  return least;
}

export interface NearClause {
  readonly path: string;
  readonly near: Near;
}

/** The filter's search for what is near: of those clauses that must all hold. */
export function nearClause(filter: Doc): NearClause | undefined {
  for (const [path, condition] of Object.entries(filter)) {
    if (path === '$and' && Array.isArray(condition)) {
      const [found] = condition.flatMap((part: Value) => (isDoc(part) ? (nearClause(part) ?? []) : []));
      if (found) return found;
    }
    const near = isDoc(condition) && !path.startsWith('$') ? nearIn(condition) : undefined;
    if (near) return { path, near };
  }
  return undefined;
}

/** Orders by distance, for `sortInSlices`. */
export function byDistance({ path, near }: NearClause): {
  keysOf(doc: Doc): SortKeys;
  compare(a: SortKeys, b: SortKeys): number;
} {
  const parts = path.split('.');
  const number = ([key]: SortKeys): number => (key instanceof Double ? key.value : 0);
  return {
    keysOf: (doc) => [new Double(distanceAt(doc, parts, near) ?? 0)],
    compare: (a, b) => number(a) - number(b),
  };
}

/** As the planner's indexes have it. */
export interface Keyed {
  readonly index: { readonly spec: { readonly key: Doc } };
}

/** @throws {EngineError} 291: the field has no index of the kind that the search needs, as in MongoDB */
export function assertGeoIndex({ path, near }: NearClause, indexes: readonly Keyed[]): void {
  if (!indexes.some(({ index }) => near.kinds.includes(String(index.spec.key[path]))))
    throw new EngineError(
      'NoQueryExecutionPlans',
      'error processing query: planner returned error :: caused by :: unable to find index for $geoNear query',
    );
}
