import { Int32 } from 'bson';
import { equals } from '../bson/compare.js';
import { isDoc } from '../bson/types.js';
import { type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { specDoc, specOf } from '../storage/catalogue.js';
import { type Command, docs, ensureCollection, int, text } from './command.js';

const defaultName = (key: Value): string =>
  isDoc(key)
    ? Object.entries(key)
        .map(([k, v]) => `${k}_${String(v)}`)
        .join('_')
    : '';

export const createIndexes: Command = {
  help: 'Builds indexes.',
  fields: ['createIndexes', 'indexes', 'commitQuorum', 'ignoreUnknownIndexOptions'],
  inTransaction: true,
  async run(context) {
    const { command, engine, db } = context;
    const name = text(command, 'createIndexes');
    const wanted = docs(command, 'indexes');
    if (wanted.length === 0) throw new EngineError('BadValue', 'Must specify at least one index to create');
    const existed = engine.catalogue.find(db, name) !== undefined;
    const specs = wanted.map((w) => specOf('name' in w ? w : { ...w, name: defaultName(w['key']) }));
    const collection = await ensureCollection(engine, db, name);
    if (context.session.inTransaction && context.snapshot().tx.collections.has(collection.id))
      throw new EngineError(
        'OperationNotSupportedInTransaction',
        `Cannot create new indexes on existing collection ${db}.${name} in a multi-document transaction that writes to it.`,
      );
    const before = collection.indexes.length + 1;
    await engine.transactions.run(
      (tx) => {
        if (collection.gone) throw new EngineError('QueryPlanKilled', `collection dropped: ${db}.${name}`);
        for (const spec of specs) {
          if (spec.name === '_id_' || equals(spec.key, { _id: new Int32(1) })) continue;
          const same = collection.indexes.find((i) => i.index.spec.name === spec.name);
          const alike = collection.indexes.find(
            (i) =>
              equals(i.index.spec.key, spec.key) &&
              equals(specDoc({ ...i.index.spec, name: '' }), specDoc({ ...spec, name: '' })),
          );
          if (same) {
            if (!equals(same.index.spec.key, spec.key))
              throw new EngineError(
                'IndexKeySpecsConflict',
                `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Requested index: ${JSON.stringify(spec.key)}, existing index: ${JSON.stringify(same.index.spec.key)}`,
              );
            if (!equals(specDoc(same.index.spec), specDoc(spec)))
              throw new EngineError(
                'IndexOptionsConflict',
                `An equivalent index already exists with the same name but different options. Requested index: ${spec.name}`,
              );
            continue;
          }
          if (alike)
            throw new EngineError(
              'IndexOptionsConflict',
              `Index already exists with a different name: ${alike.index.spec.name}`,
            );
          engine.catalogue.addIndex(tx, collection, spec);
        }
      },
      { alone: [collection.id] },
    );
    const now = collection.indexes.length + 1;
    return {
      numIndexesBefore: int(before),
      numIndexesAfter: int(now),
      createdCollectionAutomatically: !existed,
      ...(now === before && { note: 'all indexes already exist' }),
    };
  },
};
