import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Decimal128, Long, MongoClient } from 'mongodb';
import { type RunningEngine, start } from '../../../../src/store/embedded/index.js';

const scalar = fc.constantFrom<unknown>(
  ...[0, 1, 2, 3, 1.5, Number.NaN, Infinity, -Infinity, Decimal128.fromString('1.5'), Long.fromNumber(2)],
  ...['a', 'b', 'ab', '', null, new Date(0), new Date(1000), true, false],
);
const field = fc.oneof(
  { arbitrary: scalar, weight: 6 },
  { arbitrary: fc.array(scalar, { maxLength: 3 }), weight: 1 },
  { arbitrary: fc.record({ x: scalar }), weight: 1 },
);
const document = fc.record({ a: field, b: field, c: field }, { requiredKeys: [] });
const condition = fc.oneof(
  scalar,
  scalar.map((v) => ({ $eq: v })),
  scalar.map((v) => ({ $ne: v })),
  fc.record({ $gt: scalar }),
  fc.record({ $gte: scalar, $lt: scalar }),
  fc.record({ $lte: scalar }),
  fc.record({ $lt: scalar }),
  fc.record({ $gt: scalar, $lte: scalar }),
  // Both bounds on one side.
  fc.record({ $lt: scalar, $lte: scalar }),
  fc.record({ $gte: scalar, $gt: scalar }),
  fc.array(scalar, { minLength: 1, maxLength: 3 }).map((list) => ({ $in: list })),
  fc.boolean().map((b) => ({ $exists: b })),
  fc.constant({ $regex: '^a' }),
);
const filter = fc.oneof(
  fc.record({ a: condition, b: condition, c: condition }, { requiredKeys: [] }),
  fc.record({
    $and: fc.array(fc.record({ a: condition, b: condition }, { requiredKeys: ['a'] }), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ $or: fc.array(fc.record({ a: condition }), { minLength: 1, maxLength: 2 }), b: condition }),
);
const sort = fc.option(
  fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom(1 as const, -1 as const), {
    minKeys: 1,
    maxKeys: 2,
    noNullPrototype: true,
  }),
);

