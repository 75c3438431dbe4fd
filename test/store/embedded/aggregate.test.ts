import { EJSON } from 'bson';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  Binary,
  type Collection,
  type Db,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MongoServerError,
  ObjectId,
} from 'mongodb';
import { oneEngine } from './running.js';

/** Values from MongoDB's manual, each with its page under https://www.mongodb.com/docs/manual/reference/operator/aggregation/ */
describe('aggregation', () => {
  let db: Db;
  let c: Collection<Document>;
  oneEngine((client) => {
    db = client.db('aggregate');
    c = db.collection('c');
  });
  beforeEach(async () => {
    for (const { name } of await db.listCollections().toArray()) await db.collection(name).drop();
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
    // Milliseconds are rounded, a half away from 0: https://github.com/documentdb/functional-tests, arithmetic/add.
    ['add', { $add: [new Date(10), new Double(-0.5)] }, new Date(9)],
    ['add', { $add: [new Date(10), new Double(2.5)] }, new Date(13)],
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
    // The fewest digits; a power of ten below 0.0001 and from 10^16, as fmt's {} writes it in MongoDB's evaluate_convert.cpp.
    ['toString', { $toString: new Double(2.5) }, '2.5'],
    ['toString', { $toString: new Double(0) }, '0'],
    ['toString', { $toString: new Double(-0) }, '-0'],
    ['toString', { $toString: { $divide: [1, 3] } }, '0.3333333333333333'],
    ['toString', { $toString: new Double(1e15) }, '1000000000000000'],
    ['toString', { $toString: new Double(1e16) }, '1e+16'],
    ['toString', { $toString: new Double(1.5e21) }, '1.5e+21'],
    ['toString', { $toString: new Double(0.0001) }, '0.0001'],
    ['toString', { $toString: new Double(0.00001) }, '1e-05'],
    ['toString', { $toString: new Double(-Infinity) }, '-Infinity'],
    // Decimals by way of binary128: https://github.com/documentdb/functional-tests, arithmetic/exp, ln, log, log10, pow, sigmoid.
    ['exp', { $exp: decimal('1') }, decimal('2.718281828459045235360287471352662')],
    ['exp', { $exp: decimal('1E-6143') }, decimal('1')],
    ['exp', { $exp: decimal('-1E+6144') }, decimal('0E-6176')],
    ['ln', { $ln: decimal('10') }, decimal('2.302585092994045684017991454684364')],
    ['ln', { $ln: decimal('1E-6176') }, decimal('-14220.76553433122614449511522413063')],
    ['log10', { $log10: decimal('9.999999999999999999999999999999999E+6144') }, decimal('6145')],
    ['log10', { $log10: decimal('2') }, decimal('0.3010299956639811952137388947244930')],
    ['log', { $log: [decimal('64'), 2] }, decimal('5.999999999999999999999999999999999')],
    ['sigmoid', { $sigmoid: decimal('-1') }, decimal('0.2689414213699951207488407581781638')],
    ['sigmoid', { $sigmoid: new Int32(0) }, new Double(0.5)],
    ['pow', { $pow: [decimal('9.999999999999999999999999999999999E+6144'), 1] }, decimal('Infinity')],
    ['pow', { $pow: [decimal('-Infinity'), -1] }, decimal('0E-6176')],
    ['pow', { $pow: [new Int32(1), new Double(Infinity)] }, new Double(1)],
    // Known to 34 digits.
    ['pow', { $pow: [decimal('2'), decimal('0.5')] }, decimal('1.414213562373095048801688724209698')],
    ['sin', { $sin: decimal('100') }, decimal('-0.5063656411097587936565576104597854')],
    ['cos', { $cos: decimal('3') }, decimal('-0.9899924966004454572715727947312613')],
    ['tan', { $tan: decimal('0.5') }, decimal('0.5463024898437905132551794657802854')],
    ['asin', { $asin: decimal('1') }, decimal('1.570796326794896619231321691639751')],
    ['acos', { $acos: decimal('-1') }, decimal('3.141592653589793238462643383279503')],
    ['atan', { $atan: decimal('-Infinity') }, decimal('-1.570796326794896619231321691639751')],
    ['atan2', { $atan2: [decimal('-1'), decimal('-2')] }, decimal('-2.677945044588987122248387151818289')],
    ['sinh', { $sinh: decimal('3') }, decimal('10.01787492740990189897459361946583')],
    ['cosh', { $cosh: decimal('-0.75') }, decimal('1.294683284676844687841708185390182')],
    ['tanh', { $tanh: decimal('0.5') }, decimal('0.4621171572600097585023184836436726')],
    ['asinh', { $asinh: decimal('-0.75') }, decimal('-0.6931471805599453094172321214581766')],
    ['acosh', { $acosh: decimal('2') }, decimal('1.316957896924816708625046347307968')],
    ['atanh', { $atanh: decimal('0.5') }, decimal('0.5493061443340548456976226184612628')],
    ['atanh', { $atanh: decimal('1') }, decimal('Infinity')],
    ['degreesToRadians', { $degreesToRadians: decimal('180') }, decimal('3.141592653589793238462643383279503')],
    // …/convert/: IEEE 754's numbers, the least byte first.
    ['toDouble', { $toDouble: Binary.createFromBase64('AACAPw==') }, new Double(1)],
    ['toDouble', { $toDouble: Binary.createFromBase64('AAAAAAAA+D8=') }, new Double(1.5)],
    ['pow', { $pow: [decimal('2'), new Int32(-1)] }, decimal(`0.5${'0'.repeat(33)}`)],
    ['percentile', { $percentile: { input: [10, Number.NaN, 30], p: [0.5], method: 'approximate' } }, [new Double(10)]],
    // …/toDate/, https://github.com/documentdb/functional-tests: white space around and between; an ObjectId's seconds are signed.
    ['toDate', { $toDate: '\0 2024-06-15\t12:30:45 Z\u00a0' }, new Date('2024-06-15T12:30:45Z')],
    ['toDate', { $toDate: '-0001-01-01T00:00:00Z' }, new Date('-000001-01-01T00:00:00Z')],
    ['toDate', { $toDate: new ObjectId(`ffffffff${'0'.repeat(16)}`) }, new Date(-1000)],
    ['year', { $year: new ObjectId(`80000000${'0'.repeat(16)}`) }, new Int32(1901)],
    // …/dateFromString/: names of months in any case; timelib counts the day of the year from 0.
    ['dateFromString', { $dateFromString: { dateString: 'jan 15 2020', format: '%b %d %Y' } }, new Date('2020-01-15')],
    ['dateFromString', { $dateFromString: { dateString: '2024 167', format: '%Y %j' } }, new Date('2024-06-16')],
    // The old subtype begins with its length. https://bsonspec.org/spec.html
    ['toLong', { $toLong: new Binary(new Uint8Array(), 2) }, Long.fromNumber(0)],
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
    ['toDate', { $toDate: '2019-02-29' }, 241],
    ['toDate', { $toDate: '\u20002024-06-15' }, 241],
    ['dateFromString', { $dateFromString: { dateString: '2017-02-08T12:10:40Z', timezone: 'Europe/Paris' } }, 241],
    ['dateFromString', { $dateFromString: { dateString: '2017-02-08T12:10:40', timezone: 'Z' } }, 40485],
    ['dateFromString', { $dateFromString: { dateString: '2017', format: '%Y' } }, 241],
    ['dateFromString', { $dateFromString: { dateString: '31-02-2017', format: '%d-%m-%Y' } }, 241],
    ['setEquals', { $setEquals: [] }, 17045],
    ['setEquals', { $setEquals: [[1], { a: 1 }] }, 5887502],
    ['setEquals', { $setEquals: [[1], '$none'] }, 17044],
  ])('$%s refuses: %j', async (_page, expression, code) => {
    const error: unknown = await value(expression).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MongoServerError);
    expect(Number(String((error as MongoServerError).code))).toBe(code);
  });

  // …/getField/, …/top/, …/bottomN/: the field is named, or sorted by, without a $.
  // …/group/: $first, $last, $push take the documents as they come, and $sort, $fill, $setWindowFields say how.
  it.each([
    { name: 'a sort', stages: [] },
    { name: 'a projection', stages: [{ $project: { g: 1, v: 1 } }] },
    { name: '$fill', stages: [{ $fill: { sortBy: { at: 1 }, output: { w: { method: 'locf' } } } }] },
    {
      name: '$setWindowFields',
      stages: [{ $setWindowFields: { sortBy: { at: 1 }, output: { n: { $documentNumber: {} } } } }],
    },
    { name: 'a decimal in the key', stages: [{ $set: { g: { $toDecimal: '$g' } } }] },
  ])('$group meets its documents in their order after $name', async ({ stages }) => {
    const rows = Array.from({ length: 300 }, (_, i) => ({ _id: (i * 7) % 300, at: i, g: (i * i) % 5, v: i }));
    await db.collection<Document & { _id: number }>('c').insertMany(rows);
    const groups = await c
      .aggregate([
        { $sort: { at: 1 } },
        ...stages,
        {
          $group: {
            _id: '$g',
            all: { $push: '$v' },
            first: { $first: '$v' },
            last: { $last: '$v' },
            two: { $firstN: { input: '$v', n: 2 } },
            ends: { $lastN: { input: '$v', n: 2 } },
            merged: { $mergeObjects: { v: '$v' } },
          },
        },
      ])
      .toArray();
    expect(groups).toHaveLength(3);
    for (const { _id, all, first, last, two, ends, merged } of groups) {
      const expected = rows.filter(({ g }) => g === Number(String(_id))).map(({ v }) => v);
      expect({ all, first, last, two, ends, merged }).toEqual({
        all: expected,
        first: expected[0],
        last: expected.at(-1),
        two: expected.slice(0, 2),
        ends: expected.slice(-2),
        merged: { v: expected.at(-1) },
      });
    }
  });

  it('$group reads fields that no path names', async () => {
    await c.insertMany([
      { _id: 1 as never, player: 'Ann', game: 'G1', score: 1 },
      { _id: 2 as never, player: 'Bo', game: 'G2', score: 7 },
    ]);
    const grouped = async (stage: Document): Promise<Document[]> =>
      c.aggregate([{ $group: stage }, { $sort: { _id: 1 } }]).toArray();
    expect(await grouped({ _id: { $getField: 'game' } })).toEqual([{ _id: 'G1' }, { _id: 'G2' }]);
    expect(await grouped({ _id: null, x: { $top: { output: '$player', sortBy: { score: -1 } } } })).toEqual([
      { _id: null, x: 'Bo' },
    ]);
    expect(await grouped({ _id: null, x: { $bottomN: { n: 1, output: '$player', sortBy: { score: -1 } } } })).toEqual([
      { _id: null, x: ['Ann'] },
    ]);
  });

  // …/linearFill/: between a decimal and another number lies a decimal.
  // https://github.com/documentdb/functional-tests: core/operator/accumulators, expressions/type, stages/bucketAuto
  it('accumulators join arrays, binary data and hexadecimals are numbers, what has no granularity is refused', async () => {
    await c.insertMany([{ v: [1, 2] }, { v: [2, 3] }, {}] as Document[]);
    const joined = { _id: null, all: { $concatArrays: '$v' }, once: { $setUnion: '$v' } };
    expect(await c.aggregate([{ $sort: { _id: 1 } }, { $group: joined }]).toArray()).toEqual([
      { _id: null, all: [1, 2, 2, 3], once: [1, 2, 3] },
    ]);
    const numbers = { low: { $toLong: Binary.createFromBase64('AIA=') }, hex: { $toDouble: '-0x1.8p1' } };
    expect(await db.aggregate([{ $documents: [numbers] }]).toArray()).toEqual([{ low: -32_768, hex: -3 }]);
    for (const [x, code] of [
      ['a', 40258],
      [Number.NaN, 40259],
      [-Infinity, 40260],
      [Infinity, 238],
    ] as const) {
      const stage = { $bucketAuto: { groupBy: { $literal: x }, buckets: 1, granularity: 'POWERSOF2' } };
      await expect(c.aggregate([stage]).toArray()).rejects.toMatchObject({ code });
    }
    const [whole, scaled] = [await db.command({ collStats: 'c' }), await db.command({ collStats: 'c', scale: 10 })];
    expect(scaled).toMatchObject({ size: Math.floor(whole['size'] / 10), scaleFactor: 10 });
  });
  it('$linearFill of decimals gives decimals', async () => {
    await c.insertMany([{ _id: 2 as never, m: decimal('-1') }, { _id: 3 as never }, { _id: 6 as never, m: 4 }]);
    const [, between] = await c
      .aggregate([{ $setWindowFields: { sortBy: { _id: 1 }, output: { m: { $linearFill: '$m' } } } }])
      .toArray();
    expect(between).toEqual({ _id: 3, m: decimal('0.25') });
  });

  // …/addFields/: a path through an array sets the field of each element.
  it('$addFields evaluates nothing for an array without elements', async () => {
    await c.insertOne({ _id: 1 as never, q: [] });
    const stage = { $addFields: { 'q.x': { $in: [1, '$none'] } } };
    expect(await c.aggregate([stage]).toArray()).toEqual([{ _id: 1, q: [] }]);
    await c.updateOne({}, { $set: { q: [{}] } });
    await expect(c.aggregate([stage]).toArray()).rejects.toMatchObject({ code: 40081 });
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

  // …/bucketAuto/ and https://github.com/documentdb/functional-tests: stages/bucketAuto
  it.each<[string, unknown[], Document, unknown[][]]>([
    ['earlier buckets take what is over', [1, 2, 3, 4, 5, 6, 7], { buckets: 2 }, [[1, 5, 4], [5, 7, 3]]],
    ['equal values stay together', [1, 1, 2, 2], { buckets: 4 }, [[1, 2, 2], [2, 2, 2]]],
    ['types stay', [decimal('1'), Long.fromNumber(3), 2.5, 5], { buckets: 2 }, [[decimal('1'), Long.fromNumber(3), 2], [Long.fromNumber(3), 5, 2]]],
    ['null and missing are one', [null, undefined, 5], { buckets: 2 }, [[null, 5, 2], [5, 5, 1]]],
    ['R5', [1, 10, 100, 1000], { buckets: 3, granularity: 'R5' }, [[0.63, 1.6, 1], [1.6, 16, 1], [16, 1600, 2]]],
    ['1-2-5', [1, 10, 100, 1000], { buckets: 3, granularity: '1-2-5' }, [[0.5, 2, 1], [2, 20, 1], [20, 2000, 2]]],
    ['POWERSOF2', [1, 10, 100, 1000], { buckets: 3, granularity: 'POWERSOF2' }, [[0.5, 2, 1], [2, 16, 1], [16, 1024, 2]]],
    ['E192', [0, 0.8, 92.1], { buckets: 3, granularity: 'E192' }, [[0, 0.796, 1], [0.796, 0.806, 1], [0.806, 93.10000000000001, 1]]],
    ['decimals', [decimal('1'), decimal('3')], { buckets: 2, granularity: 'E6' }, [[decimal('0.68'), decimal('1.5'), 1], [decimal('1.5'), decimal('3.3'), 1]]],
  ])('$bucketAuto: %s', async (_name, values, spec, wanted) => {
    await c.insertMany(values.map((x, i) => ({ _id: i as never, ...(x !== undefined && { x }) })));
    const rows = await c.aggregate([{ $bucketAuto: { groupBy: '$x', ...spec } }], { promoteLongs: false }).toArray();
    const typedRows = rows.map(({ _id, count }) => typed([_id.min, _id.max, Number(count)]));
    expect(typedRows).toEqual(wanted.map((row) => typed(row)));
  }); // prettier-ignore

  // …/densify/, its examples, and what MongoDB's jstests/aggregation/sources/densify ask
  it.each<[string, Document[], Document, Document[]]>([
    [
      'dates between bounds, the upper one left out',
      [{ t: new Date('2021-05-18T00:00:00Z') }, { t: new Date('2021-05-18T04:00:00Z') }],
      { field: 't', range: { step: 1, unit: 'hour', bounds: [new Date('2021-05-18T00:00:00Z'), new Date('2021-05-18T08:00:00Z')] } },
      [0, 1, 2, 3, 4, 5, 6, 7].map((hour) => ({ t: new Date(Date.UTC(2021, 4, 18, hour)) })),
    ],
    [
      'all partitions between the least and the greatest of all',
      [{ v: 'A', a: 600 }, { v: 'A', a: 750 }, { v: 'B', a: 950 }, { v: 'B', a: 700 }],
      { field: 'a', partitionByFields: ['v'], range: { bounds: 'full', step: 200 } },
      [[ 'A', 600 ], ['B', 600], ['B', 700], ['A', 750], ['B', 800], ['B', 950], ['A', 800]].map(([v, a]) => ({ v, a })),
    ],
    [
      'each partition between its own',
      [{ v: 'A', a: 600 }, { v: 'A', a: 1100 }, { v: 'B', a: 950 }, { v: 'B', a: 1000 }],
      { field: 'a', partitionByFields: ['v'], range: { bounds: 'partition', step: 200 } },
      [['A', 600], ['A', 800], ['A', 1000], ['A', 1100], ['B', 950], ['B', 1000]].map(([v, a]) => ({ v, a })),
    ],
    [
      'bounds for each partition, with what lies outside',
      [{ v: 'A', a: -5 }, { v: 'A', a: 1 }, { v: 'B', a: 9 }, { v: 'B' }],
      { field: 'a', partitionByFields: ['v'], range: { bounds: [0, 3], step: 1 } },
      [{ v: 'A', a: -5 }, { v: 'A', a: 0 }, { v: 'A', a: 1 }, { v: 'B' }, ...[0, 1, 2].map((a) => ({ v: 'B', a })), { v: 'B', a: 9 }, { v: 'A', a: 2 }],
    ],
    ['bounds without a document', [], { field: 'n', range: { step: 1, bounds: [1, 3] } }, [{ n: 1 }, { n: 2 }]],
    ['steps off which documents lie', [{ n: 0 }, { n: 2.5 }, { n: 5 }], { field: 'n', range: { step: 2, bounds: 'full' } }, [0, 2, 2.5, 4, 5].map((n) => ({ n }))],
    ['decimals', [{ n: decimal('0.1') }, { n: decimal('0.3') }], { field: 'n', range: { step: decimal('0.1'), bounds: 'full' } }, ['0.1', '0.2', '0.3'].map((n) => ({ n: decimal(n) }))],
    [
      'integers beyond 2^53',
      [{ n: Long.fromString('9007199254740993') }, { n: Long.fromString('9007199254740995') }],
      { field: 'n', range: { step: 1, bounds: 'full' } },
      [3, 4, 5].map((n) => ({ n: Long.fromString(`900719925474099${n}`) })),
    ],
    [
      'months, whose days may be fewer',
      [{ d: { t: new Date('2024-01-31') } }, { d: { t: new Date('2024-04-01') } }],
      { field: 'd.t', range: { step: 1, unit: 'month', bounds: 'full' } },
      ['2024-01-31', '2024-02-29', '2024-03-29', '2024-04-01'].map((t) => ({ d: { t: new Date(t) } })),
    ],
  ])('$densify: %s', async (_name, docs, spec, wanted) => {
    if (docs.length > 0) await c.insertMany(docs.map((d, i) => ({ _id: i as never, ...d })));
    const rows = await c.aggregate([{ $unset: '_id' }, { $densify: spec }], { promoteLongs: false }).toArray();
    expect(rows.map((d) => typed(d))).toEqual(wanted.map((d) => typed(d)));
  }); // prettier-ignore

  // …/setWindowFields/, …/covariancePop/, …/expMovingAvg/; https://github.com/documentdb/functional-tests: core/operator/window
  it.each<[string, unknown[], Document, unknown[]]>([
    ['dates within a month', ['2023-01-31', '2023-02-28', '2023-03-28'], { $sum: 1, window: { range: [-1, 0], unit: 'month' } }, [1, 2, 2]],
    ['numbers in a range', [0, 1, 5], { $push: '$_id', window: { range: [-1, 1] } }, [[0, 1], [0, 1], [2]]],
    ['what has no end while it is in a sliding window', [Infinity, 10, 20], { $stdDevSamp: '$x', window: { documents: [-1, 0] } }, [null, null, 7.0710678118654755]],
    ['one number in a sliding window', [2.5], { $stdDevPop: '$x', window: { documents: [0, 0] } }, [0]],
    ['what has no end in a growing window', [Infinity, 10], { $stdDevPop: '$x', window: { documents: ['unbounded', 'current'] } }, [Number.NaN, Number.NaN]],
    ['covariancePop', [1, 2, 3], { $covariancePop: ['$x', '$_id'], window: { documents: ['unbounded', 'current'] } }, [0, 0.25, 2 / 3]],
    ['covarianceSamp', [1, 2, 'x', 3], { $covarianceSamp: ['$x', '$_id'] }, [1.5, 1.5, 1.5, 1.5]],
    ['covariance of decimals', [decimal('1'), decimal('3')], { $covariancePop: ['$x', '$x'] }, [decimal('1'), decimal('1')]],
    ['covariance without an end', [1, -Infinity, 2], { $covariancePop: ['$x', '$_id'] }, [-Infinity, -Infinity, -Infinity]],
    ['derivative', ['2023-01-01T00:00:00Z', '2023-01-01T01:00:00Z', '2023-01-01T03:00:00Z'], { $derivative: { input: '$_id', unit: 'hour' }, window: { range: [-1, 0], unit: 'hour' } }, [null, (1 / 3_600_000) * 3_600_000, null]],
    ['integral', ['2023-01-01T00:00:00Z', '2023-01-01T01:00:00Z', '2023-01-01T03:00:00Z'], { $integral: { input: '$_id', unit: 'hour' }, window: { range: ['unbounded', 'current'], unit: 'hour' } }, [0, 0.5, 3.5]],
    ['derivative of decimals', [decimal('1'), decimal('2.5')], { $derivative: { input: '$x' }, window: { documents: [-1, 0] } }, [null, decimal('1.5')]],
    ['expMovingAvg', [13, 15.4, 12], { $expMovingAvg: { input: '$x', N: 2 } }, [13, 14.6, 12.866666666666667]],
    ['expMovingAvg of decimals', [decimal('1'), decimal('2')], { $expMovingAvg: { input: '$x', alpha: 0.5 } }, ['1', '1.500000000000000'].map(decimal)],
  ])('a window: %s', async (_name, values, spec, wanted) => {
    const dates = values.map((x) => (typeof x === 'string' && x.length > 1 ? new Date(x) : x));
    await c.insertMany(dates.map((x, i) => ({ _id: i as never, x })));
    const sortBy = 'window' in spec && 'range' in spec['window'] ? { x: 1 } : { _id: 1 };
    const rows = await c.aggregate([{ $setWindowFields: { sortBy, output: { r: spec } } }]).toArray();
    expect(rows.map((d) => typed([d['r']]))).toEqual(wanted.map((r) => typed([r])));
  }); // prettier-ignore

  // https://github.com/documentdb/functional-tests: …/test_accumulator_max_stage_divergence: of equal values the last after a scan.
  it('$min and $max of equal values', async () => {
    await c.insertMany([new Int32(5), Long.fromNumber(5), decimal('5.0')].map((x, i) => ({ _id: i as never, x })));
    const r = { $min: '$x' };
    const [scanned, later, auto] = await Promise.all(
      [
        [{ $group: { _id: null, r } }],
        [{ $unset: 'y' }, { $group: { _id: null, r: { $max: '$x' } } }],
        [{ $bucketAuto: { groupBy: { $literal: 0 }, buckets: 1, output: { r } } }],
      ].map(async (stages) => (await c.aggregate(stages, { promoteValues: false }).toArray())[0]?.['r']),
    );
    expect([scanned, later, auto].map((v) => typed([v]))).toEqual([decimal('5.0'), 5, 5].map((v) => typed([v])));
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
});
