import { EJSON } from 'bson';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection, Decimal128, type Document, Int32, Long } from 'mongodb';
import { oneEngine } from '../running.js';

/** Values from MongoDB's manual, each with its page under https://www.mongodb.com/docs/manual/reference/operator/aggregation/ */
describe('buckets, gaps and windows', () => {
  let c: Collection<Document>;
  oneEngine((client) => {
    c = client.db('series').collection('c');
  });
  beforeEach(() => c.deleteMany({}));
  const typed = (v: unknown): string => EJSON.stringify(v as Document, { relaxed: false });
  const decimal = (text: string): Decimal128 => Decimal128.fromString(text);

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
    ['the greatest of equal numbers, the last one', [decimal('2'), 2], { $max: '$x', window: { documents: [-1, 0] } }, [decimal('2'), 2]],
    ['the least of equal numbers, the first one', [decimal('2'), 2], { $min: '$x', window: { documents: [-1, 0] } }, [decimal('2'), decimal('2')]],
    ['the greatest in a growing window, the first one', [decimal('2'), 2], { $max: '$x', window: { documents: ['unbounded', 'current'] } }, [decimal('2'), decimal('2')]],
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
});
