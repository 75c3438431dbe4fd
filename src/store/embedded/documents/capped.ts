import { Int32, Long } from 'bson';
import { after } from '../bson/key.js';
import { toInteger } from '../bson/types.js';
import { decode, type Doc, encode } from '../bson/value.js';
import { cappedSizeOf, type Collection, documentsOf } from '../storage/catalogue.js';
import type { Transaction } from '../transactions/transactions.js';

/** Counts what a capped collection holds; one transaction at a time may change it. */
export function grow(tx: Transaction, c: Collection, documents: number, bytes: number): void {
  if (!c.options.capped) return;
  const key = cappedSizeOf(c);
  tx.lock(key);
  const held = sizeOf(tx, c);
  tx.put(
    key,
    Buffer.from(encode({ n: new Int32(held.documents + documents), bytes: Long.fromNumber(held.bytes + bytes) })),
  );
}

function sizeOf(tx: Transaction, c: Collection): { documents: number; bytes: number } {
  const stored = tx.get(cappedSizeOf(c));
  const { n, bytes } = stored ? decode(stored) : {};
  return { documents: toInteger(n) ?? 0, bytes: toInteger(bytes) ?? 0 };
}

/**
 * The document that has to go for a capped collection to keep its size; documents lie in the order of `_id`, so it is the
 * least, but never the one just inserted. https://www.mongodb.com/docs/manual/core/capped-collections/
 */
export function surplus(tx: Transaction, c: Collection, inserted: Buffer): Doc | undefined {
  const { capped } = c.options;
  if (!capped) return undefined;
  const { documents, bytes } = sizeOf(tx, c);
  if (documents <= capped.documents && bytes <= capped.bytes) return undefined;
  const all = documentsOf(c);
  for (const { key, value } of tx.range(all, after(all))) if (!key.equals(inserted)) return decode(value);
  return undefined;
}
