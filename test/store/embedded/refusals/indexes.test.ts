import { describe } from '@jest/globals';
import { Double } from 'bson';
import { type Case, refuses } from './refused.js';

const made = (index: object, code = 0): Case => [
  `createIndexes ${JSON.stringify(index)}`,
  { createIndexes: 'c', indexes: [{ name: 'i', ...index }] },
  code,
];
const dropped: Case = ['dropIndexes', { dropIndexes: 'c', index: '*' }, 0];
const found = (filter: object, code: number, hint?: unknown): Case => [
  `find ${JSON.stringify(filter)}`,
  { find: 'c', filter, ...(hint !== undefined && { hint }) },
  code,
];
const hidden = (index: object, code: number): Case => [
  `collMod ${JSON.stringify(index)}`,
  { collMod: 'c', index },
  code,
];

const everything = { '$**': 1 };
const part = { 'sub.$**': 1 };
const over = (wildcardProjection: unknown, key: object = everything): object => ({ key, wildcardProjection });

/** The corners of a ring, one number after the other. */
const square = (west: number, south: number, east: number, north: number): number[] => [
  west, south, west, north, east, north, east, south, west, south,
]; // prettier-ignore

// https://github.com/documentdb/functional-tests: compatibility/tests/core/indexes
describe('an index', () => {
  // https://www.mongodb.com/docs/manual/core/indexes/index-types/index-wildcard/reference/restrictions/
  refuses('of everything takes no option of others, and its projection says in or out', [
    made({ key: everything, sparse: true }, 67),
    made({ key: everything, expireAfterSeconds: 60 }, 67),
    made({ key: everything, v: 1 }, 67),
    ...['2d', '2dsphere', 'hashed'].map((kind) => made({ key: { '$**': kind } }, 67)),
    made({ key: { ...everything, ...part } }, 7246201),
    made(over({}), 9),
    made(over({ a: 1 }, part), 9),
    made(over({ a: 1 }, { a: 1 }), 2),
    made(over({ a: 1, b: 0 }), 31254),
    made(over({ a: 0, b: 1 }), 31253),
    ...['yes', [1], null, { $slice: 1 }].map((v) => made(over({ a: v }), 51271)),
    made({ key: { ...everything, a: 1 } }, 67),
    made(over({ b: 0 }, { a: 1, ...everything }), 7246209),
    made(over({ 'a.b': 1, c: { d: true }, _id: 0 })),
    dropped,
    made(over({ a: 0 }, { a: 1, ...everything })),
    ['an array', { insert: 'c', documents: [{ a: [1], b: 1 }] }, 7246301],
    ['an array later', { update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { a: [1] } } }] }, 7246301],
  ]);

  // mongodb/mongo: jstests/core/index/wildcard/compound_wildcard_index_validation.js
  refuses('of everything leaves out the fields beside it, each of them', [
    ...(
      [
        [{ a: 1 }, { _id: 0, a: 0 }, 0],
        [{ 'a.b': 1 }, { _id: 0, a: 0 }, 0],
        [{ _id: 1 }, { _id: 0 }, 0],
        [{ another: 1 }, { _id: 1, a: 0, another: 0 }, 0],
        [{ _id: 1, e: 1 }, { _id: 0, a: 1 }, 0],
        [{ c: 1 }, { 'a.b': 1, 'a.b.c': 1 }, 7246200],
        [{ a: 1 }, { a: 1 }, 7246208],
        [{ a: 1, b: 1 }, { _id: 1, a: 1 }, 7246208],
        [{ _id: 1 }, { _id: 1 }, 7246208],
        [{ a: 1 }, { 'a.b': 1 }, 7246208],
        [{ a: 1, b: 1 }, { b: 0 }, 7246209],
        [{ a: 1, _id: 1 }, { a: 0 }, 7246209],
        [{ e: 1 }, { _id: 1, 'e.b': 0 }, 7246209],
        [{ a: 1 }, { _id: 0 }, 7246210],
        [{ b: 1 }, { _id: 0, a: 0 }, 7246210],
        [{ 'e.c': 1 }, { _id: 1, 'e.b': 0 }, 7246210],
        [{ c: 1 }, { _id: 0, a: 0, b: 1 }, 7246211],
      ] as const
    ).flatMap(([key, projection, code]) => [made(over(projection, { ...key, ...everything }), code), dropped]),
    made({ key: { sub: 1, ...part } }, 7246204),
    made({ key: { 'sub.a': 1, ...part } }, 7246204),
    made({ key: { subject: 1, ...part } }),
  ]);

  // The same, and jstests/core/index/geo/geo_s2validindex.js, geo_s2index.js
  refuses('is of one kind; how finely places are told apart is said within bounds', [
    ...['text', 'hashed', '2dsphere'].map((kind) => made({ key: { ...part, b: kind } }, 67)),
    ...['2d', 'hashed', 'text'].map((kind) => made({ key: { a: '2dsphere', b: kind } }, 67)),
    made({ key: { a: '2d', b: '2dsphere' } }, 67),
    made({ key: { a: '2d', b: '2d' } }, 16800),
    made({ key: { a: '2dsphere' }, coarsestIndexedLevel: -1 }, 16747),
    made({ key: { a: '2dsphere' }, finestIndexedLevel: 31 }, 16748),
    made({ key: { a: '2dsphere' }, finestIndexedLevel: 5, coarsestIndexedLevel: 6 }, 16749),
    made({ key: { a: '2dsphere' }, finestIndexedLevel: 'x' }, 14),
    made({ key: { a: '2dsphere', b: 1, c: '2dsphere' }, finestIndexedLevel: 30, coarsestIndexedLevel: 0 }),
  ]);

  // https://www.mongodb.com/docs/manual/reference/command/find/: hint
  refuses(
    'of everything can be hinted at for what it holds alone (291)',
    [
      made({ key: everything }),
      found({ a: 1 }, 0, 'i'),
      found({ $or: [{ a: 1 }, { b: 1 }] }, 0, 'i'),
      found({ _id: 1 }, 291, 'i'),
      found({ a: null }, 291, 'i'),
      found({}, 291, 'i'),
      dropped,
      made({ key: part }),
      found({ 'sub.a': 1 }, 0, 'i'),
      found({ sub: 1 }, 0, 'i'),
      found({ subject: 1 }, 291, 'i'),
      dropped,
      made(over({ a: 1, 'b.c': 1, _id: 1 })),
      found({ 'a.b': 1 }, 0, 'i'),
      found({ 'b.c': 1 }, 0, 'i'),
      found({ _id: 1 }, 0, 'i'),
      found({ b: 1 }, 291, 'i'),
      dropped,
      made(over({ a: 0 })),
      found({ b: 1 }, 0, 'i'),
      found({ 'a.b': 1 }, 291, 'i'),
    ],
    [{ _id: 1, a: 1 }],
  );

  // https://www.mongodb.com/docs/manual/core/index-hidden/
  refuses('that is hidden is found by no hint and serves no search; that of _id can not be', [
    made({ key: { a: 1 }, hidden: true }),
    ...['i', { a: 1 }].map((hint) => found({ a: 1 }, 2, hint)),
    dropped,
    made({ key: { x: 'text' }, hidden: true }),
    found({ $text: { $search: 'a' } }, 291),
    dropped,
    found({ $text: { $search: 'a' } }, 27),
    hidden({ name: '_id_', hidden: true }, 2),
    hidden({ keyPattern: { _id: 1 }, hidden: true }, 2),
  ]);

  // https://www.mongodb.com/docs/manual/core/indexes/index-types/index-geospatial/
  refuses('of places has its versions and bounds, and holds one place a field', [
    ...[0, 4].map((version) => made({ key: { a: '2dsphere' }, '2dsphereIndexVersion': version }, 67)),
    ...[0, -1, 33].map((bits) => made({ key: { a: '2d' }, bits }, 72)),
    made({ key: { a: '2d' }, min: -500, max: 500 }),
    ['within', { insert: 'c', documents: [{ a: [400, 0] }] }, 0],
    ['beyond', { insert: 'c', documents: [{ a: [600, 0] }] }, 13027],
    ['elsewhere', { delete: 'c', deletes: [{ q: {}, limit: 0 }] }, 0],
    dropped,
    made({ key: { a: '2dsphere' } }),
    [
      'several',
      { insert: 'c', documents: [{ a: [0, 1].map((n) => ({ type: 'Point', coordinates: [n, n] })) }] },
      16755,
    ],
    ...[
      { type: 'MultiPoint', coordinates: [] },
      { type: 'MultiPolygon', coordinates: [] },
      { type: 'GeometryCollection', geometries: [] },
    ].map((place): Case => ['nothing', { insert: 'c', documents: [{ a: place }] }, 16755]),
    // mongodb/mongo: jstests/core/index/geo/geo_s2polywithholes.js
    ...(
      [
        ['holes that overlap', [square(2, 6, 6, 9), square(5, 4, 8, 7)], 16755],
        ['a hole in a hole', [square(1, 1, 9, 9), square(2, 2, 8, 8)], 16755],
        ['a hole with two corners of the border', [[0, 0, 1, 9, 10, 10, 9, 1, 0, 0]], 16755],
        ['a hole with one corner of the border', [[0, 0, 2, 4, 4, 2, 0, 0]], 0],
        ['holes side by side', [square(1, 1, 3, 3), square(5, 5, 8, 8)], 0],
      ] as const
    ).map(([name, holes, code]): Case => {
      const coordinates = [square(0, 0, 10, 10), ...holes].map((ring) =>
        Array.from({ length: ring.length / 2 }, (_, i) => ring.slice(2 * i, 2 * i + 2)),
      );
      return [name, { insert: 'c', documents: [{ a: { type: 'Polygon', coordinates } }] }, code];
    }),
  ]);

  // …/createIndexes/test_createIndexes_errors.py
  refuses('has one hashed field, weights above 0, and of _id one order', [
    made({ key: { a: 'hashed', b: 'hashed' } }, 31303),
    made({ key: { a: 'text' }, weights: { a: 0 } }, 67),
    made({ key: { _id: -1 } }, 2),
    made({ key: { _id: 'hashed' } }),
  ]);

  // https://www.mongodb.com/docs/manual/reference/command/createIndexes/#command-fields, and MongoDB's index_key_validate.cpp
  refuses('has options of one type each, which null is not; its expiry is a number (67); NaN is the longest', [
    ...['unique', 'sparse', 'background', 'hidden', 'name', 'key', 'v', 'collation', 'partialFilterExpression'].map(
      (option) => made({ key: { a: 1 }, [option]: null }, 14),
    ),
    ...['weights', 'default_language', 'language_override', 'textIndexVersion'].map((option) =>
      made({ key: { a: 'text' }, [option]: null }, 14),
    ),
    ...['bits', 'min', 'max'].map((option) => made({ key: { a: '2d' }, [option]: null }, 14)),
    made({ key: everything, wildcardProjection: null }, 14),
    ...[1, 0, new Double(1), 'true'].map((v) => made({ key: { a: 1 }, hidden: v }, 14)),
    ...[null, '60', true, [60]].map((v) => made({ key: { a: 1 }, expireAfterSeconds: v }, 67)),
    made({ key: { a: 1 }, weights: { a: 1 } }, 67),
    made({ key: { a: 1 }, v: 1, collation: { locale: 'en' } }, 67),
    made({ key: { a: 1 }, ns: 5 }),
    dropped,
    made({ key: { a: 1 }, expireAfterSeconds: Number.NaN }),
    made({ key: { a: 1 }, expireAfterSeconds: 2147483647 }),
  ]);

  // The same: what names the index of _id
  refuses('of _id has its name alone, and the collation of its collection', [
    made({ key: { a: 1 }, name: '_id_' }, 2),
    made({ key: { _id: 1 }, collation: { locale: 'fr' } }, 2),
    made({ key: { _id: 1 } }),
    ['drop', { drop: 'c' }, 0],
    ['create', { create: 'c', collation: { locale: 'fr' } }, 0],
    made({ key: { _id: 1 }, collation: { locale: 'fr' } }),
    made({ key: { _id: 1 } }),
    made({ key: { _id: 1 }, collation: { locale: 'simple' } }, 2),
  ]);

  // https://www.mongodb.com/docs/manual/core/indexes/index-types/index-text/text-index-restrictions/
  refuses('of the same fields and another effect is another one, of other words it conflicts (85)', [
    made({ key: { a: 'text' } }),
    made({ key: { b: 'text' }, name: 'j' }, 85),
    made({ key: { a: 'text' }, weights: { a: 2 } }, 85),
    dropped,
    made({ key: { a: 1 }, unique: true }),
    made({ key: { a: 1 }, sparse: true, name: 'j' }),
    made({ key: { a: 1 }, expireAfterSeconds: 5, name: 'k' }, 0),
  ]);

  // mongodb/mongo: jstests/core/index/fts/fts_index.js
  refuses('of words has them side by side, and beside them orders of 1 and -1; its version makes it no other', [
    made({ key: { a: 'text', b: 1, c: 'text' } }, 67),
    ...[Number.MAX_VALUE, 2, '2dsphere'].map((order) => made({ key: { a: 'text', b: order } }, 67)),
    ...['a.$**', 'a.$b'].map((path) => made({ key: { [path]: 'text' } }, 67)),
    ...['$b', 'b.', 'a..b'].map((path) => made({ key: { a: 'text' }, weights: { [path]: 1 } }, 67)),
    made({ key: { _fts: 1 } }, 67),
    made({ key: { _fts: 'text' } }, 67),
    made({ key: { _fts: 'text', _ftsx: 1 }, weights: {} }, 67),
    ...[0, 4].map((textIndexVersion) => made({ key: { a: 'text' }, textIndexVersion }, 67)),
    ...[1, 2].map((textIndexVersion) => made({ key: { a: 'text' }, textIndexVersion }, 238)),
    made({ key: { a: 'text' }, default_language: 'spanglish' }, 67),
    made({ key: { _fts: 'text', _ftsx: 1 }, weights: { a: 1 } }),
    ...[1, 2, 3].map((textIndexVersion) => made({ key: { a: 'text' }, textIndexVersion })),
    ...['spanglish', ''].map(($language) => found({ $text: { $search: 'x', $language } }, 2)),
    found({ $text: { $search: 'x', $language: 'es' } }, 238),
    found({ $text: { $search: 'x', $language: 'English' } }, 0),
    ...['x', 1, null].flatMap((v) =>
      ['$caseSensitive', '$diacriticSensitive', '$language'].map((option) =>
        found({ $text: { $search: 'x', [option]: v } }, v === 'x' && option === '$language' ? 2 : 14),
      ),
    ),
    found({ $or: [{ $text: { $search: 'x' } }, { _id: 1 }] }, 238),
    [
      'a score',
      { find: 'c', filter: { $text: { $search: 'x' } }, projection: { 'x.$': { $meta: 'textScore' } } },
      31271,
    ],
  ]);

  // mongodb/mongo: jstests/core/catalog, …/index/hashed
  refuses('has a name of its own, and is not told from another by a key that both have', [
    made({ key: { a: 1 }, name: '*' }, 2),
    made({ key: { a: 1 }, name: 'a\0b' }, 67),
    ...['en', 'fr'].map((locale) => made({ key: { a: 1 }, name: locale, collation: { locale } })),
    ['dropIndexes', { dropIndexes: 'c', index: { a: 1 } }, 181],
    hidden({ keyPattern: { a: 1 }, hidden: true }, 181),
    ['dropIndexes', { dropIndexes: 'c', index: 'en' }, 0],
    hidden({ keyPattern: { a: 1 }, hidden: true }, 0),
    ['dropIndexes', { dropIndexes: 'c', index: { a: 1 } }, 0],
  ]);

  // mongodb/mongo: jstests/core/index/hashed/compound_hashed_index.js
  refuses('that is hashed takes no array on any of its paths', [
    made({ key: { a: 'hashed', 'b.c': 1 }, sparse: true }),
    ...[{ a: [] }, { a: [1] }, { b: [{ c: 1 }] }, { b: { c: [1] } }].map((doc): Case => [
      `insert ${JSON.stringify(doc)}`,
      { insert: 'c', documents: [doc] },
      16766,
    ]),
    ['insert', { insert: 'c', documents: [{ _id: 2, a: 1, b: { c: 1 }, d: [1] }] }, 0],
    ['update', { update: 'c', updates: [{ q: { _id: 2 }, u: { $set: { 'b.c': [1] } } }] }, 16766],
    dropped,
    ['update', { update: 'c', updates: [{ q: { _id: 2 }, u: { $set: { 'b.c': [1] } } }] }, 0],
    made({ key: { a: 'hashed', 'b.c': 1 } }, 16766),
    made({ key: { a: 'hashed', 'b.c': 1 }, partialFilterExpression: { a: { $gt: 1 } } }),
  ]);

  // https://www.mongodb.com/docs/manual/core/index-ttl/#restrictions
  refuses('gets an expiry from 0 if it is of one field, and not that of _id', [
    made({ key: { a: 1 } }),
    ...[-1, new Double(-1.5), -Infinity].map((v) => hidden({ name: 'i', expireAfterSeconds: v }, 72)),
    ...[0, new Double(-0.9), Number.NaN, Infinity].map((v) => hidden({ name: 'i', expireAfterSeconds: v }, 0)),
    hidden({ name: '_id_', expireAfterSeconds: 1 }, 72),
    dropped,
    made({ key: { a: 1, b: 1 } }),
    hidden({ name: 'i', expireAfterSeconds: 1 }, 72),
  ]);

  // https://www.mongodb.com/docs/manual/core/timeseries/timeseries-secondary-index/, and …/createIndexes/test_createIndexes_timeseries.py
  refuses('of a time series has fewer kinds and options', [
    ['drop', { drop: 'c' }, 0],
    ['create', { create: 'c', timeseries: { timeField: 't', metaField: 'm' } }, 0],
    ...[{ unique: true }, { sparse: true }].map((o) => made({ key: { v: 1 }, ...o }, 72)),
    made({ key: { v: 'text' } }, 72),
    ...['hashed', '2d'].map((kind) => made({ key: { v: kind } }, 67)),
    made({ key: everything }, 7246201),
    made({ key: { t: 1 }, expireAfterSeconds: 60 }, 72),
    made({ key: { t: 1 }, expireAfterSeconds: 60, partialFilterExpression: { v: 1 } }, 72),
    made({ key: { t: 1 }, expireAfterSeconds: 60, partialFilterExpression: { 'm.a': 1 } }),
    made({ key: { 'm.a': 'hashed' }, name: 'j' }),
    made({ key: { m: 1, v: -1 }, name: 'k', partialFilterExpression: { v: { $gt: 5 } } }),
    made({ key: { v: '2dsphere' }, name: 'l' }),
    made({ key: { v: 'wildcard' } }, 7246202),
  ]);
});
