import { Int32 } from 'bson';
import { exactInteger } from '../../bson/exact.js';
import { isDoc, isNumeric, toWhole, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError, searchNotEnabled } from '../../errors.js';
import { checked } from '../../commands/fields.js';
import { compileFilter, type FilterOptions } from '../../query/match.js';
import { inSlices, mapInSlices, sortInSlices } from '../../query/slices.js';
import { compileSortKeys } from '../../query/sort.js';
import { hasScore, keepScore, scoreOf } from '../../query/text/search.js';
import { assertFieldName, compileExpression } from '../expression.js';
import { group } from '../group.js';
import { collect, collected, type CompilePipeline, type Docs, type PipelineEnv, type Stage } from '../stage.js';
import { bucket, sortByCount } from './bucket.js';
import { bucketAuto } from './bucket-auto.js';
import { densify } from './densify.js';
import { geoNear } from './geo-near.js';
import { fill } from './fill.js';
import { graphLookup, lookup } from './lookup.js';
import { REFUSED, SEARCH } from './names.js';
import { oneToOne } from './one-to-one.js';
import { redact } from './redact.js';
import { setWindowFields } from './set-window-fields.js';
import { subPipeline } from './sub-pipeline.js';
import { unwind } from './unwind.js';

async function* map(input: Docs, change: (doc: Doc) => Iterable<Doc>): Docs {
  for await (const doc of input) yield* change(doc);
}

export const matchOptions = ({ variables, collation, text }: PipelineEnv): FilterOptions => ({
  now: variables.now,
  let: variables.let,
  near: 'refused',
  ...(text && { text }),
  ...(collation && { collation }),
});

/** @throws {EngineError} 15958, 5107201, 5107200: no such number of documents */
export function countOf(spec: Value, name: string): number {
  const whole = isNumeric(spec) ? exactInteger(spec) : undefined;
  const code = name === '$limit' ? 5107201 : 5107200;
  if (whole === undefined || BigInt.asIntN(64, whole) !== whole)
    throw new EngineError(code, `invalid argument to ${name} stage: Expected an integer: ${name}: ${String(spec)}`);
  const n = Number(whole);
  if (n < 0)
    throw new EngineError(code, `invalid argument to ${name} stage: Expected a non-negative number in: ${name}: ${n}`);
  if (n === 0 && name === '$limit') throw new EngineError(15958, 'the limit must be positive');
  return n;
}

function limit(spec: Value): Stage {
  const most = countOf(spec, '$limit');
  return async function* (input) {
    let n = 0;
    for await (const doc of input) {
      yield doc;
      n += 1;
      if (n >= most) return;
    }
  };
}

function skip(spec: Value): Stage {
  const first = countOf(spec, '$skip');
  return async function* (input) {
    let n = 0;
    for await (const doc of input) if ((n += 1) > first) yield doc;
  };
}

function count(spec: Value): Stage {
  if (typeof spec !== 'string') throw new EngineError(40156, `the count field must be a non-empty string`);
  if (spec === '') throw new EngineError(40157, 'the count field must be a non-empty string');
  if (spec.startsWith('$')) throw new EngineError(40158, 'the count field cannot be a $-prefixed path');
  if (spec.includes('\0')) throw new EngineError(40159, 'the count field cannot contain a null byte');
  if (spec.includes('.')) throw new EngineError(40160, "the count field cannot contain '.'");
  if (spec === '_id') throw new EngineError(9039800, "the count field cannot be '_id'");
  return async function* (input) {
    let n = 0;
    for await (const _doc of input) n += 1;
    if (n > 0) yield { [spec]: new Int32(n) };
  };
}

function sort(spec: Value, env: PipelineEnv): Stage {
  if (!isDoc(spec)) throw new EngineError(15973, 'the $sort key specification must be an object');
  if (Object.keys(spec).length === 0) throw new EngineError(15976, '$sort stage must have at least one sort key');
  const { keysOf, compare } = compileSortKeys(spec, '$sort', env.collation);
  return async function* (input) {
    const docs = await collect(input, env, '$sort');
    const sorting = function* (): Generator<undefined, { doc: Doc }[]> {
      const rows = yield* mapInSlices(docs, (doc) => ({ doc, keys: keysOf(doc) }));
      return yield* sortInSlices(rows, (a, b) => compare(a.keys, b.keys));
    };
    for (const { doc } of await inSlices(sorting(), () => env.pause())) yield doc;
  };
}

