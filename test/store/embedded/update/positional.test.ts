import { describe, expect, it } from '@jest/globals';
import { BSONRegExp, type Document } from 'bson';
import { byHand, running } from '../running.js';

const page = (name: string): string => `https://www.mongodb.com/docs/manual/reference/operator/update/${name}/`;

const x = new BSONRegExp('^a');

/** Statements with queries of their own: the documents before, the statement, the documents after. */
const statements: Readonly<
  Record<string, readonly (readonly [before: Document, statement: Document, after: Document])[]>
> = {
  // `$` is the number of the element that the query found, wherever the path leads.
  positional: [
    [
      { _id: 1, a: [1, 2], x: {} },
      { q: { a: 2 }, u: { $set: { 'x.$': 5 } } },
      { _id: 1, a: [1, 2], x: { 1: 5 } },
    ],
    [
      { _id: 1, a: [1, 2] },
      { q: { a: 2 }, u: { $set: { 'x.$': 5 } } },
      { _id: 1, a: [1, 2], x: { 1: 5 } },
    ],
    [
      { _id: 1, a: [1, 2] },
      { q: { a: 2 }, u: { $set: { 'a.$': 5, 'a.0': 6 } } },
      { _id: 1, a: [6, 5] },
    ],
    ...[
      [{ 'a.b': { $exists: true } }, [{}, { b: 1 }]],
      [{ 'a.b': { $size: 1 } }, [{ b: [] }, { b: [1] }]],
      [{ 'a.b': { $type: 'array' } }, [{ b: 1 }, { b: [] }]],
    ].map(
      ([q, a]) =>
        [
          { _id: 1, a },
          { q, u: { $set: { 'a.$.c': 1 } } },
          { _id: 1, a: [(a as Document[])[0], { ...(a as Document[])[1], c: 1 }] },
        ] as const,
    ),
    [
      { _id: 1, a: [1, [2]] },
      { q: { a: { $type: 'array' } }, u: { $set: { 'a.$': 5 } } },
      { _id: 1, a: [1, 5] },
    ],
    [
      { _id: 1, a: [1, 2] },
      { q: { a: { $exists: true } }, u: { $set: { 'a.$': 5 } } },
      { _id: 1, a: [5, 2] },
    ],
  ],
  // Filters look at what was there before the update.
  'positional-filtered': [
    [
      {
        _id: 1,
        a: [
          { b: 1, n: 1 },
          { b: 2, n: 1 },
        ],
      },
      {
        q: {},
        u: { $set: { 'a.$[x].b': 5 }, $inc: { 'a.$[y].n': 1 } },
        arrayFilters: [{ 'x.b': 1 }, { 'y.b': 1 }],
      },
      {
        _id: 1,
        a: [
          { b: 5, n: 2 },
          { b: 2, n: 1 },
        ],
      },
    ],
  ],
  // A list within an element is one value; only a number leads into it.
  sort: [
    [
      { _id: 1, a: [{ b: [5, 1] }, { b: 2 }] },
      { q: {}, u: { $push: { a: { $each: [], $sort: { b: 1 } } } } },
      { _id: 1, a: [{ b: 2 }, { b: [5, 1] }] },
    ],
    [
      { _id: 1, a: [{ b: { c: 0 } }, { b: [{ c: 1 }] }] },
      { q: {}, u: { $push: { a: { $each: [], $sort: { 'b.c': 1 } } } } },
      { _id: 1, a: [{ b: [{ c: 1 }] }, { b: { c: 0 } }] },
    ],
    [
      { _id: 1, a: [{ b: [2] }, { b: [1] }] },
      { q: {}, u: { $push: { a: { $each: [], $sort: { 'b.0': 1 } } } } },
      { _id: 1, a: [{ b: [1] }, { b: [2] }] },
    ],
  ],
  pull: [
    [
      { _id: 1, a: [['abc'], 'ab', ['x']] },
      { q: {}, u: { $pull: { a: x } } },
      { _id: 1, a: [['x']] },
    ],
    [
      { _id: 1, a: [null, [null], 1] },
      { q: {}, u: { $pull: { a: null } } },
      { _id: 1, a: [[null], 1] },
    ],
  ],
};

describe.each(Object.entries(statements))('%s', (name, rows) => {
  it.each(rows)(`%j: %j (${page(name)})`, async (before, statement, after) => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    await send({ insert: 'c', documents: [before] });
    expect(await send({ update: 'c', updates: [statement] })).toMatchObject({ nModified: 1, ok: 1 });
    expect((await send({ find: 'c' }))['cursor'].firstBatch).toEqual([after]);
  });
});
