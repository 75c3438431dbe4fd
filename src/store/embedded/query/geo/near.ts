import { Double } from 'bson';
import { isDoc } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import type { PlannerIndex } from '../plan.js';
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

interface NearClause {
  readonly path: string;
  readonly near: Near;
}

/** All searches for what is near in a filter, of those clauses that must all hold. */
const nearClauses = (filter: Doc): NearClause[] =>
  Object.entries(filter).flatMap(([path, condition]): NearClause[] => {
    if (path === '$and' && Array.isArray(condition))
      return condition.flatMap((part: Value) => (isDoc(part) ? nearClauses(part) : []));
    const near = isDoc(condition) && !path.startsWith('$') ? nearIn(condition) : undefined;
    return near ? [{ path, near }] : [];
  });

/** The filter's search for what is near. @throws {EngineError} 2: there are several, or one beside `$text` */
export function nearClause(filter: Doc): NearClause | undefined {
  const [near, another] = nearClauses(filter);
  if (another) throw new EngineError('BadValue', 'Too many geoNear expressions');
  if (near && '$text' in filter) throw new EngineError('BadValue', 'text and geoNear not allowed in same query');
  return near;
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

/** @throws {EngineError} 291: the field has no index of the kind that the search needs, as in MongoDB */
export function assertGeoIndex({ path, near }: NearClause, indexes: readonly PlannerIndex[]): void {
  const kinds = near.spherical ? ['2dsphere', '2d'] : ['2d'];
  if (!indexes.some(({ index }) => kinds.includes(String(index.spec.key[path]))))
    throw new EngineError(
      'NoQueryExecutionPlans',
      'error processing query: planner returned error :: caused by :: unable to find index for $geoNear query',
    );
}
