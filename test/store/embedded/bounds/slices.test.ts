import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Document } from 'bson';
import fc from 'fast-check';
import { type Collection, MongoClient } from 'mongodb';
import { inSlices, sortInSlices } from '../../../../src/store/embedded/query/slices.js';
import { type RunningEngine, start } from '../../../../src/store/embedded/index.js';

const ROWS = 6_000;

describe('long work', () => {
  let folder: string;
  let engine: RunningEngine;
  let client: MongoClient;
  let c: Collection<Document & { _id: number }>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gm-slices-'));
    engine = await start({ folder, thread: 'same' });
    client = await new MongoClient(engine.uri).connect();
    c = client.db('test').collection('rows');
    for (let from = 0; from < ROWS; from += 2000)
      await c.insertMany(
        Array.from({ length: 2000 }, (_, i) => ({ _id: from + i, g: i % 10, n: (i * 7919) % 4999, text: `text ${i}` })),
      );
    // For what is deleted: made before, since this would let others through as well.
    await c.aggregate([{ $out: 'copies' }]).toArray();
  });
  afterAll(async () => {
    await client.close();
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const works: Record<string, () => Promise<unknown>> = {
    'a group': () => c.aggregate([{ $group: { _id: '$g', n: { $sum: '$n' } } }]).toArray(),
    'a group after other stages': () =>
      c.aggregate([{ $set: { m: { $add: ['$n', 1] } } }, { $group: { _id: '$g', m: { $max: '$m' } } }]).toArray(),
    'a sort': () => c.aggregate([{ $set: { m: 1 } }, { $sort: { text: 1, n: -1 } }, { $limit: 1 }]).toArray(),
    'a find that sorts': () => c.find().sort({ text: -1 }).limit(10).toArray(),
    'a find that finds nothing': () => c.find({ text: /no such text/ }).toArray(),
    windows: () =>
      c
        .aggregate([
          { $setWindowFields: { partitionBy: '$g', sortBy: { n: 1 }, output: { r: { $documentNumber: {} } } } },
          { $count: 'n' },
        ])
        .toArray(),
    'a facet': () => c.aggregate([{ $facet: { a: [{ $count: 'n' }], b: [{ $sortByCount: '$g' }] } }]).toArray(),
    'distinct values': () => c.distinct('text'),
    'a count': () => c.estimatedDocumentCount(),
    'the sizes of a database': () => client.db('test').stats(),
  };
  /** Six thousand documents, in pieces of 500. */
  const writes: Record<string, () => Promise<unknown>> = {
    'an index that is built': () => c.createIndex({ g: 1, text: 1 }),
    'an update of many': () => c.updateMany({}, { $inc: { touched: 1 } }),
    'a delete of many': () => client.db('test').collection('copies').deleteMany({}),
  };

  /** How many commands are answered while `work` goes on. */
  async function answeredDuring(work: () => Promise<unknown>): Promise<number> {
    let running = true;
    const long = work().finally(() => (running = false));
    let between = 0;
    while (running) {
      await client.db('test').command({ ping: 1 });
      if (running) between += 1;
    }
    await long;
    return between;
  }

  it.each(Object.entries(works))('(%s) lets other commands through before it ends', async (_name, work) => {
    expect(await answeredDuring(work)).toBeGreaterThan(0);
  });

  // One at its beginning and one at its end would come through a write in one piece too.
  it.each(Object.entries(writes))('(%s) lets other commands through between its pieces', async (_name, work) => {
    expect(await answeredDuring(work)).toBeGreaterThan(2);
  });

  // https://www.mongodb.com/docs/manual/core/write-operations-atomicity/
  it('many documents are changed once each, also those that match still afterwards', async () => {
    await c.aggregate([{ $match: { _id: { $lt: 1700 } } }, { $out: 'once' }]).toArray();
    const once = client.db('test').collection<Document & { _id: number }>('once');
    await once.createIndex({ n: 1 });
    const before = new Map((await once.find().toArray()).map((r) => [r._id, Number(r['n'])]));
    const updated = await once.updateMany({ n: { $gte: 0 } }, { $inc: { n: 7 } }, { hint: { n: 1 }, upsert: true });
    expect(updated).toMatchObject({ matchedCount: 1700, modifiedCount: 1700, upsertedCount: 0 });
    for (const { _id, n } of await once.find().toArray()) expect(n).toBe((before.get(_id) ?? 0) + 7);
    const removed = await once.deleteMany({ $or: [{ g: 3 }, { _id: { $lt: 1000 } }] });
    expect(removed.deletedCount).toBe(1000 + 70);
    expect(await once.countDocuments()).toBe(630);
  });

  it('an update of many that fails stands as far as it came, and says where it failed', async () => {
    await c.aggregate([{ $match: { _id: { $lt: 1200 } } }, { $out: 'fails' }]).toArray();
    const fails = client.db('test').collection<Document & { _id: number }>('fails');
    await fails.updateOne({ _id: 1100 }, { $set: { n: 'no number' } });
    await expect(fails.updateMany({}, { $inc: { n: 1 } })).rejects.toMatchObject({ code: 14 });
    const grown = (await fails.find().toArray()).filter(({ _id, n }) => n === ((_id * 7919) % 4999) + 1);
    expect(grown.map(({ _id }) => _id)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('in a transaction an update of many is all or nothing', async () => {
    const session = client.startSession();
    session.startTransaction();
    await c.updateMany({}, { $set: { undone: true } }, { session });
    expect(await c.countDocuments({ undone: true })).toBe(0);
    await session.abortTransaction();
    await session.endSession();
    expect(await c.countDocuments({ undone: true })).toBe(0);
  });

  // https://www.mongodb.com/docs/manual/reference/method/cursor.maxTimeMS/
  it('ends at its maxTimeMS, also between the rows of a window', async () => {
    const window = {
      $setWindowFields: {
        sortBy: { n: 1 },
        output: { s: { $sum: '$n', window: { documents: ['unbounded', 'current'] } } },
      },
    };
    const error: unknown = await c
      .aggregate([window], { maxTimeMS: 300 })
      .toArray()
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 50 });
  });

  it('sorts as an array does, and stable', async () => {
    const pause = async (): Promise<void> => undefined;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 3000, size: 'max' }), async (numbers) => {
        const rows = numbers.map((n, i) => ({ n, i }));
        const sorted = await inSlices(
          sortInSlices(rows, (a, b) => a.n - b.n),
          pause,
        );
        expect(sorted).toEqual(rows.toSorted((a, b) => a.n - b.n));
      }),
      { numRuns: 40 },
    );
  });
});
