import { describe, expect, it } from '@jest/globals';
import { Decimal128, type Document, Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import { byHand, running } from '../running.js';

type Example = readonly [name: string, before: Document, update: Document, after: Document, options?: Document];

const page = (name: string): string => `https://www.mongodb.com/docs/manual/reference/operator/update/${name}/`;

/** The examples of each operator's page: a document, the update, the document after it. */
const examples: Readonly<Record<string, readonly Example[]>> = {
  set: [
    [
      'top-level fields, new ones and a list',
      { _id: 100, quantity: 250, instock: true, details: { model: '14QQ', make: 'Clothes Corp' }, tags: ['apparel'] },
      { $set: { quantity: 500, details: { model: '2600', make: 'Fashionaires' }, tags: ['coats', 'clothing'] } },
      {
        _id: 100,
        quantity: 500,
        instock: true,
        details: { model: '2600', make: 'Fashionaires' },
        tags: ['coats', 'clothing'],
      },
    ],
    [
      'a field in an embedded document',
      { _id: 100, details: { model: '2600', make: 'Fashionaires' } },
      { $set: { 'details.make': 'Kustom Kidz' } },
      { _id: 100, details: { model: '2600', make: 'Kustom Kidz' } },
    ],
    [
      'elements of a list, and fields in them',
      { _id: 100, tags: ['coats', 'outerwear', 'clothing'], ratings: [{ by: 'Customer007', rating: 4 }] },
      { $set: { 'tags.1': 'rain gear', 'ratings.0.rating': 2 } },
      { _id: 100, tags: ['coats', 'rain gear', 'clothing'], ratings: [{ by: 'Customer007', rating: 2 }] },
    ],
    ['nothing', { _id: 1, a: 1 }, { $set: {} }, { _id: 1, a: 1 }],
    [
      'new fields by name, numbers by size',
      { _id: 1 },
      { $set: { b: 1, '10': 1, a: 1, '9': 1 } },
      { _id: 1, '9': 1, '10': 1, a: 1, b: 1 },
    ],
  ],
  unset: [
    [
      'fields that are there',
      { _id: 1, quantity: 1, instock: 2, x: 3 },
      { $unset: { quantity: '', instock: '' } },
      { _id: 1, x: 3 },
    ],
    ['an element becomes null', { _id: 1, a: [1, 2, 3] }, { $unset: { 'a.1': '' } }, { _id: 1, a: [1, null, 3] }],
    ['what is not there', { _id: 1, x: 3 }, { $unset: { 'a.b': '' } }, { _id: 1, x: 3 }],
  ],
  inc: [
    [
      'up and down, at once',
      { _id: 1, sku: 'abc123', quantity: 10, metrics: { orders: 2, ratings: 3.5 } },
      { $inc: { quantity: -2, 'metrics.orders': 1 } },
      { _id: 1, sku: 'abc123', quantity: 8, metrics: { orders: 3, ratings: 3.5 } },
    ],
    ['a zero that keeps its sign', { _id: 1, n: new Double(-0) }, { $inc: { n: 0 } }, { _id: 1, n: new Double(-0) }],
    [
      'a decimal that keeps its digits',
      { _id: 1, n: Decimal128.fromString('1.5') },
      { $inc: { n: Decimal128.fromString('0.00') } },
      { _id: 1, n: Decimal128.fromString('1.5') },
    ],
    ['a field that is missing', { _id: 1 }, { $inc: { 'a.b': new Long(5) } }, { _id: 1, a: { b: new Long(5) } }],
    [
      'an int grows into a long',
      { _id: 1, n: 2147483647 },
      { $inc: { n: 1 } },
      { _id: 1, n: Long.fromNumber(2147483648) },
    ],
    [
      'a decimal beyond the greatest is infinite',
      { _id: 1, n: Decimal128.fromString('9.999999999999999999999999999999999E+6144') },
      { $inc: { n: Decimal128.fromString('9.999999999999999999999999999999999E+6144') } },
      { _id: 1, n: Decimal128.fromString('Infinity') },
    ],
  ],
  mul: [
    [
      'the value of a field',
      { _id: 1, item: 'Hats', price: Decimal128.fromString('10.99'), quantity: 25 },
      { $mul: { price: Decimal128.fromString('1.25'), quantity: 2 } },
      { _id: 1, item: 'Hats', price: Decimal128.fromString('13.7375'), quantity: 50 },
    ],
    [
      'a field that is missing is 0 of its type',
      { _id: 2 },
      { $mul: { price: new Long(100) } },
      { _id: 2, price: new Long(0) },
    ],
    [
      'numbers of mixed types',
      { _id: 3, price: new Long(10) },
      { $mul: { price: new Int32(5) } },
      { _id: 3, price: new Long(50) },
    ],
    [
      'an equal number of the same type, which stays as it is written',
      { _id: 4, zero: new Double(0), price: Decimal128.fromString('0'), sum: Decimal128.fromString('1.50') },
      { $mul: { zero: -1, price: -2, sum: Decimal128.fromString('1.0') } },
      { _id: 4, zero: new Double(0), price: Decimal128.fromString('0'), sum: Decimal128.fromString('1.50') },
    ],
    [
      'an equal number of another type, which is written',
      { _id: 5, zero: 0 },
      { $mul: { zero: new Double(-1) } },
      { _id: 5, zero: new Double(-0) },
    ],
  ],
  min: [
    [
      'a lower value',
      { _id: 1, highScore: 800, lowScore: 200 },
      { $min: { lowScore: 150 } },
      { _id: 1, highScore: 800, lowScore: 150 },
    ],
    ['a higher value is none', { _id: 1, lowScore: 150 }, { $min: { lowScore: 250 } }, { _id: 1, lowScore: 150 }],
    ['dates', { _id: 1, at: new Date(5000) }, { $min: { at: new Date(4000) } }, { _id: 1, at: new Date(4000) }],
    ['types in their order', { _id: 1, a: 1 }, { $min: { a: null } }, { _id: 1, a: null }],
  ],
  max: [
    ['a higher value', { _id: 1, highScore: 800 }, { $max: { highScore: 950 } }, { _id: 1, highScore: 950 }],
    ['a lower value is none', { _id: 1, highScore: 950 }, { $max: { highScore: 870 } }, { _id: 1, highScore: 950 }],
    ['a field that is missing', { _id: 1 }, { $max: { a: 'x' } }, { _id: 1, a: 'x' }],
  ],
  rename: [
    [
      'fields',
      { _id: 1, nmae: 'x', alias: ['a'] },
      { $rename: { nmae: 'name', alias: 'nickname' } },
      { _id: 1, name: 'x', nickname: ['a'] },
    ],
    [
      'a field in an embedded document',
      { _id: 1, name: { first: 'g', last: 'w' } },
      { $rename: { 'name.first': 'name.fname' } },
      { _id: 1, name: { last: 'w', fname: 'g' } },
    ],
    ['what is not there', { _id: 1, a: 1 }, { $rename: { wife: 'spouse' } }, { _id: 1, a: 1 }],
    ['over another', { _id: 1, a: 1, b: 2 }, { $rename: { a: 'b' } }, { _id: 1, b: 1 }],
  ],
  setOnInsert: [
    [
      'not when there is a document',
      { _id: 1, item: 'x' },
      { $set: { item: 'apple' }, $setOnInsert: { defaultQty: 100 } },
      { _id: 1, item: 'apple' },
    ],
  ],
  bit: [
    ['and', { _id: 1, expdata: 13 }, { $bit: { expdata: { and: 10 } } }, { _id: 1, expdata: 8 }],
    ['or', { _id: 2, expdata: 3 }, { $bit: { expdata: { or: 5 } } }, { _id: 2, expdata: 7 }],
    ['xor', { _id: 3, expdata: 1 }, { $bit: { expdata: { xor: 5 } } }, { _id: 3, expdata: 4 }],
    ['by a long', { _id: 1, n: 13 }, { $bit: { n: { and: new Long(10) } } }, { _id: 1, n: new Long(8) }],
  ],
  push: [
    ['a value', { _id: 1, scores: [44, 78] }, { $push: { scores: 89 } }, { _id: 1, scores: [44, 78, 89] }],
    ['a list as one value', { _id: 1, scores: [1] }, { $push: { scores: [2, 3] } }, { _id: 1, scores: [1, [2, 3]] }],
    ['to what is missing', { _id: 1 }, { $push: { 'a.b': 1 } }, { _id: 1, a: { b: [1] } }],
    [
      'sorted by a field, an array in it as one value',
      { _id: 1, a: [{ x: [3, 1] }, { x: [2] }] },
      { $push: { a: { $each: [], $sort: { x: 1 } } } },
      { _id: 1, a: [{ x: [2] }, { x: [3, 1] }] },
    ],
    [
      'without $each a document is a value',
      { _id: 1, a: [] },
      { $push: { a: { $sort: 1 } } },
      { _id: 1, a: [{ $sort: 1 }] },
    ],
  ],
  each: [
    [
      'several',
      { _id: 1, scores: [44] },
      { $push: { scores: { $each: [90, 92, 85] } } },
      { _id: 1, scores: [44, 90, 92, 85] },
    ],
  ],
  position: [
    [
      'at the start',
      { _id: 1, scores: [100] },
      { $push: { scores: { $each: [50, 60, 70], $position: 0 } } },
      { _id: 1, scores: [50, 60, 70, 100] },
    ],
    [
      'from the end',
      { _id: 1, scores: [50, 60, 20, 30, 70, 100] },
      { $push: { scores: { $each: [90, 80], $position: -2 } } },
      { _id: 1, scores: [50, 60, 20, 30, 90, 80, 70, 100] },
    ],
  ],
  slice: [
    [
      'the last',
      { _id: 1, scores: [40, 50, 60] },
      { $push: { scores: { $each: [80, 78, 86], $slice: -5 } } },
      { _id: 1, scores: [50, 60, 80, 78, 86] },
    ],
    [
      'the first',
      { _id: 2, scores: [89, 90] },
      { $push: { scores: { $each: [100, 20], $slice: 3 } } },
      { _id: 2, scores: [89, 90, 100] },
    ],
    ['none', { _id: 2, scores: [89, 90] }, { $push: { scores: { $each: [1], $slice: 0 } } }, { _id: 2, scores: [] }],
    [
      'and nothing added',
      { _id: 3, scores: [89, 70, 100, 20] },
      { $push: { scores: { $each: [], $slice: -3 } } },
      { _id: 3, scores: [70, 100, 20] },
    ],
  ],
  sort: [
    [
      'documents by a field',
      {
        _id: 1,
        quizzes: [
          { id: 1, score: 6 },
          { id: 2, score: 9 },
        ],
      },
      {
        $push: {
          quizzes: {
            $each: [
              { id: 3, score: 8 },
              { id: 4, score: 7 },
              { id: 5, score: 6 },
            ],
            $sort: { score: 1 },
          },
        },
      },
      {
        _id: 1,
        quizzes: [
          { id: 1, score: 6 },
          { id: 5, score: 6 },
          { id: 4, score: 7 },
          { id: 3, score: 8 },
          { id: 2, score: 9 },
        ],
      },
    ],
    [
      'values',
      { _id: 2, tests: [89, 70, 89, 50] },
      { $push: { tests: { $each: [40, 60], $sort: 1 } } },
      { _id: 2, tests: [40, 50, 60, 70, 89, 89] },
    ],
    [
      'and nothing added',
      { _id: 3, tests: [89, 70, 100, 20] },
      { $push: { tests: { $each: [], $sort: -1 } } },
      { _id: 3, tests: [100, 89, 70, 20] },
    ],
    [
      'sorted, then cut',
      { _id: 4, n: [3, 1] },
      { $push: { n: { $each: [2], $sort: -1, $slice: 2 } } },
      { _id: 4, n: [3, 2] },
    ],
  ],
  addToSet: [
    [
      'what is not there',
      { _id: 1, tags: ['electronics', 'supplies'] },
      { $addToSet: { tags: 'camera' } },
      { _id: 1, tags: ['electronics', 'supplies', 'camera'] },
    ],
    ['what is there', { _id: 1, tags: ['camera'] }, { $addToSet: { tags: 'camera' } }, { _id: 1, tags: ['camera'] }],
    [
      'each',
      { _id: 2, tags: ['electronics', 'supplies'] },
      { $addToSet: { tags: { $each: ['camera', 'electronics', 'accessories'] } } },
      { _id: 2, tags: ['electronics', 'supplies', 'camera', 'accessories'] },
    ],
    [
      'a list as one value',
      { _id: 1, letters: ['a', 'b'] },
      { $addToSet: { letters: ['c', 'd'] } },
      { _id: 1, letters: ['a', 'b', ['c', 'd']] },
    ],
    [
      'a document with its fields in another order',
      { _id: 1, a: [{ x: 1, y: 2 }] },
      { $addToSet: { a: { y: 2, x: 1 } } },
      {
        _id: 1,
        a: [
          { x: 1, y: 2 },
          { y: 2, x: 1 },
        ],
      },
    ],
  ],
  pop: [
    ['the first', { _id: 1, scores: [8, 9, 10] }, { $pop: { scores: -1 } }, { _id: 1, scores: [9, 10] }],
    ['the last', { _id: 10, scores: [9, 10] }, { $pop: { scores: 1 } }, { _id: 10, scores: [9] }],
    ['of an empty one', { _id: 1, a: [] }, { $pop: { a: 1 } }, { _id: 1, a: [] }],
  ],
  pull: [
    [
      'values in a list',
      { _id: 1, fruits: ['apples', 'pears', 'oranges', 'grapes', 'bananas'], vegetables: ['carrots', 'celery'] },
      { $pull: { fruits: { $in: ['apples', 'oranges'] }, vegetables: 'carrots' } },
      { _id: 1, fruits: ['pears', 'grapes', 'bananas'], vegetables: ['celery'] },
    ],
    [
      'by a condition',
      { _id: 1, votes: [3, 5, 6, 7, 7, 8] },
      { $pull: { votes: { $gte: 6 } } },
      { _id: 1, votes: [3, 5] },
    ],
    [
      'documents that hold the fields',
      {
        _id: 1,
        results: [
          { item: 'A', score: 5 },
          { item: 'B', score: 8 },
        ],
      },
      { $pull: { results: { score: 8, item: 'B' } } },
      { _id: 1, results: [{ item: 'A', score: 5 }] },
    ],
    [
      'documents in lists of documents',
      {
        _id: 2,
        results: [
          {
            item: 'C',
            answers: [
              { q: 1, a: 8 },
              { q: 2, a: 7 },
            ],
          },
          {
            item: 'B',
            answers: [
              { q: 1, a: 8 },
              { q: 2, a: 8 },
            ],
          },
        ],
      },
      { $pull: { results: { answers: { $elemMatch: { q: 2, a: { $gte: 8 } } } } } },
      {
        _id: 2,
        results: [
          {
            item: 'C',
            answers: [
              { q: 1, a: 8 },
              { q: 2, a: 7 },
            ],
          },
        ],
      },
    ],
  ],
  pullAll: [
    [
      'every one of the values',
      { _id: 1, scores: [0, 2, 5, 5, 1, 0] },
      { $pullAll: { scores: [0, 5] } },
      { _id: 1, scores: [2, 1] },
    ],
  ],
  'positional-all': [
    [
      'every element',
      { _id: 1, grades: [85, 82, 80] },
      { $inc: { 'grades.$[]': 10 } },
      { _id: 1, grades: [95, 92, 90] },
    ],
    [
      'a field of every element',
      { _id: 1, grades: [{ std: 8 }, { std: 5 }] },
      { $inc: { 'grades.$[].std': -2 } },
      { _id: 1, grades: [{ std: 6 }, { std: 3 }] },
    ],
  ],
  'positional-filtered': [
    [
      'elements that a filter chooses',
      { _id: 2, grades: [98, 100, 102] },
      { $set: { 'grades.$[element]': 100 } },
      { _id: 2, grades: [98, 100, 100] },
      { arrayFilters: [{ element: { $gte: 100 } }] },
    ],
    [
      'in lists of lists',
      {
        _id: 1,
        grades: [
          { type: 'quiz', questions: [10, 8, 5] },
          { type: 'exam', questions: [25, 10, 23, 0] },
        ],
      },
      { $inc: { 'grades.$[t].questions.$[score]': 2 } },
      {
        _id: 1,
        grades: [
          { type: 'quiz', questions: [10, 10, 7] },
          { type: 'exam', questions: [25, 10, 23, 0] },
        ],
      },
      { arrayFilters: [{ 't.type': 'quiz' }, { score: { $gte: 5, $lt: 10 } }] },
    ],
  ],
};

describe.each(Object.entries(examples))('$%s', (name, rows) => {
  it(`does what its page says (${page(name)})`, async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    for (const [about, before, update, after, options] of rows) {
      await send({ delete: 'c', deletes: [{ q: {}, limit: 0 }] });
      await send({ insert: 'c', documents: [before] });
      const answer = await send({ update: 'c', updates: [{ q: { _id: before['_id'] }, u: update, ...options }] });
      expect([about, answer]).toEqual([about, expect.objectContaining({ n: 1, ok: 1 })]);
      const found = await send({ find: 'c' });
      expect([about, found['cursor'].firstBatch]).toEqual([about, [plain(after)]]);
    }
  });
});

describe('$currentDate', () => {
  it(`sets a date or a timestamp (${page('currentDate')})`, async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    await send({ insert: 'c', documents: [{ _id: 1, status: 'a', lastModified: new Date(0) }] });
    const started = Date.now();
    const u = { $currentDate: { lastModified: true, 'cancellation.date': { $type: 'timestamp' } } };
    await send({ update: 'c', updates: [{ q: { _id: 1 }, u }] });
    const [doc] = (await send({ find: 'c' }))['cursor'].firstBatch as Document[];
    expect(doc?.['lastModified'].getTime()).toBeGreaterThanOrEqual(started);
    expect(doc?.['cancellation'].date).toBeInstanceOf(Timestamp);
  });
});

/** The document as the driver gives it back: small numbers of every type but Decimal128 are JavaScript's. */
const plain = (v: unknown): unknown => {
  if (v instanceof Long) return v.toNumber();
  if (v instanceof Int32 || v instanceof Double) return v.value;
  if (v instanceof Decimal128 || v instanceof Date || v instanceof ObjectId || v instanceof Timestamp) return v;
  if (Array.isArray(v)) return v.map(plain);
  return v !== null && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)])) : v;
};
