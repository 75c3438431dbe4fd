import { describe, expect, it } from '@jest/globals';
import { type Document, EJSON } from 'bson';
import type { Collection } from 'mongodb';
import { oneEngine } from '../running.js';
import { parted, withPlainDates } from './equivalents.js';

/** What is asked again has to come to the same, or a right answer of the engine would be called wrong. */
describe('requests that come to the same', () => {
  const dates = [
    '2000-01-01',
    '1999-12-31T23:59:59.999Z',
    '2024-02-29T15:45:10Z',
    '2024-08-31T22:00:00Z',
    '2023-12-31T18:40:00Z',
  ];
  let c: Collection<Document & { _id: number }>;
  oneEngine((client) => {
    c = client.db('equivalents').collection('dates');
  });
  const answer = async (pipeline: Document[]): Promise<string> => {
    await c.deleteMany({});
    await c.insertMany([...dates.map((d, i) => ({ _id: i, d: new Date(d) })), { _id: 99 }]);
    return EJSON.stringify(await c.aggregate([{ $sort: { _id: 1 } }, ...pipeline]).toArray());
  };

  it.each<Document>([
    ...['day', 'week'].flatMap((unit) => [1, 2, 3].map((binSize) => ({ $dateTrunc: { date: '$d', unit, binSize } }))),
    ...['month', 'quarter', 'year'].flatMap((unit) =>
      ['Asia/Shanghai', 'UTC', '+05:30', 'America/New_York'].flatMap((timezone) =>
        [-3, 1, 13].map((amount) => ({ $dateAdd: { startDate: '$d', unit, amount, timezone } })),
      ),
    ),
    { $dateDiff: { startDate: new Date('2024-01-31T10:29:59Z'), endDate: '$d', unit: 'hour', timezone: '+05:30' } },
    { $dateDiff: { startDate: '$d', endDate: new Date('2024-02-29T18:30:00Z'), unit: 'hour', timezone: '+05:30' } },
  ])('%j', async (expression) => {
    const pipeline = [{ $set: { e: expression } }];
    const other = withPlainDates(pipeline);
    expect(other).not.toEqual(pipeline);
    expect(await answer(other)).toBe(await answer(pipeline));
  });

  it('projections one by one', async () => {
    const pipeline = [{ $unset: 'd' }, { $set: { e: { $year: '$d' } } }];
    expect(await answer(parted(pipeline))).toBe(await answer(pipeline));
  });
});
