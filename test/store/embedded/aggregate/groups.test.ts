import { beforeEach, describe, expect, it } from '@jest/globals';
import { Binary, type Collection, type Db, Decimal128, type Document } from 'mongodb';
import { oneEngine } from '../running.js';

/** Values from MongoDB's manual, each with its page under https://www.mongodb.com/docs/manual/reference/operator/aggregation/ */
describe('groups and fields', () => {
  let db: Db;
  let c: Collection<Document>;
  oneEngine((client) => {
    db = client.db('groups');
    c = db.collection('c');
  });
  beforeEach(async () => {
    for (const { name } of await db.listCollections().toArray()) await db.collection(name).drop();
  });

  // …/getField/, …/top/, …/bottomN/: the field is named, or sorted by, without a $.
  // …/group/: $first, $last, $push take the documents as they come, and $sort, $fill, $setWindowFields say how.
  it.each([
    { name: 'a sort', stages: [] },
    { name: 'a projection', stages: [{ $project: { g: 1, v: 1 } }] },
    { name: '$fill', stages: [{ $fill: { sortBy: { at: 1 }, output: { w: { method: 'locf' } } } }] },
    {
      name: '$setWindowFields',
      stages: [{ $setWindowFields: { sortBy: { at: 1 }, output: { n: { $documentNumber: {} } } } }],
    },
    { name: 'a decimal in the key', stages: [{ $set: { g: { $toDecimal: '$g' } } }] },
  ])('$group meets its documents in their order after $name', async ({ stages }) => {
    const rows = Array.from({ length: 300 }, (_, i) => ({ _id: (i * 7) % 300, at: i, g: (i * i) % 5, v: i }));
    await db.collection<Document & { _id: number }>('c').insertMany(rows);
    const groups = await c
      .aggregate([
        { $sort: { at: 1 } },
        ...stages,
        {
          $group: {
            _id: '$g',
            all: { $push: '$v' },
            first: { $first: '$v' },
            last: { $last: '$v' },
            two: { $firstN: { input: '$v', n: 2 } },
            ends: { $lastN: { input: '$v', n: 2 } },
            merged: { $mergeObjects: { v: '$v' } },
          },
        },
      ])
      .toArray();
    expect(groups).toHaveLength(3);
    for (const { _id, all, first, last, two, ends, merged } of groups) {
      const expected = rows.filter(({ g }) => g === Number(String(_id))).map(({ v }) => v);
      expect({ all, first, last, two, ends, merged }).toEqual({
        all: expected,
        first: expected[0],
        last: expected.at(-1),
        two: expected.slice(0, 2),
        ends: expected.slice(-2),
        merged: { v: expected.at(-1) },
      });
    }
  });

  it('$group reads fields that no path names', async () => {
    await c.insertMany([
      { _id: 1 as never, player: 'Ann', game: 'G1', score: 1 },
      { _id: 2 as never, player: 'Bo', game: 'G2', score: 7 },
    ]);
    const grouped = async (stage: Document): Promise<Document[]> =>
      c.aggregate([{ $group: stage }, { $sort: { _id: 1 } }]).toArray();
    expect(await grouped({ _id: { $getField: 'game' } })).toEqual([{ _id: 'G1' }, { _id: 'G2' }]);
    expect(await grouped({ _id: null, x: { $top: { output: '$player', sortBy: { score: -1 } } } })).toEqual([
      { _id: null, x: 'Bo' },
    ]);
    expect(await grouped({ _id: null, x: { $bottomN: { n: 1, output: '$player', sortBy: { score: -1 } } } })).toEqual([
      { _id: null, x: ['Ann'] },
    ]);
  });

  // https://github.com/documentdb/functional-tests: core/operator/accumulators, expressions/type, stages/bucketAuto
  it('accumulators join arrays, binary data and hexadecimals are numbers, what has no granularity is refused', async () => {
    await c.insertMany([{ v: [1, 2] }, { v: [2, 3] }, {}] as Document[]);
    const joined = { _id: null, all: { $concatArrays: '$v' }, once: { $setUnion: '$v' } };
    expect(await c.aggregate([{ $sort: { _id: 1 } }, { $group: joined }]).toArray()).toEqual([
      { _id: null, all: [1, 2, 2, 3], once: [1, 2, 3] },
    ]);
    const numbers = { low: { $toLong: Binary.createFromBase64('AIA=') }, hex: { $toDouble: '-0x1.8p1' } };
    expect(await db.aggregate([{ $documents: [numbers] }]).toArray()).toEqual([{ low: -32_768, hex: -3 }]);
    for (const [x, code] of [
      ['a', 40258],
      [Number.NaN, 40259],
      [-Infinity, 40260],
      [Infinity, 238],
    ] as const) {
      const stage = { $bucketAuto: { groupBy: { $literal: x }, buckets: 1, granularity: 'POWERSOF2' } };
      await expect(c.aggregate([stage]).toArray()).rejects.toMatchObject({ code });
    }
    const [whole, scaled] = [await db.command({ collStats: 'c' }), await db.command({ collStats: 'c', scale: 10 })];
    expect(scaled).toMatchObject({ size: Math.floor(whole['size'] / 10), scaleFactor: 10 });
  });

  // …/linearFill/: between a decimal and another number lies a decimal.
  it('$linearFill of decimals gives decimals', async () => {
    await c.insertMany([
      { _id: 2 as never, m: Decimal128.fromString('-1') },
      { _id: 3 as never },
      { _id: 6 as never, m: 4 },
    ]);
    const [, between] = await c
      .aggregate([{ $setWindowFields: { sortBy: { _id: 1 }, output: { m: { $linearFill: '$m' } } } }])
      .toArray();
    expect(between).toEqual({ _id: 3, m: Decimal128.fromString('0.25') });
  });

  // …/addFields/: a path through an array sets the field of each element.
  it('$addFields evaluates nothing for an array without elements', async () => {
    await c.insertOne({ _id: 1 as never, q: [] });
    const stage = { $addFields: { 'q.x': { $in: [1, '$none'] } } };
    expect(await c.aggregate([stage]).toArray()).toEqual([{ _id: 1, q: [] }]);
    await c.updateOne({}, { $set: { q: [{}] } });
    await expect(c.aggregate([stage]).toArray()).rejects.toMatchObject({ code: 40081 });
  });
});
