import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Document } from 'bson';
import { type Collection, MongoClient } from 'mongodb';
import { start } from '../../../../src/store/embedded/index.js';
import { refusal, running } from '../running.js';

type Rows = Collection<Document & { _id: number }>;
const LIMIT = 1_000_000;

// https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Sort-Operations
describe('beyond the memory limit', () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gm-memory-'));
    const engine = await start({ folder, thread: 'same' });
    const client = await new MongoClient(engine.uri).connect();
    const c: Rows = client.db('test').collection('rows');
    const text = 'x'.repeat(1000);
    for (let from = 0; from < 3000; from += 500)
      await c.insertMany(Array.from({ length: 500 }, (_, i) => ({ _id: from + i, n: (i * 37) % 101, g: 1, text })));
    await client.close();
    await engine.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const filled = async (): Promise<Rows> => (await running({ folder, memoryLimitBytes: LIMIT })).db.collection('rows');

  const refused: Record<string, (c: Rows) => Promise<unknown>> = {
    'a sort': (c) => c.find().sort({ n: 1 }).toArray(),
    'a sort that would allow the disk': (c) => c.find().sort({ n: 1 }).allowDiskUse().toArray(),
    'a $sort after another stage': (c) => c.aggregate([{ $set: { a: 1 } }, { $sort: { n: 1 } }]).toArray(),
    'a $sort at the beginning': (c) => c.aggregate([{ $sort: { n: 1 } }]).toArray(),
    'a $group with many groups': (c) =>
      c.aggregate([{ $group: { _id: { $concat: ['$text', { $toString: '$_id' }] } } }]).toArray(),
    'a $group that keeps documents': (c) =>
      c.aggregate([{ $group: { _id: '$g', all: { $push: '$$ROOT' } } }]).toArray(),
    'a $group with $addToSet': (c) =>
      c
        .aggregate([{ $group: { _id: '$g', all: { $addToSet: { $concat: ['$text', { $toString: '$_id' }] } } } }])
        .toArray(),
    $setWindowFields: (c) =>
      c.aggregate([{ $setWindowFields: { sortBy: { n: 1 }, output: { r: { $documentNumber: {} } } } }]).toArray(),
    $facet: (c) => c.aggregate([{ $facet: { a: [{ $count: 'n' }] } }]).toArray(),
  };
  it.each(Object.entries(refused))('%s is refused', async (_name, read) => {
    const c = await filled();
    expect(await refusal(read(c))).toMatchObject({ code: 292, codeName: 'QueryExceededMemoryLimitNoDiskUseAllowed' });
    expect(await c.countDocuments({ g: 1 })).toBe(3000);
  });

  it('a sort with a limit keeps only its best, an index needs none, a small group fits', async () => {
    const c = await filled();
    expect(await c.find().sort({ n: -1, _id: 1 }).limit(3).toArray()).toHaveLength(3);
    expect(await c.aggregate([{ $group: { _id: '$n', s: { $sum: 1 } } }]).toArray()).toHaveLength(101);
    await c.createIndex({ n: 1 });
    expect(await c.find().sort({ n: 1 }).toArray()).toHaveLength(3000);
  });
});

// https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-BSON-Document-Size
describe('a document', () => {
  it('of more than 16 MB is refused, whether an update would make it or stages', async () => {
    const { db } = await running();
    const c: Rows = db.collection('big');
    const half = 'x'.repeat(9 * 1024 * 1024);
    await c.insertMany([
      { _id: 1, half },
      { _id: 2, half },
    ]);
    expect(await refusal(c.updateOne({ _id: 1 }, { $set: { other: half } }))).toMatchObject({
      code: 10334,
      message: 'Resulting document after update is larger than 16777216',
    });
    expect(await refusal(c.aggregate([{ $set: { twice: '$half' } }]).toArray())).toMatchObject({ code: 10334 });
    const all = { $lookup: { from: 'big', pipeline: [], as: 'all' } };
    // Between stages it may be larger. https://www.mongodb.com/docs/manual/core/aggregation-pipeline-limits/
    expect(await c.aggregate([{ $limit: 1 }, all, { $project: { n: { $size: '$all' } } }]).toArray()).toEqual([
      { _id: 1, n: 2 },
    ]);
    // A batch holds 16 MB: both come, in two.
    expect(await c.find().toArray()).toHaveLength(2);
    expect(await c.countDocuments()).toBe(2);
  }, 60_000);
});
