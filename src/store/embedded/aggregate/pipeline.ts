import { Int32 } from 'bson';
import { isDoc, toInteger } from '../bson/types.js';
import { type Doc, encode, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileFilter } from '../query/match.js';
import { field } from '../query/path.js';
import { compileProjection } from '../query/projection.js';
import { compileSort } from '../query/sort.js';
import { compileExpression, pathValue, type Variables } from './expression.js';
import { createGroup, knowsGroup } from './group.js';
import { runStages } from './mingo.js';

export interface ReadRequest {
  readonly filter?: Doc;
  readonly sort?: Doc;
  readonly limit?: number;
}

/** What a pipeline needs of the server it runs in. */
export interface PipelineEnv {
  readonly variables: Variables;
  /** Documents of another collection of the same database, in the same snapshot. */
  read(collection: string, request: ReadRequest): Iterable<Doc>;
  readonly memoryLimitBytes: number;
  readonly allowDiskUse: boolean;
  /** Lets other commands run; asked for again and again in long loops. */
  pause(): Promise<void>;
}

type Docs = AsyncIterable<Doc>;
type Stage = (input: Docs) => Docs;

export interface Pipeline {
  /** What the scan of the collection may take over, so that an index serves it. */
  readonly leading: { readonly filter?: Doc; readonly sort?: Doc; readonly limit?: number };
  run(source: Iterable<Doc>): Docs;
  /** The stage that writes, if the pipeline ends with one. */
  readonly writes: { readonly stage: '$merge' | '$out'; readonly spec: Value } | undefined;
  /** Collections it reads beside its own. */
  readonly startsWithoutCollection: boolean;
}

/** Stages that mingo runs over all documents at once. */
const WHOLE = new Set([
  '$bucket',
  '$bucketAuto',
  '$sortByCount',
  '$setWindowFields',
  '$densify',
  '$fill',
  '$redact',
  '$sample',
  '$group',
  '$facet',
  '$graphLookup',
]);
const REFUSED = new Set([
  '$collStats',
  '$indexStats',
  '$changeStream',
  '$currentOp',
  '$listSessions',
  '$planCacheStats',
  '$search',
  '$geoNear',
  '$listLocalSessions',
]);
const PAUSE_EVERY = 1000;

function stageOf(stage: Value): [name: string, spec: Value] {
  if (!isDoc(stage)) throw new EngineError('TypeMismatch', "Each element of the 'pipeline' array must be an object");
  const entries = Object.entries(stage);
  const [entry] = entries;
  if (!entry || entries.length !== 1)
    throw new EngineError(40323, 'A pipeline stage specification object must contain exactly one field.');
  return entry;
}

async function* map(input: Docs, change: (doc: Doc) => Iterable<Doc>): Docs {
  for await (const doc of input) yield* change(doc);
}

