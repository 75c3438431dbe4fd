import { describe } from '@jest/globals';
import { Decimal128, type Document, Double } from 'bson';
import { type Case, refuses } from './refused.js';

const made = (options: Document, code: number, name = 'new', db = 'test'): Case => [
  `create ${JSON.stringify(options).slice(0, 80)}`,
  { create: name, ...options },
  code,
  db,
];
const changed = (name: string, options: Document, code: number): Case => [
  `collMod ${name} ${JSON.stringify(options)}`,
  { collMod: name, ...options },
  code,
];
const view = (name: string, viewOn: string, pipeline: Document[] = []): Case => made({ viewOn, pipeline }, 0, name);

// https://github.com/documentdb/functional-tests: compatibility/tests/core/collections
describe('a collection', () => {
  // https://www.mongodb.com/docs/manual/core/schema-validation/#restrictions
  refuses('takes a query for a validator, but nothing that searches, sorts or runs code', [
    ...Object.entries({
      $text: [{ $text: { $search: 'a' } }, 2],
      $where: [{ $where: 'true' }, 2],
      $near: [{ a: { $near: [0, 0] } }, 5626500],
      $nearSphere: [{ $or: [{ a: { $nearSphere: [0, 0] } }] }, 5626500],
      $geoNear: [{ a: { $geoNear: [0, 0] } }, 5626500],
      'a long pattern': [{ a: { $regex: 'a'.repeat(16_385) } }, 51091],
      integer: [{ $jsonSchema: { properties: { a: { type: 'integer' } } } }, 9],
      'two types': [{ $jsonSchema: { properties: { a: { type: 'string', bsonType: 'string' } } } }, 9],
    } satisfies Record<string, [Document, number]>).flatMap(([about, [validator, code]]): Case[] => [
      [`create with ${about}`, { create: 'new', validator }, code],
      [`collMod with ${about}`, { collMod: 'c', validator }, code],
    ]),
    ...['admin', 'config', 'local'].map((db) => made({ validator: { a: 1 } }, 72, 'new', db)),
    made({ validator: { a: 1 } }, 72, 'system.js'),
    made({ validator: { a: 1 }, timeseries: { timeField: 't' } }, 72),
    made({ validator: { a: { $regex: 'a'.repeat(16_384) } } }, 0),
  ]);

  // https://www.mongodb.com/docs/manual/reference/command/collMod/
  refuses('is changed as its kind allows', [
    made({ capped: true, size: 4096 }, 0, 'capped'),
    made({ clusteredIndex: { key: { _id: 1 }, unique: true } }, 0, 'clustered'),
    view('view', 'c'),
    ...[0, new Double(0.7), Decimal128.fromString('0.5'), Number.NaN, -Infinity, Infinity].map((cappedSize) =>
      changed('capped', { cappedSize }, 2),
    ),
    ...[2 ** 31, Decimal128.fromString('2147483647.5'), Infinity].map((cappedMax) =>
      changed('capped', { cappedMax }, 2),
    ),
    ...[-1, -Infinity, Number.NaN, 10].map((cappedMax) => changed('capped', { cappedMax }, 0)),
    ...['c', 'clustered', 'view'].map((name) => changed(name, { cappedSize: 8192 }, 72)),
    changed('c', { viewOn: 'd' }, 72),
    changed('c', { pipeline: [] }, 72),
    changed('view', { validator: { a: 1 } }, 72),
    changed('view', { index: { name: 'a', hidden: true } }, 72),
    changed('view', { pipeline: [{ $out: 'd' }] }, 167),
    changed('view', { pipeline: [{ $nope: 1 }] }, 40324),
    changed('view', { viewOn: 'view' }, 5),
    // …/collMod, test_collMod_pipeline: of itself by a join, or by that of another view
    changed('view', { pipeline: [{ $unionWith: 'view' }] }, 5),
    changed('view', { pipeline: [{ $lookup: { from: 'view', localField: 'a', foreignField: 'a', as: 'r' } }] }, 5),
    ['a view that joins the other', { create: 'other', viewOn: 'c', pipeline: [{ $unionWith: 'view' }] }, 0],
    changed('view', { pipeline: [{ $facet: { f: [{ $unionWith: 'other' }] } }] }, 5),
    ...['$documents', '$currentOp', '$listSessions'].map((stage) =>
      changed('view', { pipeline: [{ [stage]: {} }] }, 73),
    ),
    changed('view', { pipeline: [null, ...Array.from({ length: 1000 }, () => ({ $match: { a: 1 } }))] }, 0),
    changed('c', { timeseries: { granularity: 'hours' } }, 238),
    ...[true, false].map((hidden) => changed('clustered', { index: { name: '_id_', hidden } }, 6011800)),
    ['dropIndexes', { dropIndexes: 'clustered', index: { _id: 1 } }, 5979800],
  ]);

  // https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-View-Depth
  refuses('is read through fewer than 20 views, none of itself', [
    ...Array.from({ length: 20 }, (_, i) => view(`v${i + 1}`, i === 0 ? 'c' : `v${i}`)),
    ['19 deep', { find: 'v19' }, 0],
    ['20 deep', { find: 'v20' }, 165],
    changed('v1', { viewOn: 'v3' }, 5),
    made({ viewOn: 'c', pipeline: [{ $nope: 1 }] }, 40324),
    ['a list below 0 at once', { listCollections: 1, cursor: { batchSize: -1 } }, 2],
  ]);
});
