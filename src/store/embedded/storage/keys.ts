import { encodeValue } from '../bson/key.js';
import type { Value } from '../bson/value.js';
import type { Collection, StoredIndex } from './catalogue.js';

/** Where things lie in the store: the first byte is 0 for what the engine knows of itself, 1 for what collections hold. */
export const CATALOGUE = Buffer.from([0, 1]);
export const RETRIES = Buffer.from([0, 2]);
/** One key for each multikey index: apart from the catalogue's entry, so that a write never puts back an older one. */
export const MULTIKEY = Buffer.from([0, 3]);
/** A collection's number follows, and one of these. */
export const COLLECTIONS = Buffer.from([1]);
const DOCUMENTS = Buffer.from([1]);
/** An index's number follows. */
export const ENTRIES = Buffer.from([2]);
const CAPPED_SIZE = Buffer.from([3]);
const CAPPED_ORDER = Buffer.from([4]);

/** Bytes of a collection's or an index's number. */
export const NUMBER_BYTES = 4;

const numbered = (prefix: Buffer, n: number): Buffer => {
  const bytes = Buffer.alloc(NUMBER_BYTES);
  bytes.writeUInt32BE(n);
  return Buffer.concat([prefix, bytes]);
};

/** Where the catalogue's entry of a collection lies. */
export const keyOf = (namespace: string): Buffer => Buffer.concat([CATALOGUE, Buffer.from(namespace)]);

export const everythingOf = ({ id }: Collection): Buffer => numbered(COLLECTIONS, id);
const partOf = (c: Collection, part: Buffer): Buffer => Buffer.concat([everythingOf(c), part]);

/** By the collection's number: asked for at every document. */
const documentPrefixes = new Map<number, Buffer>();

/** Where a collection's documents lie; the value of `_id` follows. */
export function documentsOf(c: Collection): Buffer {
  const there = documentPrefixes.get(c.id);
  if (there) return there;
  const prefix = partOf(c, DOCUMENTS);
  documentPrefixes.set(c.id, prefix);
  return prefix;
}

export const documentKey = (c: Collection, id: Value): Buffer => Buffer.concat([documentsOf(c), encodeValue(id)]);
/** Where the entries of all indexes of a collection lie. */
export const allEntriesOf = (c: Collection): Buffer => partOf(c, ENTRIES);
export const entriesOf = (c: Collection, i: StoredIndex): Buffer => numbered(allEntriesOf(c), i.id);
/** Where a capped collection keeps count of what it holds. */
export const cappedSizeOf = (c: Collection): Buffer => partOf(c, CAPPED_SIZE);
/** Where a capped collection keeps the order of insertion: by number, the key of `_id`. */
export const cappedOrderOf = (c: Collection): Buffer => partOf(c, CAPPED_ORDER);
export const multikeysOf = ({ id }: Collection): Buffer => numbered(MULTIKEY, id);
export const multikeyOf = (c: Collection, i: StoredIndex): Buffer => numbered(multikeysOf(c), i.id);
