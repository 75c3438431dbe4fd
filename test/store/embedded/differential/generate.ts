import { Binary, Decimal128, type Document, Double, Int32, Long, ObjectId } from 'bson';
import fc from 'fast-check';
import { expression } from './expressions.js';

/** One request to a server, as data: it can be shrunk, stored and sent again. */
export type Operation =
  | {
      readonly kind: 'find';
      readonly filter: Document;
      readonly projection?: Document;
      readonly sort?: Document;
      readonly skip?: number;
      readonly limit?: number;
      readonly hint?: number;
    }
  | { readonly kind: 'count'; readonly filter: Document; readonly skip?: number; readonly limit?: number }
  | { readonly kind: 'distinct'; readonly key: string; readonly filter: Document }
  | { readonly kind: 'aggregate'; readonly pipeline: Document[] }
  | {
      readonly kind: 'update';
      readonly filter: Document;
      readonly update: Document | Document[];
      readonly multi: boolean;
      readonly upsert: boolean;
      readonly arrayFilters?: Document[];
    }
  | { readonly kind: 'replace'; readonly filter: Document; readonly replacement: Document; readonly upsert: boolean }
  | {
      readonly kind: 'findAndModify';
      readonly filter: Document;
      readonly sort: Document;
      readonly update?: Document;
      readonly after: boolean;
      readonly fields?: Document;
    }
  | { readonly kind: 'delete'; readonly filter: Document; readonly multi: boolean }
  | { readonly kind: 'insert'; readonly documents: Document[] };

/** Documents, indexes, and what is asked of them in turn. */
export interface Scene {
  readonly documents: Document[];
  readonly indexes: readonly Document[];
  readonly operations: readonly Operation[];
}

const { constantFrom, oneof, tuple, record, array, integer, constant } = fc;

export const number = oneof(
  { weight: 4, arbitrary: integer({ min: -2, max: 5 }).map((n) => new Int32(n)) },
  { weight: 2, arbitrary: constantFrom(0, 0.5, 1, 1.5, 2, 2.5, -1, 3).map((n) => new Double(n)) },
  { weight: 1, arbitrary: integer({ min: -1, max: 4 }).map((n) => Long.fromNumber(n)) },
  { weight: 1, arbitrary: constantFrom('0', '1', '1.5', '2', '-1', '2.50').map((t) => Decimal128.fromString(t)) },
);
export const string = constantFrom('', 'a', 'b', 'ab', 'Abc', 'a b', '王', 'b1', '2');
export const date = integer({ min: -2, max: 40 }).map((n) => new Date(Date.UTC(2024, 1, 27) + n * 40_123_000));
const scalar = oneof(
  { weight: 5, arbitrary: number },
  { weight: 3, arbitrary: string },
  { weight: 2, arbitrary: constant(null) },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: date },
  {
    weight: 1,
    arbitrary: constantFrom('65f000000000000000000001', '65f000000000000000000002').map((h) => new ObjectId(h)),
  },
  { weight: 1, arbitrary: constantFrom(new Binary(Buffer.from([5])), new Binary(Buffer.from([1, 2]))) },
);
export const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; object: Document }>((tie) => ({
  value: oneof(
    { depthSize: 'xsmall', maxDepth: 2 },
    { weight: 8, arbitrary: scalar },
    { weight: 2, arbitrary: array(tie('value'), { maxLength: 3 }) },
    { weight: 1, arbitrary: tie('object') },
  ),
  object: fc.dictionary(constantFrom('x', 'y'), tie('value'), { maxKeys: 2, noNullPrototype: true }),
})).value;

/** Fields of one type beside those of any: expressions need operands that fit. */
const typed = record(
  {
    a: value,
    b: value,
    c: oneof(array(scalar, { maxLength: 4 }), value),
    n: number,
    m: number,
    s: string,
    d: date,
    r: array(number, { maxLength: 4 }),
    q: array(record({ x: scalar, y: number }, { requiredKeys: [], noNullPrototype: true }), { maxLength: 3 }),
    o: record({ x: number, y: string }, { requiredKeys: [], noNullPrototype: true }),
  },
  { requiredKeys: ['n'], noNullPrototype: true },
);

