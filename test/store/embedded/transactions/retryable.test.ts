import { describe, expect, it } from '@jest/globals';
import { type Document, Double, Long } from 'bson';
import { encode } from '../../../../src/store/embedded/bson/value.js';
import { RETRIES } from '../../../../src/store/embedded/storage/keys.js';
import { Storage } from '../../../../src/store/embedded/storage/storage.js';
import { Transactions } from '../../../../src/store/embedded/transactions/transactions.js';
import { byHand, folderForTest, newSession, running } from '../running.js';

const number = (n: number): Long => Long.fromNumber(n);

// https://www.mongodb.com/docs/manual/core/retryable-writes/
describe('a write that is sent again under its number', () => {
  const commands: Record<string, Document> = {
    insert: { insert: 'c', documents: [{ _id: 10 }, { _id: 11 }] },
    'an insert of which one failed': {
      insert: 'c',
      documents: [{ _id: 20 }, { _id: 1 }, { _id: 21 }],
      ordered: false,
    },
    'several updates': {
      update: 'c',
      updates: [1, 2, 3].map((_id) => ({ q: { _id }, u: { $inc: { n: _id } } })),
    },
    update: { update: 'c', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }] },
    'an upsert': { update: 'c', updates: [{ q: { _id: 30 }, u: { $inc: { n: 1 } }, upsert: true }] },
    delete: { delete: 'c', deletes: [{ q: { _id: 2 }, limit: 1 }] },
    findAndModify: { findAndModify: 'c', query: { _id: 1 }, update: { $inc: { n: 5 } }, new: true },
    'findAndModify that removes': { findAndModify: 'c', query: { _id: 3 }, remove: true },
    bulkWrite: {
      bulkWrite: 1,
      ops: [
        { insert: 0, document: { _id: 40 } },
        { update: 0, filter: { _id: 1 }, updateMods: { $inc: { n: 100 } } },
        { insert: 0, document: { _id: 1 } },
      ],
      nsInfo: [{ ns: 'test.c' }],
      ordered: false,
      $db: 'admin',
    },
  };

  it.each(Object.entries(commands))(
    '(%s) has its effect once and the same answer, also after a restart',
    async (_name, command) => {
      const first = await running();
      await first.db.collection<Document & { _id: number }>('c').insertMany([1, 2, 3].map((_id) => ({ _id, n: 0 })));
      const lsid = newSession();
      const identity = { lsid, txnNumber: number(7) };
      const send = await byHand(first.engine.uri);
      const answer = await send({ ...command, ...identity });
      expect(answer['ok']).toBe(1);
      const after = await first.db.collection('c').find().sort({ _id: 1 }).toArray();
      expect(await send({ ...command, ...identity })).toMatchObject(answer);
      const second = await first.reopen();
      const again = await byHand(second.engine.uri);
      expect(await again({ ...command, ...identity })).toMatchObject(answer);
      expect(await second.db.collection('c').find().sort({ _id: 1 }).toArray()).toEqual(after);
      expect(await again({ ...command, lsid, txnNumber: number(6) })).toMatchObject({
        code: 225,
        codeName: 'TransactionTooOld',
      });
      expect(await second.db.collection('c').find().sort({ _id: 1 }).toArray()).toEqual(after);
    },
  );

  it('while the first is under way waits for its answer', async () => {
    const { engine, db } = await running();
    await db.createCollection('c');
    const command = {
      update: 'c',
      updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } }, upsert: true }],
      lsid: newSession(),
      txnNumber: number(1),
    };
    const senders = await Promise.all(Array.from({ length: 8 }, () => byHand(engine.uri)));
    const answers = await Promise.all(senders.map((send) => send(command)));
    for (const answer of answers) expect(answer).toMatchObject({ n: 1, upserted: [{ index: 0, _id: 1 }], ok: 1 });
    expect(answers.filter((answer) => 'retriedStmtIds' in answer)).toHaveLength(7);
    expect(await db.collection('c').findOne()).toEqual({ _id: 1, n: 1 });
  });

  it('with other statement numbers is another part of it', async () => {
    const { engine, db } = await running();
    await db.createCollection('c');
    const send = await byHand(engine.uri);
    const identity = { lsid: newSession(), txnNumber: number(1) };
    const part = (stmtIds: number[]) => ({
      insert: 'c',
      documents: stmtIds.map((n) => ({ _id: n })),
      stmtIds,
      ...identity,
    });
    expect(await send(part([0, 1]))).toEqual({ n: 2, ok: 1 });
    expect(await send(part([2]))).toEqual({ n: 1, ok: 1 });
    expect(await send(part([0, 1]))).toEqual({ n: 2, retriedStmtIds: [0, 1], ok: 1 });
    expect(await send(part([2, 3]))).toEqual({ n: 2, retriedStmtIds: [2], ok: 1 });
    expect(await db.collection('c').countDocuments()).toBe(4);
  });

  // Statements that were executed are remembered by their stmtId; the others are tried:
  // https://github.com/mongodb/mongo/blob/master/src/mongo/db/transaction/README.md#retryable-writes
  it('does only what failed before', async () => {
    const { engine, db } = await running();
    const c = db.collection<Document & { _id: number }>('c');
    await c.insertOne({ _id: 2 });
    const send = await byHand(engine.uri);
    const command = {
      insert: 'c',
      documents: [{ _id: 1 }, { _id: 2 }, { _id: 3 }],
      lsid: newSession(),
      txnNumber: number(1),
    };
    expect(await send(command)).toMatchObject({ n: 1, writeErrors: [{ index: 1, code: 11000 }] });
    await c.deleteMany({});
    expect(await send(command)).toEqual({ n: 3, retriedStmtIds: [0], ok: 1 });
    expect(await c.distinct('_id')).toEqual([2, 3]);
    expect(await send(command)).toEqual({ n: 3, retriedStmtIds: [0, 1, 2], ok: 1 });
    expect(await c.distinct('_id')).toEqual([2, 3]);
  });

  // https://www.mongodb.com/docs/manual/core/retryable-writes/#retryable-write-operations
  it('can not be one of several documents', async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    const identity = { lsid: newSession(), txnNumber: number(1) };
    const refused = { n: 0, writeErrors: [{ code: 72 }] };
    const update = { q: {}, u: { $set: { n: 1 } }, multi: true };
    expect(await send({ update: 'c', updates: [update], ...identity })).toMatchObject(refused);
    expect(await send({ delete: 'c', deletes: [{ q: {}, limit: 0 }], ...identity })).toMatchObject(refused);
    expect(await send({ find: 'c', ...identity })).toMatchObject({ code: 50768 });
  });

  it('that failed as a whole left no memory: it is done the second time', async () => {
    const { engine, db } = await running();
    await db.collection<Document & { _id: number }>('c').insertOne({ _id: 1 });
    const send = await byHand(engine.uri);
    const command = { findAndModify: 'c', query: { _id: 1 }, new: true, lsid: newSession(), txnNumber: number(1) };
    expect(await send({ ...command, update: { $foo: 1 } })).toMatchObject({ ok: 0, code: 9 });
    expect(await send({ ...command, update: { $set: { n: 1 } } })).toMatchObject({ ok: 1, value: { _id: 1, n: 1 } });
  });
});

