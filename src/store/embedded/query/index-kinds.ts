import { Int32 } from 'bson';
import { readCollation } from '../bson/collation.js';
import { isDoc, isNumeric, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { pairOf, soundGeometry } from './geo/geometry.js';
import { visitPath } from './path.js';

/**
 * What an index is. `keys`: it holds entries and gives bounds. The others hold none: a wildcard index is kept as MongoDB
 * would, and a scan finds what it would find; a geospatial one holds its documents to be places, and allows `$near`; a
 * text index says what `$text` searches.
 */
export type IndexKind = 'keys' | 'wildcard' | 'geo' | 'text';

const GEO = ['2d', '2dsphere'];
const refused = (message: string): EngineError => new EngineError('CannotCreateIndex', message);

/** @throws {EngineError} 67, 7246202: a kind that there is not, or that has to come first */
export function kindOf(key: Doc): IndexKind {
  let kind: IndexKind = 'keys';
  const entries = Object.entries(key);
  for (const [path, order] of entries) {
    if ((path === '$**' || path.endsWith('.$**')) && order !== 'text') kind = 'wildcard';
    if (typeof order !== 'string') continue;
    if (GEO.includes(order)) kind = 'geo';
    else if (order === 'text') kind = 'text';
    else if (order === 'wildcard') throw new EngineError(7246202, "the 'wildcard' index type is named by '$**'");
    else if (order !== 'hashed') throw refused(`Unknown index plugin '${order}'`);
  }
  if (Object.values(key).includes('2d') && key[entries[0]?.[0] ?? ''] !== '2d')
    throw refused('2d has to be first in index');
  return kind;
}

/** Options that only indexes of one kind have; they are kept and shown. */
const KIND_OPTIONS: Readonly<Record<IndexKind, readonly string[]>> = {
  keys: [],
  wildcard: ['wildcardProjection'],
  geo: ['2dsphereIndexVersion', 'bits', 'min', 'max', 'coarsestIndexedLevel', 'finestIndexedLevel'],
  text: ['weights', 'default_language', 'language_override', 'textIndexVersion'],
};

/**
 * A text index's key and weights as MongoDB keeps them: one pair of fields stands for all that are searched.
 * https://www.mongodb.com/docs/manual/core/indexes/index-types/index-text/
 */
export function textSpec(key: Doc, given: Doc): { key: Doc; given: Doc } {
  if (!Object.values(key).includes('text')) return { key, given };
  const { weights = {}, default_language: language = 'english' } = given as Record<string, Value>;
  if (!isDoc(weights)) throw refused('text index option "weights" must be an object');
  if (typeof language !== 'string' || !['english', 'en', 'none'].includes(language.toLowerCase()))
    throw refused(`a text index in ${String(language)} is not supported by the embedded engine`);
  if (readCollation(given['collation'])) throw refused('Index type text does not support collation');
  const words = Object.keys(key).filter((path) => key[path] === 'text' && path !== '_fts');
  const all: Doc = Object.fromEntries(
    [...words, ...Object.keys(weights)].toSorted().map((path) => [path, weights[path] ?? new Int32(1)]),
  );
  const [before, after] = [[] as [string, Value][], [] as [string, Value][]];
  let seen = false;
  for (const [path, order] of Object.entries(key)) {
    if (path === '_ftsx') continue;
    if (order === 'text') seen = true;
    else (seen ? after : before).push([path, order]);
  }
  return {
    key: Object.fromEntries([...before, ['_fts', 'text'], ['_ftsx', new Int32(1)], ...after]),
    given: {
      ...given,
      weights: all,
      default_language: language,
      language_override: given['language_override'] ?? 'language',
      textIndexVersion: given['textIndexVersion'] ?? new Int32(3),
    },
  };
}

/** @throws {EngineError} 67: fields of a text index that can not be, or not so */
export function assertWords(key: Doc, { weights: given, textIndexVersion: version = new Int32(3) }: Doc): void {
  if (!isNumeric(version) || ![1, 2, 3].includes(toNumber(version)))
    throw refused(`bad textIndexVersion: ${String(version)}`);
  const weights = isDoc(given) ? given : {};
  const paths = Object.keys(key);
  const words = paths.flatMap((path, at) => (key[path] === 'text' ? [at] : []));
  if (words.some((at, n) => at !== (words[0] ?? 0) + n)) throw refused("'text' fields in index must all be adjacent");
  if ('_fts' in key && (!isNumeric(key['_ftsx']) || Object.keys(weights).length === 0))
    throw refused('a text index by its stored key has _ftsx and weights');
  for (const path of [...words.map((at) => paths[at] ?? ''), ...Object.keys(weights)])
    if (path !== '$**' && path.split('.').some((name) => name === '' || name.startsWith('$')))
      throw refused(`a text index can not be of '${path}'`);
  for (const [path, order] of Object.entries(key))
    if (order !== 'text' && !(isNumeric(order) && Math.abs(Math.trunc(toNumber(order))) === 1))
      throw refused(`expected value 1 or -1 for non-text key in compound index: ${path}`);
}

/** The options of its kind, with those that MongoDB adds. @throws {EngineError} 2, 67, 238: one that does not go with it */
export function kindOptions(kind: IndexKind, key: Doc, given: Doc): Doc {
  const odd = Object.values(KIND_OPTIONS)
    .flat()
    .find((name) => name in given && !KIND_OPTIONS[kind].includes(name));
  if (odd === 'wildcardProjection')
    throw new EngineError('BadValue', "The field 'wildcardProjection' is only allowed in an 'wildcard' index");
  if (odd === 'weights') throw refused("the field 'weights' can only be specified with text indexes");
  if (odd !== undefined)
    throw new EngineError('NotImplemented', `The index option '${odd}' is not supported by the embedded engine`);
  if (given['unique'] === true && (kind === 'wildcard' || Object.values(key).includes('hashed')))
    throw kind === 'wildcard'
      ? refused(`Index type 'wildcard' does not support the unique option`)
      : new EngineError(16764, 'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.');
  if (given['unique'] === true && (kind === 'geo' || kind === 'text'))
    throw refused(`a unique ${kind} index is not supported by the embedded engine`);
  return {
    ...Object.fromEntries(KIND_OPTIONS[kind].filter((name) => name in given).map((name) => [name, given[name]])),
    ...(Object.values(key).includes('2dsphere') && {
      '2dsphereIndexVersion': given['2dsphereIndexVersion'] ?? new Int32(3),
    }),
  };
}

const boundOf = (v: Value, otherwise: number): number => (isNumeric(v) ? toNumber(v) : otherwise);

/** @throws {EngineError} 16755: what a geospatial index holds is no place; 13027: it is off the plane of a 2d index */
export function assertPlaces(
  fields: readonly { path: string; parts: readonly string[] }[],
  { key, ofKind = {} }: { key: Doc; ofKind?: Doc | undefined },
  doc: Doc,
): void {
  const [min, max] = [boundOf(ofKind['min'], -180), boundOf(ofKind['max'], 180)];
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
      const several = kind === '2d' && Array.isArray(v) && !isNumeric(v[0]) ? v : [v];
      for (const one of several) {
        if (kind === '2dsphere' && !soundGeometry(one)) throw fail(v);
        const pair = kind === '2d' ? pairOf(isDoc(one) && 'coordinates' in one ? one['coordinates'] : one) : [];
        if (!pair) throw fail(v);
        if (pair.some((n) => n < min || n > max))
          throw new EngineError(
            13027,
            `point not in interval of [ ${min}, ${max} ] :: caused by :: ${JSON.stringify(v)}`,
          );
      }
      return false;
    });
  }
}