export const path = constantFrom(
  'a',
  'b',
  'c',
  'a.x',
  'b.y',
  'c.0',
  'n',
  's',
  'r',
  'r.1',
  'q.x',
  'q.y',
  'q.0.x',
  'o',
  'o.x',
  'q',
  'd',
  'z',
);
const type = constantFrom(
  'int',
  'double',
  'long',
  'decimal',
  'number',
  'string',
  'array',
  'null',
  'object',
  'bool',
  'date',
  'objectId',
  'binData',
  2,
  16,
  4,
);

const range = tuple(constantFrom('$gt', '$gte', '$lt', '$lte'), oneof(scalar, number)).map(([o, v]) => ({ [o]: v }));
const elementCondition: fc.Arbitrary<Document> = oneof(
  range,
  tuple(range, range).map(([a, b]) => ({ ...a, ...b })),
  scalar.map((v) => ({ $eq: v })),
  record({ x: scalar }, { noNullPrototype: true }),
  tuple(scalar, range).map(([v, r]) => ({ x: v, y: r })),
  record({ $in: array(scalar, { maxLength: 3 }) }, { noNullPrototype: true }),
);
const regex = constantFrom<Document>(
  { $regex: '^a' },
  { $regex: 'B', $options: 'i' },
  { $regex: 'a|2' },
  { $regex: 'b$' },
);
export const condition: fc.Arbitrary<unknown> = oneof(
  { weight: 5, arbitrary: value },
  { weight: 6, arbitrary: range },
  { weight: 2, arbitrary: tuple(range, range).map(([a, b]) => ({ ...a, ...b })) },
  { weight: 2, arbitrary: tuple(constantFrom('$eq', '$ne'), value).map(([o, v]) => ({ [o]: v })) },
  {
    weight: 3,
    arbitrary: tuple(constantFrom('$in', '$nin'), array(value, { maxLength: 3 })).map(([o, v]) => ({ [o]: v })),
  },
  { weight: 2, arbitrary: fc.boolean().map((v) => ({ $exists: v })) },
  { weight: 2, arbitrary: oneof(type, array(type, { minLength: 1, maxLength: 2 })).map((t) => ({ $type: t })) },
  { weight: 1, arbitrary: integer({ min: 0, max: 3 }).map((n) => ({ $size: n })) },
  { weight: 3, arbitrary: elementCondition.map((c) => ({ $elemMatch: c })) },
  { weight: 1, arbitrary: range.map((r) => ({ $not: r })) },
  { weight: 1, arbitrary: elementCondition.map((c) => ({ $not: { $elemMatch: c } })) },
  { weight: 2, arbitrary: array(value, { maxLength: 2 }).map((v) => ({ $all: v })) },
  {
    weight: 1,
    arbitrary: array(elementCondition, { minLength: 1, maxLength: 2 }).map((v) => ({
      $all: v.map((c) => ({ $elemMatch: c })),
    })),
  },
  {
    weight: 1,
    arbitrary: tuple(integer({ min: 1, max: 3 }), integer({ min: 0, max: 1 })).map(([a, b]) => ({ $mod: [a, b] })),
  },
  { weight: 2, arbitrary: regex },
  {
    weight: 1,
    arbitrary: tuple(
      constantFrom('$bitsAllSet', '$bitsAllClear', '$bitsAnySet', '$bitsAnyClear'),
      oneof(integer({ min: 0, max: 7 }), array(integer({ min: 0, max: 3 }), { maxLength: 2 })),
    ).map(([o, v]) => ({ [o]: v })),
  },
);
const clause = tuple(path, condition).map(([p, c]) => ({ [p]: c }));
export const filter: fc.Arbitrary<Document> = oneof(
  { weight: 1, arbitrary: constant({}) },
  { weight: 6, arbitrary: clause },
  { weight: 3, arbitrary: tuple(clause, clause).map(([a, b]) => ({ ...a, ...b })) },
  {
    weight: 3,
    arbitrary: tuple(constantFrom('$or', '$and', '$nor'), array(clause, { minLength: 1, maxLength: 3 })).map(
      ([o, l]) => ({ [o]: l }),
    ),
  },
  {
    weight: 1,
    arbitrary: tuple(clause, array(clause, { minLength: 1, maxLength: 2 })).map(([c, l]) => ({ ...c, $or: l })),
  },
  { weight: 2, arbitrary: expression('boolean').map((e) => ({ $expr: e })) },
  { weight: 1, arbitrary: integer({ min: 0, max: 12 }).map((n) => ({ _id: n })) },
  { weight: 1, arbitrary: array(integer({ min: 0, max: 12 }), { maxLength: 3 }).map((l) => ({ _id: { $in: l } })) },
);
const direction = constantFrom<1 | -1>(1, -1);
const sort = oneof(
  { weight: 3, arbitrary: tuple(path, direction).map(([p, d]) => ({ [p]: d, _id: 1 })) },
  {
    weight: 2,
    arbitrary: tuple(path, direction, path, direction).map(([p, d, q, e]) =>
      p === q || p.startsWith(q) || q.startsWith(p) ? { [p]: d, _id: 1 } : { [p]: d, [q]: e, _id: 1 },
    ),
  },
  { weight: 2, arbitrary: direction.map((d) => ({ _id: d })) },
);
const flag = constantFrom<unknown>(1, true, new Double(1));
const projection: fc.Arbitrary<Document> = oneof(
  tuple(path, flag).map(([p, f]) => ({ [p]: f })),
  tuple(path, path, flag).map(([p, q, f]) => ({ [p]: f, [q]: f })),
  tuple(path, path).map(([p, q]) => ({ [p]: 0, [q]: 0 })),
  path.map((p) => ({ [p]: 1, _id: 0 })),
  tuple(
    constantFrom('c', 'r', 'q'),
    oneof(integer({ min: -3, max: 3 }), tuple(integer({ min: -2, max: 2 }), integer({ min: 1, max: 2 }))),
  ).map(([p, s]) => ({ [p]: { $slice: s } })),
  tuple(constantFrom('c', 'r', 'q'), integer({ min: -2, max: 2 }), path).map(([p, s, q]) =>
    q === p || q.startsWith(`${p}.`) ? { [p]: { $slice: s } } : { [q]: 1, [p]: { $slice: s } },
  ),
  tuple(constantFrom('c', 'r', 'q'), elementCondition).map(([p, e]) => ({ [p]: { $elemMatch: e } })),
  tuple(path, expression('any')).map(([p, e]) => ({ e, [p]: 1 })),
  constant({ 'o.x': 1, 'q.y': 1, _id: 0 }),
  constant({ o: { x: 1 }, q: { x: 1 } }),
);

