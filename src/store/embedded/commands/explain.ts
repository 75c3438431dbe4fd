import { compilePipeline } from '../aggregate/pipeline.js';
import { readCollation } from '../bson/collation.js';
import { isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { FindRequest } from '../query/execute.js';
import { type Explained, explainSearch, verbosityOf } from '../query/explain.js';
import { inSlices } from '../query/slices.js';
import { compileProjection } from '../query/projection.js';
import { type Command, type Context, docs, hintOf, optionalDoc, optionalNumber } from './command.js';
import { pause } from './reading.js';
import { VERSION } from './version.js';

/** The search of each command that can be explained, and the stages over it. */
const EXPLAINED: Readonly<
  Record<string, (inner: Doc) => { request: FindRequest; over?: string[]; projection?: Doc | undefined }>
> = {
  find(inner) {
    const projection = optionalDoc(inner, 'projection');
    if (projection) compileProjection(projection);
    return { projection, request: { ...searchOf(inner, 'filter'), sort: optionalDoc(inner, 'sort') } };
  },
  count: (inner) => ({ over: ['COUNT'], request: searchOf(inner, 'query') }),
  distinct: (inner) => ({ request: searchOf(inner, 'query') }),
  findAndModify: (inner) => ({
    over: [inner['remove'] === true ? 'DELETE' : 'UPDATE'],
    request: { ...searchOf(inner, 'query'), sort: optionalDoc(inner, 'sort'), limit: 1 },
  }),
  update: (inner) => ({ over: ['UPDATE'], request: searchOf(only(docs(inner, 'updates')), 'q') }),
  delete: (inner) => ({ over: ['DELETE'], request: searchOf(only(docs(inner, 'deletes')), 'q') }),
};

function searchOf(inner: Doc, filter: string): FindRequest {
  const limit = optionalNumber(inner, 'limit');
  return {
    filter: optionalDoc(inner, filter) ?? {},
    limit: limit === undefined ? undefined : Math.abs(limit),
    skip: optionalNumber(inner, 'skip'),
    hint: hintOf(inner['hint']),
    let: optionalDoc(inner, 'let'),
    collation: readCollation(inner['collation']),
  };
}

function only(statements: readonly Doc[]): Doc {
  const [statement] = statements;
  if (statements.length !== 1 || !statement)
    throw new EngineError('InvalidLength', 'explained write batches must be of size 1');
  return statement;
}

/** The search that a pipeline begins with; `rest`: the stages it leaves. */
function pipelineOf(context: Context, inner: Doc, stages: readonly Value[]): { request: FindRequest; rest: Doc[] } {
  const { leading, taken } = compilePipeline(stages, {
    variables: { now: new Date(), let: optionalDoc(inner, 'let') ?? {} },
    source: (name) => ({ name, stages: [] }),
    read: () => [],
    memoryLimitBytes: context.engine.memoryLimitBytes,
    pause,
  });
  return {
    request: { ...leading, filter: leading.filter ?? {}, hint: hintOf(inner['hint']) },
    rest: stages.slice(taken).filter(isDoc),
  };
}

/**
 * What the command would do. `inner`: the command.
 *
 * @throws {EngineError} 59: a command that cannot be explained; 73: it names no collection
 */
export async function explained(context: Context, inner: Doc, verbosity: ReturnType<typeof verbosityOf>): Promise<Doc> {
  const [command = ''] = Object.keys(inner);
  const of = EXPLAINED[command === 'findandmodify' ? 'findAndModify' : command];
  if (!of && command !== 'aggregate')
    throw new EngineError('CommandNotFound', `Explain failed due to unknown command: ${command}`);
  const name = inner[command];
  if (typeof name !== 'string')
    throw new EngineError('InvalidNamespace', `collection name has invalid type for explain of ${command}`);
  if (context.engine.catalogue.find(context.db, name)?.options.view)
    throw new EngineError('NotImplemented', 'explain of a view is not supported by the embedded engine');
  const { tx, release } = context.snapshot();
  try {
    const search = (asked: Omit<Explained, 'namespace' | 'version'>): Promise<Doc> =>
      inSlices(
        explainSearch(
          tx,
          context.engine.catalogue.find(context.db, name),
          { namespace: `${context.db}.${name}`, version: VERSION, ...asked },
          verbosity,
        ),
        pause,
      );
    if (command === 'aggregate' && Array.isArray(inner['pipeline'])) {
      const { request, rest } = pipelineOf(context, inner, inner['pipeline']);
      const found = await search({ request });
      if (rest.length === 0) return { ...found, command: inner };
      const { serverInfo, ...cursor } = found;
      return { explainVersion: '1', stages: [{ $cursor: cursor }, ...rest], serverInfo, command: inner };
    }
    if (!of) throw new EngineError('TypeMismatch', "BSON field 'aggregate.pipeline' must be an array");
    return { ...(await search(of(inner))), command: inner };
  } finally {
    release();
  }
}

/** https://www.mongodb.com/docs/manual/reference/command/explain/ */
export const explain: Command = {
  help: 'Tells how a command would find its documents.',
  fields: { verbosity: 'string' },
  async run(context) {
    const inner = optionalDoc(context.command, 'explain');
    if (!inner) throw new EngineError('TypeMismatch', "BSON field 'explain.explain' must be an object");
    return explained(context, inner, verbosityOf(context.command['verbosity']));
  },
};
