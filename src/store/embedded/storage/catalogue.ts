import { Int32 } from 'bson';
import { after, encodeValue } from '../bson/key.js';
import { isDoc, isNumeric, type Numeric, toInteger, toNumber, truthy } from '../bson/types.js';
import { decode, type Doc, encode, type Value } from '../bson/value.js';
import { readCollation } from '../bson/collation.js';
import { EngineError } from '../errors.js';
import { type CompiledIndex, compileIndex, type IndexSpec } from '../query/indexes.js';
import { kindOf, kindOptions, textSpec } from '../query/index-kinds.js';
import { type CollectionOptions, readOptions } from './options.js';
import type { Transaction } from '../transactions/transactions.js';

/** How often searches went by an index, since when: not stored, counted anew by each start. */
export interface Uses {
  ops: number;
  readonly since: Date;
}
const unused = (): Uses => ({ ops: 0, since: new Date() });

export interface StoredIndex {
  readonly id: number;
  readonly index: CompiledIndex;
  multikey: boolean;
  /** The store knows that it is multikey. */
  multikeyStored: boolean;
  /** A snapshot of this version or a later one holds its entries; an older one must not be read by it. */
  since: number;
  readonly uses: Uses;
}

/** A collection: where its documents and index entries lie. */
export interface Collection {
  readonly db: string;
  readonly name: string;
  readonly id: number;
  /** Without `_id_`, which is the documents' own order. */
  readonly indexes: StoredIndex[];
  /** Of `_id_`. */
  readonly uses: Uses;
  options: CollectionOptions;
  /** It was dropped: nothing may be written to it any more. */
  gone: boolean;
}

/** Databases that are the server's own: they are there though nothing is in them. */
export const SYSTEM_DATABASES = ['admin', 'config', 'local'];

export const CATALOGUE = Buffer.from([0, 1]);
export const RETRIES = Buffer.from([0, 2]);
/** One key for each multikey index: apart from the catalogue's entry, so that a write never puts back an older one. */
const MULTIKEY = Buffer.from([0, 3]);

/** Where the catalogue's entry of a collection lies. */
const keyOf = (namespace: string): Buffer => Buffer.concat([CATALOGUE, Buffer.from(namespace)]);

const u32 = (n: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
};
/** Bytes of a document's key before its `_id`. */
const DOCUMENT_PREFIX = 6;

/** By the collection's number: asked for at every document. */
const documentPrefixes = new Map<number, Buffer>();

/** Where a collection's documents lie; the value of `_id` follows. */
export function documentsOf({ id }: Collection): Buffer {
  const there = documentPrefixes.get(id);
  if (there) return there;
  const prefix = Buffer.concat([Buffer.from([1]), u32(id), Buffer.from([1])]);
  documentPrefixes.set(id, prefix);
  return prefix;
}
export const documentKey = (c: Collection, id: Value): Buffer => Buffer.concat([documentsOf(c), encodeValue(id)]);
export const entriesOf = (c: Collection, i: StoredIndex): Buffer =>
  Buffer.concat([Buffer.from([1]), u32(c.id), Buffer.from([2]), u32(i.id)]);
/** Where a capped collection keeps count of what it holds. */
export const cappedSizeOf = (c: Collection): Buffer => Buffer.concat([everythingOf(c.id), Buffer.from([3])]);
/** Where a capped collection keeps the order of insertion: by number, the key of `_id`. */
export const cappedOrderOf = (c: Collection): Buffer => Buffer.concat([everythingOf(c.id), Buffer.from([4])]);
const multikeyOf = (c: Collection, i?: StoredIndex): Buffer =>
  Buffer.concat([MULTIKEY, u32(c.id), ...(i ? [u32(i.id)] : [])]);
const everythingOf = (id: number): Buffer => Buffer.concat([Buffer.from([1]), u32(id)]);

/** How many indexes a collection has: `_id_` is one, but for a clustered collection, which lies by its `_id`. */
export const indexCount = ({ indexes, options }: Collection): number =>
  indexes.length + (options.doc['clusteredIndex'] === undefined ? 1 : 0);

export const idIndex = compileIndex({ name: '_id_', key: { _id: new Int32(1) } });

/** The collections and indexes there are; a copy in memory of what the store holds. */
export class Catalogue {
  readonly #collections = new Map<string, Collection>();
  /** Collections that a transaction has made: until it commits, it alone sees them. */
  readonly #making = new Map<string, { readonly collection: Collection; readonly by: Transaction }>();
  #nextId = 1;

