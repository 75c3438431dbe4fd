import { Int32 } from 'bson';
import { equals } from '../bson/compare.js';
import { isDoc, isNumeric, toInteger, toNumber, truthy, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { IndexSpec } from '../query/indexes.js';
import { assertWords, kindOf } from '../query/index-kinds.js';
import { compileFilter } from '../query/match.js';
import { assertWildcard, isWildcard } from '../query/wildcard.js';
import { specOf } from '../storage/catalogue.js';
import { collationFor } from './collation.js';
import { checked, type Fields } from './fields.js';

/** Options of MongoDB's that the engine does not keep. */
const REFUSED: Fields = {
  storageEngine: 'object',
  clustered: 'flag',
  prepareUnique: 'flag',
};

const FIELDS: Fields = {
  v: 'number',
  key: 'object',
  name: 'string',
  ns: 'own',
  unique: 'flag',
  sparse: 'flag',
  hidden: 'switch',
  background: 'flag',
  dropDups: 'flag',
  partialFilterExpression: 'object',
  expireAfterSeconds: 'own',
  collation: 'object',
  weights: 'object',
  default_language: 'string',
  language_override: 'string',
  textIndexVersion: 'number',
  wildcardProjection: 'object',
  bits: 'number',
  min: 'number',
  max: 'number',
  '2dsphereIndexVersion': 'number',
  coarsestIndexedLevel: 'number',
  finestIndexedLevel: 'number',
  ...REFUSED,
};

const cannot = (message: string): EngineError => new EngineError('CannotCreateIndex', message);

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Number-of-Indexed-Fields-in-a-Compound-Index */
const MOST_FIELDS = 32;

function assertKey(key: Doc): void {
  const fields = Object.entries(key);
  if (fields.length === 0) throw cannot('Index keys cannot be an empty object');
  if (fields.length > MOST_FIELDS) throw new EngineError(13103, `too many compound keys: ${fields.length}`);
  const plugins = fields.flatMap(([path, order]) =>
    typeof order === 'string' ? [order] : isWildcard(path) ? ['wildcard'] : [],
  );
  if (new Set(plugins).size > 1) throw cannot("Can't use more than one index plugin for a single index.");
  if (plugins.filter((plugin) => plugin === '2d').length > 1) throw new EngineError(16800, "can't have 2 geo fields");
  for (const [path, order] of fields) {
    if (typeof order !== 'string' && (!isNumeric(order) || !(Math.abs(toNumber(order)) > 0)))
      throw cannot('Values in the index key pattern cannot be 0, and must be numbers');
    if (typeof order === 'string' && order !== 'text' && isWildcard(path))
      throw cannot(`A ${order} index cannot have a wildcard: ${path}`);
    if (path === '_fts' && order !== 'text') throw cannot("Index key contains an illegal field name: '_fts'");
    const parts = path.replace(/(^|\.)\$\*\*$/, '$1all').split('.');
    if (parts.includes('')) throw cannot('Index keys cannot be an empty field.');
    if (parts.some((part) => part.startsWith('$') && !['$db', '$id', '$ref'].includes(part)))
      throw cannot(`Index key contains an illegal field name: field name starts with '$': ${path}`);
  }
}

/** Operators that a partial index's filter may use. https://www.mongodb.com/docs/manual/core/index-partial/ */
const PARTIAL = new Set(['$eq', '$exists', '$gt', '$gte', '$lt', '$lte', '$type', '$and', '$or', '$in']);

function assertPartial(filter: Value): void {
  if (Array.isArray(filter)) for (const part of filter) assertPartial(part);
  else if (isDoc(filter))
    for (const [name, v] of Object.entries(filter)) {
      if (name === '$expr') throw new EngineError('QueryFeatureNotAllowed', '$expr is not allowed in this context');
      if (name === '$where' || name === '$text')
        throw new EngineError('BadValue', `${name} is not allowed in this context`);
      if (name.startsWith('$') && (!PARTIAL.has(name) || (name === '$exists' && !truthy(v))))
        throw cannot(`unsupported expression in partial index: ${name}`);
      assertPartial(v);
    }
}

/** Of the cells that MongoDB divides the sphere into; here they are said and shown, and mean nothing. */
const MOST_LEVELS = 30;

/** @throws {EngineError} 67, 72, 197, 16747 to 16749: options that do not go together, or are out of their bounds */
function assertOptions(spec: IndexSpec): void {
  const { _id: id, ...others } = spec.key;
  if (isNumeric(id) && toInteger(id) === -1 && Object.keys(others).length === 0)
    throw new EngineError('BadValue', "The field 'key' for an _id index must be {_id: 1}, but got {_id: -1}");
  if (Object.values(spec.key).filter((order) => order === 'hashed').length > 1)
    throw new EngineError(31303, 'A maximum of one index field is allowed to be hashed');
  const { weights } = spec.ofKind ?? {};
  if (isDoc(weights) && !Object.values(weights).every((w) => isNumeric(w) && toNumber(w) > 0 && toNumber(w) < 1e9))
    throw cannot('weights of a text index must be in the exclusive interval (0,1000000000)');
  if (equals(spec.key, { _id: new Int32(1) }))
    for (const option of ['unique', 'sparse', 'hidden', 'partialFilterExpression', 'expireAfterSeconds'] as const)
      if (spec[option] !== undefined)
        throw new EngineError(
          'InvalidIndexSpecificationOption',
          `The field '${option}' is not valid for an _id index specification.`,
        );
  if (spec.expireAfterSeconds !== undefined && Object.keys(spec.key).length > 1)
    throw cannot('TTL indexes are single-field indexes, compound indexes do not support TTL');
  const { '2dsphereIndexVersion': sphere, bits } = spec.ofKind ?? {};
  if (sphere !== undefined && ![1, 2, 3].includes(toInteger(sphere) ?? 0))
    throw cannot(
      `unsupported geo index version { 2dsphereIndexVersion: ${String(sphere)} }, only support versions: [1,2,3]`,
    );
  const { coarsestIndexedLevel = new Int32(0), finestIndexedLevel = new Int32(MOST_LEVELS) } = spec.ofKind ?? {};
  const [coarsest, finest] = [coarsestIndexedLevel, finestIndexedLevel].map((v) => (isNumeric(v) ? toNumber(v) : 0));
  if (coarsest === undefined || coarsest < 0) throw new EngineError(16747, 'coarsestIndexedLevel must be >= 0');
  if (finest === undefined || finest > MOST_LEVELS)
    throw new EngineError(16748, `finestIndexedLevel must be <= ${MOST_LEVELS}`);
  if (finest < coarsest) throw new EngineError(16749, 'finestIndexedLevel must be >= coarsestIndexedLevel');
  if (isNumeric(bits) && !(toNumber(bits) > 0 && toNumber(bits) <= 32))
    throw new EngineError(
      'InvalidOptions',
      `bits for hash must be > 0 and <= 32, but ${String(bits)} bits were specified`,
    );
  if (spec.sparse && spec.partialFilterExpression)
    throw cannot('cannot mix "partialFilterExpression" and "sparse" options');
}

/** Seconds after which a document is over; NaN is as long as can be. @throws {EngineError} 67: not from 0 to 2³¹ − 1 */
function assertExpiry(seconds: Value): void {
  if (seconds === undefined) return;
  if (!isNumeric(seconds))
    throw cannot(
      `TTL index 'expireAfterSeconds' option must be numeric, but received a type of '${typeName(seconds)}'`,
    );
  const n = Math.trunc(toNumber(seconds));
  if (Number.isNaN(n)) return;
  if (!(n >= 0 && n < 2 ** 31))
    throw cannot("TTL index 'expireAfterSeconds' option must be within an acceptable range");
}

/**
 * An index as a client describes it.
 * https://www.mongodb.com/docs/manual/reference/command/createIndexes/
 *
 * @throws {EngineError} 9: no key or name; 14: an option of the wrong type; 67, 197: what can not be; 238: what is not kept
 */
export function specFrom(given: Doc): IndexSpec {
  const odd = Object.keys(given).find((name) => !Object.hasOwn(FIELDS, name));
  if (odd !== undefined)
    throw new EngineError(
      'InvalidIndexSpecificationOption',
      `The field '${odd}' is not valid for an index specification`,
    );
  const empty = Object.keys(given).find((name) => given[name] === null && FIELDS[name] !== 'own');
  if (empty !== undefined)
    throw new EngineError('TypeMismatch', `The field '${empty}' of an index specification must not be null`);
  const spec = checked(given, 'createIndexes.indexes', FIELDS);
  const { key, name, v, partialFilterExpression, expireAfterSeconds, collation } = spec;
  for (const [field, value] of Object.entries({ key, name }))
    if (value === undefined)
      throw new EngineError('FailedToParse', `The '${field}' field is a required property of an index specification`);
  if (isDoc(key)) assertKey(key);
  if (name === '_id_' && !equals(key, { _id: new Int32(1) }))
    throw new EngineError('BadValue', "The index name '_id_' is reserved for the _id index");
  if (isDoc(key) && Object.values(key).includes('text')) assertWords(key, spec);
  if (name === '*') throw new EngineError('BadValue', "The index name '*' is not valid.");
  if (name === '') throw cannot('The index name cannot be empty');
  if (typeof name === 'string' && name.includes('\0')) throw cannot('The index name cannot contain a null byte');
  const version = v === undefined ? 2 : toInteger(v);
  if (version !== 1 && version !== 2)
    throw cannot(`Invalid index specification: cannot create an index with v=${String(v)}`);
  if (isDoc(collation) && Object.keys(collation).length === 0)
    throw new EngineError('BadValue', 'The collation of an index needs a locale');
  if (version < 2 && isDoc(collation)) throw cannot("cannot create an index with the 'collation' option and v=1");
  collationFor(spec, undefined);
  const refused = Object.keys(REFUSED).find((option) => option in spec);
  if (refused !== undefined)
    throw new EngineError('NotImplemented', `The index option '${refused}' is not supported by the embedded engine`);
  assertExpiry(expireAfterSeconds);
  assertPartial(partialFilterExpression);
  if (isDoc(partialFilterExpression)) compileFilter(partialFilterExpression);
  const built = specOf(spec);
  assertOptions(built);
  if (kindOf(built.key) === 'wildcard') assertWildcard(built, version);
  return built;
}

/**
 * A time series has fewer kinds of index, and fewer still of its measurements.
 * https://www.mongodb.com/docs/manual/core/timeseries/timeseries-secondary-index/
 *
 * @throws {EngineError} 72: an option that it does not take; 67, 7246201: a kind
 */
export function assertOfTimeSeries(spec: IndexSpec, timeField: string, metaField: Value): void {
  const { key, partialFilterExpression: filter } = spec;
  const ofMeta = (path: string): boolean =>
    typeof metaField === 'string' && (path === metaField || path.startsWith(`${metaField}.`));
  const measured = Object.entries(key).filter(([path]) => path !== timeField && !ofMeta(path));
  const not = (what: string): EngineError =>
    new EngineError('InvalidOptions', `${what} indexes are not supported on time-series collections`);
  if (spec.unique) throw not('Unique');
  if (spec.sparse && measured.length > 0) throw not('Sparse');
  if (Object.values(key).includes('text')) throw not('Text');
  const onTime = Object.keys(key).join() === timeField && filter && Object.keys(filter).every(ofMeta);
  if (spec.expireAfterSeconds !== undefined && !onTime) throw not('TTL');
  for (const [path, order] of measured) {
    if (path === '$**') throw new EngineError(7246201, 'wildcard indexes do not allow more than one wildcard field');
    if (typeof order === 'string' && order !== '2dsphere')
      throw cannot(`Invalid index spec for time-series collection: ${path}: '${order}'`);
  }
}