const updatePath = constantFrom(
  'a',
  'b',
  'c',
  'a.x',
  'b.y',
  'c.0',
  'c.1',
  'n',
  's',
  'r',
  'r.1',
  'q.0.x',
  'o.x',
  'z',
  'z.w',
  'd',
);
const arrayPath = constantFrom('c', 'r', 'q', 'a', 'z', 'o.x');
const one = <T>(operator: string, paths: fc.Arbitrary<string>, operand: fc.Arbitrary<T>): fc.Arbitrary<Document> =>
  tuple(paths, operand).map(([p, v]) => ({ [operator]: { [p]: v } }));
const push = oneof(
  value,
  tuple(
    array(scalar, { maxLength: 3 }),
    integer({ min: -3, max: 3 }),
    oneof(direction, constant({ x: 1 }), constant({ y: -1 })),
    integer({ min: -2, max: 3 }),
    integer({ min: 0, max: 7 }),
  ).map(([items, slice, by, position, which]) => ({
    $each: items,
    ...(which & 1 && { $slice: slice }),
    ...(which & 2 && { $sort: by }),
    ...(which & 4 && { $position: position }),
  })),
);
const simpleUpdate: fc.Arbitrary<Document> = oneof(
  one('$set', updatePath, value),
  one('$unset', updatePath, constant('')),
  one('$inc', constantFrom('n', 'm', 'z', 'a', 'o.x', 'r.0', 'z.w'), number),
  one('$mul', constantFrom('n', 'm', 'z', 'a', 'o.x', 'r.0'), number),
  one('$min', updatePath, scalar),
  one('$max', updatePath, scalar),
  one('$push', arrayPath, push),
  one(
    '$addToSet',
    arrayPath,
    oneof(
      value,
      array(value, { maxLength: 3 }).map((l) => ({ $each: l })),
    ),
  ),
  one(
    '$pull',
    arrayPath,
    oneof(
      value,
      range,
      elementCondition,
      array(scalar, { maxLength: 2 }).map((l) => ({ $in: l })),
    ),
  ),
  one('$pullAll', arrayPath, array(value, { maxLength: 3 })),
  one('$pop', arrayPath, direction),
  tuple(updatePath, updatePath).map(([p, q]) => ({ $rename: { [p]: q } })),
  tuple(constantFrom('n', 'z', 'a'), constantFrom('and', 'or', 'xor'), integer({ min: 0, max: 7 })).map(
    ([p, o, n]) => ({ $bit: { [p]: { [o]: new Int32(n) } } }),
  ),
  one('$setOnInsert', constantFrom('z', 'w'), scalar),
);
export const update: fc.Arbitrary<Document> = oneof(
  { weight: 5, arbitrary: simpleUpdate },
  { weight: 2, arbitrary: tuple(simpleUpdate, simpleUpdate).map(([a, b]) => ({ ...a, ...b })) },
);
const pipelineUpdate: fc.Arbitrary<Document[]> = array(
  oneof(
    tuple(constantFrom('$set', '$addFields'), constantFrom('a', 'z', 'o.x', 'q.x'), expression('any')).map(
      ([o, p, e]) => ({ [o]: { [p]: e } }),
    ),
    path.map((p) => ({ $unset: p })),
    constant({ $project: { a: 1, n: 1, s: 1 } }),
    constant({ $replaceWith: { _id: '$_id', n: '$n', o: '$$ROOT.o' } }),
  ),
  { minLength: 1, maxLength: 2 },
);
const positional: fc.Arbitrary<Operation> = oneof(
  tuple(
    number,
    oneof(
      one('$set', constant('r.$'), scalar),
      one('$inc', constant('r.$'), number),
      one('$unset', constant('r.$'), constant('')),
    ),
  ).map(([v, u]): Operation => ({ kind: 'update', filter: { r: v }, update: u, multi: true, upsert: false })),
  tuple(elementCondition, oneof(one('$set', constant('q.$.z'), scalar), one('$inc', constant('q.$.y'), number))).map(
    ([c, u]): Operation => ({
      kind: 'update',
      filter: { q: { $elemMatch: c } },
      update: u,
      multi: true,
      upsert: false,
    }),
  ),
  oneof(
    one('$set', constantFrom('r.$[]', 'q.$[].x', 'c.$[]', 'q.$[].w'), scalar),
    one('$inc', constantFrom('r.$[]', 'q.$[].y'), number),
    one('$mul', constant('r.$[]'), number),
  ).map((u): Operation => ({ kind: 'update', filter: {}, update: u, multi: true, upsert: false })),
  tuple(
    range,
    oneof(
      one('$set', constantFrom('r.$[e]', 'c.$[e]'), scalar),
      one('$inc', constant('r.$[e]'), number),
      one('$unset', constant('r.$[e]'), constant('')),
    ),
  ).map(([r, u]): Operation => ({
    kind: 'update',
    filter: {},
    update: u,
    multi: true,
    upsert: false,
    arrayFilters: [{ e: r }],
  })),
  tuple(range, one('$set', constantFrom('q.$[e].x', 'q.$[e].w'), scalar)).map(([r, u]): Operation => ({
    kind: 'update',
    filter: {},
    update: u,
    multi: true,
    upsert: false,
    arrayFilters: [{ 'e.y': r }],
  })),
);
const insertable = oneof(
  integer({ min: 0, max: 40 }).map((n) => ({ _id: n })),
  tuple(integer({ min: 20, max: 40 }), constantFrom('a', 'o.x', 's', 'z'), scalar).map(([n, p, v]) => ({
    _id: n,
    [p]: v,
  })),
  tuple(integer({ min: 20, max: 40 }), scalar).map(([n, v]) => ({ $and: [{ _id: n }, { 'o.y': { $eq: v } }] })),
);
const upsert: fc.Arbitrary<Operation> = tuple(insertable, update).map(([f, u]): Operation => ({
  kind: 'update',
  filter: f,
  update: u,
  multi: false,
  upsert: true,
}));

