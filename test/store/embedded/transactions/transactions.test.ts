import { describe, expect, it } from '@jest/globals';
import { type Document, Long } from 'bson';
import { MongoServerError } from 'mongodb';
import { byHand, newSession, refusal, running } from '../running.js';

interface Counter {
  _id: string;
  n: number;
}

const pause = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

// https://www.mongodb.com/docs/manual/core/transactions-in-applications/
describe('a transaction', () => {
  it('of sixteen callers who raise one number sixteen times ends, and the sum is right', async () => {
    const { client, db } = await running();
    const c = db.collection<Counter>('counters');
    await c.insertOne({ _id: 'n', n: 0 });
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let i = 0; i < 4; i += 1)
          await client.withSession((session) =>
            session.withTransaction(async () => {
              const there = await c.findOne({ _id: 'n' }, { session });
              await c.updateOne({ _id: 'n' }, { $set: { n: (there?.n ?? 0) + 1 } }, { session });
            }),
          );
      }),
    );
    expect(await c.findOne()).toEqual({ _id: 'n', n: 64 });
  }, 60_000);

  it('and single writes to one document wait for each other; none is lost', async () => {
    const { client, db } = await running();
    const c = db.collection<Counter>('counters');
    await c.insertOne({ _id: 'n', n: 0 });
    await Promise.all([
      ...Array.from({ length: 50 }, () => c.updateOne({ _id: 'n' }, { $inc: { n: 1 } })),
      ...Array.from({ length: 5 }, () =>
        client.withSession((session) =>
          session.withTransaction(() => c.updateOne({ _id: 'n' }, { $inc: { n: 1 } }, { session })),
        ),
      ),
    ]);
    expect(await c.findOne()).toEqual({ _id: 'n', n: 55 });
  });

  it('that is open holds a single write back no longer than its maxTimeMS', async () => {
    const { client, db } = await running();
    const c = db.collection<Counter>('counters');
    await c.insertOne({ _id: 'n', n: 0 });
    const session = client.startSession();
    session.startTransaction();
    await c.updateOne({ _id: 'n' }, { $inc: { n: 1 } }, { session });
    expect(await refusal(c.updateOne({ _id: 'n' }, { $inc: { n: 1 } }, { maxTimeMS: 50 }))).toMatchObject({ code: 50 });
    await session.commitTransaction();
    expect(await c.findOne()).toEqual({ _id: 'n', n: 1 });
    await session.endSession();
  });

  // https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.transactionLifetimeLimitSeconds
  it('that takes longer than its lifetime is aborted, and lets others go on', async () => {
    const { client, db } = await running({ transactionLifetimeMs: 100 });
    const c = db.collection<Counter>('counters');
    await c.insertOne({ _id: 'n', n: 0 });
    const session = client.startSession();
    session.startTransaction();
    await c.updateOne({ _id: 'n' }, { $inc: { n: 1 } }, { session });
    await c.updateOne({ _id: 'n' }, { $inc: { n: 10 } });
    const error = await refusal(session.commitTransaction());
    expect(error).toMatchObject({ code: 251, codeName: 'NoSuchTransaction' });
    expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
    expect(await c.findOne()).toEqual({ _id: 'n', n: 10 });
    await session.endSession();
  });

  it('reads one moment with find, count, distinct and aggregate, over several batches', async () => {
    const { client, db } = await running();
    const c = db.collection<Counter>('counters');
    await c.insertMany(Array.from({ length: 250 }, (_, i) => ({ _id: `k${i}`, n: i })));
    const session = client.startSession();
    session.startTransaction({ readConcern: { level: 'snapshot' } });
    const cursor = c.find({}, { session, batchSize: 20 });
    await cursor.next();
    await c.deleteMany({ n: { $lt: 200 } });
    await c.insertOne({ _id: 'late', n: 1000 });
    expect(await cursor.toArray()).toHaveLength(249);
    expect(await c.countDocuments({}, { session })).toBe(250);
    expect(await c.distinct('n', {}, { session })).toHaveLength(250);
    expect(await c.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }], { session }).toArray()).toEqual([
      { _id: null, n: (250 * 249) / 2 },
    ]);
    await session.commitTransaction();
    expect(await c.countDocuments()).toBe(51);
    await session.endSession();
  });

  it('that writes more than it may is refused, and nothing of it stays', async () => {
    const { client, db } = await running({ memoryLimitBytes: 100_000 });
    const c = db.collection('big');
    const session = client.startSession();
    session.startTransaction();
    await c.insertOne({ text: 'x'.repeat(60_000) }, { session });
    expect(await refusal(c.insertOne({ text: 'x'.repeat(60_000) }, { session }))).toMatchObject({ code: 257 });
    await session.abortTransaction();
    expect(await c.countDocuments()).toBe(0);
    await session.endSession();
  });
});

