import { BSONRegExp } from 'bson';
import { foldValue } from '../../bson/collation.js';
import { encodeValue } from '../../bson/key.js';
import { isDoc, toInteger, typeName } from '../../bson/types.js';
import { type Doc, encode, MAX_DOCUMENT, type Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { visitPath } from '../../query/path.js';
import { assertPath, compileExpression } from '../expression.js';
import { assertVariable } from '../operators/arguments.js';
import { type CompilePipeline, type Docs, paced, type PipelineEnv } from '../stage.js';
import { Long } from 'bson';
import { setPath } from './one-to-one.js';
import { type SubPipeline, subPipeline } from './sub-pipeline.js';

const NAMES = ['from', 'localField', 'foreignField', 'as', 'pipeline', 'let'];

/** Documents whose field equals the value, or one of its elements. */
function joinFilter(foreignField: string, local: Value): Doc {
  if (!Array.isArray(local)) return { [foreignField]: { $eq: local ?? null } };
  // In $in a regular expression would be a pattern; here it is a value.
  if (local.some((v) => v instanceof BSONRegExp)) return { $or: local.map((v) => ({ [foreignField]: { $eq: v } })) };
  return { [foreignField]: { $in: local } };
}

/** The values that are joined on: those a query would reach, an array as its elements; of none, null. */
function localValues(doc: Doc, parts: readonly string[]): Value[] {
  const values: Value[] = [];
  visitPath(doc, parts, (v) => {
    if (v !== undefined) values.push(...(Array.isArray(v) ? v : [v]));
    return false;
  });
  return values.length === 0 ? [null] : values;
}

const text = (stage: string, name: string, v: Value): string => {
  if (typeof v !== 'string')
    throw new EngineError(
      'FailedToParse',
      `${stage} argument '${name}' must be a string, found ${name}: ${typeName(v)}`,
    );
  return v;
};

/** @throws {EngineError} 4568: together they are larger than a document may be */
async function matched(found: Docs, from: string): Promise<Doc[]> {
  const docs: Doc[] = [];
  let bytes = 0;
  for await (const doc of found) {
    docs.push(doc);
    bytes += encode(doc).length;
    if (bytes > MAX_DOCUMENT)
      throw new EngineError(
        4568,
        `Total size of documents in ${from} matching the $lookup stage exceeds ${MAX_DOCUMENT} bytes`,
      );
  }
  return docs;
}

const searched = (from: string, filter: Doc, env: PipelineEnv): Docs =>
  paced(env.read(from, { filter, ...(env.collation && { collation: env.collation }) }), env);

/** Both forms, and both together. https://www.mongodb.com/docs/manual/reference/operator/aggregation/lookup/ */
export function lookup(spec: Value, env: PipelineEnv, compilePipeline: CompilePipeline): (doc: Doc) => Promise<Doc> {
  if (!isDoc(spec))
    throw new EngineError(
      'FailedToParse',
      `the $lookup stage specification must be an object, but found ${typeName(spec)}`,
    );
  for (const name of Object.keys(spec))
    if (!NAMES.includes(name)) throw new EngineError('FailedToParse', `unknown argument to $lookup: ${name}`);
  const { localField, foreignField, pipeline, let: variables } = spec as Record<string, Value>;
  if (isDoc(spec['from']))
    throw new EngineError('NotImplemented', '$lookup from another database is not supported by the embedded engine');
  const as = spec['as'] === undefined ? undefined : text('$lookup', 'as', spec['as']);
  if (as === undefined) throw new EngineError('FailedToParse', "must specify 'as' field for a $lookup");
  const documents = Array.isArray(pipeline) && isDoc(pipeline[0]) && '$documents' in pipeline[0];
  if (spec['from'] === undefined && !documents)
    throw new EngineError('FailedToParse', "must specify 'pipeline' when 'from' is empty");
  const from = spec['from'] === undefined ? '' : text('$lookup', 'from', spec['from']);
  if (pipeline !== undefined && !Array.isArray(pipeline))
    throw new EngineError('TypeMismatch', "'pipeline' option must be specified as an array");
  if (variables !== undefined && !pipeline)
    throw new EngineError('FailedToParse', "$lookup with a 'let' argument must also specify 'pipeline'");
  if ((localField === undefined) !== (foreignField === undefined))
    throw new EngineError(
      'FailedToParse',
      "$lookup requires both or neither of 'localField' and 'foreignField' to be specified",
    );
  if (localField === undefined && !pipeline)
    throw new EngineError(
      'FailedToParse',
      "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
    );
  const local = localField === undefined ? undefined : text('$lookup', 'localField', localField).split('.');
  const foreign = foreignField === undefined ? '' : text('$lookup', 'foreignField', foreignField);
  if (variables !== undefined && !isDoc(variables))
    throw new EngineError('TypeMismatch', `$lookup argument 'let' must be an object, but found ${typeName(variables)}`);
  for (const name of Object.keys(variables ?? {})) assertVariable(name);
  const bindings = Object.entries(isDoc(variables) ? variables : {}).map(
    ([k, v]) => [k, compileExpression(v)] as const,
  );
  for (const path of [as, ...(local ? [local.join('.')] : []), ...(foreign === '' ? [] : [foreign])]) assertPath(path);
  const into = as.split('.');
  // A mistake in the inner pipeline shows before the first document.
  const known = Object.fromEntries(bindings.map(([k]) => [k, null]));
  const inner = (bound: Doc, filter: Doc | undefined): SubPipeline =>
    subPipeline(
      spec['from'] === undefined ? undefined : from,
      [...(filter ? [{ $match: filter }] : []), ...(pipeline ?? [])],
      { ...env, variables: { ...env.variables, let: { ...env.variables.let, ...bound } } },
      compilePipeline,
      'nested',
    );
  const source = env.source(from);
  const plain = !pipeline && source.stages.length === 0;
  if (!plain) inner(known, undefined);
  return async (doc) => {
    const filter = local && joinFilter(foreign, localValues(doc, local));
    const bound = Object.fromEntries(bindings.map(([k, evaluate]) => [k, evaluate(doc, env.variables)]));
    const found = plain ? searched(source.name, filter ?? {}, env) : inner(bound, filter).docs();
    return setPath(doc, into, await matched(found, from)) as Doc;
  };
}

/** Follows a field from document to document. https://www.mongodb.com/docs/manual/reference/operator/aggregation/graphLookup/ */
export function graphLookup(
  spec: Value,
  env: PipelineEnv,
  compilePipeline: CompilePipeline,
): (doc: Doc) => Promise<Doc> {
  if (!isDoc(spec)) throw new EngineError('FailedToParse', '$graphLookup needs an object');
  const names = [
    'from',
    'startWith',
    'connectFromField',
    'connectToField',
    'as',
    'maxDepth',
    'depthField',
    'restrictSearchWithMatch',
  ];
  for (const name of Object.keys(spec))
    if (!names.includes(name)) throw new EngineError(40104, `Unknown argument to $graphLookup: ${name}`);
  const required = (name: string): string => {
    const v = spec[name];
    if (v === undefined) throw new EngineError(40105, `$graphLookup requires '${name}' to be specified`);
    if (typeof v !== 'string')
      throw new EngineError(40103, `expected string as argument for ${name}, found: ${typeName(v)}`);
    return v;
  };
  const [from, connectFrom, connectTo, as] = [
    required('from'),
    required('connectFromField'),
    required('connectToField'),
    required('as'),
  ];
  if (spec['startWith'] === undefined)
    throw new EngineError(40105, "$graphLookup requires 'startWith' to be specified");
  const start = compileExpression(spec['startWith']);
  const most = spec['maxDepth'] === undefined ? Infinity : toInteger(spec['maxDepth']);
  if (most === undefined) throw new EngineError(40102, 'maxDepth requires a whole number');
  if (most < 0) throw new EngineError(40101, 'maxDepth requires a nonnegative argument');
  const { depthField, restrictSearchWithMatch: restrict = {} } = spec as Record<string, Value>;
  if (depthField !== undefined && typeof depthField !== 'string')
    throw new EngineError(40103, 'expected string as argument for depthField');
  if (!isDoc(restrict)) throw new EngineError(40185, 'restrictSearchWithMatch must be an object');
  const source = env.source(from);
  const search = (filter: Doc): Docs =>
    source.stages.length > 0
      ? subPipeline(from, [{ $match: filter }], env, compilePipeline, 'nested').docs()
      : searched(source.name, filter, env);
  return async (doc) => {
    const found = new Map<string, Doc>();
    const asked = new Set<string>();
    const first = start(doc, env.variables);
    let frontier: Value[] = Array.isArray(first) ? first : [first];
    for (let depth = 0; frontier.length > 0 && depth <= most; depth += 1) {
      const wanted = frontier
        .map((v) => v ?? null)
        .filter((v) => {
          const key = encodeValue(env.collation ? foldValue(v, env.collation) : v).toString('latin1');
          if (asked.has(key)) return false;
          asked.add(key);
          return true;
        });
      frontier = [];
      if (wanted.length === 0) break;
      const filter = { $and: [joinFilter(connectTo, wanted), restrict] };
      for await (const next of search(filter)) {
        const key = encodeValue(next['_id']).toString('latin1');
        if (found.has(key)) continue;
        const row =
          typeof depthField === 'string' ? (setPath(next, depthField.split('.'), Long.fromNumber(depth)) as Doc) : next;
        found.set(key, row);
        visitPath(next, connectFrom.split('.'), (v) => {
          if (v !== undefined) frontier.push(...(Array.isArray(v) ? v : [v]));
          return false;
        });
      }
    }
    return setPath(doc, as.split('.'), [...found.values()]) as Doc;
  };
}
