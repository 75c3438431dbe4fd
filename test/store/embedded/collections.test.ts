import { describe, expect, it } from '@jest/globals';
import { Decimal128, Double, Long, MaxKey, MinKey, serialize } from 'bson';
import type { Sort } from 'mongodb';
import { decode, encode, type Value } from '../../../src/store/embedded/bson/value.js';
import { compileSchema } from '../../../src/store/embedded/query/json-schema.js';
import { Catalogue } from '../../../src/store/embedded/storage/catalogue.js';
import { cappedSizeOf } from '../../../src/store/embedded/storage/keys.js';
import { Storage } from '../../../src/store/embedded/storage/storage.js';
import { Transactions } from '../../../src/store/embedded/transactions/transactions.js';
import { refusal, running } from './running.js';

/** What `create` can make: https://www.mongodb.com/docs/manual/reference/command/create/ */
describe('a collection', () => {
  // https://www.mongodb.com/docs/manual/core/schema-validation/
  it('with a validator takes only what it allows (121), unless that is bypassed, only warned of, or was so before', async () => {
    const { db } = await running();
    const c = await db.createCollection('c', { validator: { $jsonSchema: { required: ['name'] } } });
    expect(await refusal(c.insertOne({ n: 1 }))).toMatchObject({
      code: 121,
      errInfo: { details: { specifiedAs: { $jsonSchema: { required: ['name'] } } } },
    });
    await c.insertOne({ name: 'a' });
    expect(await refusal(c.updateOne({}, { $unset: { name: 1 } }))).toMatchObject({ code: 121 });
    await c.insertOne({ n: 2 }, { bypassDocumentValidation: true });
    expect(await refusal(c.updateOne({ n: 2 }, { $inc: { n: 1 } }))).toMatchObject({ code: 121 });
    await db.command({ collMod: 'c', validationLevel: 'moderate' });
    await c.updateOne({ n: 2 }, { $inc: { n: 1 } });
    await db.command({ collMod: 'c', validationAction: 'warn' });
    await c.insertOne({ n: 4 });
    expect(await c.countDocuments({ n: { $in: [3, 4] } })).toBe(2);
    expect(await c.options()).toMatchObject({ validationLevel: 'moderate', validationAction: 'warn' });
  });

  // https://www.mongodb.com/docs/manual/core/capped-collections/
  it('that is capped lets the first go for the last, by number and by size, and counts on after a restart', async () => {
    const { db, reopen } = await running();
    const byNumber = await db.createCollection<{ _id: number }>('n', { capped: true, size: 100_000, max: 3 });
    await byNumber.insertMany([1, 2, 3, 4].map((_id) => ({ _id })));
    const c = (await reopen()).db;
    await c.collection<{ _id: number }>('n').insertOne({ _id: 5 });
    expect((await c.collection('n').distinct('_id')).map(Number)).toEqual([3, 4, 5]);
    const bySize = await c.createCollection<{ _id: number; s: string }>('s', { capped: true, size: 4200 });
    for (let _id = 0; _id < 10; _id += 1) await bySize.insertOne({ _id, s: 'x'.repeat(1000) });
    expect((await bySize.distinct('_id')).map(Number)).toEqual([6, 7, 8, 9]);
    expect(await refusal(c.createCollection('n', { capped: true, size: 1 }))).toMatchObject({ code: 48 });
    expect(await refusal(c.createCollection('m', { capped: true }))).toMatchObject({ code: 72 });
  });

  // https://www.mongodb.com/docs/manual/core/capped-collections/#behavior
  it('that is capped keeps the order of insertion, also where an _id comes again or a document is removed', async () => {
    const { db, reopen } = await running();
    const c = await db.createCollection<{ _id: number }>('c', { capped: true, size: 100_000, max: 4 });
    for (const _id of [9, 3, 7, 1, 8]) await c.insertOne({ _id });
    await c.insertOne({ _id: 9 });
    const ids = async (sort?: Sort) => (await c.find({}, sort ? { sort } : {}).toArray()).map(({ _id }) => _id);
    expect([await ids(), await ids({ $natural: -1 }), await ids({ _id: 1 })]).toEqual([
      [7, 1, 8, 9],
      [9, 8, 1, 7],
      [1, 7, 8, 9],
    ]);
    await c.deleteOne({ _id: 1 });
    await c.insertMany([{ _id: 2 }, { _id: 5 }]);
    expect(await ids()).toEqual([8, 9, 2, 5]);
    const again = (await reopen()).db.collection('c');
    expect(await again.aggregate([{ $project: { _id: 1 } }]).toArray()).toEqual([8, 9, 2, 5].map((_id) => ({ _id })));
  });

  it('that is capped and of an earlier release begins with the order of _id, that it had', async () => {
    const { folder, client, engine, db } = await running();
    const c = await db.createCollection<{ _id: number }>('c', { capped: true, size: 100_000, max: 3 });
    await c.insertMany([5, 2, 4].map((_id) => ({ _id })));
    await client.close();
    await engine.stop();
    const storage = await Storage.open(folder);
    await new Transactions(storage).run((tx) => {
      const catalogue = new Catalogue();
      catalogue.load(tx);
      const collection = catalogue.find('test', 'c');
      if (!collection) throw new Error('it is not there');
      const { next: _next, ...held } = decode(tx.get(cappedSizeOf(collection)) ?? Buffer.alloc(0));
      tx.put(cappedSizeOf(collection), Buffer.from(encode(held)));
    });
    await storage.close();
    const old = (await running({ folder })).db.collection<{ _id: number }>('c');
    const ids = async () => (await old.find().toArray()).map(({ _id }) => _id);
    expect(await ids()).toEqual([2, 4, 5]);
    await old.insertOne({ _id: 1 });
    expect(await ids()).toEqual([4, 5, 1]);
  });

  // https://www.mongodb.com/docs/manual/core/timeseries-collections/
  it('that is a time series needs the time, is shown as one, and what is over goes', async () => {
    const { db } = await running({ expireEveryMs: 20 });
    const timeseries = { timeField: 't', metaField: 'm', granularity: 'hours' } as const;
    const c = await db.createCollection('c', { timeseries, expireAfterSeconds: 60 });
    expect(await refusal(c.insertOne({ m: 1 }))).toMatchObject({ code: 2 });
    await c.insertMany([
      { t: new Date(), m: 1 },
      { t: new Date(Date.now() - 61_000), m: 2 },
    ]);
    while ((await c.countDocuments()) > 1) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await c.findOne()).toMatchObject({ m: 1 });
    expect(await refusal(c.updateOne({}, { $set: { m: 3 } }))).toMatchObject({ code: 238 });
    expect(await db.listCollections().toArray()).toMatchObject([
      {
        type: 'timeseries',
        options: { timeseries: { ...timeseries, bucketMaxSpanSeconds: 2_592_000 }, expireAfterSeconds: 60 },
      },
    ]);
  });

  // https://www.mongodb.com/docs/manual/core/clustered-collections/
  it('that is clustered lies by _id, as all do here', async () => {
    const { db } = await running();
    const clusteredIndex = { key: { _id: 1 }, name: 'k', unique: true } as const;
    await db.createCollection('c', { clusteredIndex });
    expect(await db.collection('c').options()).toMatchObject({ clusteredIndex });
    expect(await refusal(db.createCollection('d', { expireAfterSeconds: 5 }))).toMatchObject({ code: 72 });
  });
});

