import { expect, it } from '@jest/globals';
import { Storage } from '../../../../src/store/embedded/storage/storage.js';
import { folderForTest } from '../running.js';

/** lmdb has a place for so many snapshots; one more is refused. */
const PLACES = 1000;

it('a range that is not read to its end does not keep its snapshot open', async () => {
  const storage = await Storage.open(await folderForTest());
  const key = (n: number): string => `\x01k${n}`;
  storage.write([new Map([0, 1, 2].map((n) => [key(n), Buffer.from(`value ${n}`)]))]);
  const [from, to] = [Buffer.from([1]), Buffer.from([2])];
  for (let i = 0; i < PLACES + 100; i += 1) {
    const snapshot = storage.snapshot();
    const [range, values] = [
      snapshot.range(from, to, false),
      snapshot.values(from, to, (b, n) => b.toString('utf8', 0, n)),
    ];
    expect(range[Symbol.iterator]().next().value).toMatchObject({ key: Buffer.from(key(0)) });
    expect(values[Symbol.iterator]().next().value).toBe('value 0');
    // A snapshot after a commit is another one.
    storage.write([new Map([[key(3), Buffer.from(String(i))]])]);
    snapshot.close();
  }
  await storage.close();
});
