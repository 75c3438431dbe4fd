import { Double, Int32 } from 'bson';
import { BulkFailed, StatementFailed } from '../commands/statements.js';
import { type CommandReply, type Context, type Engine, GENERIC } from '../commands/command.js';
import { commands } from '../commands/index.js';
import { isDoc, isNumeric, toNumber, truthy } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import type { Transaction } from '../transactions/transactions.js';
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
  if (typeof db !== 'string') throw new EngineError(40571, 'OP_MSG requests require a $db argument');
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
  if (session.inTransaction && request['writeConcern'] !== undefined && !ENDS_TRANSACTION.has(name))
    throw new EngineError('InvalidOptions', 'writeConcern is not allowed within a multi-statement transaction');
  if (!session.inTransaction && ENDS_TRANSACTION.has(name))
    throw new EngineError('CommandFailed', `${name} must be run within a transaction`);
  const deadline = timeLimit(request);
  checkReadConcern(request);
  const context: Context = {
    engine,
    db,
    command: request,
    session,
    connectionId,
    write: (work) => write(engine, request, { session, retryable: command.retryable === true, work, deadline }),
    snapshot() {
      if (session.inTransaction) {
        const tx = engine.sessions.transactionOf(session);
        tx.deadline = deadline;
        return { tx, release: () => undefined };
      }
      const tx = engine.transactions.begin();
      tx.deadline = deadline;
      return { tx, release: () => engine.transactions.abort(tx) };
    },
  };
  try {
    const reply = await command.run(context);
    if (reply instanceof Uint8Array) return reply;
    return { ...reply, ...unsatisfied(request, command.retryable === true), ok: new Double(1) };
  } catch (error) {
    if (session.inTransaction && !ENDS_TRANSACTION.has(name)) engine.sessions.fail(session);
    throw error;
  }
}

interface Write {
  readonly session: SessionFields;
  readonly retryable: boolean;
  readonly work: Parameters<Context['write']>[0];
  readonly deadline: number | undefined;
}

async function write(engine: Engine, request: Doc, { session, retryable, work, deadline }: Write): Promise<Doc> {
  const bypass = request['bypassDocumentValidation'];
  const writer = (tx: Transaction): Writer => new Writer(tx, engine.catalogue, bypass !== undefined && truthy(bypass));
  if (session.inTransaction) {
    const tx = engine.sessions.transactionOf(session);
    tx.deadline = deadline;
    try {
      return work(tx, writer(tx));
    } catch (error) {
      if (error instanceof BulkFailed || error instanceof StatementFailed) {
        engine.sessions.fail(session);
        return error instanceof BulkFailed ? error.reply : { n: new Int32(0), writeErrors: error.writeErrors };
      }
      throw error;
    }
  }
  return engine.transactions.run(
    (tx) => {
      const earlier = retryable ? engine.sessions.repeated(tx, session) : undefined;
      if (earlier) return earlier;
      const reply = work(tx, writer(tx));
      if (retryable && session.txnNumber !== undefined) engine.sessions.remember(tx, session, reply);
      return reply;
    },
    { deadline },
  );
}

/** When a request must be done. @throws {EngineError} maxTimeMS is no number from 0 to 2³¹ − 1 */
function timeLimit({ maxTimeMS }: Doc): number | undefined {
  if (maxTimeMS === undefined) return undefined;
  const ms = isNumeric(maxTimeMS) ? toNumber(maxTimeMS) : Number.NaN;
  if (!Number.isInteger(ms) || ms < 0 || ms > 2 ** 31 - 1)
    throw new EngineError(
      isNumeric(maxTimeMS) ? 'BadValue' : 'TypeMismatch',
      `maxTimeMS must be a whole number from 0 to ${2 ** 31 - 1}`,
    );
  return ms === 0 ? undefined : Date.now() + ms;
}

/** One node holds everything: each level that MongoDB knows is met by a snapshot of it. */
const READ_LEVELS = new Set(['local', 'available', 'majority', 'linearizable', 'snapshot']);

function checkReadConcern({ readConcern }: Doc): void {
  if (readConcern === undefined) return;
  if (!isDoc(readConcern)) throw new EngineError('TypeMismatch', "BSON field 'readConcern' must be an object");
  const { level } = readConcern as Record<string, Value>;
  if (level !== undefined && !(typeof level === 'string' && READ_LEVELS.has(level)))
    throw new EngineError(
      'BadValue',
      `Enumeration value '${String(level)}' for field 'readConcern.level' is not a valid value.`,
    );
}

/** A write concern that one node cannot meet is told beside the result, as in MongoDB: the write itself stands. */
function unsatisfied({ writeConcern }: Doc, isWrite: boolean): Doc {
  if (!isWrite || !isDoc(writeConcern)) return {};
  const { w } = writeConcern as Record<string, Value>;
  if (isNumeric(w) && toNumber(w) > 1)
    return {
      writeConcernError: {
        code: new Int32(100),
        codeName: 'UnsatisfiableWriteConcern',
        errmsg: 'Not enough data-bearing nodes',
      },
    };
  if (typeof w === 'string' && w !== 'majority')
    return {
      writeConcernError: {
        code: new Int32(79),
        codeName: 'UnknownReplWriteConcern',
        errmsg: `No write concern mode named '${w}' found in replica set configuration`,
      },
    };
  return {};
}