describe('the commands about collections', () => {
  // https://www.mongodb.com/docs/manual/reference/command/collMod/#change-expiration-value-for-indexes
  it.each([
    [50.7, 50],
    [Decimal128.fromString('50.5'), 50],
    [Decimal128.fromString('51.5'), 52],
    [Decimal128.fromString('50.7'), 51],
    [new Double(-0.9), 0],
    [Number.NaN, 0],
    [2 ** 31, 2 ** 31 - 1],
    [Infinity, 2 ** 31 - 1],
  ])('collMod takes %s seconds for %s', async (given, seconds) => {
    const { db } = await running();
    await db.collection('c').createIndex({ a: 1 }, { name: 'a', expireAfterSeconds: 100 });
    const index = { name: 'a', expireAfterSeconds: given };
    expect(await db.command({ collMod: 'c', index })).toMatchObject({
      expireAfterSeconds_old: 100,
      expireAfterSeconds_new: seconds,
    });
  });

  // https://www.mongodb.com/docs/manual/reference/command/drop/, /listDatabases/, /dropDatabase/, /dataSize/
  it('drop views with the collection that MongoDB keeps them in, and tell of databases and sizes', async () => {
    const { db, client } = await running();
    await db.collection('c').insertMany([{ a: 1 }, { a: 2 }]);
    for (const name of ['v', 'w', 'x']) await db.createCollection(name, { viewOn: 'c', pipeline: [] });
    const one = await db.command({ drop: 'v' });
    expect([one['ns'], 'nIndexesWas' in one]).toEqual(['test.v', false]);
    expect(await db.command({ drop: 'system.views' })).toMatchObject({ ns: 'test.system.views', nIndexesWas: 1 });
    expect(await db.listCollections().toArray()).toMatchObject([{ name: 'c' }]);
    const { databases } = await client.db('admin').admin().listDatabases();
    expect(databases.map(({ name, empty }) => [name, empty])).toEqual([
      ...['admin', 'config', 'local'].map((name) => [name, true]),
      ['test', false],
    ]);
    expect(await db.command({ dataSize: 'test.c' })).toMatchObject({ numObjects: 2, size: 2 * 29, estimate: false });
    await db.createCollection('series', { timeseries: { timeField: 't' } });
    expect(await refusal(db.command({ dataSize: 'test.series' }))).toMatchObject({ code: 166 });
    await db.dropCollection('series');
    expect(await db.command({ dataSize: 'test.none' })).toMatchObject({ numObjects: 0, size: 0 });
  });
});

