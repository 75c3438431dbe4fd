import { Binary, Int32, Long } from 'bson';
import { compare, equals } from '../bson/compare.js';
import { isDoc, toInteger } from '../bson/types.js';
import { type Doc, encode, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileFilter } from '../query/match.js';
import { checkName, type Collection, documentsOf, idIndex, specDoc, specOf } from '../storage/catalogue.js';
import { after } from '../bson/key.js';
import { cursorReply } from '../wire/message.js';
import {
  type Command,
  type Context,
  docs,
  ensureCollection,
  int,
  optionalBoolean,
  optionalDoc,
  text,
} from './command.js';

const REFUSED_OPTIONS = [
  'capped',
  'timeseries',
  'viewOn',
  'clusteredIndex',
  'validator',
  'collation',
  'changeStreamPreAndPostImages',
  'encryptedFields',
  'expireAfterSeconds',
  'pipeline',
  'size',
  'max',
];

export const create: Command = {
  help: 'Makes a collection.',
  fields: [
    'create',
    'validationLevel',
    'validationAction',
    'storageEngine',
    'indexOptionDefaults',
    'autoIndexId',
    'idIndex',
    'writeConcern',
    ...REFUSED_OPTIONS,
  ],
  inTransaction: true,
  async run(context) {
    const { command, engine, db } = context;
    const name = text(command, 'create');
    checkName(db, name);
    for (const option of REFUSED_OPTIONS) {
      const v = command[option];
      if (v !== undefined && v !== false && !(isDoc(v) && Object.keys(v).length === 0))
        throw new EngineError('NotImplemented', `create with '${option}' is not supported by the embedded engine`);
    }
    // In a transaction the collection is made at once, by itself: nobody can tell, but that it stays after an abort.
    if (context.session.inTransaction) context.snapshot();
    await ensureCollection(engine, db, name);
    return {};
  },
};

export const drop: Command = {
  help: 'Removes a collection.',
  fields: ['drop'],
  async run({ command, engine, db }) {
    const name = text(command, 'drop');
    const collection = engine.catalogue.find(db, name);
    if (!collection) return {};
    await engine.transactions.run(
      (tx) => {
        if (!collection.gone) engine.catalogue.drop(tx, collection);
      },
      { alone: [collection.id] },
    );
    return { nIndexesWas: int(collection.indexes.length + 1), ns: `${db}.${name}` };
  },
};

export const dropDatabase: Command = {
  help: 'Removes a database.',
  fields: ['dropDatabase'],
  async run({ engine, db }) {
    const all = engine.catalogue.list(db);
    await engine.transactions.run(
      (tx) => {
        for (const c of all) if (!c.gone) engine.catalogue.drop(tx, c);
      },
      { alone: all.map((c) => c.id) },
    );
    return all.length > 0 ? { dropped: db } : {};
  },
};

export const renameCollection: Command = {
  help: 'Gives a collection another name.',
  fields: ['renameCollection', 'to', 'dropTarget'],
  async run({ command, engine }) {
    const split = (ns: string): [string, string] => [ns.slice(0, ns.indexOf('.')), ns.slice(ns.indexOf('.') + 1)];
    const [db, name] = split(text(command, 'renameCollection'));
    const [toDb, toName] = split(text(command, 'to'));
    checkName(toDb, toName);
    const collection = engine.catalogue.find(db, name);
    if (!collection) throw new EngineError('NamespaceNotFound', `Source collection ${db}.${name} does not exist`);
    const target = engine.catalogue.find(toDb, toName);
    if (target && !optionalBoolean(command, 'dropTarget'))
      throw new EngineError('NamespaceExists', 'target namespace exists');
    await engine.transactions.run(
      (tx) => {
        if (collection.gone || target?.gone)
          throw new EngineError('NamespaceNotFound', `${db}.${name} was dropped or renamed meanwhile`);
        if (target) engine.catalogue.drop(tx, target);
        engine.catalogue.rename(tx, collection, toDb, toName);
      },
      { alone: target ? [collection.id, target.id] : [collection.id] },
    );
    return {};
  },
};

export const listCollections: Command = {
  help: 'The collections of a database.',
  fields: ['listCollections', 'filter', 'nameOnly', 'authorizedCollections', 'cursor'],
  run({ command, engine, db }) {
    const filter = compileFilter(optionalDoc(command, 'filter') ?? {});
    const nameOnly = optionalBoolean(command, 'nameOnly') ?? false;
    const all = engine.catalogue
      .list(db)
      .toSorted((a, b) => compare(a.name, b.name))
      .map((c): Doc =>
        nameOnly
          ? { name: c.name, type: 'collection' }
          : {
              name: c.name,
              type: 'collection',
              options: {},
              info: { readOnly: false, uuid: uuidOf(c) },
              idIndex: { v: new Int32(2), key: { _id: new Int32(1) }, name: '_id_' },
            },
      )
      .filter((doc) => filter.test(doc));
    return cursorReply('firstBatch', all.map(encode), 0n, `${db}.$cmd.listCollections`);
  },
};

function uuidOf(c: Collection): Binary {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(c.id, 12);
  bytes[6] = 0x40;
  bytes[8] = 0x80;
  return new Binary(bytes, 4);
}

