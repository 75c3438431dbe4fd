import { Double, Int32 } from 'bson';
import { BulkFailed, StatementFailed } from '../commands/write.js';
import { type CommandReply, type Context, type Engine, GENERIC } from '../commands/command.js';
import { commands } from '../commands/index.js';
import type { Doc } from '../bson/value.js';
import { Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import { sessionFields, type SessionFields } from './sessions.js';

/** Commands that may stand in a transaction beside those that say so themselves. */
const ENDS_TRANSACTION = new Set(['commitTransaction', 'abortTransaction']);

/**
 * Answers one request.
 *
 * @throws {EngineError} 59: no such command; 40415: a field it does not know; 263: not in a transaction
 */
export async function dispatch(engine: Engine, request: Doc, connectionId: number): Promise<CommandReply> {
  const [name = ''] = Object.keys(request);
  const command = commands.get(name);
  if (!command) throw new EngineError('CommandNotFound', `no such command: '${name}'`);
  const db = request['$db'];
  if (typeof db !== 'string') throw new EngineError(40414, 'OP_MSG requests require a $db argument');
  if (command.fields) {
    const known = command.fields;
    const odd = Object.keys(request).find((field) => field !== name && !GENERIC.has(field) && !known.includes(field));
    if (odd !== undefined) throw new EngineError(40415, `BSON field '${name}.${odd}' is an unknown field.`);
  }
  const session = sessionFields(request);
  if (session.inTransaction && !command.inTransaction)
    throw new EngineError(
      'OperationNotSupportedInTransaction',
      `Cannot run '${name}' in a multi-document transaction.`,
    );
  const context: Context = {
    engine,
    db,
    command: request,
    session,
    connectionId,
    write: (work) => write(engine, session, command.retryable === true, work),
    snapshot() {
      if (session.inTransaction) return { tx: engine.sessions.transactionOf(session), release: () => undefined };
      const tx = engine.transactions.begin();
      return { tx, release: () => engine.transactions.abort(tx) };
    },
  };
  try {
    const reply = await command.run(context);
    return reply instanceof Uint8Array ? reply : { ...reply, ok: new Double(1) };
  } catch (error) {
    if (session.inTransaction && !ENDS_TRANSACTION.has(name)) engine.sessions.fail(session);
    throw error;
  }
}

async function write(
  engine: Engine,
  session: SessionFields,
  retryable: boolean,
  work: Parameters<Context['write']>[0],
): Promise<Doc> {
  if (session.inTransaction) {
    const tx = engine.sessions.transactionOf(session);
    try {
      return work(tx, new Writer(tx, engine.catalogue));
    } catch (error) {
      if (error instanceof BulkFailed || error instanceof StatementFailed) {
        engine.sessions.fail(session);
        return error instanceof BulkFailed ? error.reply : { n: new Int32(0), writeErrors: error.writeErrors };
      }
      throw error;
    }
  }
  return engine.transactions.run((tx) => {
    const earlier = retryable ? engine.sessions.repeated(tx, session) : undefined;
    if (earlier) return earlier;
    const reply = work(tx, new Writer(tx, engine.catalogue));
    if (retryable && session.key !== undefined && session.txnNumber !== undefined)
      engine.sessions.remember(tx, session.key, session.txnNumber, reply);
    return reply;
  });
}
