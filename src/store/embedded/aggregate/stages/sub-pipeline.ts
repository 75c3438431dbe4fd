import type { Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import type { CompilePipeline, Docs, PipelineEnv, Place } from '../stage.js';

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Number-of-Nested-Sub-pipelines */
const MAX_DEPTH = 20;

export interface SubPipeline {
  readonly startsWithoutCollection: boolean;
  docs(): Docs;
}

/**
 * A stage's pipeline over a collection, or over a view: then its stages come first.
 *
 * @throws {EngineError} 232: in more than 20 others; 167: of a view that compares texts otherwise
 */
export function subPipeline(
  from: string | undefined,
  stages: readonly Value[],
  env: PipelineEnv,
  compilePipeline: CompilePipeline,
  place: Place,
): SubPipeline {
  const depth = (env.depth ?? 0) + 1;
  if (depth > MAX_DEPTH)
    throw new EngineError(232, `Maximum number of nested sub-pipelines exceeded. Limit is ${MAX_DEPTH}`);
  const source = from === undefined ? undefined : env.source(from);
  const { text: _text, about: _about, ...around } = env;
  const pipeline = compilePipeline([...(source?.stages ?? []), ...stages], { ...around, ...source?.of, depth }, place);
  const { startsWithoutCollection, leading } = pipeline;
  return {
    startsWithoutCollection,
    docs: () => pipeline.run(source && !startsWithoutCollection ? env.read(source.name, leading) : []),
  };
}
