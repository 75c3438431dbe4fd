import { describe, expect, it } from '@jest/globals';
import type { Document } from 'bson';
import { byHand, running } from '../running.js';

const lists = { a: [1, 2, 3], b: [5, 6], c: 1, words: ['x', 'Yz'] };
const deans = { activity_ids: [1, 2], deans_list: [2021, 2020], grades: [90, 95] };

/**
 * A document, a query, the field and the place that `$` stands for. Of several conditions the one that MongoDB sorts last tells it:
 * by operator (src/mongo/db/matcher/expression.h, MatchType), then by path. `$or` of several parts tells none (OrMatchExpression).
 */
const rows: readonly (readonly [Document, Document, string, number | undefined])[] = [
  [deans, { activity_ids: 1, grades: 95, deans_list: 2021 }, 'deans_list', 1],
  [deans, { deans_list: 2021, grades: 95, activity_ids: 1 }, 'deans_list', 1],
  [lists, { b: 6, a: 1 }, 'a', 1],
  [lists, { a: { $lte: 2, $gte: 2 } }, 'a', 1],
  [lists, { a: { $lt: 3, $gt: 1 } }, 'a', 1],
  [lists, { a: { $gt: 1, $lt: 3 } }, 'a', 1],
  [lists, { $and: [{ a: { $gt: 1 } }, { a: { $lt: 3 } }] }, 'a', 1],
  [lists, { a: { $all: [1, 3] } }, 'a', 2],
  [lists, { a: { $elemMatch: { $gt: 2 } }, b: 5 }, 'a', 0],
  [lists, { a: { $in: [3, 9] }, b: 5 }, 'a', 2],
  [lists, { a: { $in: [2] }, b: { $in: [5] } }, 'a', 0],
  [lists, { words: { $regex: '^y', $options: 'i' } }, 'words', 1],
  [lists, { $or: [{ a: 2 }] }, 'a', 1],
  [lists, { $or: [{ a: 3 }, { a: { $eq: 2 } }] }, 'a', 1],
  [lists, { a: 3, $or: [{ c: 1 }, { b: 6 }] }, 'a', 2],
  [lists, { $or: [{ a: 2 }, { c: 9 }] }, 'a', undefined],
  [lists, { $or: [{ a: 2 }, { a: { $gt: 5 } }] }, 'a', undefined],
  [lists, { $nor: [{ a: 1, c: 2 }] }, 'a', undefined],
  [lists, { a: { $ne: 9 } }, 'a', undefined],
];

describe('the place that the positional $ stands for', () => {
  it('is told by the query (https://www.mongodb.com/docs/manual/reference/operator/update/positional/#multiple-array-matches)', async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    for (const [doc, query, field, place] of rows) {
      await send({ delete: 'c', deletes: [{ q: {}, limit: 0 }] });
      await send({ insert: 'c', documents: [{ _id: 1, ...doc }] });
      const shown = await send({ find: 'c', filter: query, projection: { [`${field}.$`]: 1 } });
      const changed = await send({ findAndModify: 'c', query, update: { $set: { [`${field}.$`]: 'X' } }, new: true });
      const expected = place === undefined ? [51_246, 2] : [[doc[field][place]], place];
      const [first] = (shown['cursor']?.firstBatch ?? []) as Document[];
      const found = [first?.[field] ?? shown['code'], changed['value']?.[field].indexOf('X') ?? changed['code']];
      expect([query, plain(found)]).toEqual([query, expected]);
    }
  });
});

/** Numbers as JavaScript's. */
const plain = (v: unknown): unknown => JSON.parse(JSON.stringify(v));
