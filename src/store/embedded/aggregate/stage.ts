import type { Collation } from '../bson/collation.js';
import { type Doc, encode, type Value } from '../bson/value.js';
import type { PartialDecoder } from '../bson/partial.js';
import { outOfMemory } from '../errors.js';
import type { TextIndex } from '../query/text/search.js';
import { Slice } from '../query/slices.js';
import type { Variables } from './expression.js';

export interface ReadRequest {
  readonly filter?: Doc;
  readonly sort?: Doc;
  readonly limit?: number;
  readonly collation?: Collation;
  /** Variables that the filter may name. */
  readonly let?: Doc;
}

/** What a pipeline needs to know of the collection that it reads. */
export interface OfCollection {
  readonly text?: TextIndex | undefined;
  /** What $collStats and $indexStats tell. */
  readonly about?: { readonly stats: () => Promise<Doc>; readonly indexes: () => Doc[] };
}

/** What a pipeline needs of the server it runs in. */
export interface PipelineEnv extends OfCollection {
  readonly variables: Variables;
  readonly collation?: Collation | undefined;
  /** How many pipelines this one is in. */
  readonly depth?: number;
  /** The collection under a name, and a view's stages. @throws {EngineError} 167: a view that compares texts otherwise */
  source(name: string): { readonly name: string; readonly stages: readonly Value[]; readonly of?: OfCollection };
  /** Documents of another collection of the same database, in the same snapshot. */
  read(collection: string, request: ReadRequest): Iterable<Doc | undefined>;
  readonly memoryLimitBytes: number;
  /** Lets other commands run; asked for again and again in long loops. */
  pause(): Promise<void>;
}

export type Docs = AsyncIterable<Doc>;
export interface Stage {
  (input: Docs): Docs;
  /** The stage over documents at hand: without a promise for each. `fields`: what it reads of them. */
  readonly direct?:
    | { readonly fields: ReadonlySet<string> | undefined; run(source: Iterable<Doc | undefined>): Docs }
    | undefined;
}

export interface Pipeline {
  /** What the scan of the collection may take over, so that an index serves it. */
  readonly leading: ReadRequest;
  /** How many stages `leading` stands for. */
  readonly taken: number;
  /** Of the documents it is run over; undefined: all fields. */
  readonly fields: PartialDecoder | undefined;
  /** An undefined in the source: others may have their turn. */
  run(source: Iterable<Doc | undefined>): Docs;
  /** All stages over documents at hand, those in `leading` too. */
  runWhole(source: Iterable<Doc>): Docs;
  /** The stage that writes, if the pipeline ends with one. */
  readonly writes: { readonly stage: '$merge' | '$out'; readonly spec: Value } | undefined;
  /** Its first stage makes the documents. */
  readonly startsWithoutCollection: boolean;
}

/** Where a pipeline stands that is no command's own: in $lookup, $unionWith or $facet, where nothing may be written. */
export type Place = 'nested' | 'union' | 'facet';

export type CompilePipeline = (stages: readonly Value[], env: PipelineEnv, place?: Place) => Pipeline;

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Documents as they come from the store, with a pause where the search or the stages after it have gone on for long. */
export async function* paced(source: Iterable<Doc | undefined>, env: PipelineEnv): Docs {
  const slice = new Slice();
  for (const doc of source) {
    if (doc) yield doc;
    if (!doc || slice.over()) await env.pause();
  }
}

/** How much memory a value takes, roughly: for limits only. */
export const roughBytes = (v: Value): number =>
  typeof v === 'string' ? 2 * v.length + 16 : typeof v === 'object' && v !== null ? encode({ v }).length * 2 : 16;

/** Collects what a blocking stage needs. @throws {EngineError} 292: more than the limit, as MongoDB does */
export async function collect(input: Docs, env: PipelineEnv, what: string): Promise<Doc[]> {
  const docs: Doc[] = [];
  let bytes = 0;
  for await (const doc of input) {
    docs.push(doc);
    // One in four is weighed, and each of the first: weighing costs as much as sending.
    if (docs.length <= 64) bytes += encode(doc).length;
    else if (docs.length % 4 === 0) bytes += encode(doc).length * 4;
    if (bytes > env.memoryLimitBytes) throw outOfMemory(what, env.memoryLimitBytes);
  }
  return docs;
}