export const listDatabases: Command = {
  help: 'The databases.',
  fields: ['listDatabases', 'filter', 'nameOnly', 'authorizedDatabases'],
  run({ command, engine }) {
    const filter = compileFilter(optionalDoc(command, 'filter') ?? {});
    const names = [...new Set(engine.catalogue.list().map((c) => c.db))].toSorted();
    const { bytes } = engine.storage.stats();
    const nameOnly = optionalBoolean(command, 'nameOnly') ?? false;
    const databases = names
      .map((name): Doc => (nameOnly ? { name } : { name, sizeOnDisk: Long.fromNumber(bytes), empty: false }))
      .filter((doc) => filter.test(doc));
    return nameOnly
      ? { databases }
      : { databases, totalSize: Long.fromNumber(bytes), totalSizeMb: Long.fromNumber(Math.ceil(bytes / 2 ** 20)) };
  },
};

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

const collectionOf = (context: Context, name: string): Collection => {
  const c = context.engine.catalogue.find(context.db, name);
  if (!c) throw new EngineError('NamespaceNotFound', `ns does not exist: ${context.db}.${name}`);
  return c;
};

export const listIndexes: Command = {
  help: 'The indexes of a collection.',
  fields: ['listIndexes', 'cursor', 'includeBuildUUIDs', 'includeIndexBuildInfo'],
  run(context) {
    const name = text(context.command, 'listIndexes');
    const all = [idIndex.spec, ...collectionOf(context, name).indexes.map((i) => i.index.spec)].map(specDoc);
    return cursorReply('firstBatch', all.map(encode), 0n, `${context.db}.${name}`);
  },
};

export const dropIndexes: Command = {
  help: 'Removes indexes.',
  fields: ['dropIndexes', 'index'],
  async run(context) {
    const collection = collectionOf(context, text(context.command, 'dropIndexes'));
    const { index } = context.command;
    const before = collection.indexes.length + 1;
    const wanted = Array.isArray(index) ? index : [index];
    const chosen = wanted.flatMap((w) => {
      if (w === '*') return [...collection.indexes];
      if (w === '_id_' || (isDoc(w) && equals(w, { _id: new Int32(1) })))
        throw new EngineError('InvalidOptions', 'cannot drop _id index');
      const found = collection.indexes.filter((i) =>
        typeof w === 'string' ? i.index.spec.name === w : equals(i.index.spec.key, w),
      );
      if (found.length === 0)
        throw new EngineError(
          'IndexNotFound',
          typeof w === 'string'
            ? `index not found with name [${w}]`
            : `can't find index with key: ${JSON.stringify(w)}`,
        );
      return found;
    });
    await context.engine.transactions.run(
      (tx) => {
        for (const i of chosen)
          if (collection.indexes.includes(i)) context.engine.catalogue.dropIndex(tx, collection, i);
      },
      { alone: [collection.id] },
    );
    return { nIndexesWas: int(before) };
  },
};

export const collMod: Command = {
  help: 'Changes the options of an index: hidden, expireAfterSeconds.',
  fields: ['collMod', 'index'],
  run() {
    throw new EngineError('NotImplemented', 'collMod is not supported by the embedded engine');
  },
};

function sizes(context: Context, collections: readonly Collection[]): { objects: number; bytes: number } {
  const { tx, release } = context.snapshot();
  let objects = 0;
  let bytes = 0;
  try {
    for (const c of collections)
      for (const { value } of tx.range(documentsOf(c), after(documentsOf(c)))) {
        objects += 1;
        bytes += value.length;
      }
  } finally {
    release();
  }
  return { objects, bytes };
}

export const dbStats: Command = {
  help: 'Figures of a database.',
  fields: ['dbStats', 'dbstats', 'scale', 'freeStorage'],
  run(context) {
    const all = context.engine.catalogue.list(context.db);
    const { objects, bytes } = sizes(context, all);
    const scale = toInteger(context.command['scale']) ?? 1;
    const n = (v: number): Long => Long.fromNumber(Math.floor(v / scale));
    return {
      db: context.db,
      collections: int(all.length),
      views: int(0),
      objects: Long.fromNumber(objects),
      avgObjSize: Long.fromNumber(objects === 0 ? 0 : Math.round(bytes / objects)),
      dataSize: n(bytes),
      storageSize: n(bytes),
      indexes: int(all.reduce((sum, c) => sum + c.indexes.length + 1, 0)),
      indexSize: n(0),
      totalSize: n(bytes),
      scaleFactor: int(scale),
    };
  },
};

export const collStats: Command = {
  help: 'Figures of a collection.',
  fields: ['collStats', 'collstats', 'scale'],
  run(context) {
    const name = text(context.command, 'collStats' in context.command ? 'collStats' : 'collstats');
    const c = context.engine.catalogue.find(context.db, name);
    const { objects, bytes } = sizes(context, c ? [c] : []);
    return {
      ns: `${context.db}.${name}`,
      size: Long.fromNumber(bytes),
      count: Long.fromNumber(objects),
      ...(objects > 0 && { avgObjSize: Long.fromNumber(Math.round(bytes / objects)) }),
      storageSize: Long.fromNumber(bytes),
      nindexes: int(c ? c.indexes.length + 1 : 0),
      capped: false,
      totalIndexSize: Long.fromNumber(0),
      scaleFactor: int(1),
    };
  },
};
