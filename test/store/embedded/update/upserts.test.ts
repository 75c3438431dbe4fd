import { describe, expect, it } from '@jest/globals';
import { BSONRegExp, type Document } from 'bson';
import { byHand, running } from '../running.js';

const page = (name: string): string => `https://www.mongodb.com/docs/manual/reference/operator/update/${name}/`;

const x = new BSONRegExp('^a');

describe('$setOnInsert and upserts', () => {
  it(`begin with what the filter says is equal (${page('setOnInsert')})`, async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    const u = { $set: { item: 'apple' }, $setOnInsert: { defaultQty: 100 } };
    const q = { _id: 1, 'a.b': { $eq: 2 }, c: { $gt: 3 }, $and: [{ d: 4 }] };
    expect(await send({ update: 'c', updates: [{ q, u, upsert: true }] })).toMatchObject({
      upserted: [{ index: 0, _id: 1 }],
    });
    expect((await send({ find: 'c' }))['cursor'].firstBatch).toEqual([
      { _id: 1, a: { b: 2 }, d: 4, defaultQty: 100, item: 'apple' },
    ]);
  });
});

// https://www.mongodb.com/docs/manual/reference/method/db.collection.update/#upsert-with-operator-expressions
describe('an upsert takes over', () => {
  it.each<[what: string, q: Document, made: Document]>([
    ['the one value of a list', { a: { $all: [5] }, b: { $in: [6] } }, { a: 5, b: 6 }],
    ['one value named twice, a document too', { a: { $in: [3, 3] }, b: { $in: [{ x: 1 }] } }, { a: 3, b: { x: 1 } }],
    ['an expression that $eq names', { a: { $eq: x } }, { a: /^a/ }],
    ['no expression to search by', { a: x, b: { $all: [x] }, c: { $in: [x] } }, {}],
    ['no condition on elements', { a: { $all: [{ $elemMatch: { b: 1 } }] }, b: { $elemMatch: { c: 1 } } }, {}],
    ['the parts of _id', { '_id.y': 3, '_id.x': 1 }, { _id: { x: 1, y: 3 } }],
    ['fields by the names of their paths', { z: 1, 'b.y': 3, 'b.x': 1, a: 2 }, { a: 2, b: { x: 1, y: 3 }, z: 1 }],
  ])('%s', async (_what, q, made) => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    const id = '_id' in made ? {} : { _id: 1 };
    await send({ update: 'c', updates: [{ q: { ...id, ...q }, u: { $set: { m: 1 } }, upsert: true }] });
    const [doc] = (await send({ find: 'c' }))['cursor'].firstBatch as Document[];
    expect(JSON.stringify(doc)).toBe(JSON.stringify({ ...id, ...made, m: 1 }));
  });
});
