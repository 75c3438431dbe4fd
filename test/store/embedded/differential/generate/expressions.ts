import { Decimal128, type Document, Double, Int32, Long } from 'bson';
import fc from 'fast-check';

type Kind = 'number' | 'string' | 'date' | 'array' | 'boolean' | 'object' | 'any';

const { constantFrom, oneof, tuple, integer } = fc;
const zone = constantFrom('Asia/Shanghai', 'UTC', '+05:30', 'America/New_York');
const unit = constantFrom('year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond');
const of = <T>(name: string, argument: fc.Arbitrary<T>): fc.Arbitrary<Document> => argument.map((a) => ({ [name]: a }));
const from = (names: readonly string[], argument: fc.Arbitrary<unknown>): fc.Arbitrary<Document> =>
  tuple(constantFrom(...names), argument).map(([n, a]) => ({ [n]: a }));

const expressions = fc.letrec<Record<Kind, unknown>>((tie) => {
  const n = tie('number');
  const s = tie('string');
  const d = tie('date');
  const r = tie('array');
  const any = tie('any');
  return {
    number: oneof(
      { depthSize: 'xsmall', maxDepth: 3 },
      {
        weight: 4,
        arbitrary: constantFrom<unknown>(
          '$n',
          '$m',
          '$n',
          '$o.x',
          new Int32(2),
          new Double(1.5),
          Long.fromNumber(3),
          Decimal128.fromString('1.5'),
        ),
      },
      { weight: 2, arbitrary: from(['$add', '$multiply', '$subtract', '$divide', '$mod'], tuple(n, n)) },
      from(['$abs', '$ceil', '$floor', '$trunc'], n),
      of('$round', tuple(n, integer({ min: -1, max: 1 }))),
      of('$size', r),
      from(['$strLenCP', '$strLenBytes'], s),
      from(['$sum', '$avg', '$max', '$min'], oneof(r, tuple(n, n, n))),
      of('$cmp', tuple(any, any)),
      from(
        [
          '$year',
          '$month',
          '$dayOfMonth',
          '$hour',
          '$dayOfWeek',
          '$dayOfYear',
          '$week',
          '$isoWeek',
          '$isoDayOfWeek',
          '$millisecond',
          '$minute',
          '$second',
          '$isoWeekYear',
        ],
        oneof(
          d,
          tuple(d, zone).map(([date, timezone]) => ({ date, timezone })),
        ),
      ),
      of('$cond', tuple(tie('boolean'), n, n)),
      of('$ifNull', tuple(n, n)),
      of('$toInt', constantFrom<unknown>('$n', '2', true, new Double(2.7))),
      from(['$toDouble', '$toLong', '$toDecimal'], constantFrom<unknown>('$n', '2', true)),
      of('$indexOfArray', tuple(r, n)),
      of('$indexOfCP', tuple(s, s)),
      of(
        '$dateDiff',
        tuple(d, d, unit, zone).map(([startDate, endDate, u, timezone]) => ({ startDate, endDate, unit: u, timezone })),
      ),
      of(
        '$reduce',
        r.map((input) => ({
          input,
          initialValue: new Int32(0),
          in: { $add: ['$$value', { $ifNull: ['$$this', 1] }] },
        })),
      ),
      of('$arrayElemAt', tuple(fc.constant('$r'), integer({ min: -2, max: 2 }))),
      of(
        '$let',
        tuple(n, n).map(([a, b]) => ({ vars: { v: a }, in: { $multiply: ['$$v', b] } })),
      ),
      of('$pow', tuple(n, integer({ min: 0, max: 3 }))),
      of('$subtract', tuple(d, d)),
      from(['$bitAnd', '$bitOr', '$bitXor'], tuple(constantFrom(5, 3), integer({ min: 0, max: 7 }))),
      of('$bitNot', constantFrom<unknown>(5, '$m')),
      of(
        '$sqrt',
        tuple(n).map(([v]) => ({ $abs: v })),
      ),
      from(['$strcasecmp', '$indexOfBytes'], tuple(s, s)),
      of('$trunc', tuple(n, integer({ min: -1, max: 1 }))),
      from(['$binarySize', '$strLenBytes'], s),
      of('$toLong', d),
    ),
    string: oneof(
      { depthSize: 'xsmall', maxDepth: 3 },
      { weight: 4, arbitrary: constantFrom<unknown>('$s', '$s', '$o.y', 'x', 'Ab') },
      of('$concat', tuple(s, s)),
      from(['$toUpper', '$toLower'], s),
      of('$substrBytes', tuple(constantFrom('$o.y', 'abc'), fc.constant(0), integer({ min: 0, max: 3 }))),
      of('$substrCP', tuple(s, integer({ min: 0, max: 2 }), integer({ min: 0, max: 3 }))),
      from(
        ['$trim', '$ltrim', '$rtrim'],
        s.map((input) => ({ input, chars: 'a ' })),
      ),
      of('$toString', oneof(constantFrom<unknown>('$_id', '$s', true), n)),
      of(
        '$dateToString',
        tuple(d, zone, constantFrom('%Y-%m-%d', '%Y-%m-%dT%H:%M:%S.%L%z', '%G-W%V-%u', '%j %U', '%H:%M')).map(
          ([date, timezone, format]) => ({ date, timezone, format }),
        ),
      ),
      from(
        ['$replaceOne', '$replaceAll'],
        s.map((input) => ({ input, find: 'a', replacement: 'ZZ' })),
      ),
      of('$type', any),
      of(
        '$switch',
        tuple(tie('boolean'), s, s).map(([b, x, y]) => ({
          branches: [
            Object.fromEntries([
              ['case', b],
              // oxlint-disable-next-line unicorn/no-thenable -- MongoDB's own name
              ['then', x],
            ]),
          ],
          default: y,
        })),
      ),
    ),
    date: oneof(
      { depthSize: 'xsmall', maxDepth: 2 },
      {
        weight: 5,
        arbitrary: constantFrom<unknown>(
          '$d',
          '$d',
          new Date('2024-02-29T23:30:00Z'),
          new Date('2024-03-10T07:30:00Z'),
        ),
      },
      of(
        '$dateAdd',
        tuple(d, unit, integer({ min: -3, max: 14 }), zone).map(([startDate, u, amount, timezone]) => ({
          startDate,
          unit: u,
          amount,
          timezone,
        })),
      ),
      of(
        '$dateTrunc',
        tuple(d, unit, integer({ min: 1, max: 3 })).map(([date, u, binSize]) => ({ date, unit: u, binSize })),
      ),
      of(
        '$dateFromParts',
        tuple(integer({ min: 2020, max: 2024 }), integer({ min: -1, max: 14 }), integer({ min: 0, max: 33 }), zone).map(
          ([year, month, day, timezone]) => ({ year, month, day, timezone }),
        ),
      ),
      of(
        '$dateFromString',
        tuple(
          constantFrom('2024-02-29', '2024-02-29T10:30:00', '2024-02-29T10:30:00.5Z', '2024-02-29 10:30:00+0800'),
          zone,
        ).map(([dateString]) => ({ dateString })),
      ),
      of('$add', tuple(d, integer({ min: 0, max: 100_000 }))),
      of(
        '$dateSubtract',
        tuple(d, unit, integer({ min: -3, max: 14 })).map(([startDate, u, amount]) => ({ startDate, unit: u, amount })),
      ),
      of(
        '$toDate',
        oneof(tie('date'), constantFrom<unknown>('2024-02-29T10:30:00Z', Long.fromNumber(1_709_200_000_000))),
      ),
    ),
    array: oneof(
      { depthSize: 'xsmall', maxDepth: 3 },
      { weight: 4, arbitrary: constantFrom<unknown>('$r', '$r', '$q.x', '$q.y', { $literal: [1, 2, 2.5] }) },
      of('$concatArrays', tuple(r, r)),
      of(
        '$map',
        tuple(
          r,
          constantFrom<unknown>({ $add: [{ $ifNull: ['$$x', 0] }, '$n'] }, { $gt: ['$$x', 1] }, ['$$x'], { v: '$$x' }),
        ).map(([input, inner]) => ({ input, as: 'x', in: inner })),
      ),
      of(
        '$filter',
        tuple(
          r,
          constantFrom<unknown>({ $gt: ['$$this', 1] }, { $eq: ['$$this', '$n'] }, { $ne: ['$$this', null] }),
        ).map(([input, cond]) => ({ input, cond })),
      ),
      of('$slice', tuple(r, integer({ min: -2, max: 3 }))),
      of('$reverseArray', r),
      // Sets have no order, so they are sorted.
      from(['$setUnion', '$setIntersection', '$setDifference'], tuple(r, r)).map((input) => ({
        $sortArray: { input, sortBy: 1 },
      })),
      of(
        '$zip',
        tuple(r, r).map((inputs) => ({ inputs, useLongestLength: true })),
      ),
      of('$sortArray', fc.constant({ input: '$q', sortBy: { y: 1, x: -1 } })),
      of('$range', tuple(fc.constant(0), integer({ min: 0, max: 4 }))),
      of(
        '$zip',
        tuple(r, r).map((inputs) => ({ inputs })),
      ),
      of('$objectToArray', tie('object')),
      of('$split', tuple(s, constantFrom('a', ' '))),
      of(
        '$sortArray',
        tuple(r, constantFrom(1, -1)).map(([input, sortBy]) => ({ input, sortBy })),
      ),
      from(
        ['$firstN', '$lastN', '$maxN', '$minN'],
        r.map((input) => ({ input, n: 2 })),
      ),
      of(
        '$regexFindAll',
        s.map((input) => ({ input, regex: '[ab]' })),
      ),
    ),
    boolean: oneof(
      { depthSize: 'xsmall', maxDepth: 3 },
      { weight: 3, arbitrary: from(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'], tuple(any, any)) },
      from(['$and', '$or'], tuple(tie('boolean'), any)),
      of('$not', tuple(any)),
      of('$in', tuple(any, r)),
      from(['$isArray', '$isNumber'], tuple(any)),
      from(['$setIsSubset', '$setEquals'], tuple(r, r)),
      from(['$anyElementTrue', '$allElementsTrue'], tuple(r)),
      of('$toBool', n),
      of(
        '$regexMatch',
        s.map((input) => ({ input, regex: 'a', options: 'i' })),
      ),
    ),
    object: oneof(
      { depthSize: 'xsmall', maxDepth: 2 },
      { weight: 3, arbitrary: constantFrom<unknown>('$o', { k: '$n', l: '$s' }, { $literal: { a: 1 } }) },
      of('$mergeObjects', tuple(tie('object'), tie('object'))),
      of('$arrayToObject', fc.constant({ $literal: [{ k: 'x', v: 1 }] })),
      of(
        '$setField',
        any.map((value) => ({ field: 'f', input: '$o', value })),
      ),
      of('$unsetField', fc.constant({ field: 'x', input: '$o' })),
      of(
        '$dateToParts',
        d.map((date) => ({ date })),
      ),
      of(
        '$regexFind',
        s.map((input) => ({ input, regex: '(a)(b)?' })),
      ),
    ),
    any: oneof(
      { depthSize: 'xsmall', maxDepth: 3 },
      {
        weight: 4,
        arbitrary: constantFrom<unknown>('$a', '$b', '$c', '$a.x', '$z', '$q', new Int32(1), null, 'a', true),
      },
      n,
      s,
      d,
      r,
      tie('boolean'),
      tie('object'),
      of('$ifNull', tuple(any, any)),
      of('$cond', tuple(any, any, any)),
      of('$getField', constantFrom('a', 's', 'z')),
      of('$getField', fc.constant({ field: 'x', input: '$o' })),
      from(['$first', '$last'], r),
      of(
        '$convert',
        tuple(any, constantFrom('int', 'string', 'double', 'bool', 'date', 'decimal', 'long', 'objectId')).map(
          ([input, to]) => ({
            input,
            to,
            onError: 'bad',
            onNull: 'null',
          }),
        ),
      ),
    ),
  };
});

/** An expression whose result is of a kind, mostly. */
export const expression = (kind: Kind): fc.Arbitrary<unknown> => expressions[kind];
