import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection, type Db, DBRef, type Document, ObjectId } from 'mongodb';
import { oneEngine } from './running.js';

/** What Mongoose's own tests showed (https://github.com/Automattic/mongoose/tree/master/test): the file and its issue are named. */
describe('what Mongoose asks', () => {
  let db: Db;
  let c: Collection<Document>;
  oneEngine((client) => {
    db = client.db('mongoose');
    c = db.collection('c');
  });
  beforeEach(async () => {
    await db.dropDatabase();
  });

  // model.test.js, gh-8645; MongoDB's IndexDescriptor leaves background out when it compares options
  it('an index keeps background and sparse as they were said, and is the same without them', async () => {
    await c.createIndex({ a: 1 }, { background: false, sparse: false });
    expect((await c.indexes())[1]).toEqual({ v: 2, key: { a: 1 }, name: 'a_1', background: false, sparse: false });
    await c.createIndexes([{ key: { a: 1 } }, { key: { a: 1 }, background: true }]);
    expect(await c.indexes()).toHaveLength(2);
    await expect(c.createIndex({ a: 1 }, { sparse: true })).rejects.toMatchObject({ code: 86 });
  });

  // model.test.js, gh-10850
  it('a text index takes the simple collation, which is none, and no other', async () => {
    await c.createIndex({ a: 1, b: 'text' }, { collation: { locale: 'simple' } });
    expect((await c.indexes())[1]).not.toHaveProperty('collation');
    const other = db.collection('other').createIndex({ b: 'text' }, { collation: { locale: 'en' } });
    await expect(other).rejects.toMatchObject({ code: 67 });
  });

  // model.test.js, 'createCollection() respects clusteredIndex'; https://www.mongodb.com/docs/manual/reference/command/listIndexes/
  it('the index of a clustered collection is shown as it was named', async () => {
    await db.createCollection('c', { clusteredIndex: { key: { _id: 1 }, name: 'mine', unique: true } });
    expect(await c.indexes()).toEqual([{ v: 2, key: { _id: 1 }, name: 'mine', unique: true, clustered: true }]);
  });

  // model.test.js, gh-13176
  it('$push and $addToSet onto what is no array are told in MongoDB’s words', async () => {
    await c.insertOne({ a: { n: 1 } });
    const wrong: Document[] = [{ $push: { 'a.n': 1 } }, { $addToSet: { 'a.n': 1 } }];
    const told = ["The field 'n' must be an array but is of type int", "'n' has non-array type int"];
    for (const [i, update] of wrong.entries()) await expect(c.updateOne({}, update)).rejects.toThrow(told[i]);
  });

  // aggregate.test.js, gh-7267
  it('$group tells of a wrong field before it misses _id', () =>
    expect(c.aggregate([{ $group: { foo: 'bar' } }]).toArray()).rejects.toMatchObject({ code: 40234 }));

  // query.test.js, gh-8577; https://www.mongodb.com/docs/manual/reference/database-references/
  it('a reference is found by its fields, like any document', async () => {
    const $id = new ObjectId();
    const list = [{ $ref: 'foo', $id, $db: 'shop', _id: 5 }];
    await c.insertOne({ ref: new DBRef('files', $id), list });
    const found: Document[] = [
      { ref: new DBRef('files', $id) },
      { 'ref.$id': $id },
      { 'list.$ref': 'foo' },
      { 'list._id': 5 },
      { list: { $elemMatch: { $id } } },
      { list: { $elemMatch: { $ref: 'foo', $db: 'shop' } } },
    ];
    for (const filter of found) expect(await c.countDocuments(filter)).toBe(1);
    expect(await c.countDocuments({ ref: { $type: 'object' } })).toBe(1);
  });

  // model.updateOne.test.js, gh-13786; https://www.mongodb.com/docs/manual/core/dot-dollar-considerations/dollar-prefix/
  it('an upsert takes names that begin with $ as an insert does, an update does not', async () => {
    const updates: Document[] = [
      { $set: { $hotel: 1 } },
      { $set: { phone: 1 }, $setOnInsert: { $hotel: 1 } },
      { $inc: { 'a.$hotel': 1 } },
      { phone: 1, $hotel: 1 },
    ];
    for (const [_id, u] of updates.entries()) {
      const send = (): Promise<Document> => db.command({ update: 'c', updates: [{ q: { _id }, u, upsert: true }] });
      expect([u, await send()]).toEqual([u, expect.objectContaining({ upserted: [{ index: 0, _id }] })]);
      expect(JSON.stringify(await c.findOne({ _id } as Document))).toContain('"$hotel":1');
      const again = await send();
      const code = '$setOnInsert' in u ? undefined : 52;
      expect([u, again['writeErrors']?.[0].code]).toEqual([u, code]);
    }
    expect(await db.command({ update: 'c', updates: [{ q: { _id: 9 }, u: { a: 1, $b: 1 } }] })).toMatchObject({ n: 0 });
  });
});
