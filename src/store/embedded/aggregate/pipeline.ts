import { compileWith } from './expression.js';
import { isDoc } from '../bson/types.js';
import { PartialDecoder } from '../bson/partial.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileFilter } from '../query/match.js';
import { sortFields } from '../query/sort.js';
import { assertCollated } from './collated.js';
import { compileStage, countOf, matchOptions } from './stages/index.js';
import { type Docs, paced, type Pipeline, type Place, type PipelineEnv, type ReadRequest } from './stage.js';

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Aggregation-Pipeline-Stages */
const MAX_STAGES = 1000;
/** Stages that must stand first, and make their documents themselves. */
const SOURCES = new Set(['$documents', '$collStats', '$indexStats']);
/** Stages that $facet does not take. https://www.mongodb.com/docs/manual/reference/operator/aggregation/facet/#behavior */
const NOT_IN_FACET = new Set([...SOURCES, '$facet', '$geoNear', '$out', '$merge']);

function stageOf(stage: Value): [name: string, spec: Value] {
  if (!isDoc(stage)) throw new EngineError('TypeMismatch', `Each element of the 'pipeline' array must be an object`);
  const entries = Object.entries(stage);
  const [entry] = entries;
  if (!entry || entries.length !== 1)
    throw new EngineError(40323, 'A pipeline stage specification object must contain exactly one field.');
  return entry;
}

/** What the scan may take over: the first $match, $sort and $limit, so that an index serves them. */
function leadingOf(parsed: readonly [string, Value][]): { leading: ReadRequest; taken: number } {
  const leading: { filter?: Doc; sort?: Doc; limit?: number } = {};
  const filters: Doc[] = [];
  let taken = 0;
  for (const [name, spec] of parsed) {
    if (name === '$match' && isDoc(spec) && !leading.sort && leading.limit === undefined) filters.push(spec);
    else if (
      name === '$sort' &&
      isDoc(spec) &&
      Object.keys(spec).length > 0 &&
      !leading.sort &&
      leading.limit === undefined
    )
      leading.sort = spec;
    else if (name === '$limit' && leading.limit === undefined) leading.limit = countOf(spec, name);
    else break;
    taken += 1;
  }
  const [filter] = filters;
  if (filter) leading.filter = filters.length === 1 ? filter : { $and: filters };
  return { leading, taken };
}

function assertPlaces(parsed: readonly [string, Value][], place: Place | undefined): void {
  for (const [i, [name, spec]] of parsed.entries()) {
    if (place === 'facet' && NOT_IN_FACET.has(name))
      throw new EngineError(40600, `${name} is not allowed to be used within a $facet stage`);
    if (name === '$merge' || name === '$out') {
      if (place === 'union') throw new EngineError(31441, `${name} is not allowed within a $unionWith's sub-pipeline`);
      if (place === 'nested') throw new EngineError(51047, `${name} is not allowed within a $lookup's sub-pipeline`);
      if (i < parsed.length - 1) throw new EngineError(40601, `${name} can only be the final stage in the pipeline`);
    }
    if (name === '$match' && i > 0 && isDoc(spec) && '$text' in spec)
      throw new EngineError(17313, '$match with $text is only allowed as the first pipeline stage');
    if (name === '$geoNear' && i > 0)
      throw new EngineError(40602, '$geoNear is only valid as the first stage in a pipeline');
    if (SOURCES.has(name) && i > 0)
      throw new EngineError(40602, `${name} is only valid as the first stage in a pipeline`);
  }
}

/**
 * Compiles a pipeline; nothing is read yet.
 *
 * @throws {EngineError} 40324: no such stage; 40323: not exactly one field; 40601, 40602: a stage in the wrong place
 */
export function compilePipeline(stages: readonly Value[], env: PipelineEnv, place?: Place): Pipeline {
  const parsed = stages.map(stageOf);
  if (parsed.length > MAX_STAGES)
    throw new EngineError(7749501, `Pipeline length must be no longer than ${MAX_STAGES} stages`);
  assertPlaces(parsed, place);
  if (env.collation) for (const [name, spec] of parsed) assertCollated(name, spec);
  const last = parsed.at(-1);
  const writes =
    last && (last[0] === '$merge' || last[0] === '$out')
      ? { stage: last[0] as '$merge' | '$out', spec: last[1] }
      : undefined;
  if (writes) parsed.pop();
  const { leading, taken } = leadingOf(parsed);
  if (leading.filter) compileFilter(leading.filter, matchOptions(env));
  if (leading.sort) sortFields(leading.sort, '$sort');
  const compiled = compileWith(env.variables, () =>
    parsed.map(([name, spec]) => compileStage(name, spec, env, compilePipeline)),
  );
  const chain = (source: Docs, from: number): Docs =>
    compiled.slice(from).reduce((input, stage) => stage(input), source);
  const direct = compiled[taken]?.direct;
  return {
    leading: { ...leading, let: env.variables.let, ...(env.collation && { collation: env.collation }) },
    taken,
    writes,
    startsWithoutCollection: SOURCES.has(parsed[0]?.[0] ?? ''),
    fields: direct?.fields && new PartialDecoder(direct.fields),
    run: (source) => (direct ? chain(direct.run(source), taken + 1) : chain(paced(source, env), taken)),
    runWhole: (source) => chain(paced(source, env), 0),
  };
}
