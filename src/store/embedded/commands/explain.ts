import { compilePipeline } from '../aggregate/pipeline.js';
import { isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { filterOptions, type FindRequest, textIndexOf } from '../query/execute.js';
import { type Explained, explainSearch, verbosityOf, type WouldWrite } from '../query/explain.js';
import { compileFilter } from '../query/match.js';
import { inSlices } from '../query/slices.js';
import type { Collection } from '../storage/catalogue.js';
import type { Update } from '../update/apply.js';
import { aboutCollection } from './about-collection.js';
import { collationFor } from './collation.js';
import { type Command, type Context, docs, hintOf, int, optionalBoolean, optionalDoc, variablesOf } from './command.js';
import { checked, GENERIC } from './fields.js';
import { assertGoTogether, soughtBy } from './find-and-modify.js';
import { pause } from './reading.js';
import { assertSearchable, countedBy, distinguishedBy, keyOf, searchedBy } from './requests.js';
import { assertUpdate, changeOf, deletedBy, deleteStatement, updateStatement } from './statements.js';
import { VERSION } from './version.js';

type Asked = Omit<Explained, 'namespace' | 'version'>;

/** What each command that can be explained would do. */
const EXPLAINED: Readonly<Record<string, (context: Context, inner: Doc, collection: Collection | undefined) => Asked>> =
  {
    find({ engine }, inner, collection) {
      assertSearchable(inner, collection);
      const { request } = searchedBy(inner, collection, engine.memoryLimitBytes);
      return { request, projection: optionalDoc(inner, 'projection') };
    },
    count: (_context, inner, collection) => ({ over: 'COUNT', request: countedBy(inner, collection) }),
    distinct(_context, inner, collection) {
      keyOf(inner);
      return { request: distinguishedBy(inner, collection) };
    },
    findAndModify(_context, inner, collection) {
      assertGoTogether(inner);
      const { request, update } = soughtBy(inner, collection);
      const [upsert = false, after = false] = ['upsert', 'new'].map((name) => optionalBoolean(inner, name));
      const asked: Asked = update
        ? updating(request, update, collection, upsert, after ? 'after' : 'before')
        : { over: 'DELETE', request, would: wouldDelete(true) };
      return { ...asked, projection: optionalDoc(inner, 'fields') };
    },
    update(context, inner, collection) {
      const statement = updateStatement(only(docs(inner, 'updates', 'update')), 'update');
      assertUpdate(context, statement);
      const { request, update } = changeOf(collection, statement, variablesOf(inner));
      return updating({ ...request, limit: statement.multi ? 0 : 1 }, update, collection, statement.upsert);
    },
    delete(_context, inner, collection) {
      const statement = deleteStatement(only(docs(inner, 'deletes', 'delete')), 'delete');
      return { over: 'DELETE', request: deletedBy(collection, statement, variablesOf(inner)), would: wouldDelete() };
    },
  };

function only(statements: readonly Doc[]): Doc {
  const [statement] = statements;
  if (statements.length !== 1 || !statement)
    throw new EngineError('InvalidLength', 'explained write batches must be of size 1');
  return statement;
}

/** `returned`: the command gives back what it removes. */
function wouldDelete(returned = false): WouldWrite {
  let found = 0;
  return {
    see() {
      found += 1;
    },
    figures: () => ({ nWouldDelete: int(found) }),
    returned: () => (returned ? found : 0),
  };
}

/** `returned`: the command gives back a document as it was, or as it is then. */
function updating(
  request: FindRequest,
  update: Update,
  collection: Collection | undefined,
  upsert: boolean,
  returned?: 'before' | 'after',
): Asked {
  const filter = compileFilter(request.filter, filterOptions(request, collection));
  let matched = 0;
  let modified = 0;
  const would: WouldWrite = {
    see({ doc }) {
      matched += 1;
      if (update.apply(doc, filter.positional(doc)) !== doc) modified += 1;
    },
    figures: () => ({
      nMatched: int(matched),
      nWouldModify: int(modified),
      nWouldUpsert: int(upsert && matched === 0 ? 1 : 0),
    }),
    returned: () => (returned === undefined ? 0 : matched > 0 || (upsert && returned === 'after') ? 1 : 0),
  };
  return { over: 'UPDATE', request, would };
}

/** The search that a pipeline begins with; `rest`: the stages it leaves. */
function pipelineOf(
  context: Context,
  inner: Doc,
  stages: readonly Value[],
  name: string,
): { request: FindRequest; rest: Doc[] } {
  const collection = context.engine.catalogue.find(context.db, name);
  const collation = collationFor(inner, collection);
  const { leading, taken } = compilePipeline(stages, {
    variables: { now: new Date(), let: variablesOf(inner) ?? {}, collation },
    collation,
    text: textIndexOf(collection),
    source: (from) => ({ name: from, stages: [] }),
    read: () => [],
    about: aboutCollection(context, name),
    memoryLimitBytes: context.engine.memoryLimitBytes,
    pause,
  });
  return {
    request: { ...leading, filter: leading.filter ?? {}, hint: hintOf(inner['hint']) },
    rest: stages.slice(taken).filter(isDoc),
  };
}

/** Undefined: an aggregation. @throws {EngineError} 20, 238: a command that can not be explained */
function askedBy(command: string): (typeof EXPLAINED)[string] | undefined {
  if (command === 'bulkWrite')
    throw new EngineError('NotImplemented', 'explain of bulkWrite is not supported by the embedded engine');
  const of = EXPLAINED[command === 'findandmodify' ? 'findAndModify' : command];
  if (!of && command !== 'aggregate') throw new EngineError('IllegalOperation', `Cannot explain cmd: ${command}`);
  return of;
}

/**
 * What a command would do. `sent`: the command as it came, `inner`: its fields as they were checked.
 *
 * @throws {EngineError} 20, 238: a command that can not be explained; 73: it names no collection
 */
export async function explained(
  context: Context,
  { sent, inner }: { sent: Doc; inner: Doc },
  verbosity: ReturnType<typeof verbosityOf>,
): Promise<Doc> {
  const [command = ''] = Object.keys(sent);
  const of = askedBy(command);
  const name = inner[command];
  if (typeof name !== 'string')
    throw new EngineError('InvalidNamespace', `collection name has invalid type for explain of ${command}`);
  const collection = context.engine.catalogue.find(context.db, name);
  if (collection?.options.view)
    throw new EngineError('NotImplemented', 'explain of a view is not supported by the embedded engine');
  const { tx, release } = context.snapshot();
  try {
    const search = (asked: Asked): Promise<Doc> =>
      inSlices(
        explainSearch(tx, collection, { namespace: `${context.db}.${name}`, version: VERSION, ...asked }, verbosity),
        pause,
      );
    if (of) return { ...(await search(of(context, inner, collection))), command: sent };
    if (!Array.isArray(inner['pipeline']))
      throw new EngineError('TypeMismatch', "BSON field 'aggregate.pipeline' must be an array");
    const { request, rest } = pipelineOf(context, inner, inner['pipeline'], name);
    const found = await search({ request });
    if (rest.length === 0) return { ...found, command: sent };
    const { serverInfo, ...cursor } = found;
    return { explainVersion: '1', stages: [{ $cursor: cursor }, ...rest], serverInfo, command: sent };
  } finally {
    release();
  }
}

/** https://www.mongodb.com/docs/manual/reference/command/explain/ */
export const explainOf = (commands: () => ReadonlyMap<string, Command>): Command => ({
  help: 'Tells how a command would find its documents.',
  fields: { verbosity: 'string' },
  async run(context) {
    const sent = optionalDoc(context.command, 'explain');
    if (!sent) throw new EngineError('TypeMismatch', "BSON field 'explain.explain' must be an object");
    const verbosity = verbosityOf(context.command['verbosity']);
    const [name = ''] = Object.keys(sent);
    const known = commands().get(name);
    if (!known) throw new EngineError('CommandNotFound', `Explain failed due to unknown command: ${name}`);
    askedBy(name);
    const inner = checked(sent, name, { ...GENERIC, [name]: 'own', ...known.fields });
    return explained(context, { sent, inner }, verbosity);
  },
});
