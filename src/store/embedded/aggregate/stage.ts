import { type Doc, encode, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Variables } from './expression.js';

export interface ReadRequest {
  readonly filter?: Doc;
  readonly sort?: Doc;
  readonly limit?: number;
  /** Variables that the filter may name. */
  readonly let?: Doc;
}

/** What a pipeline needs of the server it runs in. */
export interface PipelineEnv {
  readonly variables: Variables;
  /** Documents of another collection of the same database, in the same snapshot. */
  read(collection: string, request: ReadRequest): Iterable<Doc>;
  /** What $collStats and $indexStats tell of the collection that is read. */
  readonly about?: { readonly stats: () => Doc; readonly indexes: () => Doc[] };
  readonly memoryLimitBytes: number;
  readonly allowDiskUse: boolean;
  /** Lets other commands run; asked for again and again in long loops. */
  pause(): Promise<void>;
}

export type Docs = AsyncIterable<Doc>;
export type Stage = (input: Docs) => Docs;

export interface Pipeline {
  /** What the scan of the collection may take over, so that an index serves it. */
  readonly leading: ReadRequest;
  /** How many stages `leading` stands for. */
  readonly taken: number;
  run(source: Iterable<Doc>): Docs;
  /** All stages over documents at hand, those in `leading` too. */
  runWhole(source: Iterable<Doc>): Docs;
  /** The stage that writes, if the pipeline ends with one. */
  readonly writes: { readonly stage: '$merge' | '$out'; readonly spec: Value } | undefined;
  /** Its first stage makes the documents. */
  readonly startsWithoutCollection: boolean;
}

/** `nested`: inside $lookup, $unionWith or $facet, where nothing may be written. */
export type CompilePipeline = (stages: readonly Value[], env: PipelineEnv, place?: 'nested' | 'facet') => Pipeline;

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Collects what a blocking stage needs; refuses as MongoDB does beyond the limit. */
export async function collect(input: Docs, env: PipelineEnv, what: string): Promise<Doc[]> {
  const docs: Doc[] = [];
  let bytes = 0;
  for await (const doc of input) {
    docs.push(doc);
    bytes += docs.length % 16 === 0 ? encode(doc).length * 16 : 0;
    if (bytes > env.memoryLimitBytes && !env.allowDiskUse)
      throw new EngineError(
        'QueryExceededMemoryLimitNoDiskUseAllowed',
        `Exceeded memory limit for ${what}, but didn't allow external sort. Pass allowDiskUse:true to opt in.`,
      );
  }
  return docs;
}