// https://www.mongodb.com/docs/manual/core/transactions-operations/#create-collections-and-indexes-in-a-transaction
describe('a collection that a transaction makes', () => {
  /** `c` with an index and a document, made in a transaction that is still open. */
  const setUp = async () => {
    const all = await running();
    const session = all.client.startSession();
    session.startTransaction();
    await all.db.createCollection('c', { session });
    await all.db.collection('c').createIndex({ a: 1 }, { unique: true, session });
    await all.db.collection('c').insertOne({ a: 1 }, { session });
    return { ...all, session, names: async () => (await all.db.listCollections().toArray()).map(({ name }) => name) };
  };

  it('is its own until it commits, and has then what was made with it', async () => {
    const { db, session, names, reopen } = await setUp();
    const c = db.collection('c');
    expect(await c.findOne({ a: 1 }, { session })).toMatchObject({ a: 1 });
    expect(await c.aggregate([{ $count: 'n' }], { session }).toArray()).toEqual([{ n: 1 }]);
    expect([await names(), await c.countDocuments()]).toEqual([[], 0]);
    await session.commitTransaction();
    await session.endSession();
    expect(await names()).toEqual(['c']);
    expect(await refusal(c.insertOne({ a: 1 }))).toMatchObject({ code: 11000 });
    const again = (await reopen()).db.collection('c');
    expect([await again.countDocuments(), (await again.indexes()).map(({ name }) => name)]).toEqual([
      1,
      ['_id_', 'a_1'],
    ]);
  });

  it('is gone after an abort, and its name is free', async () => {
    const { db, session, names } = await setUp();
    await session.abortTransaction();
    expect(await names()).toEqual([]);
    await db.collection('c').insertMany([{ a: 1 }, { a: 1 }]);
    expect(await db.collection('c').countDocuments()).toBe(2);
    await session.endSession();
  });

  it('is made by one alone: a second transaction conflicts (112), a single write waits', async () => {
    const { client, db, session } = await setUp();
    const second = client.startSession();
    second.startTransaction();
    const refused = await refusal(db.collection('c').insertOne({ a: 2 }, { session: second }));
    expect([refused.code, refused.hasErrorLabel('TransientTransactionError')]).toEqual([112, true]);
    await second.endSession();
    const waiting = db.collection('c').insertOne({ a: 1 });
    await pause(20);
    await session.commitTransaction();
    expect(await refusal(waiting)).toMatchObject({ code: 11000 });
    await session.endSession();
  });

  it('alone may get an index in it, and only while it is empty (263)', async () => {
    const { client, db, session } = await setUp();
    expect(await refusal(db.collection('c').createIndex({ b: 1 }, { session }))).toMatchObject({ code: 263 });
    await session.endSession();
    await db.collection('d').createIndex({ a: 1 });
    const other = client.startSession();
    other.startTransaction();
    await db.collection('d').createIndex({ a: 1 }, { session: other });
    expect(await refusal(db.collection('d').createIndex({ b: 1 }, { session: other }))).toMatchObject({ code: 263 });
    await other.endSession();
  });
});

