import { describe } from '@jest/globals';
import { Binary, Decimal128, type Document, Double } from 'bson';
import { type Case, refuses } from './refused.js';

const stage = (name: string, spec: unknown, code: number): Case => [
  `${name} ${JSON.stringify(spec)}`,
  { aggregate: 'c', pipeline: [{ [name]: spec }], cursor: {} },
  code,
];
const stages = (name: string, rows: readonly (readonly [spec: unknown, code: number])[]): Case[] =>
  rows.map(([spec, code]) => stage(name, spec, code));
const expressions = (rows: readonly (readonly [expression: Document, code: number])[]): Case[] =>
  rows.map(([x, code]) => [JSON.stringify(x), { aggregate: 'c', pipeline: [{ $addFields: { x } }], cursor: {} }, code]);

// https://github.com/documentdb/functional-tests: compatibility/tests/core/operator/stages
describe('a stage', () => {
  refuses('is refused where its argument can not be', [
    ...stages('$count', [
      [1, 40156],
      ['', 40157],
      ['$a', 40158],
      ['a\0b', 40159],
      ['.\0', 40159],
      ['a.b', 40160],
      ['_id', 9039800],
    ]),
    ...stages('$limit', [
      [0, 15958],
      [-1, 5107201],
      [new Double(1e308), 5107201],
      [Decimal128.fromString('1E-6176'), 5107201],
    ]),
    ...stages('$skip', [
      [-1, 5107200],
      [new Double(2 ** 63), 5107200],
      ['1', 5107200],
    ]),
    ...stages('$project', [
      [{ a: 0, b: '$a' }, 31310],
      [{ a: 0, b: null }, 31310],
      [{ a: 0, b: { $add: [1, 2] } }, 31252],
      [{ a: { $foo: 1 } }, 31325],
      [{ 'a.$': 1 }, 31324],
      [{ $: 1 }, 16410],
    ]),
    ...stages('$sort', [
      [{ a: { x: 1 } }, 17312],
      [Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`f${i}`, 1])), 13103],
    ]),
    ...stages('$sample', [[{ size: 0 }, 28747]]),
    ...['$group', '$bucketAuto'].flatMap((name) =>
      stages(
        name,
        [['$v'], []].map((v) => {
          const x = { $avg: v };
          return [name === '$group' ? { _id: null, x } : { groupBy: '$v', buckets: 1, output: { x } }, 40237] as const;
        }),
      ),
    ),
    ...stages('$merge', [[{ into: 't', whenMatched: [], let: { 'a-b': 1 } }, 9]]),
    ...stages('$lookup', [[{ from: 't', pipeline: [], as: 'x', let: { 'a b': 1 } }, 9]]),
    ...stages('$setWindowFields', [
      [{ sortBy: { a: 1 }, output: { x: { $rank: {}, $sum: 1 } } }, 5371601],
      [{ output: { x: { $rank: {} } } }, 5371602],
      [{ sortBy: { a: 1 }, output: { x: { $rank: 1 } } }, 5371603],
    ]),
    ...stages('$unwind', [
      ['', 28812],
      ['$', 16872],
    ]),
    ...stages('$replaceRoot', [[{}, 40414]]),
    ...stages('$bucket', [
      [{ groupBy: '$a', boundaries: ['$a', 5] }, 40191],
      [{ groupBy: '$a', boundaries: [1, 5], default: '$a' }, 40195],
      [{ groupBy: '$a', boundaries: [1, 5], output: { _id: { $sum: 1 } } }, 15948],
    ]),
    ...stages('$bucketAuto', [
      [1, 40240],
      [{}, 40246],
      [{ groupBy: '$a', buckets: 2, extra: 1 }, 40245],
      [{ groupBy: 1, buckets: 2 }, 40239],
      [{ groupBy: '$a', buckets: 'x' }, 40241],
      [{ groupBy: '$a', buckets: new Double(1.5) }, 40242],
      [{ groupBy: '$a', buckets: 0 }, 40243],
      [{ groupBy: '$a', buckets: 2, output: 1 }, 40244],
      [{ groupBy: '$a', buckets: 2, granularity: 'x' }, 40257],
      [{ groupBy: '$a', buckets: 2, granularity: 1 }, 40261],
    ]),
    ...stages('$densify', [
      [1, 9],
      [{ field: 'a' }, 40414],
      [{ field: 'a', range: { bounds: 'full' } }, 40414],
      [{ foo: 1 }, 40415],
    ]),
    ...stages('$facet', [
      [{ $a: [] }, 16410],
      [{ 'a.b': [] }, 16412],
      [{ '': [] }, 15998],
      [{ a: [1] }, 40171],
      [{ a: [{ $geoNear: {} }] }, 40600],
    ]),
    ...stages('$lookup', [
      [{ from: 'x', pipeline: [], let: 1, as: 'c' }, 14],
      [{ from: 'x', pipeline: [], let: { Ax: 1 }, as: 'c' }, 9],
      [{ from: 'x', localField: '$a', foreignField: 'b', as: 'c' }, 16410],
      [{ from: 'x', localField: 'a', foreignField: 'b', as: '' }, 40352],
    ]),
    ...stages('$unionWith', [
      [1, 9],
      [{ coll: 'x', pipeline: [{ $out: 'y' }] }, 31441],
    ]),
    ...stages('$collStats', [
      [1, 5447000],
      [{ foo: {} }, 40415],
      [{ count: { a: 1 } }, 31170],
    ]),
    ...stages('$indexStats', [[{ a: 1 }, 28803]]),
    [
      '1,001 stages',
      { aggregate: 'c', pipeline: Array.from({ length: 1001 }, () => ({ $limit: 1 })), cursor: {} },
      7749501,
    ],
    ['$documents of a collection', { aggregate: 'c', pipeline: [{ $documents: [] }], cursor: {} }, 73],
  ]);

  refuses('that writes is refused where it can not', [
    ...stages('$out', [
      [1, 16990],
      [{ coll: 't' }, 40414],
      [{ db: 'test', coll: null }, 40414],
      [{ db: 1, coll: 't' }, 14],
      [{ db: 'test', coll: 't', extra: 'x' }, 40415],
      ['', 73],
      ['system.users', 17385],
      [{ db: 'admin', coll: 't' }, 31321],
    ]),
    ...stages('$merge', [
      [1, 51182],
      [{}, 40414],
      [{ into: 1 }, 51178],
      [{ into: '' }, 5786800],
      [{ into: 'system.x' }, 31319],
      [{ into: { db: 'admin', coll: 'x' } }, 31320],
      [{ into: 'x', on: 1 }, 51186],
      [{ into: 'x', on: ['a', 'a'] }, 31465],
      [{ into: 'x', whenMatched: 1 }, 51191],
      [{ into: 'x', whenMatched: 'fail', whenNotMatched: 'discard' }, 51181],
      [{ into: 'x', let: { new: 1 }, whenMatched: [] }, 51273],
    ]),
    [
      '$out that reads linearizable',
      { aggregate: 'c', pipeline: [{ $out: 't' }], cursor: {}, readConcern: { level: 'linearizable' } },
      72,
    ],
  ]);
});

