import { describe } from '@jest/globals';
import { BSONRegExp, type Document, Double, Long, Timestamp } from 'bson';
import { type Case, refuses } from './refused.js';

const filters = (rows: readonly (readonly [filter: Document, code: number])[]): Case[] =>
  rows.map(([filter, code]) => [JSON.stringify(filter), { find: 'c', filter }, code]);
const projections = (rows: readonly (readonly [projection: Document, code: number])[]): Case[] =>
  rows.map(([projection, code]) => [JSON.stringify(projection), { find: 'c', projection }, code]);
const updates = (rows: readonly (readonly [u: unknown, code: number, rest?: Document])[]): Case[] =>
  rows.map(([u, code, rest]) => [
    JSON.stringify([u, rest]),
    { update: 'c', updates: [{ q: { _id: 1 }, u, ...rest }] },
    code,
  ]);
const indexes = (rows: readonly (readonly [spec: Document | Document[], code: number])[]): Case[] =>
  rows.map(([spec, code]) => [JSON.stringify(spec), { createIndexes: 'c', indexes: [spec].flat() }, code]);
const a = { key: { a: 1 }, name: 'a_1' };
const partial = (partialFilterExpression: Document): Document => ({ ...a, partialFilterExpression });

// https://github.com/documentdb/functional-tests: compatibility/tests/core/operator/query
describe('a query', () => {
  const point = { type: 'Point', coordinates: [0, 0] };
  const near = { $near: { $geometry: point } };
  const square = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
    [0, 0],
  ];
  const within = (crs: unknown, ring = square): Document => ({
    a: { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [ring], crs } } },
  });
  const system = (name: string): Document => ({ type: 'name', properties: { name } });
  refuses('searches for what is near once and with nothing beside it, in a reference system there is', [
    ...['a', 'b'].map((field): Case => [
      `an index of ${field}`,
      { createIndexes: 'c', indexes: [{ key: { [field]: '2dsphere' }, name: field }] },
      0,
    ]),
    ['of the plane', { createIndexes: 'c', indexes: [{ key: { p: '2d' }, name: 'p' }] }, 0],
    ['an index of words', { createIndexes: 'c', indexes: [{ key: { t: 'text' }, name: 't' }] }, 0],
    ...filters([
      [{ a: near }, 0],
      [{ a: { $near: { $geometry: point, $maxDistance: 5, $minDistance: 1 } } }, 0],
      [{ a: { $near: { $geometry: point, $unknown: 5 } } }, 2],
      [{ a: { ...near, $nearSphere: { $geometry: point } } }, 2],
      [{ a: near, b: near }, 2],
      [{ $and: [{ a: near }, { a: near }] }, 2],
      [{ a: near, $text: { $search: 't' } }, 2],
      [{ a: { ...near, $eq: point } }, 34413],
      [{ p: near }, 291],
      [{ p: { $nearSphere: [0, 0] } }, 0],
      // https://www.mongodb.com/docs/manual/reference/operator/query/all/; …/listCollections, filter_all_pipeline_stage
      [{ a: { $all: [{ $gt: 1 }] } }, 2],
      [{ a: { $all: [{ $match: { x: 1 } }] } }, 0],
      [within(system('urn:ogc:def:crs:OGC:1.3:CRS84')), 0],
      [within(system('urn:x-mongodb:crs:strictwinding:EPSG:4326')), 0],
      [within(system('urn:x-mongodb:crs:strictwinding:EPSG:4326'), square.toReversed()), 0],
      [within(system('invalid')), 2],
      [within({ type: 'name' }), 2],
      // …/geospatial/specifiers: test_centerSphere_errors.py, test_polygon_errors.py
      ...[
        [[0, 0], 1, 1],
        [[0, 0, 0], 1],
        [[Number.NaN, 0], 1],
        [[181, 0], 1],
        [[0, -91], 1],
      ].map(($centerSphere) => [{ a: { $geoWithin: { $centerSphere } } }, 2] as const),
      [{ a: { $geoWithin: { $center: [[181, 0], 1] } } }, 0],
      [{ a: { $geoWithin: { $polygon: [[Infinity, 0], ...square] } } }, 2],
      [within({ ...system('EPSG:4326'), type: 'invalid' }), 2],
    ]),
  ]);

  const places = (rows: readonly (readonly [condition: Document, code: number])[]) =>
    rows.map(([condition, code]) => [{ a: condition }, code] as const);
  refuses('is refused where an operand can not be', [
    ['a text index', { createIndexes: 'c', indexes: [{ key: { s: 'text' }, name: 's' }] }, 0],
    ['a time series', { create: 't', timeseries: { timeField: 'at' } }, 0],
    ...filters([
      [{ a: { $size: Long.MAX_VALUE } }, 2],
      [{ a: { $size: new Double(1.5) } }, 2],
      [{ a: { $mod: [new Double(Number.NaN), 1] } }, 2],
      [{ a: { $mod: [new Double(1e20), 1] } }, 2],
      [{ a: { $mod: [1, new Double(-1e20)] } }, 2],
      // https://www.mongodb.com/docs/manual/reference/operator/query/all/#use--all-with--elemmatch
      [{ a: { $all: [{ $elemMatch: { x: 1 } }, 1] } }, 2],
      [{ a: { $all: [1, { $elemMatch: { x: 1 } }] } }, 2],
      // https://www.mongodb.com/docs/manual/reference/operator/query/elemMatch/#restrictions
      [{ a: { $elemMatch: { $expr: true } } }, 2],
      [{ a: { $elemMatch: { x: 1, $or: [{ $expr: true }] } } }, 2],
      [{ $alwaysTrue: 2 }, 9],
      [{ a: { $type: new Double(1.5) } }, 2],
      [{ a: { $type: null } }, 14],
      [{ a: { $type: 'constructor' } }, 2],
      [{ $jsonSchema: { properties: { a: { bsonType: 'toString' } } } }, 2],
      [{ a: { $bitsAllSet: 'x' } }, 2],
      [{ a: { $bitsAllSet: -1 } }, 9],
      [{ a: { $regex: 'a\0b' } }, 2],
      [{ a: { $regex: new BSONRegExp('x', 'i'), $options: 'm' } }, 51075],
      [{ a: { $options: 'm', $regex: new BSONRegExp('x', 'i') } }, 51074],
      [{ a: { $not: {} } }, 2],
      [{ a: { $not: { $invalid: 1 } } }, 2],
      ...places([
        [{ $near: { $geometry: point, $unknown: 5 } }, 2],
        [{ $near: { $geometry: point }, $maxDistance: 5 }, 2],
        [{ $near: { $geometry: point }, $nearSphere: { $geometry: point } }, 2],
        [{ $near: { $geometry: point }, $eq: point }, 34413],
        [{ $near: [0, 0], $minDistance: 'x' }, 16893],
        [{ $near: [0, 0], $minDistance: -1 }, 16894],
        [{ $near: [0, 0], $maxDistance: 'x' }, 16895],
        [{ $near: [0, 0], $maxDistance: -1 }, 16896],
        [{ $geoWithin: { $centerSphere: [[10, 20], 1, 'extra'] } }, 2],
        [{ $geoWithin: { $centerSphere: [[10, 20, 30], 1] } }, 2],
        [{ $geoWithin: { $centerSphere: [[181, 0], 1] } }, 2],
        [
          {
            $geoWithin: {
              $polygon: [
                [Number.NaN, 0],
                [1, 1],
                [2, 0],
              ],
            },
          },
          2,
        ],
      ]),
      [{ a: { $near: [0, 0] }, b: { $near: [0, 0] } }, 2],
      [{ $and: [{ a: { $near: [0, 0] } }, { a: { $nearSphere: [0, 0] } }] }, 2],
      [{ a: { $near: [0, 0] }, $text: { $search: 'x' } }, 2],
    ]),
    ['$near of a time series', { find: 't', filter: { a: { $near: [0, 0] } } }, 5626500],
    ...projections([
      [{ a: { $slice: [1] } }, 28667],
      [{ a: { $elemMatch: { x: 1 }, $slice: 1 } }, 31325],
      [{ a: { $elemMatch: { x: { $near: [0, 0] } } } }, 5626500],
      [{ 'x.$': { b: 1 } }, 31271],
      [{ 'x.$': 'a' }, 31308],
      [{ 'a.$': 1, 'b.$': 1 }, 31276],
      [{ 'a.$': 1, b: { $elemMatch: { x: 1 } } }, 31256],
      [{ a: { $foo: 1 } }, 31325],
    ]),
  ]);
});