  load(transaction: Transaction): void {
    for (const { key, value } of transaction.range(CATALOGUE, after(CATALOGUE))) {
      const stored = decode(value);
      const namespace = key.subarray(CATALOGUE.length).toString('utf8');
      const at = namespace.indexOf('.');
      const indexes = (stored['indexes'] as Doc[]).map((i) => ({
        id: toInteger(i['id']) ?? 0,
        multikey: false,
        multikeyStored: false,
        since: -1,
        uses: unused(),
        index: compileIndex(specOf(i['spec'] as Doc)),
      }));
      const collection: Collection = {
        db: namespace.slice(0, at),
        name: namespace.slice(at + 1),
        id: toInteger(stored['id']) ?? 0,
        indexes,
        uses: unused(),
        options: readOptions((stored['options'] ?? {}) as Doc),
        gone: false,
      };
      const { id } = collection;
      for (const i of indexes) i.multikey = i.multikeyStored = transaction.get(multikeyOf(collection, i)) !== undefined;
      this.#collections.set(namespace, collection);
      this.#nextId = Math.max(this.#nextId, id + 1);
    }
  }

  /** The collection of a name; `by` is who asks: it sees what it has made itself. */
  find(db: string, name: string, by?: Transaction): Collection | undefined {
    const namespace = `${db}.${name}`;
    const own = by && this.#making.get(namespace);
    return own?.by === by && own ? own.collection : this.#collections.get(namespace);
  }

  list(db?: string): Collection[] {
    return [...this.#collections.values()].filter((c) => db === undefined || c.db === db);
  }

  /**
   * Makes a collection; it is stored, and seen by others, when the transaction commits.
   *
   * @throws {Conflict} somebody else is making one of the same name
   */
  create(transaction: Transaction, db: string, name: string, options = readOptions({})): Collection {
    checkName(db, name);
    const namespace = `${db}.${name}`;
    transaction.lock(keyOf(namespace));
    const collection: Collection = { db, name, id: this.#nextId, indexes: [], uses: unused(), options, gone: false };
    this.#nextId += 1;
    this.#store(transaction, collection);
    this.#making.set(namespace, { collection, by: transaction });
    transaction.afterCommit.push(() => {
      this.#making.delete(namespace);
      this.#collections.set(namespace, collection);
    });
    transaction.afterAbort.push(() => {
      this.#making.delete(namespace);
      collection.gone = true;
    });
    return collection;
  }

  drop(transaction: Transaction, collection: Collection): void {
    const all = everythingOf(collection.id);
    for (const { key } of transaction.range(all, after(all))) transaction.remove(key);
    for (const { key } of transaction.range(multikeyOf(collection), after(multikeyOf(collection))))
      transaction.remove(key);
    this.#forget(transaction, collection);
  }

  #forget(transaction: Transaction, collection: Collection): void {
    const namespace = `${collection.db}.${collection.name}`;
    transaction.remove(keyOf(namespace));
    this.#collections.delete(namespace);
    collection.gone = true;
    transaction.afterAbort.push(() => {
      collection.gone = false;
      this.#collections.set(namespace, collection);
    });
  }

  /** @throws {Conflict} somebody else is making a collection of the new name */
  rename(transaction: Transaction, collection: Collection, db: string, name: string): void {
    transaction.lock(keyOf(`${db}.${name}`));
    const renamed: Collection = { ...collection, db, name, gone: false };
    this.#forget(transaction, collection);
    this.#store(transaction, renamed);
    this.#collections.set(`${db}.${name}`, renamed);
    transaction.afterAbort.push(() => {
      renamed.gone = true;
      this.#collections.delete(`${db}.${name}`);
    });
  }

  /** @throws {EngineError} 11000: documents there break a unique index; nothing is built */
  addIndex(transaction: Transaction, collection: Collection, spec: IndexSpec): void {
    const stored: StoredIndex = {
      id: 1 + Math.max(0, ...collection.indexes.map((i) => i.id)),
      index: compileIndex(spec),
      multikey: false,
      multikeyStored: false,
      since: Number.POSITIVE_INFINITY,
      uses: unused(),
    };
    const all = documentsOf(collection);
    for (const { value } of transaction.range(all, after(all)))
      if (addEntries(transaction, collection, stored, decode(value))) stored.multikey = true;
    collection.indexes.push(stored);
    this.#store(transaction, collection);
    if (stored.multikey) this.markMultikey(transaction, collection, stored);
    transaction.afterCommit.push((version) => {
      stored.since = version;
    });
    transaction.afterAbort.push(() => collection.indexes.splice(collection.indexes.indexOf(stored), 1));
  }

  dropIndex(transaction: Transaction, collection: Collection, index: StoredIndex): void {
    const all = entriesOf(collection, index);
    for (const { key } of transaction.range(all, after(all))) transaction.remove(key);
    transaction.remove(multikeyOf(collection, index));
    collection.indexes.splice(collection.indexes.indexOf(index), 1);
    this.#store(transaction, collection);
    transaction.afterAbort.push(() => collection.indexes.push(index));
  }

  /** Gives an index other options; its entries stay as they are. */
  changeIndex(transaction: Transaction, collection: Collection, index: StoredIndex, spec: IndexSpec): void {
    const at = collection.indexes.indexOf(index);
    const turned = (spec.hidden ?? false) !== (index.index.spec.hidden ?? false);
    collection.indexes[at] = { ...index, index: compileIndex(spec), ...(turned && { uses: unused() }) };
    this.#store(transaction, collection);
    transaction.afterAbort.push(() => {
      collection.indexes[at] = index;
    });
  }

  /** Gives a collection other options; its documents stay as they are. */
  changeOptions(transaction: Transaction, collection: Collection, options: CollectionOptions): void {
    const before = collection.options;
    collection.options = options;
    this.#store(transaction, collection);
    transaction.afterAbort.push(() => {
      collection.options = before;
    });
  }

  /** Remembers that an index holds arrays: from then on its bounds are read with more care. */
  markMultikey(transaction: Transaction, collection: Collection, index: StoredIndex): void {
    index.multikey = true;
    if (index.multikeyStored) return;
    transaction.put(multikeyOf(collection, index), Buffer.from([1]));
    transaction.afterCommit.push(() => {
      index.multikeyStored = true;
    });
  }

  #store(transaction: Transaction, c: Collection): void {
    const indexes = c.indexes.map((i) => ({ id: new Int32(i.id), spec: specDoc(i.index.spec) }));
    transaction.put(
      keyOf(`${c.db}.${c.name}`),
      Buffer.from(encode({ id: new Int32(c.id), indexes, options: c.options.doc })),
    );
  }
}