/** Collects what a blocking stage needs; refuses as MongoDB does beyond the limit. */
async function collect(input: Docs, env: PipelineEnv, what: string): Promise<Doc[]> {
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

const count = (spec: Value, name: string, least: number): number => {
  const n = toInteger(spec);
  if (n === undefined || n < least)
    throw new EngineError(name === '$limit' ? 15958 : 5107200, `invalid argument to ${name} stage`);
  return n;
};

function unwind(spec: Value): (doc: Doc) => Doc[] {
  const options = isDoc(spec) ? spec : { path: spec };
  const path = options['path'];
  if (typeof path !== 'string' || !path.startsWith('$'))
    throw new EngineError(28818, `path option to $unwind stage should be prefixed with a '$': ${String(path)}`);
  const parts = path.slice(1).split('.');
  const index = options['includeArrayIndex'];
  const keep = options['preserveNullAndEmptyArrays'] === true;
  const put = (doc: Doc, at: number, v: Value): Doc => {
    const part = parts[at] as string;
    const copy = { ...doc };
    if (at === parts.length - 1) {
      if (v === undefined) delete copy[part];
      else copy[part] = v;
    } else copy[part] = put(isDoc(copy[part]) ? copy[part] : {}, at + 1, v);
    return copy;
  };
  const numbered = (doc: Doc, n: number | null): Doc =>
    typeof index === 'string' ? { ...doc, [index]: n === null ? null : new Int32(n) } : doc;
  return (doc) => {
    const v = pathValue(doc, parts);
    if (Array.isArray(v) && v.length > 0) return v.map((item, n) => numbered(put(doc, 0, item), n));
    if (Array.isArray(v)) return keep ? [numbered(put(doc, 0, undefined), null)] : [];
    if (v === undefined || v === null) return keep ? [numbered(doc, null)] : [];
    return [numbered(doc, null)];
  };
}

function lookup(spec: Value, env: PipelineEnv): (doc: Doc) => Promise<Doc> {
  if (!isDoc(spec)) throw new EngineError('FailedToParse', 'the $lookup stage specification must be an object');
  const { from, localField, foreignField, as, pipeline, let: variables } = spec as Record<string, Value>;
  if (typeof as !== 'string' || typeof from !== 'string')
    throw new EngineError('FailedToParse', "$lookup needs 'from' and 'as'");
  const inner = Array.isArray(pipeline) ? (pipeline as Doc[]) : undefined;
  const bindings = isDoc(variables)
    ? Object.entries(variables).map(([k, v]) => [k, compileExpression(v)] as const)
    : [];
  const joined = typeof localField === 'string' && typeof foreignField === 'string';
  return async (doc) => {
    const filter: Doc = {};
    if (joined) {
      const local = pathValue(doc, localField.split('.'));
      filter[foreignField] = Array.isArray(local) ? { $in: local } : { $eq: local ?? null };
    }
    let found: Doc[];
    if (inner) {
      const bound = Object.fromEntries(bindings.map(([k, evaluate]) => [k, evaluate(doc, env.variables)]));
      const nested = { ...env, variables: { ...env.variables, let: { ...env.variables.let, ...bound } } };
      const compiled = compilePipeline(joined ? [{ $match: filter }, ...inner] : inner, nested);
      found = await all(compiled.run(env.read(from, compiled.leading)));
    } else found = [...env.read(from, { filter })];
    return { ...doc, [as]: found };
  };
}

/** $addFields: documents on the way are made, an array's documents each get the field. */
export function addFields(spec: Value): (doc: Doc, v: Variables) => Doc {
  if (!isDoc(spec)) throw new EngineError(40272, '$addFields specification stage must be an object');
  const fields = Object.entries(spec).map(([path, expr]) => [path.split('.'), compileExpression(expr)] as const);
  return (doc, v) => {
    let out = doc;
    for (const [parts, evaluate] of fields) out = setPath(out, parts, 0, evaluate(doc, v)) as Doc;
    return out;
  };
}

function setPath(value: Value, parts: readonly string[], at: number, v: Value): Value {
  const part = parts[at];
  if (part === undefined) return v;
  if (Array.isArray(value)) return value.map((item) => setPath(item, parts, at, v));
  const doc = isDoc(value) ? { ...value } : {};
  const inner = setPath(field(doc, part), parts, at + 1, v);
  if (inner === undefined) delete doc[part];
  else doc[part] = inner;
  return doc;
}

function unset(spec: Value): (doc: Doc) => Doc {
  const paths = Array.isArray(spec) ? spec : [spec];
  if (paths.length === 0 || paths.some((p) => typeof p !== 'string'))
    throw new EngineError(31120, '$unset specification must be a string or an array of strings');
  return compileProjection(Object.fromEntries(paths.map((p) => [p as string, new Int32(0)])));
}

/** Stages that make one document of one: also those of a pipeline update. */
export function oneToOne(name: string, spec: Value): ((doc: Doc, v: Variables) => Doc) | undefined {
  switch (name) {
    case '$project': {
      if (!isDoc(spec)) throw new EngineError(15969, '$project specification must be an object');
      if (Object.keys(spec).length === 0)
        throw new EngineError(51272, 'projection specification must have at least one field');
      return (doc, v) => compileProjection(spec, undefined, v)(doc);
    }
    case '$addFields':
    case '$set':
      return addFields(spec);
    case '$unset':
      return unset(spec);
    case '$replaceRoot':
    case '$replaceWith': {
      const evaluate = compileExpression(name === '$replaceRoot' && isDoc(spec) ? spec['newRoot'] : spec);
      return (doc, v) => {
        const root = evaluate(doc, v);
        if (!isDoc(root)) throw new EngineError(40228, "'newRoot' expression must evaluate to an object");
        return root;
      };
    }
    default:
      return undefined;
  }
}

function compileStage(name: string, spec: Value, env: PipelineEnv): Stage {
  const single = name === '$project' && isDoc(spec) ? project(spec, env) : oneToOne(name, spec);
  if (single) return (input) => map(input, (doc) => [single(doc, env.variables)]);
  switch (name) {
    case '$match': {
      if (!isDoc(spec)) throw new EngineError(15959, 'the match filter must be an expression in an object');
      const filter = compileFilter(spec, { now: env.variables.now, let: env.variables.let });
      return (input) => map(input, (doc) => (filter.test(doc) ? [doc] : []));
    }
    case '$limit': {
      const most = count(spec, name, 1);
      return async function* (input) {
        let n = 0;
        for await (const doc of input) {
          yield doc;
          n += 1;
          if (n >= most) return;
        }
      };
    }
    case '$skip': {
      const first = count(spec, name, 0);
      let n = 0;
      return (input) => map(input, (doc) => ((n += 1) > first ? [doc] : []));
    }
    case '$count': {
      if (typeof spec !== 'string' || spec === '')
        throw new EngineError(40156, 'the count field must be a non-empty string');
      return async function* (input) {
        let n = 0;
        for await (const _doc of input) n += 1;
        if (n > 0) yield { [spec]: new Int32(n) };
      };
    }
    case '$sort': {
      if (!isDoc(spec)) throw new EngineError(15973, 'the $sort key specification must be an object');
      const compare = compileSort(spec);
      return async function* (input) {
        yield* (await collect(input, env, '$sort')).toSorted(compare);
      };
    }
    case '$unwind': {
      const change = unwind(spec);
      return (input) => map(input, change);
    }
    case '$lookup': {
      const join = lookup(spec, env);
      return async function* (input) {
        for await (const doc of input) yield await join(doc);
      };
    }
    case '$unionWith': {
      const { coll, pipeline = [] } = isDoc(spec) ? (spec as Record<string, Value>) : { coll: spec };
      if (typeof coll !== 'string' || !Array.isArray(pipeline))
        throw new EngineError('FailedToParse', '$unionWith needs a collection');
      const inner = compilePipeline(pipeline as Doc[], env);
      return async function* (input) {
        yield* input;
        yield* inner.run(env.read(coll, inner.leading));
      };
    }
    case '$documents': {
      const evaluate = compileExpression(spec);
      return async function* () {
        const docs = evaluate({}, env.variables);
        if (!Array.isArray(docs) || docs.some((d) => !isDoc(d)))
          throw new EngineError(5858203, '$documents needs an array of objects');
        yield* docs as Doc[];
      };
    }
    case '$group':
      if (knowsGroup(spec)) {
        return async function* (input) {
          const group = createGroup(spec as Doc, env.variables);
          for await (const doc of input) group.add(doc);
          yield* group.results();
        };
      }
  }
  if (WHOLE.has(name) && name !== '$facet' && name !== '$graphLookup')
    return async function* (input) {
      yield* runStages([{ [name]: spec }], await collect(input, env, name), env.variables.let);
    };
  if (name === '$facet' && isDoc(spec)) {
    const facets = Object.entries(spec).map(([k, stages]) => [k, compilePipeline(stages as Doc[], env)] as const);
    return async function* (input) {
      const docs = await collect(input, env, name);
      const out: Doc = {};
      for (const [k, inner] of facets) out[k] = await all(inner.runWhole(docs));
      yield out;
    };
  }
  if (REFUSED.has(name) || name === '$graphLookup')
    throw new EngineError('NotImplemented', `${name} is not supported by the embedded engine`);
  throw new EngineError(40324, `Unrecognized pipeline stage name: '${name}'`);
}

function project(spec: Doc, env: PipelineEnv): (doc: Doc) => Doc {
  if (Object.keys(spec).length === 0)
    throw new EngineError(51272, 'projection specification must have at least one field');
  return compileProjection(spec, undefined, env.variables);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function* paced(source: Iterable<Doc>, env: PipelineEnv): Docs {
  let n = 0;
  for (const doc of source) {
    yield doc;
    n += 1;
    if (n % PAUSE_EVERY === 0) await env.pause();
  }
}

/**
 * Compiles a pipeline; nothing is read yet.
 *
 * @throws {EngineError} 40324: no such stage; 40323: not exactly one field
 */
export function compilePipeline(
  stages: readonly Value[],
  env: PipelineEnv,
): Pipeline & { runWhole(source: Iterable<Doc>): Docs } {
  const parsed = stages.map(stageOf);
  const last = parsed.at(-1);
  const writes =
    last && (last[0] === '$merge' || last[0] === '$out')
      ? { stage: last[0] as '$merge' | '$out', spec: last[1] }
      : undefined;
  if (writes) parsed.pop();
  if (parsed.some(([name]) => name === '$merge' || name === '$out'))
    throw new EngineError(40601, '$merge and $out can only be the final stage in the pipeline');
  const leading: { filter?: Doc; sort?: Doc; limit?: number } = {};
  let taken = 0;
  for (const [name, spec] of parsed) {
    if (name === '$match' && isDoc(spec) && !leading.sort && leading.limit === undefined)
      leading.filter = leading.filter ? { $and: [leading.filter, spec] } : spec;
    else if (name === '$sort' && isDoc(spec) && !leading.sort && leading.limit === undefined) leading.sort = spec;
    else if (name === '$limit' && leading.limit === undefined) leading.limit = count(spec, name, 1);
    else break;
    taken += 1;
  }
  if (leading.filter) compileFilter(leading.filter, { let: env.variables.let, now: env.variables.now });
  const compiled = parsed.map(([name, spec]) => compileStage(name, spec, env));
  const chain = (source: Docs, from: number): Docs =>
    compiled.slice(from).reduce((input, stage) => stage(input), source);
  return {
    leading,
    writes,
    startsWithoutCollection: parsed[0]?.[0] === '$documents',
    run: (source) => chain(paced(source, env), taken),
    runWhole: (source) => chain(paced(source, env), 0),
  };
}