/** The other server keeps missing apart from null in groups: here no group is of a missing value. */
const present = (v: unknown): unknown => ({ $ifNull: [v, null] });
const accumulator = tuple(
  constantFrom('$sum', '$avg', '$min', '$max', '$push', '$first', '$last', '$addToSet', '$stdDevPop', '$mergeObjects'),
  path,
).map(([o, p]) => (o === '$mergeObjects' ? { [o]: '$o' } : { [o]: `$${p}` }));
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
  return multiplies !== -1 && names.slice(multiplies).some((n) => n === '$setWindowFields' || n === '$limit');
};
const pipeline = array(stage, { minLength: 1, maxLength: 3 })
  .map((parts) => parts.flat())
  .filter((stages) => !tied(stages))
  .map((stages) => [{ $sort: { _id: 1 } }, ...stages]);

const operation: fc.Arbitrary<Operation> = oneof(
  {
    weight: 10,
    arbitrary: tuple(
      filter,
      fc.option(sort, { nil: undefined }),
      fc.option(projection, { nil: undefined, freq: 2 }),
      fc.option(integer({ min: 1, max: 5 }), { nil: undefined }),
      integer({ min: 0, max: 3 }),
      fc.option(integer({ min: 0, max: 2 }), { nil: undefined, freq: 1 }),
    ).map(([f, s, p, l, k, hint]): Operation => ({
      kind: 'find',
      filter: f,
      ...(s && { sort: s }),
      ...(p && { projection: p }),
      ...(s && l && { limit: l, skip: k }),
      ...(hint !== undefined && { hint }),
    })),
  },
  {
    weight: 1,
    arbitrary: tuple(filter, fc.option(integer({ min: 1, max: 5 }), { nil: undefined })).map(([f, l]): Operation => ({
      kind: 'count',
      filter: f,
      ...(l && { limit: l, skip: 1 }),
    })),
  },
  { weight: 1, arbitrary: tuple(path, filter).map(([key, f]): Operation => ({ kind: 'distinct', key, filter: f })) },
  { weight: 12, arbitrary: pipeline.map((p): Operation => ({ kind: 'aggregate', pipeline: p })) },
  {
    weight: 7,
    arbitrary: tuple(filter, update).map(([f, u]): Operation => ({
      kind: 'update',
      filter: f,
      update: u,
      multi: true,
      upsert: false,
    })),
  },
  {
    weight: 2,
    arbitrary: tuple(filter, pipelineUpdate).map(([f, u]): Operation => ({
      kind: 'update',
      filter: f,
      update: u,
      multi: true,
      upsert: false,
    })),
  },
  { weight: 4, arbitrary: positional },
  { weight: 2, arbitrary: upsert },
  {
    weight: 1,
    arbitrary: tuple(insertable, typed, fc.boolean()).map(([f, r, u]): Operation => ({
      kind: 'replace',
      filter: f,
      replacement: r,
      upsert: u,
    })),
  },
  {
    weight: 2,
    arbitrary: tuple(
      filter,
      sort,
      fc.option(update, { nil: undefined }),
      fc.boolean(),
      fc.option(projection, { nil: undefined }),
    ).map(([f, s, u, after, fields]): Operation => ({
      kind: 'findAndModify',
      filter: f,
      sort: s,
      ...(u && { update: u }),
      after: after && u !== undefined,
      ...(fields && { fields }),
    })),
  },
  {
    weight: 1,
    arbitrary: filter.map((f): Operation => ({ kind: 'delete', filter: f, multi: true })),
  },
  {
    weight: 1,
    arbitrary: array(
      tuple(integer({ min: 0, max: 60 }), typed).map(([n, d]) => ({ _id: n, ...d })),
      { minLength: 1, maxLength: 3 },
    ).map((documents): Operation => ({ kind: 'insert', documents })),
  },
);

const indexes = fc.subarray<Document>(
  [
    { key: { n: 1 } },
    { key: { a: 1 } },
    { key: { s: 1, n: -1 } },
    { key: { r: 1 } },
    { key: { 'q.x': 1, s: 1 } },
    { key: { d: -1, _id: 1 } },
    { key: { 'o.x': 1 }, sparse: true },
    { key: { b: 1 }, partialFilterExpression: { n: { $gt: 1 } } },
    { key: { m: 1 }, partialFilterExpression: { s: { $exists: true } } },
  ],
  { maxLength: 4 },
);

export const scene: fc.Arbitrary<Scene> = record(
  {
    documents: array(typed, { minLength: 3, maxLength: 10 }).map((list) =>
      list.map((d, i): Document => ({ _id: i, ...d })),
    ),
    indexes,
    operations: array(operation, { minLength: 10, maxLength: 25 }),
  },
  { noNullPrototype: true },
);