// https://www.mongodb.com/docs/manual/reference/command/commitTransaction/
describe('a transaction’s number', () => {
  const setUp = async () => {
    const { engine, db } = await running();
    await db.createCollection('c');
    const send = await byHand(engine.uri);
    const lsid = newSession();
    const at = (n: number, more: object = {}) => ({
      lsid,
      txnNumber: Long.fromNumber(n),
      autocommit: false,
      ...more,
    });
    const insert = (_id: number, n: number, start = true) =>
      send({ insert: 'c', documents: [{ _id }], ...at(n, start ? { startTransaction: true } : {}) });
    return { db, send, at, insert, lsid };
  };

  it('is asked to commit before it began: 251', async () => {
    const { send, at } = await setUp();
    expect(await send({ commitTransaction: 1, ...at(1), $db: 'admin' })).toMatchObject({
      ok: 0,
      code: 251,
      codeName: 'NoSuchTransaction',
      errorLabels: ['TransientTransactionError'],
    });
  });

  it('commits again and again; a statement, an abort or a start under it afterwards is refused', async () => {
    const { db, send, at, insert } = await setUp();
    expect(await insert(1, 1)).toMatchObject({ ok: 1, n: 1 });
    for (let i = 0; i < 3; i += 1)
      expect(await send({ commitTransaction: 1, ...at(1), $db: 'admin' })).toEqual({ ok: 1 });
    expect(await insert(2, 1, false)).toMatchObject({ code: 256, codeName: 'TransactionCommitted' });
    expect(await send({ abortTransaction: 1, ...at(1), $db: 'admin' })).toMatchObject({ code: 256 });
    expect(await insert(2, 1)).toMatchObject({ code: 117, codeName: 'ConflictingOperationInProgress' });
    expect(await db.collection('c').countDocuments()).toBe(1);
  });

  it('of a transaction without writes commits again as well', async () => {
    const { send, at } = await setUp();
    await send({ find: 'c', ...at(1, { startTransaction: true }) });
    for (let i = 0; i < 2; i += 1)
      expect(await send({ commitTransaction: 1, ...at(1), $db: 'admin' })).toEqual({ ok: 1 });
  });

  it('that was aborted is over: 251 for everything', async () => {
    const { send, at, insert } = await setUp();
    await insert(1, 1);
    expect(await send({ abortTransaction: 1, ...at(1), $db: 'admin' })).toEqual({ ok: 1 });
    for (const command of [{ insert: 'c', documents: [{ _id: 2 }] }, { find: 'c' }])
      expect(await send({ ...command, ...at(1) })).toMatchObject({ code: 251 });
    for (const command of [{ commitTransaction: 1 }, { abortTransaction: 1 }])
      expect(await send({ ...command, ...at(1), $db: 'admin' })).toMatchObject({ code: 251 });
  });

  it('below one that came since is too old; a newer one ends the transaction that was open', async () => {
    const { db, insert } = await setUp();
    await insert(1, 5);
    expect(await insert(2, 4)).toMatchObject({ code: 225, codeName: 'TransactionTooOld' });
    expect(await insert(3, 6)).toMatchObject({ ok: 1 });
    expect(await insert(4, 5, false)).toMatchObject({ code: 225 });
    expect(await db.collection('c').countDocuments()).toBe(0);
  });

  it('and a retryable write share one row of numbers', async () => {
    const { db, send, at, insert, lsid } = await setUp();
    const single = (_id: number, n: number) =>
      send({ insert: 'c', documents: [{ _id }], lsid, txnNumber: Long.fromNumber(n) });
    await insert(1, 1);
    expect(await single(2, 1)).toMatchObject({ code: 72 });
    expect(await single(2, 2)).toMatchObject({ ok: 1, n: 1 });
    expect(await send({ commitTransaction: 1, ...at(1), $db: 'admin' })).toMatchObject({ code: 225 });
    expect(await insert(3, 2)).toMatchObject({ code: 117, codeName: 'ConflictingOperationInProgress' });
    expect(await db.collection('c').find().toArray()).toEqual([{ _id: 2 }]);
  });

  it('needs autocommit false and a session; a write concern stands only on the commit', async () => {
    const { send, at, lsid } = await setUp();
    const txnNumber = Long.fromNumber(1);
    for (const end of ['commitTransaction', 'abortTransaction']) {
      expect(await send({ [end]: 1, lsid, txnNumber, $db: 'admin' })).toMatchObject({ code: 50768 });
      expect(await send({ [end]: 1, lsid, $db: 'admin' })).toMatchObject({ code: 125 });
    }
    expect(await send({ find: 'c', txnNumber })).toMatchObject({ code: 72 });
    expect(await send({ find: 'c', lsid, txnNumber, startTransaction: true })).toMatchObject({ code: 72 });
    expect(await send({ find: 'c', lsid: { id: 'me' } })).toMatchObject({ code: 14 });
    const insert = { insert: 'c', documents: [{ _id: 1 }], writeConcern: { w: 1 } };
    expect(await send({ ...insert, ...at(2, { startTransaction: true }) })).toMatchObject({ code: 72 });
  });
});

