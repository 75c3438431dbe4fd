import type { Document } from 'bson';
import fc from 'fast-check';
import { filter, projection, sort } from './generate/filters.js';
import { pipeline } from './generate/pipelines.js';
import { insertable, pipelineUpdate, positional, update, upsert } from './generate/updates.js';
import { path, typed } from './generate/values.js';

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

const { oneof, tuple, record, array, integer } = fc;

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
    arbitrary: tuple(integer({ min: 0, max: 12 }), update).map(([id, u]): Operation => ({
      kind: 'update',
      filter: { _id: id },
      update: u,
      multi: false,
      upsert: false,
    })),
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
