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

describe('a long read', () => {
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
  });
  afterAll(async () => {
    await client.close();
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const reads: Record<string, () => Promise<unknown>> = {
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
  };

  it.each(Object.entries(reads))('(%s) lets other commands through before it ends', async (_name, read) => {
    let running = true;
    const long = read().finally(() => (running = false));
    let between = 0;
    while (running) {
      await client.db('test').command({ ping: 1 });
      if (running) between += 1;
    }
    await long;
    expect(between).toBeGreaterThan(0);
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
