import { BSONRegExp, type Document, Double } from 'bson';
import fc from 'fast-check';
import { expression } from './expressions.js';
import { number, path, scalar, value } from './values.js';

const { constantFrom, oneof, tuple, record, array, integer, constant } = fc;

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

export const range = tuple(constantFrom('$gt', '$gte', '$lt', '$lte'), oneof(scalar, number)).map(([o, v]) => ({
  [o]: v,
}));
export const elementCondition: fc.Arbitrary<Document> = oneof(
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
const condition: fc.Arbitrary<unknown> = oneof(
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
  { weight: 1, arbitrary: regex.map((r) => ({ $not: r })) },
  { weight: 1, arbitrary: array(value, { maxLength: 2 }).map((l) => ({ $not: { $in: l } })) },
  {
    weight: 1,
    arbitrary: tuple(constantFrom('$in', '$nin'), scalar).map(([o, v]) => ({ [o]: [new BSONRegExp('^a'), v] })),
  },
  { weight: 1, arbitrary: tuple(elementCondition, range).map(([e, r]) => ({ $elemMatch: e, ...r })) },
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
  { weight: 1, arbitrary: tuple(range, clause).map(([r, c]) => ({ _id: r, ...c })) },
  { weight: 1, arbitrary: array(integer({ min: 0, max: 12 }), { maxLength: 3 }).map((l) => ({ _id: { $in: l } })) },
);
export const direction = constantFrom<1 | -1>(1, -1);
export const sort = oneof(
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
export const projection: fc.Arbitrary<Document> = oneof(
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
