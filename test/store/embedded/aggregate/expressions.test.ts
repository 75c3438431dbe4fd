import { EJSON } from 'bson';
import { describe, expect, it } from '@jest/globals';
import { type Collection, Decimal128, type Document, Double, Int32, Long, MongoServerError } from 'mongodb';
import { oneEngine } from '../running.js';

/** Values from MongoDB's manual, each with its page under https://www.mongodb.com/docs/manual/reference/operator/aggregation/ */
describe('expressions', () => {
  let c: Collection<Document>;
  oneEngine((client) => {
    c = client.db('expressions').collection('c');
  });
  /** The value of an expression over one document, with its BSON type. */
  const value = async (expression: unknown, doc: Document = {}): Promise<string> => {
    await c.deleteMany({});
    await c.insertOne({ _id: 1 as never, ...doc });
    const [row] = await c.aggregate([{ $project: { _id: 0, v: expression } }], { promoteValues: false }).toArray();
    return EJSON.stringify(row?.['v'] ?? null, { relaxed: false });
  };
  const typed = (v: unknown): string => EJSON.stringify(v as Document, { relaxed: false });
  const decimal = (text: string): Decimal128 => Decimal128.fromString(text);
  const when = new Date('2014-02-10T10:50:42.389Z');

  it.each<[page: string, expression: unknown, wanted: unknown]>([
    ['add', { $add: [new Int32(2 ** 31 - 1), new Int32(1)] }, Long.fromNumber(2 ** 31)],
    ['add', { $add: [decimal('0.1'), decimal('0.2')] }, decimal('0.3')],
    ['add', { $add: [null, 1] }, null],
    ['subtract', { $subtract: [new Date(2000), new Date(500)] }, Long.fromNumber(1500)],
    [
      'multiply',
      { $multiply: [Long.fromString('9007199254740993'), new Int32(2)] },
      Long.fromString('18014398509481986'),
    ],
    ['divide', { $divide: [new Int32(4), new Int32(2)] }, new Double(2)],
    ['mod', { $mod: [new Int32(-7), new Int32(3)] }, new Int32(-1)],
    ['round', { $round: [new Double(2.5)] }, new Double(2)],
    ['round', { $round: [new Double(1234.5678), new Int32(2)] }, new Double(1234.57)],
    ['round', { $round: [decimal('1.5'), new Int32(2)] }, decimal('1.50')],
    // IEEE 754: a result of 0 has the sign of the quotient, of the dividend, of what was rounded.
    ['round', { $round: [decimal('-1'), new Int32(-1)] }, decimal('-0E+1')],
    ['mod', { $mod: [decimal('-4'), new Int32(2)] }, decimal('-0')],
    ['divide', { $divide: [decimal('0'), new Int32(-1)] }, decimal('-0')],
    ['sum', { $sum: [decimal('1E+1')] }, decimal('10')],
    ['trunc', { $trunc: [new Double(1234.5678), new Int32(-2)] }, new Double(1200)],
    ['sqrt', { $sqrt: decimal('0.00') }, decimal('0.0')],
    ['sqrt', { $sqrt: decimal('2.25') }, decimal('1.5')],
    ['pow', { $pow: [new Int32(2), new Int32(40)] }, Long.fromNumber(2 ** 40)],
    ['trunc', { $trunc: [decimal('0E+1'), new Int32(1)] }, decimal('0.0')],
    // The nearest double to the exact power: JavaScript's own ** gives …176.
    ['pow', { $pow: [new Int32(-183953000), new Int32(3)] }, new Double(-6.224731523264177e24)],
    ['pow', { $pow: [new Double(-183953000), new Int32(3)] }, new Double(-6.224731523264177e24)],
    ['pow', { $pow: [decimal('1.5'), new Int32(2)] }, decimal(`2.25${'0'.repeat(31)}`)],
    ['sum', { $sum: [0.1, 0.2, 0.3, 'x', null] }, new Double(0.6)],
    ['avg', { $avg: [new Int32(1), new Int32(2)] }, new Double(1.5)],
    ['toDecimal', { $toDecimal: new Double(2.5) }, decimal('2.50000000000000')],
    ['toDecimal', { $toDecimal: new Double(0) }, decimal('0')],
    ['toInt', { $toInt: decimal('5.5') }, new Int32(5)],
    ['toLong', { $toLong: new Date(5) }, Long.fromNumber(5)],
    ['toString', { $toString: new Date(0) }, '1970-01-01T00:00:00.000Z'],
    ['convert', { $convert: { input: 'x', to: 'int', onError: 'no' } }, 'no'],
    ['substrCP', { $substrCP: ['王小明', 1, 2] }, '小明'],
    ['toUpper', { $toUpper: 'straße' }, 'STRAßE'],
    ['split', { $split: ['June-15-2013', '-'] }, ['June', '15', '2013']],
    ['trim', { $trim: { input: ' \n good  bye \t ' } }, 'good  bye'],
    [
      'regexFind',
      { $regexFind: { input: 'Caf\u00E9 ab', regex: '(a)(b)' } },
      { match: 'ab', idx: new Int32(5), captures: ['a', 'b'] },
    ],
    [
      'dateToString',
      { $dateToString: { format: '%Y-%m-%dT%H:%M:%S%z', date: when, timezone: 'America/New_York' } },
      '2014-02-10T05:50:42-0500',
    ],
    ['dateToString', { $dateToString: { format: '%j %U %G-W%V-%u', date: when } }, '041 06 2014-W07-1'],
    [
      'dateTrunc',
      { $dateTrunc: { date: new Date('2021-03-20T11:30:05Z'), unit: 'month' } },
      new Date('2021-03-01T00:00:00Z'),
    ],
    [
      'dateTrunc',
      { $dateTrunc: { date: new Date('2024-03-10T17:00:00Z'), unit: 'day', timezone: 'Asia/Shanghai' } },
      new Date('2024-03-10T16:00:00Z'),
    ],
    [
      'dateAdd',
      { $dateAdd: { startDate: new Date('2021-01-31T00:00:00Z'), unit: 'month', amount: 1 } },
      new Date('2021-02-28T00:00:00Z'),
    ],
    [
      'dateAdd',
      {
        $dateAdd: { startDate: new Date('2024-03-09T03:29:12Z'), unit: 'day', amount: 1, timezone: 'America/New_York' },
      },
      new Date('2024-03-10T03:29:12Z'),
    ],
    [
      'dateDiff',
      {
        $dateDiff: {
          startDate: new Date('2020-12-31T23:59:59Z'),
          endDate: new Date('2021-01-01T00:00:00Z'),
          unit: 'year',
        },
      },
      Long.fromNumber(1),
    ],
    // An hour passes between 01:30 and 03:30 of the night in which summer time begins.
    [
      'dateDiff',
      {
        $dateDiff: {
          startDate: new Date('2024-03-10T06:30:00Z'),
          endDate: new Date('2024-03-10T07:30:00Z'),
          unit: 'hour',
          timezone: 'America/New_York',
        },
      },
      Long.fromNumber(1),
    ],
    ['week', { $week: new Date('2016-01-04') }, new Int32(1)],
    ['isoWeekYear', { $isoWeekYear: new Date('2015-12-31') }, Long.fromNumber(2015)],
    ['dateFromString', { $dateFromString: { dateString: '15-06-2018', format: '%d-%m-%Y' } }, new Date('2018-06-15')],
    [
      'map',
      { $map: { input: [new Int32(1), decimal('2')], as: 'x', in: { $add: ['$$x', new Int32(1)] } } },
      [new Int32(2), decimal('3')],
    ],
    [
      'filter',
      { $filter: { input: [1, 5, 3, 7].map((n) => new Int32(n)), cond: { $gt: ['$$this', 2] }, limit: 2 } },
      [new Int32(5), new Int32(3)],
    ],
    [
      'reduce',
      { $reduce: { input: ['a', 'b', 'c'], initialValue: '', in: { $concat: ['$$value', '$$this'] } } },
      'abc',
    ],
    [
      'zip',
      { $zip: { inputs: [['a', 'b'], ['c']], useLongestLength: true, defaults: ['x', 'y'] } },
      [
        ['a', 'c'],
        ['b', 'y'],
      ],
    ],
    ['mergeObjects', { $mergeObjects: [{ a: 'x' }, null, { a: 'y' }] }, { a: 'y' }],
    ['objectToArray', { $objectToArray: { $literal: { a: 'x' } } }, [{ k: 'a', v: 'x' }]],
    [
      'setUnion',
      {
        $setUnion: [
          ['a', 'b'],
          ['b', 'c'],
        ],
      },
      ['a', 'b', 'c'],
    ],
    ['setUnion', { $setUnion: [null, { $concat: [1] }] }, null],
    [
      'setIntersection',
      {
        $setIntersection: [
          [1, 2],
          [2, 3],
        ],
      },
      [2],
    ],
    ['indexOfArray', { $indexOfArray: [null, { $concat: [1] }] }, null],
    ['indexOfCP', { $indexOfCP: [null, { $concat: [1] }] }, null],
    ['ifNull', { $ifNull: ['$none', '$nor', 'z'] }, 'z'],
    [
      'switch',
      {
        $switch: {
          branches: [
            Object.fromEntries([
              ['case', false],
              // oxlint-disable-next-line unicorn/no-thenable -- MongoDB's own name
              ['then', 'a'],
            ]),
          ],
          default: 'b',
        },
      },
      'b',
    ],
    ['cmp', { $cmp: [new Int32(1), decimal('1.0')] }, new Int32(0)],
    ['getField', { $getField: 'none' }, null],
  ])('$%s: %j', async (_page, expression, wanted) => {
    expect(await value(expression)).toBe(typed(wanted));
  });

  it.each<[page: string, expression: unknown, code: number]>([
    ['divide', { $divide: [1, 0] }, 2],
    ['mod', { $mod: [1, 0] }, 16610],
    ['add', { $add: ['a', 1] }, 14],
    ['arrayElemAt', { $arrayElemAt: ['a', 0] }, 28689],
    ['toInt', { $toInt: 'x' }, 241],
    ['dateToString', { $dateToString: { date: new Date(0), timezone: 'Mars/Base' } }, 40485],
    ['size', { $size: 'x' }, 17124],
    [
      'switch',
      {
        $switch: {
          branches: [
            Object.fromEntries([
              ['case', false],
              // oxlint-disable-next-line unicorn/no-thenable -- MongoDB's own name
              ['then', 1],
            ]),
          ],
        },
      },
      40066,
    ],
    ['indexOfBytes', { $indexOfBytes: [1, 'a'] }, 40091],
    ['indexOfBytes', { $indexOfBytes: ['a', 1] }, 40092],
    ['indexOfCP', { $indexOfCP: ['a', 1] }, 40094],
    ['let', { $let: { vars: { a: 1 }, in: '$$b' } }, 17276],
  ])('$%s refuses: %j', async (_page, expression, code) => {
    const error: unknown = await value(expression).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MongoServerError);
    expect(Number(String((error as MongoServerError).code))).toBe(code);
  });
});