// https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/#available-keywords
describe('a schema', () => {
  refuses(
    'is refused where a keyword is of the wrong kind, empty, or says one thing twice',
    filters(
      (
        [
          [{ bsonType: ['int', 'int'] }, 9],
          [{ bsonType: [] }, 9],
          [{ required: 'a' }, 14],
          [{ required: ['a', 'a'] }, 9],
          [{ enum: 5 }, 14],
          [{ enum: [1, new Double(1)] }, 9],
          [
            {
              enum: [
                { a: 1, b: 1 },
                { b: 1, a: 1 },
              ],
            },
            9,
          ],
          [{ allOf: [] }, 2],
          [{ allOf: 5 }, 14],
          [{ exclusiveMinimum: true }, 9],
          [{ maximum: 1, exclusiveMaximum: 1 }, 14],
          [{ multipleOf: 'x' }, 14],
          [{ multipleOf: 0 }, 9],
          [{ uniqueItems: 1 }, 14],
          [{ additionalItems: 1 }, 14],
          [{ dependencies: { a: 1 } }, 14],
          [{ dependencies: { a: ['b', 'b'] } }, 9],
          [{ title: 1 }, 14],
          [{ description: 1 }, 14],
          [{ title: 'a', description: 'b', additionalItems: false, minimum: 1, exclusiveMinimum: false }, 0],
        ] as const
      ).map(([a, code]) => [{ $jsonSchema: { properties: { a } } }, code] as const),
    ),
  );
});

