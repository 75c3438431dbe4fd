import { ObjectId } from 'bson';
import { depthOf, isDoc } from '../bson/types.js';
import { type Doc, encode, MAX_DOCUMENT, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { filterOptions, find, type FindRequest } from '../query/execute.js';
import { compileFilter } from '../query/match.js';
import type { Catalogue, Collection } from '../storage/catalogue.js';
import { addEntries, duplicateId, keptIndexes, moveEntries, removeEntries } from '../storage/entries.js';
import { documentKey } from '../storage/keys.js';
import type { Transaction } from '../transactions/transactions.js';
import type { Update } from '../update/apply.js';
import { grow, surplus } from './capped.js';
import { withTimestamps } from './timestamps.js';
import { assertAllowed } from './validation.js';

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Nested-Depth-for-BSON-Documents; MongoDB stores 180. */
const MAX_DEPTH = 180;
/** Bytes of a document that holds one more: smaller ones need not be looked into. */
const LEAST_PER_LEVEL = 7;

/** The writes of one statement to one collection, in one transaction. */
export class Writer {
  readonly #tx: Transaction;
  readonly #catalogue: Catalogue;
  readonly #bypassesValidation: boolean;
  constructor(tx: Transaction, catalogue: Catalogue, bypassesValidation = false) {
    this.#tx = tx;
    this.#catalogue = catalogue;
    this.#bypassesValidation = bypassesValidation;
  }

  /** @throws {EngineError} 11000: the `_id` or a unique key is taken; 121: the collection's validator does not allow it */
  insert(c: Collection, given: Doc): Doc {
    const doc = withTimestamps(withId(given));
    const key = this.#claim(c, doc);
    if (this.#tx.get(key)) throw duplicateId(c, doc);
    if (!this.#bypassesValidation) assertAllowed(c, doc);
    grow(this.#tx, c, key, 1, this.#store(key, doc));
    for (const i of keptIndexes(c)) if (addEntries(this.#tx, c, i, doc)) this.#catalogue.markMultikey(this.#tx, c, i);
    for (let first = surplus(this.#tx, c, key); first; first = surplus(this.#tx, c, key)) this.remove(c, first);
    return doc;
  }

  replace(c: Collection, before: Doc, after: Doc): void {
    const key = this.#claim(c, before);
    if (!this.#bypassesValidation) assertAllowed(c, after, before);
    const old = c.options.capped ? (this.#tx.get(key)?.length ?? 0) : 0;
    grow(this.#tx, c, key, 0, this.#store(key, after) - old);
    for (const i of keptIndexes(c))
      if (moveEntries(this.#tx, c, i, before, after)) this.#catalogue.markMultikey(this.#tx, c, i);
  }

  remove(c: Collection, doc: Doc): void {
    const key = this.#claim(c, doc);
    for (const i of keptIndexes(c)) removeEntries(this.#tx, c, i, doc);
    if (c.options.capped) grow(this.#tx, c, key, -1, -(this.#tx.get(key)?.length ?? 0));
    this.#tx.remove(key);
  }

  /** Updates one or all that match; inserts with `upsert` where none does. */
  update(
    c: Collection,
    request: FindRequest,
    update: Update,
    options: { multi: boolean; upsert: boolean },
  ): { matched: number; modified: number; upserted?: Value } {
    const filter = compileFilter(request.filter, filterOptions(request, c));
    let matched = 0;
    let modified = 0;
    for (const { doc } of [...find(this.#tx, c, { ...request, limit: options.multi ? 0 : 1 }, filter)]) {
      matched += 1;
      const after = update.apply(doc, filter.positional(doc));
      if (after !== doc) {
        this.replace(c, doc, after);
        modified += 1;
      } else this.#claim(c, doc);
    }
    if (matched > 0 || !options.upsert) return { matched, modified };
    const inserted = this.insert(c, update.insertFor(request.filter));
    return { matched: 0, modified: 0, upserted: inserted['_id'] };
  }

  /** Locks a document's key for this transaction. @throws {Conflict} somebody else was first */
  #claim(c: Collection, doc: Doc): Buffer {
    if (c.gone) throw new EngineError('QueryPlanKilled', `collection dropped: ${c.db}.${c.name}`);
    const key = documentKey(c, doc['_id']);
    this.#tx.lock(key);
    this.#tx.collections.add(c.id);
    return key;
  }

  #store(key: Buffer, doc: Doc): number {
    const bytes = Buffer.from(encode(doc));
    if (bytes.length > LEAST_PER_LEVEL * MAX_DEPTH && depthOf(doc) > MAX_DEPTH)
      throw new EngineError('Overflow', `cannot insert document because it exceeds ${MAX_DEPTH} levels of nesting`);
    if (bytes.length > MAX_DOCUMENT)
      throw new EngineError(
        'BSONObjectTooLarge',
        this.#tx.get(key)
          ? `Resulting document after update is larger than ${MAX_DOCUMENT}`
          : `object to insert too large. size in bytes: ${bytes.length}, max size: ${MAX_DOCUMENT}`,
      );
    this.#tx.put(key, bytes);
    return bytes.length;
  }
}

/** `_id` comes first; it is made where it is missing. https://www.mongodb.com/docs/manual/core/document/#the-_id-field */
function withId(doc: Doc): Doc {
  const id = doc['_id'];
  if (id === undefined) return { _id: new ObjectId(), ...doc };
  if (Array.isArray(id)) throw new EngineError('InvalidIdField', "The '_id' value cannot be of type array");
  if (typeof id === 'object' && id !== null && '_bsontype' in id && id._bsontype === 'BSONRegExp')
    throw new EngineError('InvalidIdField', "The '_id' value cannot be of type regex");
  const dollar = isDoc(id) ? dollarIn(id) : undefined;
  if (dollar !== undefined)
    throw new EngineError(
      'DollarPrefixedFieldName',
      `_id fields may not contain '$'-prefixed fields: ${dollar} is not valid for storage.`,
    );
  if (Object.keys(doc)[0] === '_id') return doc;
  const { _id, ...rest } = doc;
  return { _id, ...rest };
}

/** A name within an `_id` that begins with $; a reference (https://www.mongodb.com/docs/manual/reference/database-references/) is none. */
function dollarIn(v: Value): string | undefined {
  if (!isDoc(v) && !Array.isArray(v)) return undefined;
  const names = Object.keys(v);
  const isReference = isDoc(v) && names[0] === '$ref' && typeof v['$ref'] === 'string' && names[1] === '$id';
  const own = isReference ? names.slice(names[2] === '$db' ? 3 : 2) : names;
  return own.find((name) => name.startsWith('$')) ?? Object.values(v).map(dollarIn).find(Boolean);
}
