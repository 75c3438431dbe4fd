import { describe } from '@jest/globals';
import { Binary, Code, Decimal128, type Document, Double, Long, MinKey } from 'bson';
import { type Case, refuses } from './refused.js';

const stage = (name: string, spec: unknown, code: number): Case => [
  `${name} ${JSON.stringify(spec)}`,
  { aggregate: 'c', pipeline: [{ [name]: spec }], cursor: {} },
  code,
];
/** A path, or a document, of so many parts. */
const path = (n: number): string => Array.from({ length: n }, () => 'a').join('.');
const nested = (n: number): Document =>
  Array.from({ length: n }).reduce<Document>((inner) => ({ a: inner }), {})['a'] as Document;
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
      [Long.MAX_VALUE, 0],
    ]),
    ...stages('$skip', [
      [-1, 5107200],
      [Long.MAX_VALUE, 0],
      [Decimal128.fromString('9223372036854775807'), 0],
      [Decimal128.fromString('9223372036854775808'), 5107200],
      [Decimal128.fromString('0.1'), 5107200],
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
      [{ [path(201)]: 1 }, 15],
    ]),
    ...['$set', '$addFields'].flatMap((name) =>
      stages(name, [
        [{ 'a.$b': 1 }, 16410],
        [{ '$.': 1 }, 40353],
        [{ a: '$$' }, 9],
        [{ a: '$$CLUSTER_TIME' }, 10071200],
        [{ a: { 'x.y': 1 } }, 40183],
        [{ a: { b: { 'x.y': 1 } } }, 40183],
        [{ a: { $add: [1, 2], $multiply: [3, 4] } }, 40181],
        [{ a: { x: 1, $add: [1, 2] } }, 40181],
        [{}, 0],
      ]),
    ),
    ...stages('$unset', [[path(201), 15]]),
    ...stages('$unwind', [
      [{ path: '$x', includeArrayIndex: '.a' }, 15998],
      [{ path: '$x', includeArrayIndex: 'a..b' }, 15998],
      [{ path: '$x', includeArrayIndex: 'a.' }, 40353],
      [{ path: '$x', includeArrayIndex: 'a.$b' }, 16410],
      [{ path: '$x', includeArrayIndex: 'a\0b' }, 16411],
      // Of several mistakes the first is told, those of the paths last.
      [{ path: 1, other: 1 }, 28808],
      [{ other: 1, path: 1 }, 28811],
      [{ includeArrayIndex: 1, path: 1 }, 28810],
      [{ preserveNullAndEmptyArrays: 1, path: 1 }, 28809],
      [{ path: 'x', includeArrayIndex: 1 }, 28810],
      [{ path: 'x', includeArrayIndex: '$i' }, 28822],
      [{ path: 'x', includeArrayIndex: 'a..b' }, 28818],
      [{ path: '$a..b', includeArrayIndex: 'x.' }, 40353],
    ]),
    // The limit is that of the whole request.
    ...stages('$replaceWith', [
      [nested(198), 0],
      [nested(199), 15],
    ]),
    ...stages('$sort', [
      [{ a: { x: 1 } }, 17312],
      [Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`f${i}`, 1])), 13103],
      [
        {
          ...Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`f${i}`, 1])),
          r: { $meta: 'randVal' },
          s: { $meta: 'searchScore' },
        },
        0,
      ],
      [{ $natural: 1 }, 16410],
      [{ $a: 0 }, 15975],
      [{ [path(201)]: 1 }, 15],
      [{ a: Decimal128.fromString('1.5') }, 15975],
      [{ a: Decimal128.fromString('0.51') }, 0],
      [{ a: Decimal128.fromString('1.499999999999999999999999999999999') }, 0],
      [{ a: { $meta: 'randVal', extra: 1 } }, 9],
      [{ a: { $meta: 'sortKey' } }, 31138],
      [{ a: { $meta: 1 } }, 31138],
      [{ a: { $meta: new MinKey() } }, 31138],
      [{ a: { $meta: new Code('f', { x: 1 }) } }, 31138],
    ]),
    ...stages('$sample', [
      [{ size: 0 }, 28747],
      [{ size: 'bad', extra: 1 }, 28746],
      [{ extra: 1, size: 'bad' }, 28748],
      [{ size: new Double(NaN) }, 28747],
      [{ size: Decimal128.fromString('0.5') }, 28747],
      [{ size: Decimal128.fromString('0.51') }, 0],
    ]),
    ...stages('$out', [
      ['$name', 20],
      ['a'.repeat(255), 20],
      ['system.test', 17385],
      ['.x', 73],
    ]),
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
    ...stages('$lookup', [
      [{ from: 't', pipeline: [], as: 'x', let: { 'a b': 1 } }, 9],
      // A variable that there is not is refused before the first document; 'none' has no documents.
      [{ from: 'none', pipeline: [{ $project: { y: '$$nope' } }], as: 'x', let: { a: 1 } }, 17276],
      [{ from: 'none', pipeline: [{ $match: { $expr: { $eq: ['$a', '$$nope'] } } }], as: 'x' }, 17276],
    ]),
    ...stages('$group', [[{ _id: null, x: { $sum: '$$nope' } }, 17276]]),
    ...stages('$setWindowFields', [
      [{ sortBy: { a: 1 }, output: { x: { $rank: {}, $sum: 1 } } }, 5371601],
      [{ output: { x: { $rank: {} } } }, 5371602],
      [{ sortBy: { a: 1 }, output: { x: { $rank: 1 } } }, 5371603],
      [{ output: { x: { $sum: 1, window: { documents: [-1, 0] } } } }, 5339901],
      ...(
        [
          [{ range: [-1, 0] }, {}, 5339902],
          [{ range: [1, -1] }, { _id: 1 }, 5339900],
          [{ range: [-1, 0] }, { a: -1 }, 8947401],
          [{ range: [-1, 0], unit: 'days' }, { _id: 1 }, 9],
          [{ range: [new Double(0.5), 1], unit: 'day' }, { _id: 1 }, 9],
          [{ range: [-1, 0] }, { x: 1 }, 5429414],
          [{ range: [-1, 0], unit: 'day' }, { _id: 1 }, 5429513],
          [{ documents: [-1, 0], unit: 'day' }, { _id: 1 }, 9],
          [{ documents: [-1, 0], range: [-1, 0] }, { _id: 1 }, 9],
        ] as const
      ).map(([window, sortBy, code]) => [{ sortBy, output: { x: { $sum: 1, window } } }, code] as const),
      // https://github.com/mongodb/mongo: src/mongo/db/pipeline/window_function
      ...(
        [
          [{ $documentNumber: {} }, { a: 1, b: 1 }, 5371602],
          [{ $shift: { output: '$a', by: 1 } }, undefined, 9],
          [{ $shift: { output: '$a', by: 1 }, window: { documents: [-1, 0] } }, { _id: 1 }, 9],
          [{ $shift: { output: '$a', by: 1, default: '$a' } }, { _id: 1 }, 9],
          [{ $shift: { by: 1 } }, { _id: 1 }, 9],
          [{ $expMovingAvg: { input: '$_id', N: 2 }, window: { documents: [-1, 0] } }, { _id: 1 }, 9],
          [{ $linearFill: '$_id' }, undefined, 605001],
          [{ $linearFill: '$_id' }, { x: 1 }, 14],
          [{ $locf: '$_id', window: { documents: [-1, 0] } }, { _id: 1 }, 9],
          [{ $derivative: { input: '$_id' } }, { _id: 1 }, 9],
          [{ $derivative: { input: '$_id' }, window: { documents: [-1, 0] } }, { a: 1, b: 1 }, 9],
          [{ $derivative: { input: '$_id', unit: 'month' }, window: { documents: [-1, 0] } }, { _id: 1 }, 5490704],
          [{ $derivative: { input: '$_id', unit: 'day' }, window: { documents: [-1, 0] } }, { _id: 1 }, 5624900],
          [{ $derivative: { input: '$_id' }, window: { documents: [-1, 0] } }, { x: 1 }, 5624902],
          [{ $derivative: { input: '$none' }, window: { documents: [-1, 0] } }, { _id: 1 }, 5624903],
          [{ $integral: { input: '$x' } }, { _id: 1 }, 5423900],
          [{ $integral: { input: '$_id', unit: 'day' } }, { _id: 1 }, 5423901],
          [{ $integral: { input: '$_id', odd: 1 } }, { _id: 1 }, 9],
        ] as const
      ).map(([x, sortBy, code]) => [{ ...(sortBy && { sortBy }), output: { x } }, code] as const),
      ...[{ N: 0 }, { alpha: 1 }, { N: 2, alpha: new Double(0.5) }, {}].map(
        (x) => [{ sortBy: { _id: 1 }, output: { x: { $expMovingAvg: { input: '$_id', ...x } } } }, 9] as const,
      ),
    ]),
    ...stages('$unwind', [
      ['', 28812],
      ['$', 40352],
      ['$a..b', 15998],
      ['$a\0b', 16419],
      [`$${'a.'.repeat(200)}a`, 15],
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
      // As the server's source has them: step, unit, bounds, partitions.
      ...(
        [
          [{ step: 0, bounds: 'full' }, 5733401],
          [{ step: 'x', bounds: 'full' }, 5733401],
          [{ step: new Double(1.5), unit: 'day', bounds: 'full' }, 6586400],
          [{ step: 1, unit: 'days', bounds: 'full' }, 9],
          [{ step: 1, bounds: 'all' }, 5946802],
          [{ step: 1, bounds: 1 }, 5733404],
          [{ step: 1, bounds: [1] }, 5733403],
          [{ step: 1, bounds: [2, 1] }, 5733402],
          [{ step: 1, bounds: [1, 2], unit: 'day' }, 5733409],
          [{ step: 1, bounds: [1, 'x'] }, 5733406],
          [{ step: 1, bounds: [1, new Double(2.5)] }, 5876900],
          [{ step: 1, bounds: ['a', 'b'] }, 5946800],
          [{ step: 1, bounds: [new Date(0), new Date(1)] }, 5733410],
          [{ step: 1, bounds: 'partition' }, 5733408],
        ] as const
      ).map(([range, code]) => [{ field: 'a', range }, code] as const),
      [{ field: 'a', range: { step: 1, bounds: 'full' }, partitionByFields: [1] }, 14],
      [{ field: 'x', range: { step: 1, bounds: 'full' } }, 5733201],
      [{ field: '_id', range: { step: 1, unit: 'day', bounds: 'full' } }, 6053600],
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
// …/operator/stages/geoNear; https://www.mongodb.com/docs/manual/reference/operator/aggregation/geoNear/
describe('$geoNear', () => {
  const point = { type: 'Point', coordinates: [0, 0] };
  const geoNear = (more: Document): Document => ({ near: point, distanceField: 'd', ...more });
  const indexed = (key: Document, more: Document = {}): Case => [
    `an index of ${JSON.stringify(key)}`,
    { createIndexes: 'c', indexes: [{ key, name: Object.keys(key).join(), ...more }] },
    0,
  ];
  const wrongPaths = [
    ['$bad', 16410],
    ['.bad', 15998],
    ['bad.', 40353],
    ['a..b', 15998],
    ['a\0b', 16411],
    [path(201), 15],
  ] as const;
  refuses('is refused where its argument can not be', [
    indexed({ x: '2dsphere' }, { partialFilterExpression: { x: { $type: 'object' } } }),
    ...stages('$geoNear', [
      [1, 10065],
      ...['distanceField', 'includeLocs', 'key'].flatMap((name) =>
        wrongPaths.map(([v, code]) => [geoNear({ [name]: v }), code] as const),
      ),
      ...(
        [
          [{}, 0],
          [{ distanceField: '' }, 40352],
          [{ distanceField: null }, 16606],
          [{ includeLocs: '' }, 40352],
          [{ includeLocs: 1 }, 16607],
          [{ key: 1 }, 14],
          [{ key: '' }, 2],
          [{ key: 'other' }, 291],
          [{ key: path(180) }, 291],
          [{ near: 1 }, 14],
          [{ near: '$x' }, 5860402],
          [{ near: '$$p' }, 17276],
          [{ near: [0, 0] }, 291],
          [{ near: [0, 0], spherical: true }, 0],
          [{ minDistance: '$x' }, 7555701],
          [{ maxDistance: { $add: ['$x', 1] } }, 7555702],
          [{ maxDistance: { $add: [{ $rand: {} }, 1] } }, 7555702],
          [{ maxDistance: { $add: [1, 2] } }, 0],
        ] as const
      ).map(([more, code]) => [geoNear(more), code] as const),
      ...['distanceMultiplier', 'minDistance', 'maxDistance'].flatMap((name) =>
        (
          [
            ['1', 14],
            [null, 14],
            [-1, 2],
            [0, 0],
          ] as const
        ).map(([v, code]) => [geoNear({ [name]: v }), code] as const),
      ),
    ]),
  ]);

  const search = (about: string, collection: string, more: Document, code: number): Case => [
    about,
    { aggregate: collection, pipeline: [{ $geoNear: geoNear(more) }], cursor: {} },
    code,
  ];
  refuses(
    'takes the one index there is: of the plane before that of the sphere, and none that is hidden',
    [
      search('no collection', 'none', {}, 26),
      search('no index', 'c', {}, 27),
      indexed({ h: '2dsphere' }, { hidden: true }),
      search('hidden', 'c', {}, 27),
      indexed({ a: '2d' }),
      search('GeoJSON on the plane', 'c', {}, 291),
      search('a pair', 'c', { near: [0, 0] }, 0),
      indexed({ b: '2dsphere' }),
      search('one of each', 'c', { near: [0, 0] }, 0),
      search('key', 'c', { key: 'b' }, 0),
      indexed({ e: '2d' }),
      search('two of the plane', 'c', { near: [0, 0] }, 27),
    ],
    [{ _id: 1 }],
  );
});

describe('an expression', () => {
  refuses('is refused where an argument can not be', [
    ...expressions([
      [{ $indexOfArray: [[1], 1, '$none'] }, 9711600],
      [{ $setField: { field: { a: 1 }, input: {}, value: 1 } }, 4161106],
      [{ $setField: { field: {}, input: {}, value: 1 } }, 4161107],
      [{ $toDecimal: '1E-6177' }, 241],
      [{ $percentile: [1] }, 7436200],
      [{ $percentile: { input: [1], p: [1], method: 'exact' } }, 2],
      [{ $percentile: { input: [1], p: [1], method: 1 } }, 14],
      ...(
        [
          [{ amount: Decimal128.fromString('3.000000000000000000000000000000001') }, 5166405],
          [{ timezone: 'america/new_york' }, 40485],
          [{ timezone: 'AMERICA/NEW_YORK' }, 40485],
          [{ unit: 'month', amount: -30_000_000_000 }, 5976500],
        ] as const
      ).map(([x, code]) => [{ $dateAdd: { startDate: new Date(0), unit: 'day', amount: 1, ...x } }, code] as const),
      [{ $dateTrunc: { date: new Date(0), unit: 'year', binSize: 100_000_000_001 } }, 5439006],
      [{ $dateTrunc: { date: new Date(0), unit: 'hour', binSize: 2_562_047_788_016_999 } }, 5439002],
      [{ $split: ['x', 1] }, 10503900],
      // …/dateFromParts, test_dateFromParts_basic
      [{ $dateFromParts: { year: 2017, isoWeek: 6 } }, 40489],
      [{ $dateFromParts: { isoWeekYear: 2017, month: 2 } }, 40525],
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
      [{ $rand: 1 }, 10065],
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
    ['a variable without a name', { aggregate: 'c', pipeline: [{ $addFields: { x: '$$' } }], cursor: {} }, 9],
  ]);
});

// The same, core/operator/accumulators: a $group that follows the scan runs in MongoDB's other engine, with codes of its own
describe('a $group after the scan', () => {
  const accumulators = [
    [{ $max: { $divide: ['$_id', 0] } }, 4848401, 2],
    [{ $sum: { $mod: ['$_id', 0] } }, 4848403, 16610],
    [{ $lastN: { n: 0, input: '$x' } }, 7548606, 5787908],
    [{ $mergeObjects: '$x' }, 5911200, 40400],
  ] as const;
  refuses(
    'has the codes of the other engine, and later stages have not',
    accumulators.flatMap(([x, code, usual]): Case[] => {
      const groups = stage('$group', { _id: null, x }, code);
      const buckets = { groupBy: { $literal: 0 }, boundaries: [-1, 1], output: { x } };
      const later = { aggregate: 'c', pipeline: [{ $unwind: '$x' }, { $group: { _id: null, x } }], cursor: {} };
      return [
        groups,
        stage('$bucket', buckets, code),
        stage('$bucketAuto', { groupBy: '$x', buckets: 1, output: { x } }, usual),
        [`later ${groups[0]}`, later, usual],
      ];
    }),
  );
});
