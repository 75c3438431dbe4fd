import type { RootDatabase } from 'lmdb';
import { decode, type Doc } from '../../bson/value.js';
import { checksum } from '../checksum.js';

/**
 * From format 1 to 2: each value gets its checksum, and an entry of a unique index loses the `_id` at the end of its key,
 * since no two documents share one. Kept apart from today's code, which may go on to change.
 */
export function checksummed(db: RootDatabase<Buffer, Buffer>): void {
  const entries = [...db.getKeys({ start: Buffer.from([0, 1]) })];
  const unique = new Set<string>();
  for (const { value } of db.getRange({ start: Buffer.from([0, 1]), end: Buffer.from([0, 2]) })) {
    const { id, indexes } = decode(value);
    for (const index of indexes as Doc[])
      if ((index['spec'] as Doc)['unique'] === true) unique.add(prefix(Number(id), Number(index['id'])));
  }
  for (const key of entries) {
    const value = db.get(key);
    if (!value) continue;
    const entry = key[0] === 1 && key[5] === 2 && unique.has(key.toString('latin1', 0, 10));
    const at = entry ? key.subarray(0, key.length - value.length) : key;
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(checksum(at, value));
    if (entry) db.removeSync(key);
    db.putSync(at, Buffer.concat([value, sum]));
  }
}

function prefix(collection: number, index: number): string {
  const bytes = Buffer.from([1, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
  bytes.writeUInt32BE(collection, 1);
  bytes.writeUInt32BE(index, 6);
  return bytes.toString('latin1');
}
