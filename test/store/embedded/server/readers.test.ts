import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Collection, type Db, type Document, MongoClient } from 'mongodb';
import { killAll, type Program, startProgram } from '../crash/program.js';
import { refusal } from '../running.js';

const ROWS = 4000;

/** The built engine: from source everything runs in one thread. */
describe('a long aggregation', () => {
  let folder: string;
  let program: Program;
  let client: MongoClient;
  let db: Db;
  let c: Collection<Document & { _id: number }>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gm-readers-'));
    program = await startProgram(folder);
    client = await new MongoClient(program.uri).connect();
    db = client.db('test');
    c = db.collection('rows');
    await c.insertMany(Array.from({ length: ROWS }, (_, i) => ({ _id: i, n: 100, g: i % 10, text: `text ${i}` })));
  });
  afterAll(async () => {
    await client.close();
    killAll();
    rmSync(folder, { recursive: true, force: true });
  });

  const total = async (): Promise<Document | null> =>
    c.aggregate([{ $group: { _id: null, n: { $sum: '$n' }, rows: { $sum: 1 } } }]).next();
  const threads = async (): Promise<number> => Number((await db.command({ serverStatus: 1 }))['readers']);

  it('runs in a thread of its own, a short one does not', async () => {
    await c.aggregate([{ $match: { _id: { $lt: 100 } } }, { $group: { _id: '$g' } }]).toArray();
    await c.aggregate([{ $limit: 10 }, { $group: { _id: '$g' } }]).toArray();
    expect(await threads()).toBe(0);
    expect(await total()).toEqual({ _id: null, n: ROWS * 100, rows: ROWS });
    expect(await threads()).toBe(1);
  });

  it('sees what was written before it, and indexes as they are then', async () => {
    for (let i = 0; i < 8; i += 1) {
      await c.insertOne({ _id: ROWS + i, n: 1, fresh: i });
      if (i === 2) await c.createIndex({ fresh: 1 });
      if (i === 6) await c.dropIndex('fresh_1');
      const hint = i >= 2 && i < 6 ? { hint: 'fresh_1' } : {};
      const found = await c
        .aggregate(
          [{ $match: { fresh: { $exists: true } } }, { $group: { _id: null, most: { $max: '$fresh' } } }],
          hint,
        )
        .next();
      expect(found).toEqual({ _id: null, most: i });
      expect(await total()).toMatchObject({ rows: ROWS + i + 1 });
    }
    await c.deleteMany({ _id: { $gte: ROWS } });
  });

  it('sees one moment while transactions move what it adds up', async () => {
    let running = true;
    const moving = Array.from({ length: 4 }, async (_, who) => {
      for (let i = 0; running; i += 1)
        await client.withSession((session) =>
          session.withTransaction(async () => {
            await c.updateOne({ _id: (who * 1000 + i) % ROWS }, { $inc: { n: -7 } }, { session });
            await c.updateOne({ _id: (who * 1000 + i * 31 + 1) % ROWS }, { $inc: { n: 7 } }, { session });
          }),
        );
    });
    for (let i = 0; i < 20; i += 1) expect(await total()).toMatchObject({ n: ROWS * 100, rows: ROWS });
    running = false;
    await Promise.all(moving);
  });

  it('in a transaction sees what the transaction has written', async () => {
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await c.updateOne({ _id: 0 }, { $inc: { n: 5 } }, { session });
        const [sum] = await c.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }], { session }).toArray();
        expect(sum).toMatchObject({ n: ROWS * 100 + 5 });
        await session.abortTransaction();
      }),
    );
  });

  it('is read in batches, in its order, from the moment it began at', async () => {
    const cursor = c.aggregate([{ $match: { g: { $gte: 0 } } }, { $set: { m: 1 } }], { batchSize: 700 });
    const first = await cursor.next();
    await c.updateMany({ g: 3 }, { $set: { late: true } });
    const all = [first, ...(await cursor.toArray())];
    expect(all.map((d) => d?.['_id'])).toEqual(Array.from({ length: ROWS }, (_, i) => i));
    expect(all.some((d) => d?.['late'])).toBe(false);
  });

  it('that is closed before its end is over', async () => {
    const cursor = c.aggregate([{ $set: { m: 1 } }], { batchSize: 10 });
    await cursor.next();
    const { id } = cursor;
    await cursor.close();
    expect(await refusal(db.command({ getMore: id, collection: 'rows' }))).toMatchObject({ code: 43 });
    expect(await total()).toMatchObject({ rows: ROWS });
  });

  it('fails as it would in the thread that serves', async () => {
    const failing = async (pipeline: Document[], options = {}): Promise<Document> => {
      const { code, codeName, message } = await refusal(c.aggregate(pipeline, options).toArray());
      return { code, codeName, message };
    };
    expect(
      await failing([{ $group: { _id: '$g', n: { $sum: { $divide: ['$n', { $subtract: ['$_id', 3999] }] } } } }]),
    ).toEqual({
      code: 4848401,
      codeName: 'Location4848401',
      message: expect.stringContaining('divide by zero'),
    });
    expect(await failing([{ $group: { _id: null, n: { $noSuch: 1 } } }])).toMatchObject({ code: 15952 });
    const sorts = Array.from({ length: 60 }, (_, i) => ({ $sort: { text: i % 2 ? 1 : -1, [`f${i}`]: 1 } }));
    expect(await failing([{ $set: { a: 1 } }, ...sorts], { maxTimeMS: 5 })).toMatchObject({
      code: 50,
      codeName: 'MaxTimeMSExpired',
    });
  });

  it('lets other commands through whatever it runs', async () => {
    let running = true;
    const long = c
      .aggregate([{ $bucketAuto: { groupBy: '$text', buckets: 7 } }, { $count: 'n' }])
      .toArray()
      .finally(() => (running = false));
    let between = 0;
    while (running) {
      await db.command({ ping: 1 });
      between += 1;
    }
    expect(await long).toEqual([{ n: 7 }]);
    expect(between).toBeGreaterThan(1);
  });
});
