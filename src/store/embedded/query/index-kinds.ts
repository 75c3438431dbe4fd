import { Int32 } from 'bson';
import { isDoc, isNumeric, toInteger } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { geometryOf, pairOf } from './geo/geometry.js';
import { visitPath } from './path.js';

/**
 * What an index is. `keys`: it holds entries and gives bounds. The others hold none: a wildcard index is kept as MongoDB
 * would, and a scan finds what it would find; a geospatial one holds its documents to be places, and allows `$near`.
 */
export type IndexKind = 'keys' | 'wildcard' | 'geo';

const GEO = ['2d', '2dsphere'];
const refused = (message: string): EngineError => new EngineError('CannotCreateIndex', message);

/** @throws {EngineError} 67: a kind that the engine has not, or a key that can not be */
export function kindOf(key: Doc): IndexKind {
  let kind: IndexKind = 'keys';
  const entries = Object.entries(key);
  for (const [path, order] of entries) {
    const wildcard = path === '$**' || path.endsWith('.$**');
    if (path === '' || (!wildcard && path.split('.').some((p) => p.startsWith('$'))))
      throw refused(`Index key '${path}' can not be a field`);
    if (wildcard) kind = 'wildcard';
    if (typeof order !== 'string') {
      if (!isNumeric(order) || toInteger(order) === 0)
        throw refused('Values in the index key pattern cannot be 0, and must be numbers');
    } else if (GEO.includes(order)) kind = 'geo';
    else if (order !== 'hashed')
      throw refused(
        order === 'text'
          ? `Index type 'text' is not supported by the embedded engine`
          : `Unknown index plugin '${order}'`,
      );
  }
  if (Object.values(key).includes('2d') && key[entries[0]?.[0] ?? ''] !== '2d')
    throw refused('2d has to be first in index');
  return kind;
}

/** Options that only indexes of some kinds have; they are kept and shown. */
export const KIND_OPTIONS = ['wildcardProjection', '2dsphereIndexVersion', 'bits', 'min', 'max'];

/** The options of its kind, with those that MongoDB adds. @throws {EngineError} 67: one that does not go with it */
export function kindOptions(kind: IndexKind, key: Doc, given: Doc): Doc {
  if (given['unique'] === true && (kind === 'wildcard' || Object.values(key).includes('hashed')))
    throw kind === 'wildcard'
      ? refused(`Index type 'wildcard' does not support the unique option`)
      : new EngineError(16764, 'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.');
  if (given['unique'] === true && kind === 'geo')
    throw refused('a unique geospatial index is not supported by the embedded engine');
  return {
    ...Object.fromEntries(KIND_OPTIONS.filter((name) => name in given).map((name) => [name, given[name]])),
    ...(Object.values(key).includes('2dsphere') && {
      '2dsphereIndexVersion': given['2dsphereIndexVersion'] ?? new Int32(3),
    }),
  };
}

/** @throws {EngineError} 16755: what a geospatial index holds is no place; 13027: it is off the plane of a 2d index */
export function assertPlaces(fields: readonly { path: string; parts: readonly string[] }[], key: Doc, doc: Doc): void {
  const fail = (v: Value): EngineError =>
    new EngineError(
      16755,
      `Can't extract geo keys: ${JSON.stringify(doc)} ${isDoc(v) && !('type' in v) ? 'Point must only contain numeric elements' : 'unknown GeoJSON type or coordinates'}: ${JSON.stringify(v)}`,
    );
  for (const { path, parts } of fields) {
    const kind = key[path];
    if (kind !== '2d' && kind !== '2dsphere') continue;
    visitPath(doc, parts, (v) => {
      if (v === undefined || v === null) return false;
      const several = Array.isArray(v) && !isNumeric(v[0]) ? v : [v];
      for (const one of several) {
        if (kind === '2dsphere' && !geometryOf(one)) throw fail(v);
        const pair = kind === '2d' ? pairOf(isDoc(one) && 'coordinates' in one ? one['coordinates'] : one) : [0, 0];
        if (!pair) throw fail(v);
        if (pair.some((n) => Math.abs(n ?? 0) > 180))
          throw new EngineError(13027, `point not in interval of [ -180, 180 ] :: caused by :: ${JSON.stringify(v)}`);
      }
      return false;
    });
  }
}