// …/operator/update
describe('an update', () => {
  const document = { _id: 1, arr: [1, 2], n: 1, t: new Timestamp({ t: 1, i: 1 }), o: {} };
  refuses(
    'is refused where an operand or a path can not be',
    updates([
      [{ $pull: { 'a..b': 1 } }, 56],
      [{ $set: { '': 1 } }, 56],
      [{ $rename: { n: '' } }, 56],
      [{ $max: { $field: 20 } }, 52],
      [{ $set: { 'o.$field': 20 } }, 52],
      [{ $set: { $: 1 } }, 2],
      [{ $set: { 'arr.$.x.$': 1 } }, 2],
      [{ $rename: { n: 'n' } }, 2],
      [{ $rename: { n: 'n.x' } }, 2],
      [{ $rename: { 'arr.$[].a': 'b' } }, 2],
      [{ $rename: { n: '_id' }, $set: { n: 1 } }, 40],
      [{ $set: { o: 1, 'o-a': 1, 'o.b': 1 } }, 40],
      // Two ways to one element: https://www.mongodb.com/docs/manual/reference/operator/update/positional-filtered/
      [{ $set: { 'arr.$[]': 1, 'arr.0': 1 } }, 40],
      [{ $set: { 'arr.$[]': 1 }, $inc: { 'arr.$[x]': 1 } }, 40, { arrayFilters: [{ x: 2 }] }],
      [{ $set: { 'arr.$[x]': 1 }, $inc: { 'arr.$[y]': 1 } }, 40, { arrayFilters: [{ x: 2 }, { y: { $gt: 1 } }] }],
      [{ $set: { 'arr.$[x]': 2 }, $inc: { 'arr.$[y]': 0 } }, 0, { arrayFilters: [{ x: 2 }, { y: 1 }] }],
      [{ $set: { 'arr.$': 1, 'arr.1': 1 } }, 40, { q: { arr: 2 } }],
      [{ $set: { 'n.$': 1 } }, 28, { q: { arr: 2 } }],
      [{ $push: { arr: { $each: [], $slice: new Double(1e20) } } }, 2],
      // A condition on one element says nothing of whole documents.
      [{ $pull: { arr: { $expr: true } } }, 224],
      [{ $pull: { arr: { $where: 'true' } } }, 2],
      [{ $pull: { arr: { a: { $near: [0, 0] } } } }, 5626500],
      [{ $pull: { arr: { $jsonSchema: {}, $comment: 'x' } } }, 0],
      [{ $addToSet: { arr: { $each: [4], $sort: 1 } } }, 2],
      [{ $addToSet: { arr: { $each: 4 } } }, 14],
      [{ $push: { arr: { $each: 4 } } }, 2],
      [{ $push: { arr: { $each: [], $sort: {} } } }, 2],
      [{ $push: { arr: { $each: [], $sort: { 'a.': 1 } } } }, 2],
      [{ $push: { arr: { $each: [], $sort: { a: 0 } } } }, 2],
      [{ $pull: { arr: { $not: { $gte: 3 } } } }, 2],
      [{ $bit: { n: { invalid: 10 } } }, 9],
      [{ $bit: { n: {} } }, 9],
      [{ $bit: { t: { and: 1 } } }, 2],
      [{ $inc: { t: 1 } }, 14],
      [{ $inc: { n: new Timestamp({ t: 1, i: 1 }) } }, 14],
      [{ $currentDate: { n: { $foo: 'date' } } }, 2],
      [{ $set: { 'arr.$[x]': 1 } }, 2, { arrayFilters: [{ y: 1 }] }],
      [{ $set: { 'arr.$[x]': 1 } }, 224, { arrayFilters: [{ $expr: true }] }],
      [{ $set: { 'arr.$[x]': 1 } }, 224, { arrayFilters: [{ $and: [{ x: 1 }, { $expr: true }] }] }],
      [{ $set: { 'arr.$[x]': 1 } }, 2, { arrayFilters: [{ $text: { $search: 'a' } }] }],
      [{ a: 1 }, 9, { arrayFilters: [{ y: 1 }] }],
      [[{ $foo: 1 }], 40324],
      [[5], 14],
      [[{ $match: {} }], 72],
      [{ $set: { a: 1 } }, 54, { q: { $and: [{ _id: 7 }, { _id: 8 }] }, upsert: true }],
      [{ a: 1 }, 54, { q: { $and: [{ _id: 7 }, { _id: 8 }] }, upsert: true }],
      // Of a replacement only; operators put the parts of `_id` together (UpdateDriver::populateDocumentWithQueryFields).
      [{ a: 1 }, 111, { q: { '_id.x': 7 }, upsert: true }],
      [{ $set: { a: 1 } }, 0, { q: { '_id.x': 7 }, upsert: true }],
      // https://www.mongodb.com/docs/manual/reference/operator/query/expr/: an upsert can not know what it says is equal.
      [{ $set: { n: 1 } }, 224, { q: { _id: 1, $expr: true }, upsert: true }],
      [{ $set: { n: 1 } }, 0, { q: { _id: 1, $expr: true } }],
      [{ $set: { a: 1 } }, 52, { q: { _id: { $eq: { x: [{ $y: 1 }] } } }, upsert: true }],
      [{ $set: { a: 1 } }, 0, { q: { _id: { $eq: { $ref: 'c', $id: 1, $db: 'd' } } }, upsert: true }],
    ]),
    [document],
  );
});