describe('plans', () => {
  let engine: RunningEngine;
  let client: MongoClient;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gridmate-plan-'));
    engine = await start({ folder, thread: 'same' });
    client = await new MongoClient(engine.uri).connect();
  });
  afterAll(async () => {
    await client.close();
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('hold a document to both of two bounds on one side', async () => {
    const c = client.db('plans').collection<{ _id: number; n: number }>('sided');
    await c.createIndex({ n: 1 });
    await c.insertMany([-2, -1, 0, 2].map((n, i) => ({ _id: i, n })));
    const found = async (n: object): Promise<number[]> => (await c.find({ n }).toArray()).map((doc) => doc.n);
    expect(await found({ $lt: -1, $lte: 3 })).toEqual([-2]);
    expect(await found({ $gt: 0, $gte: -1 })).toEqual([2]);
    expect(await c.countDocuments({ n: { $lt: -1, $lte: 3 } })).toBe(1);
  });

  it('find the same documents as a full scan, in an order that the sort allows', async () => {
    const db = client.db('plans');
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { maxLength: 25 }),
        fc.array(fc.tuple(filter, sort), { minLength: 1, maxLength: 8 }),
        async (docs, queries) => {
          run += 1;
          const plain = db.collection<{ _id: number }>(`plain${run}`);
          const indexed = db.collection<{ _id: number }>(`indexed${run}`);
          const rows = docs.map((d, i) => ({ _id: i, ...d }));
          if (rows.length > 0) await Promise.all([plain.insertMany(rows), indexed.insertMany(rows)]);
          try {
            await indexed.createIndexes([
              { key: { a: 1 } },
              { key: { a: 1, b: -1 } },
              { key: { c: 1 }, sparse: true },
              { key: { b: 1 }, partialFilterExpression: { a: { $exists: true } } },
              { key: { c: 1, b: 1 }, partialFilterExpression: { c: { $gt: 0, $lte: 3 } } },
            ]);
          } catch (error) {
            // Two arrays in one document can't be indexed together: nothing to compare.
            if ((error as { code?: number }).code === 171) return;
            throw error;
          }
          for (const [f, s] of queries) {
            const options = s ? { sort: s } : {};
            const [a, b] = await Promise.all([
              plain.find(f as never, options).toArray(),
              indexed.find(f as never, options).toArray(),
            ]);
            expect(b.map((d) => d._id).toSorted((x, y) => x - y)).toEqual(
              a.map((d) => d._id).toSorted((x, y) => x - y),
            );
            expect(await indexed.countDocuments(f as never)).toBe(a.length);
            if (s) {
              const key = (d: object): string =>
                JSON.stringify(Object.keys(s).map((k) => (d as Record<string, unknown>)[k] ?? null));
              const orderly = rows.every((r) => Object.values(r).every((v) => !Array.isArray(v)));
              if (orderly) expect(b.map(key)).toEqual(a.map(key));
            }
          }
          await Promise.all([plain.drop(), indexed.drop()]);
        },
      ),
      { numRuns: Number(process.env['PLAN_RUNS'] ?? '100') },
    );
  }, 180_000);

  // https://www.mongodb.com/docs/manual/core/index-partial/#query-coverage
  it('use a partial index where what is asked lies within its range', async () => {
    const c = client.db('plans').collection<{ _id: number; rating: number }>('partial');
    await c.insertMany(Array.from({ length: 20 }, (_, i) => ({ _id: i, rating: i / 2 })));
    await c.createIndex({ rating: 1 }, { partialFilterExpression: { rating: { $gt: 5 } } });
    const used = async (filter: object): Promise<string> => {
      const { queryPlanner } = await c.find(filter).explain('queryPlanner');
      return queryPlanner.winningPlan.inputStage?.stage ?? queryPlanner.winningPlan.stage;
    };
    for (const rating of [{ $gte: 8 }, { $gt: 5 }, { $gt: 6, $lt: 7 }, 9])
      expect(await used({ rating })).toBe('IXSCAN');
    for (const rating of [{ $gte: 5 }, { $lt: 8 }, { $gt: 'x' }, 5, { $ne: 9 }])
      expect(await used({ rating })).toBe('COLLSCAN');
  });

  it('find nothing by a value that is longer than a key can be', async () => {
    const c = client.db('plans').collection<{ _id: string; s: string }>('long');
    await c.createIndex({ s: 1 });
    await c.insertOne({ _id: 'a', s: 'a' });
    const long = 'a'.repeat(9000);
    expect(await c.find({ s: long }).toArray()).toEqual([]);
    expect(await c.find({ _id: { $in: [long, 'a'] } }).toArray()).toHaveLength(1);
    expect(await c.findOne({ _id: long })).toBeNull();
    expect(await c.countDocuments({ s: { $lt: long } })).toBe(1);
    expect(
      await c
        .find({ s: { $gte: long } })
        .sort({ s: -1 })
        .toArray(),
    ).toEqual([]);
    await expect(c.insertOne({ _id: 'b', s: long })).rejects.toMatchObject({ code: 17280 });
  });

  // https://www.mongodb.com/docs/manual/reference/explain-results/
  it('explain names the index and what was examined', async () => {
    const c = client.db('plans').collection<{ _id: number; n: number; s: string }>('explained');
    await c.insertMany(Array.from({ length: 100 }, (_, i) => ({ _id: i, n: i % 10, s: `x${i}` })));
    await c.createIndex({ n: 1, s: 1 });
    const used = await c.find({ n: 3, s: { $gt: 'x5' } }).explain('executionStats');
    expect(used['queryPlanner'].winningPlan.inputStage).toMatchObject({ stage: 'IXSCAN', indexName: 'n_1_s_1' });
    expect(used['executionStats'].totalDocsExamined).toBe(used['executionStats'].nReturned);
    const scanned = await c.find({ s: 'x5' }).explain('executionStats');
    expect(scanned['queryPlanner'].winningPlan.stage).toBe('COLLSCAN');
    expect(scanned['executionStats'].totalDocsExamined).toBe(100);
    const prefixed = await c.find({ n: 3, s: /^x5/ }).explain();
    expect(prefixed['queryPlanner'].winningPlan.inputStage.indexBounds.s).toEqual(['["x5", "x6")']);
    await expect(c.find({}).hint('none').toArray()).rejects.toMatchObject({ code: 2 });
  });
});
