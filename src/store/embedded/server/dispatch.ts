import { Double, Int32 } from 'bson';
import { type Command, type CommandReply, type Context, type Engine } from '../commands/command.js';
import { checked, type Fields, GENERIC } from '../commands/fields.js';
import { commands } from '../commands/index.js';
import { assertUuid, named } from '../commands/collection-uuid.js';
import { assertNotView } from '../commands/views.js';
import { isNumeric, toNumber, truthy } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import { SYSTEM_DATABASES } from '../storage/catalogue.js';
import type { Transaction } from '../transactions/transactions.js';
import { acknowledged, checkReadConcern, checkWriteConcern, unsatisfied } from './concerns.js';
import { sessionFields, type SessionFields } from './sessions.js';
import { assertStableApi } from './stable-api.js';

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
  const db = databaseOf(request);
  if (command.adminOnly && db !== 'admin')
    throw new EngineError('Unauthorized', `${name} may only be run against the admin database.`);
  const { fields } = command;
  const asked = fields ? checked(request, name, fieldsOf(name, fields)) : checked(request, name, GENERIC, 'own');
  assertStableApi(name, asked);
  const given = named(engine.catalogue, db, name, asked);
  assertNotView(engine.catalogue, db, name, given[name]);
  assertUuid(engine.catalogue, db, name, given);
  const session = sessionFields(given);
  if (session.inTransaction) assertInTransaction(name, command, db, session);
  if (session.txnNumber !== undefined && !session.inTransaction && !command.retryable)
    throw new EngineError(
      50768,
      `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${name} is not a retryable write command.`,
    );
  if (session.inTransaction && given['writeConcern'] !== undefined && !ENDS_TRANSACTION.has(name))
    throw new EngineError('InvalidOptions', 'writeConcern is not allowed within a multi-statement transaction');
  if (given['bypassEmptyTsReplacement'] === true)
    throw new EngineError('NotImplemented', 'bypassEmptyTsReplacement is not supported by the embedded engine');
  const deadline = timeLimit(given);
  checkReadConcern(name, given, command.reads === true, session);
  checkWriteConcern(name, given, command.writes === true);
  if (!session.inTransaction && ENDS_TRANSACTION.has(name))
    throw new EngineError('CommandFailed', `${name} must be run within a transaction`);
  // The first statement of a transaction begins it. One that is not begun is not ended by that either.
  const own = session.inTransaction && !ENDS_TRANSACTION.has(name) ? engine.sessions.transactionOf(session) : undefined;
  try {
    const going = { ...session, startTransaction: false };
    const context: Context = {
      engine,
      own,
      db,
      command: given,
      session,
      connectionId,
      write: (work) => write(engine, given, { session: going, retryable: command.retryable === true, work, deadline }),
      snapshot() {
        if (own) {
          const tx = engine.sessions.transactionOf(going);
          tx.deadline = deadline;
          return { tx, release: () => undefined };
        }
        const tx = engine.transactions.begin();
        tx.deadline = deadline;
        return { tx, release: () => engine.transactions.abort(tx) };
      },
    };
    const reply = await command.run(context);
    if (reply instanceof Uint8Array) return reply;
    return { ...acknowledged(given, reply), ...unsatisfied(given), ok: new Double(1) };
  } catch (error) {
    if (session.inTransaction && !ENDS_TRANSACTION.has(name)) engine.sessions.fail(session);
    throw error;
  }
}

/** @throws {EngineError} 263: the command, or the database, is for no transaction, or not for its first statement */
function assertInTransaction(name: string, command: Command, db: string, session: SessionFields): void {
  const banned = (what: string): EngineError =>
    new EngineError('OperationNotSupportedInTransaction', `Cannot run ${what} multi-document transaction.`);
  if (!command.inTransaction) throw banned(`'${name}' in a`);
  if (command.inTransaction === 'later' && session.startTransaction)
    throw banned(`'${name}' as the first operation in a`);
  if (SYSTEM_DATABASES.includes(db) && !command.adminOnly) throw banned(`a command against the '${db}' database in a`);
}

interface Write {
  readonly session: SessionFields;
  readonly retryable: boolean;
  readonly work: Parameters<Context['write']>[0];
  readonly deadline: number | undefined;
}

async function write(engine: Engine, request: Doc, { session, retryable, work, deadline }: Write): Promise<Doc> {
  const bypass = request['bypassDocumentValidation'];
  const writer = (tx: Transaction): Writer =>
    new Writer(tx, engine.catalogue, {
      bypassesValidation: bypass !== undefined && truthy(bypass),
      inTransaction: session.inTransaction,
    });
  if (session.inTransaction) {
    const tx = engine.sessions.transactionOf(session);
    tx.deadline = deadline;
    return work(tx, writer(tx));
  }
  return engine.transactions.run(
    (tx) => {
      const retry = retryable ? engine.sessions.retry(tx, session) : undefined;
      const reply = work(tx, writer(tx), retry);
      if (!retry) return reply;
      engine.sessions.remember(tx, session, retry);
      return retry.retried.length === 0 ? reply : { ...reply, retriedStmtIds: retry.retried.map((n) => new Int32(n)) };
    },
    { deadline },
  );
}

/** @throws {EngineError} 14, 73: the request names no database that can be */
function databaseOf({ $db }: Doc): string {
  if (typeof $db !== 'string') throw new EngineError(40571, 'OP_MSG requests require a $db argument');
  if ($db === '' || /[/\\. "$\0]/.test($db) || Buffer.byteLength($db) > 63)
    throw new EngineError('InvalidNamespace', `Invalid database name: '${$db}'`);
  return $db;
}

const known = new Map<string, Fields>();

/** The fields that a command may bear, with those that any may. */
function fieldsOf(name: string, fields: Fields): Fields {
  const there = known.get(name);
  if (there) return there;
  const all: Fields = { ...GENERIC, [name]: 'own', ...fields };
  known.set(name, all);
  return all;
}

/** When a request must be done. @throws {EngineError} 9: not a whole number; 2: not from 0 to 2³¹ − 1 */
function timeLimit({ maxTimeMS }: Doc): number | undefined {
  if (!isNumeric(maxTimeMS)) return undefined;
  const ms = toNumber(maxTimeMS);
  if (!Number.isInteger(ms)) throw new EngineError('FailedToParse', 'maxTimeMS has non-integral value');
  if (ms < 0 || ms > 2 ** 31 - 1) throw new EngineError('BadValue', `${ms} value for maxTimeMS is out of range`);
  return ms === 0 ? undefined : Date.now() + ms;
}