// …/indexes
describe('an index', () => {
  refuses(
    'is refused where its specification can not be',
    indexes([
      [[], 2],
      [{}, 9],
      [{ key: { a: 1 } }, 9],
      [{ key: {}, name: 'x' }, 67],
      [{ key: { a: 1 }, name: '' }, 67],
      [{ key: { a: 1 }, name: 123 }, 14],
      [{ ...a, unknownOption: true }, 197],
      [{ ...a, unique: 'x' }, 14],
      [{ ...a, expireAfterSeconds: 'x' }, 67],
      [{ ...a, expireAfterSeconds: 2147483648 }, 67],
      [{ ...a, v: 3 }, 67],
      [{ ...a, collation: {} }, 2],
      [{ ...a, collation: { locale: 'invalid_locale_xyz' } }, 2],
      [{ key: { a: 0 }, name: 'x' }, 67],
      [{ key: { 'a..b': 1 }, name: 'x' }, 67],
      [{ key: { 'a.$b': 1 }, name: 'x' }, 67],
      [{ key: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`f${i}`, 1])), name: 'x' }, 13103],
      [{ ...a, partialFilterExpression: 'x' }, 14],
      [partial({ a: { $ne: 5 } }), 67],
      [partial({ a: { $exists: 0 } }), 67],
      [partial({ $and: [] }), 2],
      [partial({ $where: 'x' }), 2],
      [partial({ $expr: { $gt: ['$a', 5] } }), 224],
      [[a, { ...a, name: 'other' }], 85],
      [
        [
          { key: { b: 1 }, name: 's' },
          { key: { d: 1 }, name: 's' },
        ],
        86,
      ],
      [{ key: { z: new Double(0.9999) }, name: 'less than one' }, 0],
    ]),
  );
});