/** https://www.mongodb.com/docs/manual/reference/command/collMod/, /listCollections/, /operator/aggregation/indexStats/ */
describe('collMod, listCollections and $indexStats', () => {
  it('change what a view is of, and how much is kept, with the next insert', async () => {
    const { db } = await running();
    await db.collection<{ _id: number }>('c').insertMany([1, 2, 3].map((_id) => ({ _id })));
    await db.createCollection('v', { viewOn: 'none', pipeline: [] });
    await db.command({ collMod: 'v', viewOn: 'c', pipeline: [{ $match: { _id: { $gt: 1 } } }] });
    expect(await db.collection('v').countDocuments()).toBe(2);
    const capped = await db.createCollection<{ _id: number }>('n', { capped: true, size: 4096, max: 5 });
    await capped.insertMany([1, 2, 3, 4].map((_id) => ({ _id })));
    await db.command({ collMod: 'n', cappedSize: 8192, cappedMax: 2 });
    await capped.insertOne({ _id: 5 });
    expect((await capped.find().toArray()).map(({ _id }) => _id)).toEqual([4, 5]);
    await db.command({ collMod: 'n', cappedMax: 0 });
    expect(await capped.options()).toEqual({ capped: true, size: 8192 });
  });

  it('show a uuid and an index of _id where there is one', async () => {
    const { db } = await running();
    await db.createCollection('c', { changeStreamPreAndPostImages: { enabled: true } });
    await db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true } });
    await db.createCollection('series', { timeseries: { timeField: 't' } });
    await db.createCollection('view', { viewOn: 'c', pipeline: [] });
    const { cursor } = await db.command({ listCollections: 1 });
    const all: { name: string; info: object }[] = cursor.firstBatch;
    expect(all.map((c) => [c.name, 'idIndex' in c, 'uuid' in c.info])).toEqual([
      ['c', true, true],
      ['clustered', false, true],
      ['series', false, false],
      ['view', false, false],
    ]);
    expect(await db.collection('c').options()).toEqual({ changeStreamPreAndPostImages: { enabled: true } });
    const index = { createIndexes: 'clustered', indexes: [{ key: { a: 1 }, name: 'a' }] };
    expect(await db.command(index)).toMatchObject({ numIndexesBefore: 0, numIndexesAfter: 1 });
  });

  it('count how often an index served, anew when it is hidden or shown', async () => {
    const { db } = await running();
    const c = db.collection<{ _id: number; a: number }>('c');
    await c.createIndex({ a: 1 });
    await c.insertOne({ _id: 1, a: 1 });
    const uses = async () =>
      (await c.aggregate([{ $indexStats: {} }]).toArray()).map((i) => [i['name'], i['accesses'].ops, i['spec'].hidden]);
    await c.findOne({ a: 1 });
    await c.countDocuments({ a: { $gte: 0 } });
    await c.findOne({ _id: 1 });
    expect(await uses()).toEqual([
      ['_id_', 1, undefined],
      ['a_1', 2, undefined],
    ]);
    await db.command({ collMod: 'c', index: { name: 'a_1', hidden: false } });
    expect((await uses())[1]).toEqual(['a_1', 2, undefined]);
    await db.command({ collMod: 'c', index: { name: 'a_1', hidden: true } });
    await c.findOne({ a: 1 });
    expect((await uses())[1]).toEqual(['a_1', 0, true]);
  });
});

