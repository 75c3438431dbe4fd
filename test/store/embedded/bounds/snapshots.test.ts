import { expect, it } from '@jest/globals';
import { Storage } from '../../../../src/store/embedded/storage/storage.js';
import { Long } from 'bson';
import { byHand, folderForTest, newSession, running } from '../running.js';

/** lmdb has a place for so many snapshots; one more is refused. */
const PLACES = 3000;

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

it('as many cursors and transactions as there may be leave room for everybody else', async () => {
  const { engine, db } = await running();
  await db.collection('rows').insertMany(Array.from({ length: 200 }, (_, i) => ({ i })));
  const send = await byHand(engine.uri);
  const write = { insert: 'written', documents: [{}] };
  const open = { find: 'rows', batchSize: 1 };
  const transaction = { txnNumber: Long.fromNumber(1), startTransaction: true, autocommit: false };
  // With a write between them no two share a snapshot.
  for (let i = 0; i < 800; i += 1) expect([(await send(open))['ok'], (await send(write))['ok']]).toEqual([1, 1]);
  expect(await send(open)).toMatchObject({ ok: 0, code: 146 });
  for (let i = 0; i < 1000; i += 1) {
    expect(await send({ ...open, limit: 1, lsid: newSession(), ...transaction })).toMatchObject({ ok: 1 });
    if (i % 4 === 0) await send(write);
  }
  expect(await send({ ...open, limit: 1, lsid: newSession(), ...transaction })).toMatchObject({
    code: 146,
    errorLabels: ['TransientTransactionError'],
  });
  expect(await db.collection('rows').findOne({ i: 7 })).toMatchObject({ i: 7 });
  expect(
    await db
      .collection('rows')
      .aggregate([{ $count: 'n' }])
      .toArray(),
  ).toEqual([{ n: 200 }]);
  expect(await send({ killAllSessions: [], $db: 'admin' })).toMatchObject({ ok: 1 });
}, 60_000);
