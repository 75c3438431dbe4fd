import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { open } from 'lmdb';
import { keySum, valueSum } from '../../../../src/store/embedded/storage/checksum.js';
import { refusal, running } from '../running.js';

it('is the CRC-32 of zlib whatever the length, from 48 bytes on', () => {
  const bytes = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 7919) % 251));
  const start = keySum(bytes, 3, 30);
  for (let length = 48; length <= bytes.length; length += 1)
    expect(valueSum(start, bytes, length)).toBe(crc32(bytes.subarray(0, length), start >>> 0));
});

it.each(['x'.repeat(5), 'x'.repeat(100), 'x'.repeat(1000)])(
  'tells a group of a value that is damaged (%#)',
  async (text) => {
    const { db, folder } = await running();
    await db.collection('c').insertMany(Array.from({ length: 10 }, (_, n) => ({ n, text })));
    const total = (): Promise<unknown> =>
      db
        .collection('c')
        .aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }])
        .next();
    expect(await total()).toEqual({ _id: null, n: 45 });
    const raw = open<Buffer, Buffer>({
      path: join(folder, 'data.mdb'),
      noSubdir: true,
      keyEncoding: 'binary',
      encoding: 'binary',
      overlappingSync: false,
    });
    const [last] = [...raw.getRange({ start: Buffer.from([2]), reverse: true, limit: 1 })];
    const bytes = Buffer.from(last?.value ?? []);
    // One bit of `n`, which comes after `_id`.
    const at = bytes.indexOf('n\0') + 2;
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    await raw.put(last?.key ?? Buffer.alloc(0), bytes);
    await raw.close();
    expect(await refusal(total())).toMatchObject({ code: 1, message: expect.stringContaining('is damaged') });
    expect(await db.collection('c').findOne({ n: 3 })).toMatchObject({ text });
  },
);
