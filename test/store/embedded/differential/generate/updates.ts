import { type Document, Int32 } from 'bson';
import fc from 'fast-check';
import type { Operation } from '../generate.js';
import { expression } from './expressions.js';
import { direction, elementCondition, range } from './filters.js';
import { number, path, scalar, value } from './values.js';

const { constantFrom, oneof, tuple, array, integer, constant } = fc;

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
export const pipelineUpdate: fc.Arbitrary<Document[]> = array(
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
export const positional: fc.Arbitrary<Operation> = oneof(
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
export const insertable = oneof(
  integer({ min: 0, max: 40 }).map((n) => ({ _id: n })),
  tuple(integer({ min: 20, max: 40 }), constantFrom('a', 'o.x', 's', 'z'), scalar).map(([n, p, v]) => ({
    _id: n,
    [p]: v,
  })),
  tuple(integer({ min: 20, max: 40 }), scalar).map(([n, v]) => ({ $and: [{ _id: n }, { 'o.y': { $eq: v } }] })),
);
export const upsert: fc.Arbitrary<Operation> = tuple(insertable, update).map(([f, u]): Operation => ({
  kind: 'update',
  filter: f,
  update: u,
  multi: false,
  upsert: true,
}));
