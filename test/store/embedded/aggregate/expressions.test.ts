import { EJSON } from 'bson';
import { describe, expect, it } from '@jest/globals';
import {
  Binary,
  Code,
  type Collection,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MongoServerError,
  ObjectId,
  Timestamp,
} from 'mongodb';
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
    // A decimal less than any double is none all the same.
    ['divide', { $divide: [decimal('1'), decimal('1E-400')] }, decimal('1E+400')],
    ['mod', { $mod: [decimal('3E-400'), decimal('2E-400')] }, decimal('1E-400')],
    ['cond', { $cond: [decimal('1E-6176'), 1, 2] }, new Int32(1)],
    ['toBool', { $toBool: decimal('1E-6176') }, true],
    ['mod', { $mod: [new Int32(-7), new Int32(3)] }, new Int32(-1)],
    // A list within an element is one value, above every number.
    ['sortArray', { $sortArray: { input: [{ a: [5, 1] }, { a: 2 }], sortBy: { a: 1 } } }, [{ a: 2 }, { a: [5, 1] }]],
    ['round', { $round: [new Double(2.5)] }, new Double(2)],
    ['round', { $round: [new Double(1234.5678), new Int32(2)] }, new Double(1234.57)],
    ['round', { $round: [decimal('1.5'), new Int32(2)] }, decimal('1.50')],
    // IEEE 754: a result of 0 has the sign of the quotient, of the dividend, of what was rounded.
    ['round', { $round: [decimal('-1'), new Int32(-1)] }, decimal('-0E+1')],
    ['mod', { $mod: [decimal('-4'), new Int32(2)] }, decimal('-0')],
    ['divide', { $divide: [decimal('0'), new Int32(-1)] }, decimal('-0')],
    ['sum', { $sum: [decimal('1E+1')] }, decimal('10')],
    ['trunc', { $trunc: [new Double(1234.5678), new Int32(-2)] }, new Double(1200)],
    // …/functional-tests, test_trunc_places: by the digits that the double has.
    ['trunc', { $trunc: [new Double(0.29), new Int32(2)] }, new Double(0.28)],
    ['trunc', { $trunc: [decimal('0.29'), new Int32(2)] }, decimal('0.29')],
    ['round', { $round: [new Double(1.015), new Int32(2)] }, new Double(1.01)],
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
    ['setUnion', { $setUnion: [null, { $concat: ['$_id'] }] }, null],
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
    ['indexOfArray', { $indexOfArray: [null, { $concat: ['$_id'] }] }, null],
    ['indexOfCP', { $indexOfCP: [null, { $concat: ['$_id'] }] }, null],
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
    ['getField', { $getField: { field: { $concat: ['_', 'id'] }, input: '$$ROOT' } }, new Int32(1)],
    // https://github.com/documentdb/functional-tests, core/operator/expressions/string: what a number or a clock is as a text
    ...(
      [
        [new Double(1e6), '1e+06'],
        [new Double(9007199254740991), '9.0072e+15'],
        [new Double(3.14), '3.14'],
        [new Double(100), '100'],
        [new Double(1e-10), '1e-10'],
        [new Double(0.0001), '0.0001'],
        [new Double(-0), '-0'],
        [new Double(Number.NaN), 'nan'],
        [new Double(-Infinity), '-inf'],
        [decimal('1.0'), '1.0'],
        [Timestamp.fromBits(42, 1704067200), 'Jan  1 00:00:00:42'],
        [Timestamp.fromBits(1, 1721500800), 'Jul 20 18:40:00:1'],
      ] as const
    ).map(([v, text]): [string, unknown, unknown] => ['substr', { $substr: [v, 0, -1] }, text]),
    // …/string/substrBytes: a double is cut, a decimal rounded to the even one; one that is no 64-bit number is the least.
    ...(
      [
        [new Double(1.9), 3, 'ell'],
        [decimal('1.5'), 3, 'llo'],
        [decimal('2.5'), 3, 'llo'],
        [decimal('-0.5'), 5, 'hello'],
        [2, decimal('NaN'), 'llo'],
        [0, decimal('1E+6144'), 'hello'],
      ] as const
    ).map(([at, n, text]): [string, unknown, unknown] => ['substrBytes', { $substrBytes: ['hello', at, n] }, text]),
    // …/string/indexOfBytes, replaceAll, regexFindAll
    ['indexOfBytes', { $indexOfBytes: ['hello', '', 4, 2] }, new Int32(-1)],
    ['replaceAll', { $replaceAll: { input: 'a😀', find: '', replacement: '-' } }, '-a-😀-'],
    [
      'regexFindAll',
      { $regexFindAll: { input: '日🎉', regex: '' } },
      [0, 1].map((idx) => ({ match: '', idx: new Int32(idx), captures: [] })),
    ],
    [
      'regexFindAll',
      { $regexFindAll: { input: 'ab', regex: 'b*' } },
      [
        { match: '', idx: new Int32(0), captures: [] },
        { match: 'b', idx: new Int32(1), captures: [] },
      ],
    ],
    [
      'regexFindAll',
      { $regexFindAll: { input: 'ab', regex: 'x|$' } },
      [{ match: '', idx: new Int32(2), captures: [] }],
    ],
    ['toDecimal', { $toDecimal: `${'0'.repeat(10_000)}1` }, decimal('1')],
    // https://github.com/documentdb/functional-tests, arithmetic, accumulator, array of core/operator/expressions.
    ['add', { $add: [new Double(1e308), new Double(1e308)] }, new Double(Infinity)],
    ['add', { $add: [new Double(1.5), decimal('2.5')] }, decimal('4.00000000000000')],
    ['sum', { $sum: [new Double(-1e308), new Double(-1e308), new Double(1e308)] }, new Double(-Infinity)],
    ['sum', { $sum: [new Double(4), decimal('6.0')] }, decimal('10.0')],
    ['sum', { $sum: [decimal('1E+6144'), decimal('-1E+6144')] }, decimal('0')],
    ['avg', { $avg: [new Double(3.14), decimal('0')] }, decimal('1.570000000000000062172489379008766')],
    ['avg', { $avg: [Long.MAX_VALUE, Long.MIN_VALUE] }, new Double(0)],
    ['divide', { $divide: [decimal('1E-6176'), new Int32(2)] }, decimal('0E-6176')],
    ['divide', { $divide: [new Int32(-1), decimal('Infinity')] }, decimal('-0E-6176')],
    ['mod', { $mod: [new Int32(10), decimal('NaN')] }, decimal('NaN')],
    ['mod', { $mod: [new Int32(10), new Double(2 ** 40)] }, new Double(10)],
    ['pow', { $pow: [new Int32(-1), Long.MAX_VALUE] }, Long.fromNumber(-1)],
    ['pow', { $pow: [new Int32(-1), new Int32(-1)] }, new Int32(-1)],
    ['floor', { $floor: decimal('1E+33') }, decimal(`1${'0'.repeat(33)}`)],
    ['ceil', { $ceil: decimal('1E+34') }, decimal('NaN')],
    ['floor', { $floor: decimal('-Infinity') }, decimal('NaN')],
    ['ln', { $ln: decimal('NaN') }, new Double(NaN)],
    ['log', { $log: [new Int32(10), decimal('NaN')] }, new Double(NaN)],
    ['log', { $log: [decimal('Infinity'), decimal('Infinity')] }, decimal('NaN')],
    ['round', { $round: [new Double(5.7), '$none'] }, null],
    [
      'sortArray',
      { $sortArray: { input: { $literal: [{ $a: [3, 1] }, { $a: [2] }] }, sortBy: { $a: 1 } } },
      [{ $a: [2] }, { $a: [3, 1] }],
    ],
  ])('$%s: %j', async (_page, expression, wanted) => {
    expect(await value(expression)).toBe(typed(wanted));
  });

  it.each<[page: string, expression: unknown, code: number]>([
    ['divide', { $divide: [1, 0] }, 2],
    ['mod', { $mod: [1, 0] }, 16610],
    ['sortArray', { $sortArray: { input: [], sortBy: { a: 2 } } }, 2942505],
    ['sortArray', { $sortArray: { input: [], sortBy: { 'a.': 1 } } }, 2942505],
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
      40069,
    ],
    [
      'switch',
      {
        $switch: {
          branches: [
            Object.fromEntries([
              ['case', '$none'],
              // oxlint-disable-next-line unicorn/no-thenable -- MongoDB's own name
              ['then', 1],
            ]),
          ],
        },
      },
      40066,
    ],
    // https://github.com/documentdb/functional-tests, conditional/ifNull: constants are evaluated although nobody asks for them.
    ['ifNull', { $ifNull: ['$_id', { $divide: [1, 0] }] }, 2],
    ['and', { $and: ['$none', { $concat: [1] }] }, 16702],
    // …/misc/let, getField, rand, …/object/unsetField
    ...['a.b', 'a-b', 'a$b', '1a', '_a', 'Ab', ''].map((name): [string, unknown, number] => [
      'let',
      { $let: { vars: { [name]: 1 }, in: 1 } },
      9,
    ]),
    ['map', { $map: { input: [], as: 'a-b', in: 1 } }, 9],
    ['let', { $let: { vars: [1], in: 1 } }, 9],
    ['let', { $let: { vars: { a: 1 }, in: '$$' } }, 9],
    ['let', { $let: { vars: { a: 1 }, in: '$$a..b' } }, 15998],
    ['let', { $let: { vars: { a: 1 }, in: '$$a.$b' } }, 16410],
    ['let', { $let: { vars: { a: 1 }, in: '$$a.' } }, 40353],
    ['getField', { $getField: { field: 'a' } }, 3041703],
    ['getField', { $getField: '$_id' }, 3041704],
    ['getField', { $getField: { field: null, input: {} } }, 3041704],
    ['rand', { $rand: 1 }, 10065],
    ['rand', { $rand: { a: 1 } }, 3040501],
    ['unsetField', { $unsetField: { field: '$x', input: { $x: 1 } } }, 168],
    // …/date/dateTrunc, …/string
    ['dateFromParts', { $dateFromParts: { isoWeekYear: 2017, month: 2 } }, 40525],
    ['dateTrunc', { $dateTrunc: { date: 1, unit: 'day' } }, 5166307],
    ['substrBytes', { $substrBytes: ['hello', new Double(Number.NaN), 1] }, 31109],
    ['substrBytes', { $substrBytes: ['hello', 0, new Double(1e20)] }, 31109],
    ['substrBytes', { $substrBytes: ['hello', Decimal128.fromString('Infinity'), 1] }, 50752],
    ['substrBytes', { $substrBytes: ['café', 0, Decimal128.fromString('3.5')] }, 28657],
    ['toUpper', { $toUpper: new Code('f', { x: 1 }) }, 16007],
    ['regexMatch', { $regexMatch: { input: 'a', regex: 'a', options: 'i\0m' } }, 51110],
    ['concat', { $concat: ['a'.repeat(2 ** 23), 'a'.repeat(2 ** 23)] }, 16493],
    ['toInt', { $toInt: '1'.repeat(2 ** 24) }, 16493],
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
    ['round', { $round: [Long.MAX_VALUE, -1] }, 51080],
    ['round', { $round: [1, '2'] }, 16004],
    ['trunc', { $trunc: [1, NaN] }, 31109],
    ['trunc', { $trunc: [1, decimal('NaN')] }, 51082],
    ['round', { $round: [1, new Double(2 ** 40)] }, 51082],
    ['bitAnd', { $bitAnd: [new Timestamp({ t: 1, i: 1 }), 1] }, 14],
    ['bitNot', { $bitNot: new Timestamp({ t: 1, i: 1 }) }, 14],
    ['arrayElemAt', { $arrayElemAt: [[1], Long.MAX_VALUE] }, 28691],
    ['slice', { $slice: [[1], new Double(2 ** 31)] }, 28726],
    ['slice', { $slice: [[1], 0, Long.MIN_VALUE] }, 28728],
    ['filter', { $filter: { input: [1], cond: true, limit: new Double(2 ** 31) } }, 327391],
    ['map', { $map: { input: [1], as: 'a-b', in: 1 } }, 9],
    ['let', { $let: { vars: { 'a b': 1 }, in: 1 } }, 9],
    ['sortArray', { $sortArray: { input: [], sortBy: { a: 2 } } }, 2942505],
  ])('$%s refuses: %j', async (_page, expression, code) => {
    const error: unknown = await value(expression).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MongoServerError);
    expect(Number(String((error as MongoServerError).code))).toBe(code);
  });
});
