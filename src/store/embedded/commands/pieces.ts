import { isDoc, toInteger } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { readsMany, search } from '../query/execute.js';
import { inSlices } from '../query/slices.js';
import type { Collection } from '../storage/catalogue.js';
import { collationFor } from './collation.js';
import { type Context, hintOf, int, variablesOf } from './command.js';
import { pause } from './reading.js';

/** Documents that are changed before other commands have their turn: some 10 ms. */
const PIECE = 500;

/**
 * The `_id`s that a statement is about, where looking for them takes long.
 *
 * @throws {EngineError} what is wrong with the statement; its own run says so in the right place
 */
async function idsOfMany(context: Context, collection: Collection, statement: Doc): Promise<Value[] | undefined> {
  const { q: filter } = statement;
  // It is one moment for all documents.
  if (!isDoc(filter) || JSON.stringify(statement).includes('"$$NOW"')) return undefined;
  const { tx, release } = context.snapshot();
  try {
    const request = {
      filter,
      hint: hintOf(statement['hint']),
      collation: collationFor(statement, collection),
      let: variablesOf(context.command),
    };
    if (!readsMany(tx, collection, request, PIECE)) return undefined;
    return await inSlices(idsIn(search(tx, collection, request)), pause);
  } finally {
    release();
  }
}

function* idsIn(found: ReturnType<typeof search>): Generator<undefined, Value[]> {
  const ids: Value[] = [];
  for (const one of found)
    if (one) ids.push(one.doc['_id']);
    else yield;
  return ids;
}

/**
 * Runs a command whose one statement changes all that match. Of many documents, some are changed at a time, each piece in
 * a commit of its own, and other commands have their turn between: the statement is not atomic as a whole, and MongoDB's is
 * not either (https://www.mongodb.com/docs/manual/core/write-operations-atomicity/). What does not match any more when its
 * turn comes is left alone. In a transaction all is done at once.
 */
export async function inPieces(
  context: Context,
  collection: Collection | undefined,
  statements: readonly Doc[],
  changesAll: (statement: Doc) => boolean,
  run: (statements: readonly Doc[], among?: readonly Value[]) => Promise<Doc>,
): Promise<Doc> {
  const [statement] = statements;
  if (!collection || !statement || statements.length > 1 || !changesAll(statement) || context.session.inTransaction)
    return run(statements);
  const ids = await idsOfMany(context, collection, statement).catch((error: unknown) => {
    if (error instanceof EngineError) return undefined;
    throw error;
  });
  if (!ids || ids.length === 0) return run(statements);
  const piece = { ...statement, ...('upsert' in statement && { upsert: false }) };
  let reply: Doc = {};
  const counts: Doc = {};
  for (let from = 0; from < ids.length && !reply['writeErrors']; from += PIECE) {
    reply = await run([piece], ids.slice(from, from + PIECE));
    for (const name of ['n', 'nModified'])
      if (name in reply) counts[name] = int((toInteger(counts[name]) ?? 0) + (toInteger(reply[name]) ?? 0));
  }
  return { ...reply, ...counts };
}
