import { Int32, Long } from 'bson';
import { after } from '../bson/key.js';
import { toInteger } from '../bson/types.js';
import { decode, type Doc, encode } from '../bson/value.js';
import type { Collection } from '../storage/catalogue.js';
import { cappedOrderOf, cappedSizeOf, documentsOf } from '../storage/keys.js';
import type { Transaction } from '../transactions/transactions.js';

/** What a capped collection holds, and the number that the next document gets; undefined: none has one yet. */
interface Held {
  readonly documents: number;
  readonly bytes: number;
  readonly next: number | undefined;
}

function heldBy(tx: Transaction, c: Collection): Held {
  const stored = tx.get(cappedSizeOf(c));
  const { n, bytes, next } = stored ? decode(stored) : { next: Long.ZERO };
  return { documents: toInteger(n) ?? 0, bytes: toInteger(bytes) ?? 0, next: toInteger(next) };
}

/** A key that sorts by its number. */
function placeOf(c: Collection, number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return Buffer.concat([cappedOrderOf(c), bytes]);
}

const places = (tx: Transaction, c: Collection, reverse = false): Iterable<{ key: Buffer; value: Buffer }> =>
  tx.range(cappedOrderOf(c), after(cappedOrderOf(c)), reverse);

/** Numbers what is there, but for `but`, in the order of `_id`: earlier releases kept no other. Returns the next number. */
function numbered(tx: Transaction, c: Collection, but: Buffer | undefined): number {
  for (const { key } of places(tx, c)) tx.remove(key);
  const all = documentsOf(c);
  let next = 0;
  for (const { key } of tx.range(all, after(all))) {
    if (but?.equals(key)) continue;
    tx.put(placeOf(c, next), key.subarray(all.length));
    next += 1;
  }
  return next;
}

/**
 * Counts what a capped collection holds, and its order: the document of `key` was put, changed, or will be removed. One
 * transaction at a time may do so.
 */
export function grow(tx: Transaction, c: Collection, key: Buffer, documents: 1 | 0 | -1, bytes: number): void {
  if (!c.options.capped) return;
  tx.lock(cappedSizeOf(c));
  const held = heldBy(tx, c);
  let next = held.next ?? numbered(tx, c, documents > 0 ? key : undefined);
  const id = key.subarray(documentsOf(c).length);
  if (documents > 0) {
    tx.put(placeOf(c, next), id);
    next += 1;
  } else if (documents < 0)
    for (const place of places(tx, c))
      if (place.value.equals(id)) {
        tx.remove(place.key);
        break;
      }
  tx.put(
    cappedSizeOf(c),
    Buffer.from(
      encode({
        n: new Int32(held.documents + documents),
        bytes: Long.fromNumber(held.bytes + bytes),
        next: Long.fromNumber(next),
      }),
    ),
  );
}

/** The documents of a capped collection as they were inserted. https://www.mongodb.com/docs/manual/core/capped-collections/ */
export function* inOrder(tx: Transaction, c: Collection, reverse = false): Iterable<{ value: Buffer }> {
  const all = documentsOf(c);
  if (heldBy(tx, c).next === undefined) yield* tx.range(all, after(all), reverse);
  else
    for (const { value: id } of places(tx, c, reverse)) {
      const value = tx.get(Buffer.concat([all, id]));
      if (value) yield { value };
    }
}

/** The document that has to go for a capped collection to keep its size: the first, but never the one just inserted. */
export function surplus(tx: Transaction, c: Collection, inserted: Buffer): Doc | undefined {
  const { capped } = c.options;
  if (!capped) return undefined;
  const { documents, bytes } = heldBy(tx, c);
  if (documents <= capped.documents && bytes <= capped.bytes) return undefined;
  const all = documentsOf(c);
  for (const { value: id } of places(tx, c)) {
    const key = Buffer.concat([all, id]);
    const value = key.equals(inserted) ? undefined : tx.get(key);
    if (value) return decode(value);
  }
  return undefined;
}