/** https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/ */
describe('$jsonSchema', () => {
  /** Above what a double holds exactly. */
  const big = (last: number): Long => Long.fromString(`900719925474099${last}`);
  const stored = (v: unknown): Value => decode(serialize({ v }))['v'];
  const meets = (schema: object, v: unknown): boolean => compileSchema(stored(schema))(stored(v));
  it.each<[object, unknown[], unknown[]]>([
    [{ bsonType: ['string', 'null'] }, ['a', null], [true]],
    [{ type: 'boolean' }, [true], ['true']],
    [{ enum: ['a', null] }, ['a', null], ['b']],
    [{ required: ['a'], properties: { a: { bsonType: 'string' } } }, [{ a: '' }, 'no object'], [{}, { a: true }]],
    [{ properties: { a: {} }, additionalProperties: false }, [{ a: 1 }, {}], [{ b: 'x' }]],
    [{ patternProperties: { '^x': { type: 'string' } } }, [{ xa: '' }, { y: true }], [{ xa: true }]],
    [{ items: { type: 'string' }, minItems: 1, uniqueItems: true }, [['a', 'b']], [[], ['a', 'a'], [true]]],
    [{ items: [{ type: 'string' }], additionalItems: false }, [['a'], []], [['a', 'b'], [true]]],
    [{ minLength: 2, maxLength: 3, pattern: '^社' }, ['社区', '社区网'], ['社', '网格', '社区网格']],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }], not: { enum: ['x'] } }, ['a', null], ['x', true]],
    [{ oneOf: [{ minLength: 1 }, { maxLength: 1 }] }, ['', 'ab'], ['a']],
    [{ dependencies: { a: ['b'] } }, [{ a: '', b: '' }, {}], [{ a: '' }]],
    [{ minProperties: 1, maxProperties: 1 }, [{ a: '' }], [{}, { a: '', b: '' }]],
    [{ allOf: [{ bsonType: 'minKey' }] }, [new MinKey()], [new MaxKey()]],
    // Fields in any order are the same document, and a field of every object in JavaScript is none of BSON's.
    [{ enum: [{ a: '', b: [{ c: '', d: '' }] }] }, [{ b: [{ d: '', c: '' }], a: '' }], [{ a: '' }]],
    [
      { uniqueItems: true },
      [[{ a: '' }, { b: '' }]],
      [
        [
          { a: '', b: '' },
          { b: '', a: '' },
        ],
      ],
    ],
    [{ required: ['constructor'] }, [{ constructor: '' }], [{}]],
    [{ dependencies: { toString: ['a'] } }, [{}], [{ toString: '' }]],
    // Numbers are compared and divided as decimals.
    [{ minimum: big(3) }, [big(3), big(4)], [big(2), new Double(Number.NaN)]],
    [{ maximum: new Double(2 ** 53) }, [big(2)], [big(3)]],
    [{ multipleOf: 0.1 }, [0.3, new Double(7)], [0.35]],
    [{ multipleOf: 2 }, [big(2)], [big(3), Infinity]],
  ])('%j', (schema, good, bad) => {
    for (const v of good) expect([v, meets(schema, v)]).toEqual([v, true]);
    for (const v of bad) expect([v, meets(schema, v)]).toEqual([v, false]);
  });

  it('is a query, knows bounds of numbers, and refuses what it does not know (9)', async () => {
    const { db } = await running();
    const c = db.collection('c');
    await c.insertMany([1, 5, 10, 12.5].map((n) => ({ n })));
    const count = (n: object): Promise<number> => c.countDocuments({ $jsonSchema: { properties: { n } } });
    expect(await count({ minimum: 5, maximum: 10 })).toBe(2);
    expect(await count({ minimum: 5, exclusiveMinimum: true, multipleOf: 2.5 })).toBe(2);
    expect(await refusal(count({ $ref: '#' }))).toMatchObject({ code: 9 });
    expect(await refusal(count({ minimun: 1 }))).toMatchObject({ code: 9 });
  });
});