// What releases before the statements' own answers stored. MongoDB's code for a history that is not whole:
// https://www.mongodb.com/docs/manual/reference/error-codes/ (IncompleteTransactionHistory)
it('a memory in another release’s shape is not taken for none: the number is refused (217), the next one is free', async () => {
  const folder = await folderForTest();
  const lsid = newSession();
  const storage = await Storage.open(folder);
  await new Transactions(storage).run((tx) =>
    tx.put(
      Buffer.concat([RETRIES, lsid.id.buffer]),
      Buffer.from(encode({ txnNumber: number(7), at: new Date(), answers: [{ reply: { ok: new Double(1) } }] })),
    ),
  );
  await storage.close();
  const { engine, db } = await running({ folder });
  const send = await byHand(engine.uri);
  const write = (n: number) => ({ insert: 'c', documents: [{ n }], lsid, txnNumber: number(n) });
  expect(await send(write(7))).toMatchObject({ code: 217 });
  expect(
    await send({ commitTransaction: 1, lsid, txnNumber: number(7), autocommit: false, $db: 'admin' }),
  ).toMatchObject({ code: 217 });
  expect(await send(write(8))).toMatchObject({ ok: 1, n: 1 });
  expect(await send(write(8))).toMatchObject({ ok: 1, n: 1, retriedStmtIds: [0] });
  expect(await db.collection('c').countDocuments()).toBe(1);
});
