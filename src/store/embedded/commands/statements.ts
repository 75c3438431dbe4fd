import { filterOptions, find as findDocuments } from '../query/execute.js';
import { isDoc, toInteger } from '../bson/types.js';
import { type Doc, type Value } from '../bson/value.js';
import { type Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import { compileFilter } from '../query/match.js';
import { type Collection } from '../storage/catalogue.js';
import type { Retry } from '../server/retry.js';
import { Conflict, type Transaction } from '../transactions/transactions.js';
import { compileUpdate } from '../update/apply.js';
import { collationFor } from './collation.js';
import { type Context, hintOf, int, optionalBoolean, optionalDoc, requiredDoc } from './command.js';
import { checked, type Fields } from './fields.js';

const MAX_BATCH = 100_000;

const writeError = (index: number, error: EngineError): Doc => ({
  index: int(index),
  code: int(error.code),
  errmsg: error.message,
  ...(error.extra as Doc),
});

/** A statement failed inside a transaction: the transaction is over, the answer names the statement. */
export class StatementFailed extends Error {
  readonly writeErrors: Doc[];
  constructor(error: Doc, earlier: Doc[]) {
    super('a statement failed');
    this.writeErrors = [...earlier, error];
  }
}

/** As StatementFailed, with bulkWrite's form of an answer. */
export class BulkFailed extends Error {
  readonly reply: Doc;
  constructor(reply: Doc) {
    super('a statement failed');
    this.reply = reply;
  }
}

/**
 * Runs the statements of one command in order. One that fails is undone alone; outside a transaction the others stand
 * (all of them, or those before it when ordered). Inside one it ends the transaction. What `run` answers is given to `take`;
 * a statement that was done under this number before is given the answer it had.
 */
export function each<T>(
  context: Context,
  { tx, retry }: { tx: Transaction; retry: Retry | undefined },
  items: readonly T[],
  ordered: boolean,
  run: (item: T, index: number) => Doc,
  take: (answer: Doc, index: number, item: T) => void,
): Doc[] {
  const errors: Doc[] = [];
  for (const [index, item] of items.entries()) {
    const before = retry?.known(index);
    if (before) {
      take(before, index, item);
      continue;
    }
    tx.mark();
    try {
      const answer = run(item, index);
      retry?.done(index, answer);
      take(answer, index, item);
    } catch (error) {
      if (!(error instanceof EngineError) || error instanceof Conflict) throw error;
      if (context.session.inTransaction) throw new StatementFailed(writeError(index, error), errors);
      tx.undo();
      errors.push(writeError(index, error));
      if (ordered) break;
    }
  }
  return errors;
}

export const checkBatch = (n: number): void => {
  if (n === 0 || n > MAX_BATCH)
    throw new EngineError(
      'InvalidLength',
      `Write batch sizes must be between 1 and ${MAX_BATCH}. Got ${n} operations.`,
    );
};

const UPDATE: Fields = {
  u: 'own',
  c: 'object',
  multi: 'bool',
  upsert: 'bool',
  upsertSupplied: 'bool',
  collation: 'object',
  arrayFilters: 'documents',
  hint: 'hint',
  sort: 'object',
  sampleId: 'own',
};

/** The fields of one statement, by the command: bulkWrite has other names for some. */
const STATEMENTS = {
  update: { path: 'update.updates', fields: { ...UPDATE, q: 'object' } satisfies Fields, q: 'q', u: 'u', c: 'c' },
  bulkWrite: {
    path: 'bulkWrite.ops',
    fields: { ...UPDATE, update: 'number', filter: 'object', updateMods: 'own', constants: 'object' } satisfies Fields,
    q: 'filter',
    u: 'updateMods',
    c: 'constants',
  },
} as const;

interface UpdateStatement {
  readonly filter: Doc;
  readonly update: Doc | readonly Value[];
  readonly multi: boolean;
  readonly upsert: boolean;
  readonly constants: Doc | undefined;
  readonly statement: Doc;
}

/**
 * One statement as it was sent. One that can not be read refuses the whole command, before anything is done.
 *
 * @throws {EngineError} 9, 14, 40414, 40415: a field of the wrong type, missing, not known
 */
export function updateStatement(given: Doc, of: keyof typeof STATEMENTS): UpdateStatement {
  const { path, fields, q, u, c } = STATEMENTS[of];
  const statement = checked(given, path, fields);
  const filter = requiredDoc(statement, q, path);
  const update = statement[u];
  if (update === undefined) throw new EngineError(40414, `BSON field '${path}.${u}' is missing but a required field`);
  if (!isDoc(update) && !Array.isArray(update))
    throw new EngineError('FailedToParse', 'Update argument must be either an object or an array');
  return {
    filter,
    update,
    multi: optionalBoolean(statement, 'multi') ?? false,
    upsert: optionalBoolean(statement, 'upsert') ?? false,
    constants: optionalDoc(statement, c, path),
    statement,
  };
}

/** @throws {EngineError} 9: options that do not go together; 72: a statement that can not be sent again */
export function assertUpdate(context: Context, { multi, update, statement }: UpdateStatement): void {
  if (multi) assertNotRetried(context, 'multi=true');
  if (multi && statement['sort'] !== undefined)
    throw new EngineError('FailedToParse', 'Cannot specify sort with multi=true');
  if (Array.isArray(update) && statement['arrayFilters'] !== undefined)
    throw new EngineError('FailedToParse', 'Cannot specify arrayFilters and a pipeline update');
}

/** https://www.mongodb.com/docs/manual/core/retryable-writes/#retryable-write-operations @throws {EngineError} 72 */
export function assertNotRetried({ session }: Context, what: string): void {
  if (session.txnNumber !== undefined && !session.inTransaction)
    throw new EngineError('InvalidOptions', `Cannot use (or request) retryable writes with ${what}`);
}

export function runUpdate(
  writer: Writer,
  collection: Collection | undefined,
  s: UpdateStatement,
  variables: Doc | undefined,
  among?: readonly Value[],
): { matched: number; modified: number; upserted?: Value } {
  const filters = s.statement['arrayFilters'];
  if (s.constants && !Array.isArray(s.update))
    throw new EngineError(51198, 'Constant values may only be specified for pipeline updates');
  const collation = collationFor(s.statement, collection);
  const update = compileUpdate(s.update, {
    multi: s.multi,
    now: new Date(),
    collation,
    let: { ...variables, ...s.constants },
    ...(Array.isArray(filters) && { arrayFilters: filters.filter(isDoc) }),
  });
  const request = {
    filter: s.filter,
    hint: hintOf(s.statement['hint']),
    sort: optionalDoc(s.statement, 'sort'),
    collation,
    let: variables,
    upsert: s.upsert,
    among,
  };
  if (!collection) {
    compileFilter(s.filter, filterOptions(request, collection));
    return { matched: 0, modified: 0 };
  }
  return writer.update(collection, request, update, { multi: s.multi, upsert: s.upsert });
}

const DELETE: Fields = {
  delete: 'number',
  q: 'object',
  filter: 'object',
  limit: 'own',
  multi: 'bool',
  collation: 'object',
  hint: 'hint',
  sampleId: 'own',
};

interface DeleteStatement {
  readonly filter: Doc;
  readonly multi: boolean;
  readonly statement: Doc;
}

/** As `updateStatement`. @throws {EngineError} 9: a limit that is neither 0 nor 1; 14, 40414, 40415 */
export function deleteStatement(given: Doc, of: 'delete' | 'bulkWrite'): DeleteStatement {
  const [path, q] = of === 'delete' ? ['delete.deletes', 'q'] : ['bulkWrite.ops', 'filter'];
  const statement = checked(given, path, DELETE);
  const filter = requiredDoc(statement, q, path);
  if (of === 'bulkWrite') return { filter, multi: optionalBoolean(statement, 'multi') ?? false, statement };
  const limit = toInteger(statement['limit']);
  if (limit !== 0 && limit !== 1)
    throw new EngineError(
      statement['limit'] === undefined ? 40414 : 'FailedToParse',
      `The limit field in delete objects must be 0 or 1. Got ${String(statement['limit'])}`,
    );
  return { filter, multi: limit === 0, statement };
}

/** Deletes one or all that a statement says. */
export function runDelete(
  context: Context,
  tx: Transaction,
  writer: Writer,
  collection: Collection | undefined,
  { filter, multi, statement }: DeleteStatement,
  variables: Doc | undefined,
  among?: readonly Value[],
): number {
  if (multi) assertNotRetried(context, 'limit=0');
  const request = {
    filter,
    hint: hintOf(statement['hint']),
    collation: collationFor(statement, collection),
    limit: multi ? 0 : 1,
    let: variables,
    among,
  };
  const found = [...findDocuments(tx, collection, request)];
  if (!collection) return 0;
  for (const { doc } of found) writer.remove(collection, doc);
  return found.length;
}
