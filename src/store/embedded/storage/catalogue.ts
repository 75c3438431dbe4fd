import { Int32 } from 'bson';
import { after } from '../bson/key.js';
import { isDoc, isNumeric, type Numeric, toInteger, toNumber, truthy } from '../bson/types.js';
import { decode, type Doc, encode, type Value } from '../bson/value.js';
import { readCollation } from '../bson/collation.js';
import { EngineError } from '../errors.js';
import { type CompiledIndex, compileIndex, type IndexSpec } from '../query/indexes.js';
import { kindOf, kindOptions, textSpec } from '../query/index-kinds.js';
import { type CollectionOptions, readOptions } from './options.js';
import type { Transaction } from '../transactions/transactions.js';
import {
  allEntriesOf,
  CATALOGUE,
  COLLECTIONS,
  entriesOf,
  everythingOf,
  keyOf,
  multikeyOf,
  multikeysOf,
} from './keys.js';

/** How often searches went by an index, since when: not stored, counted anew by each start. */
export interface Uses {
  ops: number;
  readonly since: Date;
}
export const unused = (): Uses => ({ ops: 0, since: new Date() });

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
  /** Those that are being built: each write keeps them, no search goes by them yet. */
  readonly building: StoredIndex[];
  /** Of `_id_`. */
  readonly uses: Uses;
  options: CollectionOptions;
  /** It was dropped: nothing may be written to it any more. */
  gone: boolean;
}

/** Databases that are the server's own: they are there though nothing is in them. */
export const SYSTEM_DATABASES = ['admin', 'config', 'local'];

/** What a drop removes itself: more is left behind, unnamed, and removed in pieces (leftovers.ts). */
const FEW = 500;

/** How many indexes a collection has: `_id_` is one, but for a clustered collection, which lies by its `_id`. */
export const indexCount = ({ indexes, options }: Collection): number =>
  indexes.length + (options.doc['clusteredIndex'] === undefined ? 1 : 0);

export const idIndex = compileIndex({ name: '_id_', key: { _id: new Int32(1) } });

/** Removes what lies under a prefix, unless that is much. */
function removeFew(transaction: Transaction, prefix: Buffer): void {
  if (transaction.hasMany(prefix, after(prefix), FEW + 1)) return;
  for (const { key } of transaction.range(prefix, after(prefix))) transaction.remove(key);
}

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
        building: [],
        uses: unused(),
        options: readOptions((stored['options'] ?? {}) as Doc),
        gone: false,
      };
      const { id } = collection;
      for (const i of indexes) i.multikey = i.multikeyStored = transaction.get(multikeyOf(collection, i)) !== undefined;
      this.#collections.set(namespace, collection);
      this.#nextId = Math.max(this.#nextId, id + 1);
    }
    // What a drop has left behind must not be found by a new collection.
    const [last] = transaction.range(COLLECTIONS, after(COLLECTIONS), true);
    if (last) this.#nextId = Math.max(this.#nextId, last.key.readUInt32BE(COLLECTIONS.length) + 1);
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
    const collection: Collection = {
      db,
      name,
      id: this.#nextId,
      indexes: [],
      building: [],
      uses: unused(),
      options,
      gone: false,
    };
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
    removeFew(transaction, everythingOf(collection));
    removeFew(transaction, multikeysOf(collection));
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

  /** Indexes that are yet to be filled. None has a number under which anything lies: a broken build leaves entries behind. */
  newIndexes(transaction: Transaction, collection: Collection, specs: readonly IndexSpec[]): StoredIndex[] {
    const all = allEntriesOf(collection);
    const [last] = transaction.range(all, after(all), true);
    const used = [...collection.indexes, ...collection.building].map((i) => i.id);
    const first = 1 + Math.max(last?.key.readUInt32BE(all.length) ?? 0, ...used);
    return specs.map((spec, at) => ({
      id: first + at,
      index: compileIndex(spec),
      multikey: false,
      multikeyStored: false,
      since: Number.POSITIVE_INFINITY,
      uses: unused(),
    }));
  }

  /** Takes up indexes that have their entries: searches that begin after the commit go by them. */
  addIndexes(transaction: Transaction, collection: Collection, built: readonly StoredIndex[]): void {
    collection.indexes.push(...built);
    this.#store(transaction, collection);
    for (const i of built) if (i.multikey) this.markMultikey(transaction, collection, i);
    transaction.afterCommit.push((version) => {
      for (const i of built) i.since = version;
    });
    transaction.afterAbort.push(() => {
      for (const i of built) collection.indexes.splice(collection.indexes.indexOf(i), 1);
    });
  }

  dropIndex(transaction: Transaction, collection: Collection, index: StoredIndex): void {
    removeFew(transaction, entriesOf(collection, index));
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