export function checkName(db: string, name: string): void {
  if (db === '' || /[/\\. "$\0]/.test(db) || Buffer.byteLength(db) > 63)
    throw new EngineError('InvalidNamespace', `Invalid database name: '${db}'`);
  if (name === '' || name.includes('\0') || name.startsWith('.') || (name.includes('$') && !name.startsWith('oplog.$')))
    throw new EngineError('InvalidNamespace', `Invalid collection name: ${db}.${name}`);
  if (name.startsWith('system.') && name !== 'system.js')
    throw new EngineError('InvalidNamespace', `Invalid system namespace: ${db}.${name}`);
  if (Buffer.byteLength(`${db}.${name}`) > 255)
    throw new EngineError('InvalidNamespace', `Fully qualified namespace is too long: ${db}.${name}`);
}

/** As listIndexes shows it. */
export const specDoc = (spec: IndexSpec): Doc => ({
  v: new Int32(2),
  key: spec.key,
  name: spec.name,
  ...(spec.unique && { unique: true }),
  ...(spec.sparse !== undefined && { sparse: spec.sparse }),
  ...(spec.hidden && { hidden: true }),
  ...(spec.background !== undefined && { background: spec.background }),
  ...(spec.partialFilterExpression && { partialFilterExpression: spec.partialFilterExpression }),
  ...(spec.expireAfterSeconds !== undefined && { expireAfterSeconds: new Int32(spec.expireAfterSeconds) }),
  ...spec.ofKind,
  ...(spec.collation && { collation: spec.collation.doc }),
});

/** NaN stands for the longest time: https://www.mongodb.com/docs/manual/core/index-ttl/#indexes-configured-using-nan */
function secondsOf(v: Numeric): number {
  const n = Math.trunc(toNumber(v));
  return Number.isNaN(n) ? 2 ** 31 - 1 : n;
}

/** An index as it is stored, or as it was checked. */
export function specOf(given: Doc): IndexSpec {
  const { name } = given;
  if (!isDoc(given['key']) || typeof name !== 'string')
    throw new EngineError('InternalError', 'an index has no key or no name');
  const { key, given: doc } = textSpec(given['key'], given);
  const { partialFilterExpression, expireAfterSeconds } = doc;
  const on = (option: Value): boolean => option !== undefined && truthy(option);
  const order = readCollation(doc['collation']);
  const ofKind = kindOptions(kindOf(key), key, doc);
  return {
    name,
    key,
    ...(on(doc['unique']) && { unique: true }),
    ...(doc['sparse'] !== undefined && { sparse: truthy(doc['sparse']) }),
    ...(on(doc['hidden']) && { hidden: true }),
    ...(doc['background'] !== undefined && { background: truthy(doc['background']) }),
    ...(isDoc(partialFilterExpression) && { partialFilterExpression }),
    ...(isNumeric(expireAfterSeconds) && { expireAfterSeconds: secondsOf(expireAfterSeconds) }),
    ...(Object.keys(ofKind).length > 0 && { ofKind }),
    ...(order && { collation: order }),
  };
}

function duplicate(c: Collection, i: StoredIndex, doc: Doc): EngineError {
  const { spec } = i.index;
  const keyValue = i.index.keyValue(doc);
  const shown = Object.entries(keyValue)
    .map(([k, v]) => `${k}: ${show(v)}`)
    .join(', ');
  return new EngineError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${c.db}.${c.name} index: ${spec.name} dup key: { ${shown} }`,
    {
      extra: { keyPattern: spec.key, keyValue },
    },
  );
}

const show = (v: Value): string =>
  typeof v === 'string'
    ? JSON.stringify(v)
    : v === null || v === undefined
      ? 'null'
      : isDoc(v) || Array.isArray(v)
        ? JSON.stringify(v)
        : typeof v === 'object' && '_bsontype' in v && v._bsontype === 'ObjectId'
          ? `ObjectId('${String(v)}')`
          : String(v);

/** A document's entries in one index, by their keys. A unique index has the bare key: no two documents share one. */
function entriesFor(c: Collection, i: StoredIndex, doc: Doc): { keys: Buffer[]; multikey: boolean; id: Buffer } {
  const id = documentKey(c, doc['_id']).subarray(DOCUMENT_PREFIX);
  if (!i.index.covers(doc)) return { keys: [], multikey: false, id };
  const { keys, multikey } = i.index.keys(doc);
  const base = entriesOf(c, i);
  return { keys: keys.map((key) => Buffer.concat(i.index.spec.unique ? [base, key] : [base, key, id])), multikey, id };
}

/** Puts a document's entries into one index. Returns whether it holds an array. */
export function addEntries(transaction: Transaction, c: Collection, i: StoredIndex, doc: Doc): boolean {
  i.index.assertTakes(doc);
  const { keys, multikey, id } = entriesFor(c, i, doc);
  for (const key of keys) {
    if (i.index.spec.unique) {
      // The lock makes two transactions that insert one key meet, though neither sees the other's entry.
      transaction.lock(key);
      const there = transaction.get(key);
      if (there && !there.equals(id)) throw duplicate(c, i, doc);
    }
    transaction.put(key, id);
  }
  return multikey;
}

export function removeEntries(transaction: Transaction, c: Collection, i: StoredIndex, doc: Doc): void {
  for (const key of entriesFor(c, i, doc).keys) {
    if (i.index.spec.unique) transaction.lock(key);
    transaction.remove(key);
  }
}

/** As removing the entries of `before` and adding those of `after`; what both have is left alone. Returns whether it holds an array. */
export function moveEntries(tx: Transaction, c: Collection, i: StoredIndex, before: Doc, after: Doc): boolean {
  // An update keeps what it does not touch: the same objects give the same entries.
  if (!i.index.spec.partialFilterExpression && i.index.roots?.every((root) => before[root] === after[root]))
    return false;
  i.index.assertTakes(after);
  const [old, next] = [entriesFor(c, i, before), entriesFor(c, i, after)];
  if (old.keys.length === next.keys.length && old.keys.every((key, at) => key.equals(next.keys[at] as Buffer)))
    return next.multikey;
  removeEntries(tx, c, i, before);
  return addEntries(tx, c, i, after);
}

export const duplicateId = (c: Collection, doc: Doc): EngineError =>
  duplicate(c, { id: 0, index: idIndex, multikey: false, multikeyStored: true, since: -1, uses: unused() }, doc);
