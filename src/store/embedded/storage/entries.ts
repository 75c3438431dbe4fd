import { isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Transaction } from '../transactions/transactions.js';
import { type Collection, idIndex, type StoredIndex, unused } from './catalogue.js';
import { documentKey, entriesOf } from './keys.js';

/** Bytes of a document's key before its `_id`. */
const DOCUMENT_PREFIX = 6;

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

/** The indexes that a write has to keep. */
export const keptIndexes = ({ indexes, building }: Collection): readonly StoredIndex[] =>
  building.length === 0 ? indexes : [...indexes, ...building];

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
  const { keys, id } = entriesFor(c, i, doc);
  for (const key of keys) {
    if (i.index.spec.unique) {
      transaction.lock(key);
      // While an index is built, the entry may be that of another document, on which the build is going to fail.
      if (!transaction.get(key)?.equals(id)) continue;
    }
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
