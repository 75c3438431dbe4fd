import type { Document } from 'bson';
import fc from 'fast-check';
import { expression } from './expressions.js';
import { filter, projection } from './filters.js';
import { path } from './values.js';

const { constantFrom, oneof, tuple, array, integer, constant } = fc;

/** The other server keeps missing apart from null in groups: here no group is of a missing value. */
const present = (v: unknown): unknown => ({ $ifNull: [v, null] });
const plainAccumulator = tuple(
  constantFrom(
    '$sum',
    '$avg',
    '$min',
    '$max',
    '$push',
    '$first',
    '$last',
    '$addToSet',
    '$stdDevPop',
    '$stdDevSamp',
    '$mergeObjects',
  ),
  path,
).map(([o, p]) => (o === '$mergeObjects' ? { [o]: '$o' } : { [o]: `$${p}` }));
const accumulator: fc.Arbitrary<Document> = oneof(
  { weight: 8, arbitrary: plainAccumulator },
  {
    weight: 1,
    arbitrary: tuple(constantFrom('$firstN', '$lastN', '$maxN', '$minN'), path, integer({ min: 1, max: 3 })).map(
      ([o, p, n]) => ({ [o]: { input: `$${p}`, n } }),
    ),
  },
  {
    weight: 1,
    arbitrary: tuple(constantFrom('$top', '$bottom'), path, constantFrom(1, -1)).map(([o, p, d]) => ({
      [o]: { output: `$${p}`, sortBy: { n: d, _id: 1 } },
    })),
  },
);
const group: fc.Arbitrary<Document> = tuple(
  oneof(
    path.map((p) => present(`$${p}`)),
    constant(null),
    expression('any').map(present),
    constant({ k: present('$s'), l: present('$o.x') }),
    { weight: 1, arbitrary: constant({ k: '$s', l: '$o.x' }) },
  ),
  accumulator,
  oneof(
    accumulator,
    constant({ $sum: 1 }),
    constant({ $count: {} }),
    expression('number').map((e) => ({ $sum: e })),
  ),
).map(([id, x, y]) => ({ $group: { _id: id, x, y } }));
const stage = oneof<fc.MaybeWeightedArbitrary<Document[]>[]>(
  { weight: 3, arbitrary: filter.map((f) => [{ $match: f }]) },
  {
    weight: 8,
    arbitrary: tuple(
      constantFrom('$project', '$addFields', '$set'),
      oneof({ weight: 6, arbitrary: expression('any') }, { weight: 2, arbitrary: expression('number') }),
    ).map(([o, e]) => [{ [o]: { e } }]),
  },
  { weight: 3, arbitrary: group.map((g) => [g]) },
  {
    weight: 1,
    arbitrary: projection
      .filter((p) => !JSON.stringify(p).includes('$elemMatch') && !JSON.stringify(p).includes('$slice'))
      .map((p) => [{ $project: p }]),
  },
  {
    weight: 2,
    arbitrary: tuple(constantFrom('$c', '$r', '$q', '$a', '$o.x'), fc.boolean(), fc.boolean()).map(([p, k, i]) => [
      { $unwind: { path: p, preserveNullAndEmptyArrays: k, ...(i && { includeArrayIndex: 'i' }) } },
    ]),
  },
  { weight: 1, arbitrary: path.map((p) => [{ $unset: p }]) },
  {
    weight: 1,
    arbitrary: tuple(path, path).map(([p, q]) => [
      { $lookup: { from: 'other', localField: p, foreignField: q, as: 'j' } },
    ]),
  },
  {
    weight: 1,
    arbitrary: tuple(path, path, filter).map(([p, q, f]) => [
      {
        $lookup: {
          from: 'other',
          localField: p,
          foreignField: q,
          pipeline: [{ $match: f }, { $project: { n: 1 } }],
          as: 'j',
        },
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: tuple(path, filter).map(([p, f]) => [
      {
        $lookup: {
          from: 'other',
          let: { v: `$${p}` },
          pipeline: [{ $match: { $expr: { $eq: ['$a', '$$v'] } } }, { $match: f }, { $project: { n: 1 } }],
          as: 'j',
        },
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: filter.map((f) => [
      { $unionWith: { coll: 'other', pipeline: [{ $match: f }, { $project: { s: 1, n: 1 } }] } },
    ]),
  },
  { weight: 1, arbitrary: path.map((p) => [{ $sortByCount: present(`$${p}`) }]) },
  {
    weight: 1,
    arbitrary: tuple(integer({ min: -1, max: 1 }), fc.boolean()).map(([low, other]) => [
      {
        $bucket: {
          groupBy: '$n',
          boundaries: [low, low + 1, 3],
          ...(other && { default: 'other' }),
          output: { count: { $sum: 1 }, ids: { $push: '$s' } },
        },
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: constantFrom<Document[]>(
      [{ $replaceWith: '$o' }],
      [{ $replaceRoot: { newRoot: { $mergeObjects: ['$o', { n: '$n' }] } } }],
      [{ $count: 'k' }],
      [{ $project: { _id: 0, n: 1 } }],
    ),
  },
  {
    weight: 1,
    arbitrary: tuple(filter, group).map(([f, g]) => [
      {
        $facet: {
          a: [{ $match: f }, { $project: { n: 1 } }],
          b: [g, { $project: { y: 1 } }, { $sort: { y: 1, _id: 1 } }],
        },
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: tuple(
      constantFrom('$sum', '$avg', '$min', '$max', '$push', '$first', '$last'),
      constantFrom<unknown>(['unbounded', 'current'], [-1, 1], ['unbounded', 'unbounded'], [0, 1]),
    ).map(([o, w]) => [
      {
        $setWindowFields: {
          partitionBy: '$s',
          sortBy: { _id: 1 },
          output: { w: { [o]: '$n', window: { documents: w } } },
        },
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: tuple(constantFrom('$shift', '$locf', '$linearFill'), path).map(([o, p]) => [
      {
        $setWindowFields: {
          partitionBy: '$o.y',
          sortBy: { _id: 1 },
          output: {
            w: {
              [o]:
                o === '$shift'
                  ? { output: present(`$${p}`), by: -1, default: 'none' }
                  : o === '$locf'
                    ? present(`$${p}`)
                    : '$m',
            },
          },
        },
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: tuple(constantFrom<Document>({ method: 'locf' }, { value: 0 }), constantFrom('m', 'd', 'z')).map(
      ([how, field]) => [{ $fill: { sortBy: { _id: 1 }, output: { [field]: how } } }],
    ),
  },
  {
    weight: 1,
    arbitrary: constantFrom('$rank', '$denseRank', '$documentNumber').map((o) => [
      {
        $setWindowFields: {
          partitionBy: '$o.y',
          sortBy: o === '$documentNumber' ? { _id: 1 } : { n: 1 },
          output: { w: { [o]: {} } },
        },
      },
    ]),
  },
  {
    weight: 1,
    arbitrary: constant([
      {
        $graphLookup: {
          from: 'other',
          startWith: '$n',
          connectFromField: 'm',
          connectToField: 'n',
          as: 'g',
          maxDepth: 1,
        },
      },
      { $addFields: { g: { $size: '$g' } } },
    ]),
  },
  {
    weight: 1,
    arbitrary: tuple(integer({ min: 1, max: 4 }), integer({ min: 0, max: 4 })).map(([l, s]) => [
      { $sort: { _id: 1 } },
      { $skip: s },
      { $limit: l },
    ]),
  },
);
/** Documents that share their _id have no order among themselves: no stage may ask for one. */
const tied = (stages: readonly Document[]): boolean => {
  const names = stages.map((s) => Object.keys(s)[0] ?? '');
  const multiplies = names.findIndex((n) =>
    [
      '$unwind',
      '$unionWith',
      '$replaceWith',
      '$replaceRoot',
      '$project',
      '$facet',
      '$count',
      '$group',
      '$sortByCount',
      '$bucket',
    ].includes(n),
  );
  const window = names.indexOf('$setWindowFields');
  if (window !== -1 && names.slice(window).some((n) => n === '$group' || n === '$bucket' || n === '$facet'))
    return true;
  return multiplies !== -1 && names.slice(multiplies).some((n) => ['$setWindowFields', '$limit', '$fill'].includes(n));
};
export const pipeline = array(stage, { minLength: 1, maxLength: 3 })
  .map((parts) => parts.flat())
  .filter((stages) => !tied(stages))
  .map((stages) => [{ $sort: { _id: 1 } }, ...stages]);