// The same, compatibility/tests/core/operator/expressions; the codes are those of framework/error_codes.py
describe('an expression', () => {
  refuses('is refused where an argument can not be', [
    ...expressions([
      [{ $split: ['x', 1] }, 10503900],
      [{ $indexOfBytes: [1, 'x'] }, 40091],
      [{ $indexOfArray: [[1], 1, -1] }, 9711601],
      [{ $replaceOne: { input: 1, find: 'x', replacement: 'y' } }, 10503904],
      [{ $regexMatch: { input: 'x', regex: '(' } }, 51111],
      [{ $regexMatch: { input: 'x', regex: 'a\0b' } }, 51109],
      [{ $filter: { input: [1], cond: true, limit: 0 } }, 327392],
      [{ $setEquals: [[1]] }, 17045],
      [{ $sortArray: { input: [], sortBy: {} } }, 2942505],
      [{ $sortArray: { input: [], sortBy: 2 } }, 2942506],
      [{ $dateTrunc: { date: new Date(0), unit: 'week', startOfWeek: 'x' } }, 5439016],
      [{ $rand: 1 }, 3040501],
      [{ $mod: [1, Decimal128.fromString('0')] }, 5733415],
      [{ $percentile: { input: [1], p: 0.5, method: 'approximate' } }, 7750301],
      [{ $percentile: { input: [1], p: ['x'], method: 'approximate' } }, 7750302],
      [{ $percentile: { input: [1], p: [1.5], method: 'approximate' } }, 7750303],
      [{ $arrayToObject: { $literal: [['a\0b', 1]] } }, 4940400],
      [{ $arrayToObject: { $literal: [{ k: 'a\0b', v: 1 }] } }, 4940401],
      [{ $indexOfArray: [[1], 1, new Double(2 ** 31)] }, 9711600],
      [{ $indexOfCP: ['a', 'a', new Double(-(2 ** 31) - 1)] }, 40096],
      [{ $dateAdd: { startDate: new Date(0), unit: 1, amount: 1 } }, 5439013],
      [{ $regexFind: { input: 1, regex: 1 } }, 51105],
      [{ $regexFind: { input: null, regex: '[' } }, 51111],
      [{ $setField: { field: 'x' } }, 4161103],
      [{ $setField: { field: 1, input: {}, value: 1 } }, 4161107],
      [{ $setField: { field: '$x', input: {}, value: 1 } }, 4161108],
      [{ $toDecimal: '1E+6145' }, 241],
      [{ $toDouble: '1e-400' }, 241],
      [{ $toDouble: '0x1p0' }, 241],
      [{ $toInt: new Binary(Buffer.alloc(8)) }, 241],
      [{ $toInt: [1, 2] }, 50723],
      [{ $toUUID: 'x' }, 241],
      [{ $toUUID: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa' }, 0],
    ]),
    ['a variable without a name', { aggregate: 'c', pipeline: [{ $addFields: { x: '$$' } }], cursor: {} }, 16867],
  ]);
});
