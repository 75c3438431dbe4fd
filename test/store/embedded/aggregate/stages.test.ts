import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection, type Db, Decimal128, type Document } from 'mongodb';
import { byHand, oneEngine, running } from '../running.js';

const ids = { $project: { _id: 1 } };

/** Values from MongoDB's manual, each with its page under https://www.mongodb.com/docs/manual/reference/operator/aggregation/ */
describe('stages', () => {
  let db: Db;
  let c: Collection<Document>;
  oneEngine((client) => {
    db = client.db('stages');
    c = db.collection('c');
  });
  beforeEach(async () => {
    for (const { name } of await db.listCollections().toArray()) await db.collection(name).drop();
  });

  // …/lookup/, …/unionWith/, …/graphLookup/
  it('$lookup in both forms, $unionWith and $graphLookup read other collections', async () => {
    await db.collection<Document>('orders').insertMany([{ _id: 1, item: 'almonds' }, { _id: 2 }] as Document[]);
    await db
      .collection<Document>('stock')
      .insertMany([{ _id: 1, sku: 'almonds', n: 120 }, { _id: 2, sku: null }, { _id: 3 }] as Document[]);
    const joined = await db
      .collection('orders')
      .aggregate([
        { $lookup: { from: 'stock', localField: 'item', foreignField: 'sku', as: 's' } },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    expect(joined.map((d) => (d['s'] as Document[]).map((s) => s['_id'] as number))).toEqual([[1], [2, 3]]);
    const piped = await db
      .collection('orders')
      .aggregate([
        {
          $lookup: {
            from: 'stock',
            let: { i: '$item' },
            pipeline: [{ $match: { $expr: { $eq: ['$sku', '$$i'] } } }, { $project: { n: 1, _id: 0 } }],
            as: 's',
          },
        },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    expect(piped[0]?.['s']).toEqual([{ n: 120 }]);
    expect(
      await db
        .collection('orders')
        .aggregate([{ $unionWith: { coll: 'stock', pipeline: [{ $match: { n: 120 } }] } }, { $count: 'k' }])
        .toArray(),
    ).toEqual([{ k: 3 }]);
    await db.collection<Document>('staff').insertMany([
      { _id: 1, name: 'Dev' },
      { _id: 2, name: 'Eliot', to: 'Dev' },
      { _id: 3, name: 'Ron', to: 'Eliot' },
    ] as Document[]);
    const [ron] = await db
      .collection('staff')
      .aggregate([
        { $match: { name: 'Ron' } },
        {
          $graphLookup: {
            from: 'staff',
            startWith: '$to',
            connectFromField: 'to',
            connectToField: 'name',
            as: 'up',
            depthField: 'd',
          },
        },
      ])
      .toArray();
    expect(((ron?.['up'] ?? []) as Document[]).map((u) => [u['name'], Number(u['d'])])).toEqual([
      ['Eliot', 0],
      ['Dev', 1],
    ]);
  });

  // …/merge/, …/out/
  it('$merge does what whenMatched and whenNotMatched say; $out replaces', async () => {
    await c.insertMany([
      { _id: 1, n: 10 },
      { _id: 2, n: 20 },
    ] as Document[]);
    const into = async (options: Document): Promise<Document[]> => {
      await db.collection('t').deleteMany({});
      await db.collection<Document>('t').insertOne({ _id: 1, n: 1, old: true } as Document);
      await c.aggregate([{ $merge: { into: 't', ...options } }]).toArray();
      return db.collection('t').find().sort({ _id: 1 }).toArray();
    };
    expect(await into({})).toEqual([
      { _id: 1, n: 10, old: true },
      { _id: 2, n: 20 },
    ]);
    expect(await into({ whenMatched: 'replace' })).toEqual([
      { _id: 1, n: 10 },
      { _id: 2, n: 20 },
    ]);
    expect(await into({ whenMatched: 'keepExisting' })).toEqual([
      { _id: 1, n: 1, old: true },
      { _id: 2, n: 20 },
    ]);
    await expect(into({ whenMatched: 'keepExisting', whenNotMatched: 'discard' })).rejects.toMatchObject({
      code: 51181,
    });
    expect(
      await into({ whenMatched: [{ $set: { n: { $add: ['$n', '$$new.n'] } } }], whenNotMatched: 'discard' }),
    ).toEqual([{ _id: 1, n: 11, old: true }]);
    await expect(into({ whenMatched: 'fail' })).rejects.toMatchObject({ code: 11000 });
    await expect(into({ whenNotMatched: 'fail' })).rejects.toMatchObject({ code: 13113 });
    await expect(into({ on: 'n' })).rejects.toMatchObject({ code: 51183 });
    await c.aggregate([{ $match: { _id: 2 } }, { $out: 't' }]).toArray();
    expect(await db.collection('t').find().toArray()).toEqual([{ _id: 2, n: 20 }]);
  });

  // …/facet/, …/bucket/, …/setWindowFields/, …/densify/, …/fill/, …/unwind/, …/sortByCount/
  it('stages that look at many documents', async () => {
    await c.insertMany([
      { _id: 1, k: 'a', n: 1 },
      { _id: 2, k: 'a', n: 4 },
      { _id: 3, k: 'b', n: 9, l: [] },
      { _id: 4, n: 12, l: [7, 8] },
    ] as Document[]);
    const run = (...stages: Document[]): Promise<Document[]> => c.aggregate(stages).toArray();
    expect(
      await run({
        $facet: { a: [{ $match: { k: 'a' } }, { $count: 'n' }], b: [{ $match: { k: 'z' } }, { $count: 'n' }] },
      }),
    ).toEqual([{ a: [{ n: 2 }], b: [] }]);
    expect(await run({ $bucket: { groupBy: '$n', boundaries: [0, 5, 10], default: 'more' } })).toEqual([
      { _id: 0, count: 2 },
      { _id: 5, count: 1 },
      { _id: 'more', count: 1 },
    ]);
    expect(await run({ $sortByCount: '$k' }, { $limit: 1 })).toEqual([{ _id: 'a', count: 2 }]);
    expect(await run({ $unwind: { path: '$l', includeArrayIndex: 'i' } })).toEqual([
      { _id: 4, n: 12, l: 7, i: 0 },
      { _id: 4, n: 12, l: 8, i: 1 },
    ]);
    expect(
      (
        await run({
          $setWindowFields: {
            sortBy: { n: 1 },
            output: {
              s: { $sum: '$n', window: { documents: ['unbounded', 'current'] } },
              r: { $rank: {} },
              p: { $shift: { output: '$n', by: -1, default: 0 } },
            },
          },
        })
      ).map((d) => [d['s'], d['r'], d['p']]),
    ).toEqual([
      [1, 1, 0],
      [5, 2, 1],
      [14, 3, 4],
      [26, 4, 9],
    ]);
    expect(
      (await run({ $match: { k: 'a' } }, { $densify: { field: 'n', range: { step: 1, bounds: 'full' } } })).map(
        (d) => d['n'] as number,
      ),
    ).toEqual([1, 2, 3, 4]);
    expect(
      (await run({ $fill: { sortBy: { n: 1 }, output: { k: { method: 'locf' } } } })).map((d) => d['k'] as string),
    ).toEqual(['a', 'a', 'b', 'b']);
    await expect(run({ $out: 't' }, { $match: {} })).rejects.toMatchObject({ code: 40601 });
    await expect(run({ $facet: { a: [{ $out: 't' }] } })).rejects.toMatchObject({ code: 40600 });
  });

  // …/merge/: what whenMatched 'fail' refuses leaves the others written. …/out/: no view is written over.
  it('$merge writes what it may, $out and $merge leave views alone', async () => {
    await c.insertMany([{ _id: 1 }, { _id: 2 }] as Document[]);
    await db.collection<Document>('t').insertOne({ _id: 1 as never, kept: true });
    const fails = c.aggregate([{ $merge: { into: 't', whenMatched: 'fail' } }]).toArray();
    await expect(fails).rejects.toMatchObject({ code: 11000 });
    expect(await db.collection('t').find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 1, kept: true }, { _id: 2 }]);
    await db.createCollection('seen', { viewOn: 'c', pipeline: [] });
    for (const stage of [{ $out: 'seen' }, { $merge: 'seen' }])
      await expect(c.aggregate([stage]).toArray()).rejects.toMatchObject({ code: 166 });
  });

  // …/set/, …/unwind/, …/sort/, …/meta/, …/lookup/, …/sample/
  it.each<[about: string, pipeline: Document[], found: unknown]>([
    ['$set of nothing', [{ $set: {} }, { $count: 'n' }], [{ n: 2 }]],
    [
      '$sort by a decimal, as it is rounded',
      [{ $sort: { _id: Decimal128.fromString('-0.51') } }, ids],
      [{ _id: 2 }, { _id: 1 }],
    ],
    [
      '$sort by a score that nothing has',
      [{ $sort: { s: { $meta: 'searchScore' }, _id: -1 } }, ids],
      [{ _id: 2 }, { _id: 1 }],
    ],
    [
      '$meta of a score that nothing has',
      [{ $project: { a: 1, s: { $meta: 'searchScore' } } }],
      [{ _id: 1, a: [10] }, { _id: 2 }],
    ],
    [
      '$sample of 1.5, half to even',
      [{ $sample: { size: Decimal128.fromString('1.5') } }, { $count: 'n' }],
      [{ n: 2 }],
    ],
    [
      '$lookup on no field joins everything',
      [{ $lookup: { from: 'c', localField: null, foreignField: '', pipeline: [ids], as: 'j' } }, { $limit: 1 }],
      [{ _id: 1, a: [10], j: [{ _id: 1 }, { _id: 2 }] }],
    ],
    [
      '$lookup with a let of null',
      [{ $lookup: { from: 'c', let: null, pipeline: [{ $count: 'n' }], as: 'j' } }, { $limit: 1 }],
      [{ _id: 1, a: [10], j: [{ n: 2 }] }],
    ],
    [
      'restrictSearchWithMatch sees the variables',
      [
        { $limit: 1 },
        {
          $lookup: {
            from: 'c',
            let: { v: '$_id' },
            pipeline: [
              {
                $graphLookup: {
                  from: 'c',
                  startWith: 10,
                  connectFromField: 'none',
                  connectToField: 'a',
                  as: 'g',
                  restrictSearchWithMatch: { $expr: { $eq: ['$_id', '$$v'] } },
                },
              },
              { $project: { g: '$g._id' } },
            ],
            as: 'j',
          },
        },
        { $project: { a: 0 } },
      ],
      [
        {
          _id: 1,
          j: [
            { _id: 1, g: [1] },
            { _id: 2, g: [1] },
          ],
        },
      ],
    ],
  ])('%s', async (_about, pipeline, found) => {
    await c.insertMany([{ _id: 1, a: [10] }, { _id: 2 }] as Document[]);
    expect(await c.aggregate(pipeline).toArray()).toEqual(found);
  });

  // …/collStats/, …/indexStats/, …/geoNear/: of the collection that the inner pipeline reads
  it('$collStats, $indexStats and $geoNear of an inner pipeline are about its own collection', async () => {
    const here = { type: 'Point', coordinates: [0, 0] };
    await c.insertOne({ _id: 1 as never, home: here });
    await c.createIndex({ home: '2dsphere' });
    const other = db.collection<Document>('other');
    await other.insertMany([
      { _id: 1, at: here },
      { _id: 2, home: here },
    ] as Document[]);
    await other.createIndex({ at: '2dsphere' });
    const inner = (stage: Document, project: Document): Document => ({
      $unionWith: { coll: 'other', pipeline: [stage, { $project: project }] },
    });
    expect(
      await c
        .aggregate([
          ids,
          inner({ $collStats: { count: {} } }, { count: 1 }),
          inner({ $indexStats: {} }, { name: 1 }),
          inner({ $geoNear: { near: here, distanceField: 'd' } }, { d: 1 }),
        ])
        .toArray(),
    ).toEqual([{ _id: 1 }, { count: 2 }, { name: '_id_' }, { name: 'at_2dsphere' }, { _id: 1, d: 0 }]);
  });

  // https://www.mongodb.com/docs/manual/reference/command/aggregate/: explain
  it('explain: true tells what would be done, and does nothing', async () => {
    await c.insertOne({ _id: 1 as never });
    await db.collection<Document>('t').insertOne({ _id: 2 as never });
    const told = await db.command({ aggregate: 'c', pipeline: [{ $out: 't' }], explain: true });
    expect(told['stages'].at(-1)).toEqual({ $out: 't' });
    expect(await db.collection('t').find().toArray()).toEqual([{ _id: 2 }]);
  });

  // A field of any name is a document's own.
  it('a field __proto__ comes through stages', async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    const named = (v: unknown): Document => Object.fromEntries([['__proto__', v]]);
    await send({ insert: 'c', documents: [{ _id: 1, a: [10, 20] }] });
    for (const stage of [
      { $set: named(5) },
      { $project: named({ $literal: 5 }) },
      { $replaceWith: named(5) },
      { $unwind: { path: '$a', includeArrayIndex: '__proto__' } },
    ]) {
      const { cursor } = await send({ aggregate: 'c', pipeline: [stage, { $project: { none: 0 } }], cursor: {} });
      expect(cursor.firstBatch.every((d: Document) => Object.hasOwn(d, '__proto__'))).toBe(true);
    }
  });
});
