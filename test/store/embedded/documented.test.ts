import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BSONRegExp,
  type Collection,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  MongoClient,
  type UpdateFilter,
} from 'mongodb';
import { type RunningEngine, start } from '../../../src/store/embedded/index.js';

interface Row {
  _id: number;
  [field: string]: unknown;
}

describe('what the documentation says', () => {
  let engine: RunningEngine;
  let client: MongoClient;
  let folder: string;
  let c: Collection<Row>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gridmate-documented-'));
    engine = await start({ folder, thread: 'same' });
    client = await new MongoClient(engine.uri).connect();
    c = client.db('documented').collection<Row>('c');
  });
  afterAll(async () => {
    await client.close();
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await c.deleteMany({});
  });
  const after = async (before: object, update: UpdateFilter<Row>, options = {}): Promise<unknown> => {
    await c.insertOne({ _id: 1, ...before });
    await c.updateOne({ _id: 1 }, update, options);
    const { _id, ...rest } = (await c.findOne({ _id: 1 })) ?? { _id: 0 };
    await c.deleteMany({});
    return rest;
  };

  // https://www.mongodb.com/docs/manual/reference/operator/update/
  it.each<[string, object, object, object, object]>([
    ['$inc makes a missing field', {}, { $inc: { n: 2 } }, { n: 2 }, {}],
    ['$mul of a missing field is 0', {}, { $mul: { n: 2 } }, { n: 0 }, {}],
    ['$min keeps the lesser', { n: 5 }, { $min: { n: 3 } }, { n: 3 }, {}],
    [
      '$push with $each, $sort and $slice',
      { a: [5, 1] },
      { $push: { a: { $each: [4, 2], $sort: -1, $slice: 3 } } },
      { a: [5, 4, 2] },
      {},
    ],
    ['$push with $position', { a: [1, 2] }, { $push: { a: { $each: [9], $position: 1 } } }, { a: [1, 9, 2] }, {}],
    ['$addToSet adds what is not there', { a: [1] }, { $addToSet: { a: { $each: [1, 2] } } }, { a: [1, 2] }, {}],
    ['$pull removes what matches', { a: [1, 5, 8] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }, {}],
    ['$pop -1 takes the first', { a: [1, 2] }, { $pop: { a: -1 } }, { a: [2] }, {}],
    ['$rename moves a field', { a: 1 }, { $rename: { a: 'b' } }, { b: 1 }, {}],
    [
      '$unset of a path that can not be is nothing',
      { a: 3, b: [] },
      { $unset: { 'a.x': '', 'b.x': '' } },
      { a: 3, b: [] },
      {},
    ],
    ['$[] changes every element', { a: [1, 2] }, { $inc: { 'a.$[]': 10 } }, { a: [11, 12] }, {}],
    [
      '$[e] changes those that the filter fits',
      { a: [1, 5] },
      { $set: { 'a.$[e]': 0 } },
      { a: [1, 0] },
      { arrayFilters: [{ e: { $gt: 3 } }] },
    ],
    ['new fields come in the order of their names', {}, { $set: { b: 1, a: 1 } }, { a: 1, b: 1 }, {}],
  ])('%s', async (_name, before, update, wanted, options) => {
    expect(JSON.stringify(await after(before, update as UpdateFilter<Row>, options))).toBe(JSON.stringify(wanted));
  });

  // https://www.mongodb.com/docs/manual/reference/error-codes/
  it.each<[string, object, object, number]>([
    ['two operators on one path conflict', {}, { $set: { a: 1 }, $inc: { a: 1 } }, 40],
    ['$inc of a text', { a: 'x' }, { $inc: { a: 1 } }, 14],
    ['a field inside a number', { a: 1 }, { $set: { 'a.b': 1 } }, 28],
    ['$pop inside a number', { a: 1 }, { $pop: { 'a.b': 1 } }, 28],
    ['another _id', {}, { $set: { _id: 2 } }, 66],
    ['an unknown operator', {}, { $foo: { a: 1 } }, 9],
  ])('%s is refused with its code', async (_name, before, update, code) => {
    await c.insertOne({ _id: 1, ...before });
    await expect(c.updateOne({ _id: 1 }, update as UpdateFilter<Row>)).rejects.toMatchObject({ code });
  });

  // https://www.mongodb.com/docs/manual/tutorial/query-for-null-fields/
  it('null matches null and missing; $exists tells them apart; $type is strict', async () => {
    await c.insertMany([{ _id: 1, a: null }, { _id: 2 }, { _id: 3, a: 1 }]);
    const ids = async (filter: object): Promise<number[]> =>
      (await c.find(filter).sort({ _id: 1 }).toArray()).map((d) => d._id);
    expect(await ids({ a: null })).toEqual([1, 2]);
    expect(await ids({ a: { $exists: true } })).toEqual([1, 3]);
    expect(await ids({ a: { $type: 'null' } })).toEqual([1]);
    expect(await ids({ a: { $ne: null } })).toEqual([3]);
    expect(await ids({ a: { $all: [] } })).toEqual([]);
    // functional-tests …/not/test_not_special_values.py: what is missing lies above MinKey, as all else, and below MaxKey.
    for (const range of [{ $gt: new MinKey() }, { $lte: new MaxKey() }])
      expect(await ids({ a: range })).toEqual([1, 2, 3]);
    for (const range of [{ $lt: new MinKey() }, { $gte: new MaxKey() }]) expect(await ids({ a: range })).toEqual([]);
  });

  // https://github.com/documentdb/functional-tests: core/operator/query/logical/not
  it('what is missing lies between MinKey and MaxKey; $regex finds the same expression stored', async () => {
    await c.insertMany([{ _id: 1, a: new BSONRegExp('b', 'im') }, { _id: 2, a: new BSONRegExp('b', 'i') }, { _id: 3 }]);
    const ids = async (a: object): Promise<number[]> =>
      (await c.find({ a }).sort({ _id: 1 }).toArray()).map((d) => d._id);
    expect(await ids({ $gt: new MinKey() })).toEqual([1, 2, 3]);
    expect(await ids({ $not: { $lt: new MaxKey() } })).toEqual([]);
    expect(await ids({ $regex: 'b', $options: 'mi' })).toEqual([1]);
    expect(await ids({ $not: { $regex: 'b', $options: 'i' } })).toEqual([1, 3]);
  });

  // …/reference/operator/query/elemMatch/: a condition is on the element itself, which may be a list.
  it.each<[condition: object, found: unknown[], not: unknown[]]>([
    [{ $size: 1 }, [[[5]]], [[[5, 6]], [5]]],
    [{ $elemMatch: { $gt: 1 } }, [[[2]]], [[2], [[0]]]],
    [{ $elemMatch: { a: 1 } }, [[[{ a: 1 }]], [[{ a: [1] }]]], [[{ a: 1 }]]],
    [{ $not: { $elemMatch: { $gt: 1 } } }, [[[0]], [5]], [[[2]]]],
    [{ $gt: 1 }, [[2]], [[[2]]]],
    [{ $eq: [1] }, [[[1]]], [[1], [[[1]]]]],
    [{ $in: [null] }, [[null]], [[[null]], []]],
  ])('$elemMatch: %j', async ($elemMatch, found, not) => {
    await c.insertMany([...found, ...not].map((a, _id) => ({ _id, a })));
    const ids = (await c.find({ a: { $elemMatch } }).sort({ _id: 1 }).toArray()).map((d) => d._id);
    expect(ids).toEqual(found.map((_, i) => i));
  });

  // …/reference/operator/query/regex/#index-use: what every match begins with, to whole characters.
  it('an index finds what begins with a character beyond 16 bits that may be missing', async () => {
    await c.insertMany(['𠀀b', 'b', '𠀀c'].map((a, _id) => ({ _id, a })));
    await c.createIndex({ a: 1 });
    const found = await c.find({ a: /^𠀀?b/u }).hint({ a: 1 }).toArray();
    await c.dropIndex('a_1');
    expect(found.map((d) => d._id)).toEqual([1, 0]);
  });

  // …/tutorial/query-arrays/#query-for-an-element-by-the-array-index-position
  it('a place of an array has no zeros before it', async () => {
    await c.insertMany([
      { _id: 1, a: [1] },
      { _id: 2, a: { '00': 1 } },
      { _id: 3, a: [{ '00': 1 }] },
    ]);
    expect((await c.find({ 'a.00': 1 }).sort({ _id: 1 }).toArray()).map((d) => d._id)).toEqual([2, 3]);
  });

  // …/reference/operator/projection/: what no field settles is settled by _id, then by $elemMatch.
  it.each<[projection: object, shown: object]>([
    [
      { _id: 1, a: { $slice: 1 } },
      { _id: 1, a: [{ x: 1 }] },
    ],
    [
      { _id: 0, a: { $slice: 1 } },
      { a: [{ x: 1 }], b: [1, 2], c: 1 },
    ],
    [{ a: { $elemMatch: { x: 1 } } }, { _id: 1, a: [{ x: 1 }] }],
    [
      { a: { $elemMatch: { x: 2 } }, b: { $slice: 1 } },
      { _id: 1, a: [{ x: 2 }], b: [1], c: 1 },
    ],
    [
      { _id: 1, a: { $elemMatch: { x: 2 } }, b: { $slice: 1 } },
      { _id: 1, b: [1], a: [{ x: 2 }] },
    ],
    [
      { a: { $elemMatch: { x: 2 } }, b: 0 },
      { _id: 1, a: [{ x: 2 }], c: 1 },
    ],
    [
      { b: 0, a: { $elemMatch: { x: 9 } } },
      { _id: 1, c: 1 },
    ],
    [
      { b: { $slice: 1.9 }, a: 0 },
      { _id: 1, b: [1], c: 1 },
    ],
    [
      { b: { $slice: -1.5 }, a: 0 },
      { _id: 1, b: [2], c: 1 },
    ],
    [
      { b: { $slice: [1.2, 1.9] }, a: 0 },
      { _id: 1, b: [2], c: 1 },
    ],
  ])('the projection %j', async (projection, shown) => {
    await c.insertOne({ _id: 1, a: [{ x: 1 }, { x: 2 }], b: [1, 2], c: 1 });
    expect(JSON.stringify(await c.findOne({}, { projection }))).toBe(JSON.stringify(shown));
  });

  // …/reference/operator/query/mod/: dividend, divisor and remainder are cut to whole numbers of 64 bits.
  it.each<[value: unknown, divisor: unknown, remainder: unknown, found: boolean]>([
    [Long.fromString('9007199254740993'), 2, 1, true],
    [Long.fromString('9007199254740993'), 2, 0, false],
    [Decimal128.fromString('9007199254740993'), Long.fromNumber(2), 1, true],
    [Long.MIN_VALUE, 10, -8, true],
    [Long.MIN_VALUE, -1, 0, true],
    [Long.MAX_VALUE, Long.MAX_VALUE, 0, true],
    [new Double(1e20), 2, 0, false],
    [Decimal128.fromString('1E+20'), 2, 0, false],
    [new Double(-4.9), new Double(2.9), new Double(0.5), true],
    [Decimal128.fromString('4.5'), 4, 0, true],
    [-5, 4, -1, true],
    [-4, 4, 0, true],
    [Infinity, 4, 0, false],
  ])('$mod of %s by %s leaves %s: %s', async (a, divisor, remainder, found) => {
    await c.insertOne({ _id: 1, a });
    expect(await c.countDocuments({ a: { $mod: [divisor, remainder] } } as object)).toBe(Number(found));
  });

  // …/reference/operator/update/#behavior: new fields come by name.
  it('a renamed field comes among the new ones by its new name', async () => {
    await c.insertOne({ _id: 1, d: 5 } as object as Row);
    await c.updateOne({ _id: 1 }, { $set: { r: 1 }, $rename: { d: 'z' } } as object as UpdateFilter<Row>);
    expect(Object.keys((await c.findOne({ _id: 1 })) ?? {})).toEqual(['_id', 'r', 'z']);
  });

  // …/tutorial/query-for-null-fields/: a field is missing from a document, not from a scalar in an array.
  it('null at a path through a place of an array matches no scalar there', async () => {
    await c.insertMany([
      { _id: 1, q: [5] },
      { _id: 2, q: [{ y: 1 }] },
      { _id: 3, q: 5 },
    ] as object[] as Row[]);
    const found = async (filter: object): Promise<unknown[]> =>
      (await c.find(filter).sort({ _id: 1 }).toArray()).map((row) => row._id);
    expect(await found({ 'q.0.x': null })).toEqual([2, 3]);
    expect(await found({ 'q.x': null })).toEqual([2, 3]);
    expect(await found({ 'q.0.x': { $ne: null } })).toEqual([1]);
  });

  // https://www.mongodb.com/docs/manual/reference/bson-types/
  it('numbers come back in the type in which they came; int32 grows into long', async () => {
    await c.insertOne({
      _id: 1,
      i: new Int32(1),
      d: new Double(1),
      l: Long.fromNumber(1),
      m: Decimal128.fromString('1.0'),
    });
    const types = async (): Promise<unknown[]> => {
      const found = await c.findOne<Record<string, { _bsontype: string }>>({ _id: 1 }, { promoteValues: false });
      return ['i', 'd', 'l', 'm'].map((f) => found?.[f]?._bsontype);
    };
    expect(await types()).toEqual(['Int32', 'Double', 'Long', 'Decimal128']);
    await c.updateOne({ _id: 1 }, { $inc: { i: 2 ** 31 - 1 } } as object as UpdateFilter<Row>);
    expect(await types()).toEqual(['Long', 'Double', 'Long', 'Decimal128']);
    // A number that is equal, but not written the same, is a change.
    const set = async (m: unknown): Promise<number> =>
      (await c.updateOne({ _id: 1 }, { $set: { m } } as object as UpdateFilter<Row>)).modifiedCount;
    expect(await set(Decimal128.fromString('1.00'))).toBe(1);
    expect(await set(Decimal128.fromString('1.00'))).toBe(0);
    expect(await c.findOne({ _id: 1, m: 1 } as object)).toMatchObject({ m: Decimal128.fromString('1.00') });
    expect([await set(new Double(0)), await set(new Double(-0)), await set(new Double(-0))]).toEqual([1, 1, 0]);
  });

  // https://www.mongodb.com/docs/manual/reference/operator/aggregation/group/
  it('$group takes missing and null as one; sums keep their type', async () => {
    await c.insertMany([
      { _id: 1, k: null, n: 1 },
      { _id: 2, n: 2 },
      { _id: 3, k: 'a', n: 3.5 },
    ]);
    expect(await c.aggregate([{ $group: { _id: '$k', n: { $sum: '$n' } } }, { $sort: { _id: 1 } }]).toArray()).toEqual([
      { _id: null, n: 3 },
      { _id: 'a', n: 3.5 },
    ]);
    expect(await c.aggregate([{ $match: { n: 99 } }, { $count: 'n' }]).toArray()).toEqual([]);
    await expect(c.aggregate([{ $nonsense: {} }]).toArray()).rejects.toMatchObject({ code: 40324 });
    await expect(c.aggregate([{ $project: { a: { $nonsense: 1 } } }]).toArray()).rejects.toMatchObject({ code: 31325 });
  });

  // https://www.mongodb.com/docs/manual/core/retryable-writes/
  it('a unique key that is taken is 11000 with its pattern and value; an unknown command is 59, an unknown field 40415', async () => {
    await c.createIndex({ u: 1 }, { unique: true });
    await c.insertOne({ _id: 1, u: 'x' });
    await expect(c.insertOne({ _id: 2, u: 'x' })).rejects.toMatchObject({
      code: 11000,
      keyPattern: { u: 1 },
      keyValue: { u: 'x' },
    });
    await c.dropIndex('u_1');
    await expect(client.db('documented').command({ nonsense: 1 })).rejects.toMatchObject({
      code: 59,
      codeName: 'CommandNotFound',
    });
    await expect(client.db('documented').command({ find: 'c', nonsense: 1 })).rejects.toMatchObject({ code: 40415 });
  });
});