// https://www.mongodb.com/docs/manual/core/transactions/#restricted-operations, and mongodb/mongo: jstests/core/txns
describe('what is not for a transaction', () => {
  const setUp = async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    await send({ insert: 'c', documents: [{ _id: 0, x: 'a' }] });
    await send({ create: 'capped', capped: true, size: 1000 });
    const lsid = newSession();
    let n = 0;
    /** The first command of a transaction, or a later one. */
    const begin = (command: Document): Promise<Document> =>
      send({ ...command, lsid, txnNumber: Long.fromNumber((n += 1)), autocommit: false, startTransaction: true });
    const go = (command: Document): Promise<Document> =>
      send({ ...command, lsid, txnNumber: Long.fromNumber(n), autocommit: false });
    const end = async (): Promise<unknown> => (await go({ commitTransaction: 1, $db: 'admin' }))['code'] ?? 0;
    return { send, begin, go, end };
  };
  const find = { find: 'c' };
  const insert = { insert: 'c', documents: [{}] };
  const at = (level: string): Document => ({ readConcern: { level } });

  it('is refused as its first command, and begins none; later, where it is another command, it goes on', async () => {
    const { begin, go, end } = await setUp();
    const wrong: unknown[] = [];
    for (const [command, code, ended] of [
      ...['admin', 'config', 'local'].flatMap(($db) => [
        [{ ...find, $db }, 263, 0] as const,
        [{ ...insert, $db }, 263, 0] as const,
      ]),
      [{ ping: 1 }, 263, 0],
      [{ explain: find }, 263, 0],
      [{ create: 'v', viewOn: 'c', pipeline: [] }, 263, 251],
      [{ create: 't', timeseries: { timeField: 't' } }, 263, 251],
      [{ aggregate: 'c', pipeline: [{ $collStats: { storageStats: {} } }], cursor: {} }, 263, 251],
      [{ aggregate: 'c', pipeline: [{ $indexStats: {} }], cursor: {} }, 263, 251],
      [{ ...find, ...at('available') }, 72, 0],
      [{ ...insert, ...at('linearizable') }, 72, 0],
    ] as const) {
      const first = [(await begin(command))['code'], await end()];
      await begin(insert);
      const later = [(await go(command))['code'], await end()];
      if (
        String([first, later]) !==
        String([
          [code, 251],
          [code, ended],
        ])
      )
        wrong.push(command, first, later);
    }
    expect(wrong).toEqual([]);
  });

  it('is a read concern but of its first command; killing a cursor as its first', async () => {
    const { send, begin, go, end } = await setUp();
    for (const level of ['local', 'majority', 'snapshot']) {
      expect(await begin({ ...insert, ...at(level) })).toMatchObject({ ok: 1 });
      for (const command of [insert, find]) expect(await go({ ...command, ...at(level) })).toMatchObject({ code: 72 });
      expect(await go({ ...find, readConcern: {} })).toMatchObject({ ok: 1 });
      expect(await go({ commitTransaction: 1, $db: 'admin', ...at(level) })).toMatchObject({ code: 72 });
      expect(await end()).toBe(0);
    }
    const cursor = async (found: Promise<Document>): Promise<Document> => ({
      killCursors: 'c',
      cursors: [Long.fromNumber((await found)['cursor'].id as number)],
    });
    expect(await begin(await cursor(send({ ...find, batchSize: 1 })))).toMatchObject({ code: 263 });
    const killed = await cursor(begin({ ...find, batchSize: 1 }));
    expect(await go(killed)).toMatchObject({ cursorsKilled: killed['cursors'].map(Number), ok: 1 });
    expect(await end()).toBe(0);
  });

  it('is a write to a capped collection or one of the system', async () => {
    const { begin } = await setUp();
    const refused = async (command: Document): Promise<unknown> => (await begin(command))['writeErrors'][0].code;
    expect(await refused({ ...insert, insert: 'capped' })).toBe(263);
    expect(await refused({ ...insert, insert: 'system.js' })).toBe(50791);
  });

  it('ends by a statement that fails; those before it are counted, and none comes after it', async () => {
    const { begin, end } = await setUp();
    const [set, raise] = [{ $set: { x: 'b' } }, { $inc: { x: 1 } }].map((u) => ({ q: { _id: 0 }, u }));
    for (const [command, code, counted] of [
      [{ insert: 'c', documents: [{ _id: 1 }, { _id: 0 }, { _id: 2 }] }, 11000, { n: 1 }],
      [{ update: 'c', updates: [set, raise, raise] }, 14, { n: 1, nModified: 1 }],
      [{ delete: 'c', deletes: [{}, { $foo: 1 }, {}].map((q) => ({ q, limit: 1 })) }, 2, { n: 1 }],
    ] as const)
      for (const ordered of [true, false]) {
        expect(await begin({ ...command, ordered })).toMatchObject({
          ok: 1,
          ...counted,
          writeErrors: [{ index: 1, code }],
        });
        expect(await end()).toBe(251);
      }
    const ops = [{ _id: 1 }, { _id: 0 }, { _id: 2 }].map((document) => ({ insert: 0, document }));
    expect(await begin({ bulkWrite: 1, ops, nsInfo: [{ ns: 'test.c' }], $db: 'admin' })).toMatchObject({
      nErrors: 1,
      nInserted: 1,
    });
    expect(await end()).toBe(251);
  });

  it('is a second start under its number, which leaves it as it is', async () => {
    const { begin, go, end } = await setUp();
    await begin(insert);
    expect(await go({ ...find, startTransaction: true })).toMatchObject({ code: 117 });
    expect(await end()).toBe(0);
  });
});

// https://www.mongodb.com/docs/manual/core/transactions-in-applications/#unknowntransactioncommitresult
it('a commit whose answer is lost is UnknownTransactionCommitResult to the driver, and is there', async () => {
  const { client, db, another } = await running();
  await db.createCollection('c');
  const session = client.startSession();
  session.startTransaction();
  await db.collection<Counter>('c').insertOne({ _id: 'a', n: 1 }, { session });
  const commit = session.commitTransaction();
  await client.close(true);
  const error: unknown = await commit.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (error instanceof MongoServerError) throw error;
  await pause(20);
  const seen = await (await another()).db('test').collection('c').countDocuments();
  expect(seen === 0 || seen === 1).toBe(true);
  if (error === undefined) expect(seen).toBe(1);
});
