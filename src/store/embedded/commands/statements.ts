import { filterOptions, find as findDocuments } from '../query/execute.js';
import { isDoc } from '../bson/types.js';
import { type Doc, type Value } from '../bson/value.js';
import { type Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import { compileFilter } from '../query/match.js';
import { type Collection } from '../storage/catalogue.js';
import { Conflict, type Transaction } from '../transactions/transactions.js';
import { compileUpdate } from '../update/apply.js';
import { collationFor, type Context, hintOf, int, optionalBoolean, optionalDoc } from './command.js';

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
 * (all of them, or those before it when ordered). Inside one it ends the transaction.
 */
export function each<T>(
  context: Context,
  tx: Transaction,
  items: readonly T[],
  ordered: boolean,
  run: (item: T, index: number) => void,
): Doc[] {
  const errors: Doc[] = [];
  for (const [index, item] of items.entries()) {
    tx.mark();
    try {
      run(item, index);
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

interface UpdateStatement {
  readonly filter: Doc;
  readonly update: Doc | readonly Value[];
  readonly multi: boolean;
  readonly upsert: boolean;
  readonly statement: Doc;
}

export function updateStatement(statement: Doc, q: string, u: string): UpdateStatement {
  const filter = optionalDoc(statement, q) ?? {};
  const update = statement[u];
  if (!isDoc(update) && !Array.isArray(update))
    throw new EngineError('FailedToParse', 'Update argument must be either an object or an array');
  const multi = optionalBoolean(statement, 'multi') ?? false;
  if (multi && statement['sort'] !== undefined)
    throw new EngineError('FailedToParse', 'Cannot specify sort with multi=true');
  if (Array.isArray(update) && statement['arrayFilters'] !== undefined)
    throw new EngineError('FailedToParse', 'Cannot specify arrayFilters and a pipeline update');
  return {
    filter,
    update,
    multi,
    upsert: optionalBoolean(statement, 'upsert') ?? false,
    statement,
  };
}

export function runUpdate(
  writer: Writer,
  collection: Collection | undefined,
  s: UpdateStatement,
  variables: Doc | undefined,
): { matched: number; modified: number; upserted?: Value } {
  const filters = s.statement['arrayFilters'];
  const constants = optionalDoc(s.statement, s.statement['constants'] === undefined ? 'c' : 'constants');
  if (constants && !Array.isArray(s.update))
    throw new EngineError(51198, 'Constant values may only be specified for pipeline updates');
  if (filters !== undefined && !Array.isArray(filters))
    throw new EngineError('TypeMismatch', "BSON field 'update.updates.arrayFilters' must be an array");
  const collation = collationFor(s.statement, collection);
  const update = compileUpdate(s.update, {
    multi: s.multi,
    now: new Date(),
    collation,
    let: { ...variables, ...constants },
    ...(Array.isArray(filters) && { arrayFilters: filters.filter(isDoc) }),
  });
  const request = {
    filter: s.filter,
    hint: hintOf(s.statement['hint']),
    sort: optionalDoc(s.statement, 'sort'),
    collation,
    let: variables,
  };
  if (!collection) {
    compileFilter(s.filter, filterOptions(request, collection));
    return { matched: 0, modified: 0 };
  }
  return writer.update(collection, request, update, { multi: s.multi, upsert: s.upsert });
}

export function runDelete(
  tx: Transaction,
  writer: Writer,
  collection: Collection | undefined,
  statement: Doc,
  filter: Doc,
  multi: boolean,
  variables: Doc | undefined,
): number {
  const found = [
    ...findDocuments(tx, collection, {
      filter,
      hint: hintOf(statement['hint']),
      collation: collationFor(statement, collection),
      limit: multi ? 0 : 1,
      let: variables,
    }),
  ];
  if (collection) for (const { doc } of found) writer.remove(collection, doc);
  return found.length;
}