function facet(spec: Value, env: PipelineEnv, compilePipeline: CompilePipeline): Stage {
  if (!isDoc(spec) || Object.keys(spec).length === 0)
    throw new EngineError(40169, 'the $facet specification must be a non-empty object');
  for (const name of Object.keys(spec)) {
    if (name === '') throw new EngineError(15998, 'FieldPath field names may not be empty strings.');
    assertFieldName(name);
  }
  const facets = Object.entries(spec).map(([k, stages]) => {
    if (!Array.isArray(stages))
      throw new EngineError(40170, `arguments to $facet must be arrays, ${k} is type ${typeName(stages)}`);
    for (const stage of stages)
      if (!isDoc(stage))
        throw new EngineError(
          40171,
          `elements of arrays in $facet spec must be non-empty objects, ${k} argument contained an element of type ${typeName(stage)}`,
        );
    return [k, compilePipeline(stages, env, 'facet')] as const;
  });
  return async function* (input) {
    const docs = await collect(input, env, '$facet');
    const out: Doc = {};
    for (const [k, inner] of facets) out[k] = await collected(inner.runWhole(docs));
    yield out;
  };
}

function unionWith(spec: Value, env: PipelineEnv, compilePipeline: CompilePipeline): Stage {
  const {
    coll,
    pipeline = [],
    ...rest
  } = isDoc(spec) ? (spec as Record<string, Value>) : ({ coll: spec } as Record<string, Value>);
  const [odd] = Object.keys(rest);
  if (odd !== undefined) throw new EngineError(40415, `BSON field '$unionWith.${odd}' is an unknown field.`);
  if (!Array.isArray(pipeline))
    throw new EngineError('TypeMismatch', "BSON field '$unionWith.pipeline' must be an array");
  if (coll !== undefined && typeof coll !== 'string')
    throw new EngineError(
      'FailedToParse',
      `the $unionWith stage specification must be an object or string, but found ${typeName(spec)}`,
    );
  const inner = subPipeline(coll, pipeline, env, compilePipeline, 'union');
  if (typeof coll !== 'string' && !inner.startsWithoutCollection)
    throw new EngineError(
      'FailedToParse',
      '$unionWith stage without explicit collection must have a pipeline with $documents as first stage',
    );
  return async function* (input) {
    yield* input;
    yield* inner.docs();
  };
}

function documents(spec: Value, env: PipelineEnv): Stage {
  const evaluate = compileExpression(spec);
  return async function* () {
    const docs = evaluate({}, env.variables);
    if (!Array.isArray(docs) || docs.some((d) => !isDoc(d)))
      throw new EngineError(5858203, 'an array is expected, its elements must be objects');
    yield* docs as Doc[];
  };
}

function sample(spec: Value, env: PipelineEnv): Stage {
  if (!isDoc(spec)) throw new EngineError(28745, 'the $sample stage specification must be an object');
  for (const [k, v] of Object.entries(spec)) {
    if (k !== 'size') throw new EngineError(28748, `unrecognized option to $sample: ${k}`);
    if (!isNumeric(v)) throw new EngineError(28746, 'size argument to $sample must be a number');
  }
  const { size } = spec as Record<string, Value>;
  if (!isNumeric(size)) throw new EngineError(28749, '$sample stage must specify a size');
  const n = toWhole(size);
  if (n <= 0) throw new EngineError(28747, 'size argument to $sample must be a positive integer');
  return async function* (input) {
    const docs = await collect(input, env, '$sample');
    for (let i = 0; i < Math.min(n, docs.length); i += 1) {
      const at = i + Math.floor(Math.random() * (docs.length - i));
      const [a, b] = [docs[i] as Doc, docs[at] as Doc];
      docs[i] = b;
      docs[at] = a;
      yield b;
    }
  };
}