/** https://www.mongodb.com/docs/manual/core/views/ */
describe('a view', () => {
  it('is read by find, count, distinct and aggregate, joined, also through another; it is written to by none (166)', async () => {
    const { db, reopen } = await running();
    await db.collection<{ _id: number; n: number }>('c').insertMany([1, 2, 3, 4].map((_id) => ({ _id, n: _id * 10 })));
    await db.createCollection('big', { viewOn: 'c', pipeline: [{ $match: { n: { $gt: 10 } } }] });
    await db.createCollection('twice', { viewOn: 'big', pipeline: [{ $set: { n: { $multiply: ['$n', 2] } } }] });
    const again = (await reopen()).db;
    const twice = again.collection('twice');
    const found = await twice
      .find({ n: { $lt: 80 } })
      .sort({ n: -1 })
      .limit(1)
      .project({ _id: 0 })
      .toArray();
    expect(found).toEqual([{ n: 60 }]);
    expect(await twice.find({}, { batchSize: 1 }).toArray()).toHaveLength(3);
    expect([await twice.countDocuments({ n: 40 }), await twice.estimatedDocumentCount()]).toEqual([1, 3]);
    expect(await twice.distinct('n', { n: { $gt: 40 } })).toEqual([60, 80]);
    expect(await again.command({ count: 'twice', limit: -2 })).toMatchObject({ n: 2 });
    expect(await refusal(again.command({ count: 'twice', limit: 0 }))).toMatchObject({ code: 15_958 });
    expect(await twice.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }]).toArray()).toEqual([
      { _id: null, n: 180 },
    ]);
    expect(await twice.distinct('n', { n: { $gt: 40 } })).toEqual([60, 80]);
    const join = async (stage: object) =>
      await again
        .collection('c')
        .aggregate([{ $match: { _id: 4 } }, stage])
        .toArray();
    const [joined] = await join({ $lookup: { from: 'twice', localField: 'n', foreignField: 'n', as: 'x' } });
    expect(joined).toEqual({ _id: 4, n: 40, x: [{ _id: 2, n: 40 }] });
    const graph = { from: 'twice', startWith: '$n', connectFromField: '_id', connectToField: 'n', as: 'x' };
    expect(await join({ $graphLookup: graph })).toEqual([joined]);
    expect(await join({ $unionWith: 'big' })).toHaveLength(4);
    for (const write of [
      () => twice.insertOne({}),
      () => twice.updateMany({}, { $set: { x: 1 } }),
      () => twice.deleteMany({}),
      () => twice.createIndex({ n: 1 }),
      () => twice.findOneAndDelete({}),
    ])
      expect(await refusal(write())).toMatchObject({ code: 166 });
    expect(await again.listCollections({ name: 'big' }).toArray()).toEqual([
      {
        name: 'big',
        type: 'view',
        options: { viewOn: 'c', pipeline: [{ $match: { n: { $gt: 10 } } }] },
        info: { readOnly: true },
      },
    ]);
    await twice.drop();
    expect(await again.collection('big').countDocuments()).toBe(3);
    // https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Nested-Views
    for (let i = 1; i <= 20; i += 1)
      await again.createCollection(`v${i}`, { viewOn: i === 1 ? 'c' : `v${i - 1}`, pipeline: [] });
    expect(await again.collection('v19').countDocuments()).toBe(4);
    expect(await refusal(again.collection('v20').countDocuments())).toMatchObject({ code: 165 });
    expect(await refusal(again.command({ count: 'big', limit: 0 }))).toMatchObject({ code: 15_958 });
    let deep: object[] = [];
    for (let i = 0; i <= 20; i += 1) deep = [{ $lookup: { from: 'c', pipeline: deep, as: 'x' } }];
    expect(await refusal(again.collection('c').aggregate(deep).toArray())).toMatchObject({ code: 232 });
    const out = again.createCollection('o', { viewOn: 'c', pipeline: [{ $out: 'x' }] });
    expect(await refusal(out)).toMatchObject({ code: 167 });
  });

  // https://www.mongodb.com/docs/manual/core/views/#collation
  it('compares by its own collation, not by the collection’s; another one is refused (167)', async () => {
    const { db } = await running();
    const [en, fr] = [{ locale: 'en', strength: 2 }, { locale: 'fr' }];
    const c = await db.createCollection<{ x: string }>('c', { collation: en });
    await c.insertMany([{ x: 'a' }, { x: 'A' }]);
    const plain = await db.createCollection('plain', { viewOn: 'c', pipeline: [] });
    const own = await db.createCollection('own', { viewOn: 'c', pipeline: [], collation: en });
    expect([await plain.countDocuments({ x: 'a' }), await own.countDocuments({ x: 'a' })]).toEqual([1, 2]);
    expect(await own.find({ x: 'a' }, { collation: en }).toArray()).toHaveLength(2);
    expect(await db.command({ count: 'own', query: { x: 'a' }, collation: {} })).toMatchObject({ n: 2 });
    for (const [view, collation] of [
      [plain, en],
      [own, fr],
    ] as const)
      expect(await refusal(view.distinct('x', {}, { collation }))).toMatchObject({ code: 167 });
  });

  // https://www.mongodb.com/docs/manual/reference/command/createSearchIndexes/
  it('search indexes are refused as by a server without Atlas Search', async () => {
    const { db } = await running();
    const definition = { mappings: { dynamic: true } };
    expect(await refusal(db.collection('c').createSearchIndex({ name: 'i', definition }))).toMatchObject({
      code: 31_082,
    });
    expect(await refusal(db.collection('c').listSearchIndexes().toArray())).toMatchObject({ code: 31_082 });
  });
});
