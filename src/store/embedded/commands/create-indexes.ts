import { equals } from '../bson/compare.js';
import { isDoc, isNumeric, toNumber } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { IndexSpec } from '../query/indexes.js';
import { type Collection, idIndex, indexCount, specDoc } from '../storage/catalogue.js';
import { build, buildAtOnce } from '../storage/index-build.js';
import { type Command, docs, ensureCollection, int, collectionName } from './command.js';
import { assertOfTimeSeries, specFrom } from './index-spec.js';

/** What an index does: all of it but how it was asked to be built, that it is not sparse, and its version. */
const effect = ({ background: _background, sparse, ofKind, ...spec }: IndexSpec): Doc => {
  const { textIndexVersion: _version, ...rest } = ofKind ?? {};
  return specDoc({ ...spec, ...(sparse && { sparse }), ofKind: rest });
};

/** What tells two indexes apart; the other options can be changed, or follow from the first. */
const identity = ({ key, unique, sparse, partialFilterExpression, collation, ofKind }: IndexSpec): Doc => ({
  key,
  unique,
  sparse: sparse === true,
  partialFilterExpression,
  collation: collation?.doc,
  wildcardProjection: ofKind?.['wildcardProjection'],
});

/** @throws {EngineError} 86: the name is another index's; 85: the same index with other options, or by another name; 67: a second text index */
function existsAlready(there: readonly IndexSpec[], spec: IndexSpec): boolean {
  const same = there.find((i) => i.name === spec.name);
  if (same) {
    if (!equals(identity(same), identity(spec)))
      throw new EngineError(
        'IndexKeySpecsConflict',
        `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${JSON.stringify(specDoc(spec))}, existing index: ${JSON.stringify(specDoc(same))}`,
      );
    if (!equals(effect(same), effect(spec)))
      throw new EngineError(
        'IndexOptionsConflict',
        `An equivalent index already exists with the same name but different options. Requested index: ${JSON.stringify(specDoc(spec))}, existing index: ${JSON.stringify(specDoc(same))}`,
      );
    return true;
  }
  const alike = there.find((i) => equals(identity(i), identity(spec)));
  if (alike)
    throw new EngineError(
      'IndexOptionsConflict',
      `Index already exists with a different name or options: ${alike.name}`,
    );
  const words = there.find((i) => Object.values(i.key).includes('text'));
  if (words && Object.values(spec.key).includes('text'))
    throw new EngineError(
      'CannotCreateIndex',
      `only one text index per collection allowed, found existing text index "${words.name}"`,
    );
  return false;
}

/** Those of the wanted indexes that are not there. @throws {EngineError} 86, 85, 67; 2: `_id` with another collation; 238: an old version */
function missing(collection: Collection, wanted: readonly IndexSpec[]): IndexSpec[] {
  const before = collection.indexes.map((i) => i.index.spec);
  const added: IndexSpec[] = [];
  for (const spec of wanted) {
    if (equals(spec.key, idIndex.spec.key)) {
      if (!equals(spec.collation?.doc, collection.options.collation?.doc))
        throw new EngineError('BadValue', 'The _id index must have the same collation as the collection');
      continue;
    }
    if (existsAlready([...before, ...added], spec)) continue;
    const version = spec.ofKind?.['textIndexVersion'];
    if (isNumeric(version) && toNumber(version) < 3)
      throw new EngineError(
        'NotImplemented',
        `textIndexVersion ${version.toString()} is not supported by the embedded engine`,
      );
    added.push(spec);
  }
  return added;
}

/** https://www.mongodb.com/docs/manual/reference/command/createIndexes/ */
export const createIndexes: Command = {
  help: 'Builds indexes.',
  fields: { indexes: 'documents', commitQuorum: 'own', ignoreUnknownIndexOptions: 'flag' },
  writes: true,
  inTransaction: true,
  async run(context) {
    const { command, engine, db, own } = context;
    const name = collectionName(command, 'createIndexes');
    const wanted = docs(command, 'indexes');
    if (wanted.length === 0) throw new EngineError('BadValue', 'Must specify at least one index to create');
    const existed = engine.catalogue.find(db, name, own) !== undefined;
    wanted.forEach(specFrom);
    const collection = await ensureCollection(context, db, name);
    const inherited = collection.options.collation?.doc;
    const specs = wanted.map((w) =>
      specFrom(inherited && w['collation'] === undefined ? { ...w, collation: inherited } : w),
    );
    const { doc, timeField } = collection.options;
    if (timeField !== undefined && isDoc(doc['timeseries']))
      for (const spec of specs) assertOfTimeSeries(spec, timeField, doc['timeseries']['metaField']);
    const before = indexCount(collection);
    if (own) {
      const added = missing(collection, specs);
      // In a transaction, only of a collection that it has made itself and not yet written to.
      if (added.length > 0 && (engine.catalogue.find(db, name) === collection || own.collections.has(collection.id)))
        throw new EngineError(
          'OperationNotSupportedInTransaction',
          `Cannot create new indexes on existing collection ${db}.${name} in a multi-document transaction.`,
        );
      if (added.length > 0) buildAtOnce(own, engine.catalogue, collection, added);
    } else await build(engine.transactions, engine.catalogue, collection, () => missing(collection, specs));
    const now = indexCount(collection);
    return {
      numIndexesBefore: int(before),
      numIndexesAfter: int(now),
      createdCollectionAutomatically: !existed,
      ...(now === before && { note: 'all indexes already exist' }),
    };
  },
};