/** @throws {EngineError} 5447000: no document; 40415: another option; 31170: an option that takes none has some */
function assertCollStats(spec: Value): void {
  if (!isDoc(spec))
    throw new EngineError(5447000, `$collStats must take a nested object but found a ${typeName(spec)}`);
  const options = checked(spec, '$collStats', {
    latencyStats: 'object',
    storageStats: 'object',
    count: 'object',
    queryExecStats: 'object',
  });
  const count = options['count'];
  if (isDoc(count) && Object.keys(count).length > 0)
    throw new EngineError(31170, 'The count field of the $collStats stage must be an empty object');
}

/** @throws {EngineError} 40324: no such stage */
export function compileStage(name: string, spec: Value, env: PipelineEnv, compilePipeline: CompilePipeline): Stage {
  const single = oneToOne(name, spec);
  if (single)
    return (input) =>
      map(input, (doc) => {
        const out = single(doc, env.variables);
        if (env.text && hasScore(doc)) keepScore(out, scoreOf(doc));
        return [out];
      });
  const several = (stages: readonly Doc[]): Stage => {
    const compiled = stages.map((s) =>
      compileStage(...(Object.entries(s)[0] as [string, Value]), env, compilePipeline),
    );
    const chain = (input: Docs, from: number): Docs => compiled.slice(from).reduce((docs, stage) => stage(docs), input);
    const direct = compiled[0]?.direct;
    return Object.assign((input: Docs) => chain(input, 0), {
      direct: direct && { ...direct, run: (source: Iterable<Doc | undefined>) => chain(direct.run(source), 1) },
    });
  };
  switch (name) {
    case '$match': {
      if (!isDoc(spec)) throw new EngineError(15959, 'the match filter must be an expression in an object');
      const filter = compileFilter(spec, matchOptions(env));
      return (input) => map(input, (doc) => (filter.test(doc) ? [doc] : []));
    }
    case '$limit':
      return limit(spec);
    case '$skip':
      return skip(spec);
    case '$count':
      return count(spec);
    case '$sort':
      return sort(spec, env);
    case '$unwind': {
      const change = unwind(spec);
      return (input) => map(input, change);
    }
    case '$lookup': {
      const join = lookup(spec, env, compilePipeline);
      return async function* (input) {
        for await (const doc of input) yield await join(doc);
      };
    }
    case '$graphLookup': {
      const join = graphLookup(spec, env, compilePipeline);
      return async function* (input) {
        for await (const doc of input) yield await join(doc);
      };
    }
    case '$unionWith':
      return unionWith(spec, env, compilePipeline);
    case '$geoNear':
      return geoNear(spec, env);
    case '$documents':
      return documents(spec, env);
    case '$collStats':
      assertCollStats(spec);
      return async function* () {
        if (env.about) yield await env.about.stats();
      };
    case '$indexStats':
      if (!isDoc(spec) || Object.keys(spec).length > 0)
        throw new EngineError(28803, 'The $indexStats stage specification must be an empty object');
      return async function* () {
        yield* env.about?.indexes() ?? [];
      };
    case '$group': {
      if (!isDoc(spec)) throw new EngineError(15947, "a group's fields must be specified in an object");
      return group(spec, env);
    }
    case '$bucket':
      return several(bucket(spec, env.variables));
    case '$bucketAuto':
      return bucketAuto(spec, env);
    case '$densify':
      return densify(spec, env);
    case '$fill':
      return several(fill(spec));
    case '$sortByCount':
      return several(sortByCount(spec));
    case '$facet':
      return facet(spec, env, compilePipeline);
    case '$sample':
      return sample(spec, env);
    case '$redact': {
      const decide = redact(spec);
      return (input) =>
        map(input, (doc) => {
          const kept = decide(doc, env.variables);
          return kept ? [kept] : [];
        });
    }
    case '$setWindowFields': {
      const run = setWindowFields(spec, env.variables);
      return async function* (input) {
        yield* await inSlices(run(await collect(input, env, name)), () => env.pause());
      };
    }
  }
  if (SEARCH.has(name)) throw searchNotEnabled();
  if (REFUSED.has(name)) throw new EngineError('NotImplemented', `${name} is not supported by the embedded engine`);
  throw new EngineError(40324, `Unrecognized pipeline stage name: '${name}'`);
}
