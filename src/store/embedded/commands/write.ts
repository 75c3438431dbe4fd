import { Int32, Long } from 'bson';
import { isDoc, toInteger } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import type { Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import { find } from '../query/execute.js';
import { compileFilter } from '../query/match.js';
import { compileProjection } from '../query/projection.js';
import type { Collection } from '../storage/catalogue.js';
import { Conflict, type Transaction } from '../transactions/transactions.js';
import { compileUpdate } from '../update/apply.js';
import {
  type Command,
  type Context,
  docs,
  ensureCollection,
  hintOf,
  int,
  optionalBoolean,
  optionalDoc,
  text,
} from './command.js';

const MAX_BATCH = 100_000;

const writeError = (index: number, error: EngineError): Doc => ({
  index: int(index),
  code: int(error.code),
  errmsg: error.message,
  ...(error.extra as Doc),
});

/**
 * Runs the statements of one command in order. One that fails is undone alone; outside a transaction the others stand
 * (all of them, or those before it when ordered). Inside one it ends the transaction.
 */
function each<T>(
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

/** A statement failed inside a transaction: the transaction is over, the answer names the statement. */
export class StatementFailed extends Error {
  readonly writeErrors: Doc[];
  constructor(error: Doc, earlier: Doc[]) {
    super('a statement failed');
    this.writeErrors = [...earlier, error];
  }
}

const checkBatch = (n: number): void => {
  if (n === 0 || n > MAX_BATCH)
    throw new EngineError(
      'InvalidLength',
      `Write batch sizes must be between 1 and ${MAX_BATCH}. Got ${n} operations.`,
    );
};

export const insert: Command = {
  help: 'Inserts documents into a collection.',
  fields: ['insert', 'documents', 'ordered', 'bypassDocumentValidation'],
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db } = context;
    const documents = docs(command, 'documents');
    checkBatch(documents.length);
    const collection = await ensureCollection(engine, db, text(command, 'insert'));
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    return context.write((tx, writer) => {
      let n = 0;
      const errors = each(context, tx, documents, ordered, (doc) => {
        writer.insert(collection, doc);
        n += 1;
      });
      return { n: int(n), ...(errors.length > 0 && { writeErrors: errors }) };
    });
  },
};

interface UpdateStatement {
  readonly filter: Doc;
  readonly update: Doc | readonly Value[];
  readonly multi: boolean;
  readonly upsert: boolean;
  readonly statement: Doc;
}

const UPDATE_FIELDS = ['q', 'u', 'c', 'multi', 'upsert', 'collation', 'arrayFilters', 'hint', 'sort'];

function updateStatement(statement: Doc, q: string, u: string): UpdateStatement {
  const filter = optionalDoc(statement, q) ?? {};
  const update = statement[u];
  if (!isDoc(update) && !Array.isArray(update))
    throw new EngineError('FailedToParse', 'Update argument must be either an object or an array');
  if (statement['collation'] !== undefined)
    throw new EngineError('NotImplemented', 'collation is not supported by the embedded engine');
  return {
    filter,
    update,
    multi: optionalBoolean(statement, 'multi') ?? false,
    upsert: optionalBoolean(statement, 'upsert') ?? false,
    statement,
  };
}

function runUpdate(
  writer: Writer,
  collection: Collection | undefined,
  s: UpdateStatement,
  variables: Doc | undefined,
): { matched: number; modified: number; upserted?: Value } {
  const filters = s.statement['arrayFilters'];
  const update = compileUpdate(s.update, {
    multi: s.multi,
    now: new Date(),
    ...(variables && { let: variables }),
    ...(Array.isArray(filters) && { arrayFilters: filters.filter(isDoc) }),
  });
  const request = {
    filter: s.filter,
    hint: hintOf(s.statement['hint']),
    sort: optionalDoc(s.statement, 'sort'),
    let: variables,
  };
  if (!collection) {
    compileFilter(s.filter, { ...(variables && { let: variables }) });
    return { matched: 0, modified: 0 };
  }
  return writer.update(collection, request, update, { multi: s.multi, upsert: s.upsert });
}

export const update: Command = {
  help: 'Changes documents.',
  fields: ['update', 'updates', 'ordered', 'bypassDocumentValidation', 'let'],
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db } = context;
    const statements = docs(command, 'updates');
    checkBatch(statements.length);
    const name = text(command, 'update');
    const upserts = statements.some((s) => s['upsert'] !== undefined && s['upsert'] !== false);
    const collection = upserts ? await ensureCollection(engine, db, name) : engine.catalogue.find(db, name);
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    return context.write((tx, writer) => {
      let n = 0;
      let nModified = 0;
      const upserted: Doc[] = [];
      const errors = each(context, tx, statements, ordered, (statement, index) => {
        const odd = Object.keys(statement).find((k) => !UPDATE_FIELDS.includes(k));
        if (odd !== undefined) throw new EngineError(40415, `BSON field 'update.updates.${odd}' is an unknown field.`);
        const result = runUpdate(writer, collection, updateStatement(statement, 'q', 'u'), optionalDoc(command, 'let'));
        n += result.matched + (result.upserted === undefined ? 0 : 1);
        nModified += result.modified;
        if (result.upserted !== undefined) upserted.push({ index: int(index), _id: result.upserted });
      });
      return {
        n: int(n),
        nModified: int(nModified),
        ...(upserted.length > 0 && { upserted }),
        ...(errors.length > 0 && { writeErrors: errors }),
      };
    });
  },
};

function runDelete(
  tx: Transaction,
  writer: Writer,
  collection: Collection | undefined,
  statement: Doc,
  filter: Doc,
  multi: boolean,
  variables: Doc | undefined,
): number {
  const found = [
    ...find(tx, collection, { filter, hint: hintOf(statement['hint']), limit: multi ? 0 : 1, let: variables }),
  ];
  if (collection) for (const { doc } of found) writer.remove(collection, doc);
  return found.length;
}

export const deleteCommand: Command = {
  help: 'Removes documents.',
  fields: ['delete', 'deletes', 'ordered', 'let'],
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db } = context;
    const statements = docs(command, 'deletes');
    checkBatch(statements.length);
    const collection = engine.catalogue.find(db, text(command, 'delete'));
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    return context.write((tx, writer) => {
      let n = 0;
      const errors = each(context, tx, statements, ordered, (statement) => {
        const limit = toInteger(statement['limit']);
        if (limit !== 0 && limit !== 1)
          throw new EngineError(
            statement['limit'] === undefined ? 40414 : 'FailedToParse',
            `The limit field in delete objects must be 0 or 1. Got ${String(statement['limit'])}`,
          );
        n += runDelete(
          tx,
          writer,
          collection,
          statement,
          optionalDoc(statement, 'q') ?? {},
          limit === 0,
          optionalDoc(command, 'let'),
        );
      });
      return { n: int(n), ...(errors.length > 0 && { writeErrors: errors }) };
    });
  },
};

export const findAndModify: Command = {
  help: 'Changes or removes one document and returns it.',
  fields: [
    'findAndModify',
    'findandmodify',
    'query',
    'sort',
    'remove',
    'update',
    'new',
    'fields',
    'upsert',
    'bypassDocumentValidation',
    'arrayFilters',
    'hint',
    'let',
    'collation',
  ],
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db } = context;
    const name = text(command, 'findAndModify' in command ? 'findAndModify' : 'findandmodify');
    if (command['collation'] !== undefined)
      throw new EngineError('NotImplemented', 'collation is not supported by the embedded engine');
    const remove = optionalBoolean(command, 'remove') ?? false;
    const upsert = optionalBoolean(command, 'upsert') ?? false;
    const after = optionalBoolean(command, 'new') ?? false;
    const change = command['update'];
    if (!remove && change === undefined)
      throw new EngineError('FailedToParse', 'Either an update or remove=true must be specified');
    if (remove && change !== undefined)
      throw new EngineError('FailedToParse', 'Cannot specify both an update and remove=true');
    if (remove && (upsert || after))
      throw new EngineError(
        'FailedToParse',
        remove && upsert
          ? 'Cannot specify both upsert=true and remove=true'
          : 'Cannot specify both new=true and remove=true; the remove always returns the deleted document',
      );
    const collection = upsert ? await ensureCollection(engine, db, name) : engine.catalogue.find(db, name);
    const filterDoc = optionalDoc(command, 'query') ?? {};
    const variables = optionalDoc(command, 'let');
    const fields = optionalDoc(command, 'fields');
    return context.write((tx, writer) => {
      const filter = compileFilter(filterDoc, { ...(variables && { let: variables }) });
      const request = {
        filter: filterDoc,
        sort: optionalDoc(command, 'sort'),
        hint: hintOf(command['hint']),
        limit: 1,
        let: variables,
      };
      const [found] = [...find(tx, collection, request, filter)];
      const show = (doc: Doc): Doc => (fields ? compileProjection(fields, filter)(doc) : doc);
      if (remove) {
        if (found && collection) writer.remove(collection, found.doc);
        return { lastErrorObject: { n: int(found ? 1 : 0) }, value: found ? show(found.doc) : null };
      }
      if (!isDoc(change) && !Array.isArray(change))
        throw new EngineError('FailedToParse', 'Update argument must be either an object or an array');
      const filters = command['arrayFilters'];
      const compiled = compileUpdate(change, {
        multi: false,
        now: new Date(),
        ...(variables && { let: variables }),
        ...(Array.isArray(filters) && { arrayFilters: filters.filter(isDoc) }),
      });
      if (!found || !collection) {
        if (!upsert || !collection) return { lastErrorObject: { n: int(0), updatedExisting: false }, value: null };
        const inserted = writer.insert(collection, compiled.insertFor(filterDoc));
        return {
          lastErrorObject: { n: int(1), updatedExisting: false, upserted: inserted['_id'] },
          value: after ? show(inserted) : null,
        };
      }
      const changed = compiled.apply(found.doc, filter.positional(found.doc));
      const before = show(found.doc);
      writer.replace(collection, found.doc, changed);
      return { lastErrorObject: { n: int(1), updatedExisting: true }, value: after ? show(changed) : before };
    });
  },
};

/** MongoDB 8's: writes to several collections. https://www.mongodb.com/docs/manual/reference/command/bulkWrite/ */
export const bulkWrite: Command = {
  help: 'Writes to several collections.',
  fields: ['bulkWrite', 'ops', 'nsInfo', 'ordered', 'errorsOnly', 'bypassDocumentValidation', 'let', 'cursor'],
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine } = context;
    const ops = docs(command, 'ops');
    checkBatch(ops.length);
    const spaces: (Collection | undefined)[] = [];
    for (const [at, { ns }] of docs(command, 'nsInfo').entries()) {
      const makes = ops.some(
        (op) => toInteger(op['insert']) === at || (op['upsert'] === true && toInteger(op['update']) === at),
      );
      const dot = typeof ns === 'string' ? ns.indexOf('.') : -1;
      if (typeof ns !== 'string' || dot <= 0)
        throw new EngineError('InvalidNamespace', `Invalid namespace specified for bulkWrite: '${String(ns)}'`);
      const [db, name] = [ns.slice(0, dot), ns.slice(dot + 1)];
      spaces.push(makes ? await ensureCollection(engine, db, name) : engine.catalogue.find(db, name));
    }
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    const errorsOnly = optionalBoolean(command, 'errorsOnly') ?? false;
    const variables = optionalDoc(command, 'let');
    const space = (v: Value): Collection | undefined => {
      const at = toInteger(v) ?? -1;
      if (at < 0 || at >= spaces.length)
        throw new EngineError('BadValue', `BulkWrite ops entry ${at} has an invalid nsInfo index.`);
      return spaces[at];
    };
    return context.write((tx, writer) => {
      const total = { nInserted: 0, nUpserted: 0, nMatched: 0, nModified: 0, nDeleted: 0 };
      const rows: Doc[] = [];
      const run = (op: Doc, idx: number): void => {
        const row: Doc = { ok: new Int32(1), idx: int(idx) };
        if ('insert' in op) {
          const into = space(op['insert']);
          if (!into) throw new EngineError('InternalError', 'the collection was not made');
          writer.insert(into, optionalDoc(op, 'document') ?? {});
          total.nInserted += 1;
          row['n'] = int(1);
        } else if ('update' in op) {
          const result = runUpdate(writer, space(op['update']), updateStatement(op, 'filter', 'updateMods'), variables);
          total.nMatched += result.matched;
          total.nModified += result.modified;
          row['n'] = int(result.matched + (result.upserted === undefined ? 0 : 1));
          row['nModified'] = int(result.modified);
          if (result.upserted !== undefined) {
            total.nUpserted += 1;
            row['upserted'] = { _id: result.upserted };
          }
        } else if ('delete' in op) {
          const n = runDelete(
            tx,
            writer,
            space(op['delete']),
            op,
            optionalDoc(op, 'filter') ?? {},
            optionalBoolean(op, 'multi') ?? false,
            variables,
          );
          total.nDeleted += n;
          row['n'] = int(n);
        } else throw new EngineError('BadValue', 'Unrecognized bulkWrite operation');
        if (!errorsOnly) rows.push(row);
      };
      let errors: Doc[];
      try {
        errors = each(context, tx, ops, ordered, run);
      } catch (error) {
        if (!(error instanceof StatementFailed)) throw error;
        throw new BulkFailed(bulkReply(rows, error.writeErrors, total));
      }
      return bulkReply(rows, errors, total);
    });
  },
};

/** As StatementFailed, with bulkWrite's form of an answer. */
export class BulkFailed extends Error {
  readonly reply: Doc;
  constructor(reply: Doc) {
    super('a statement failed');
    this.reply = reply;
  }
}

function bulkReply(rows: readonly Doc[], errors: readonly Doc[], total: Record<string, number>): Doc {
  const failed = errors.map(({ index, code, errmsg, ...extra }): Doc => ({
    ok: new Int32(0),
    idx: index,
    n: int(0),
    code,
    errmsg,
    ...extra,
  }));
  const all = [...rows, ...failed].toSorted((a, b) => (toInteger(a['idx']) ?? 0) - (toInteger(b['idx']) ?? 0));
  return {
    cursor: { id: Long.ZERO, firstBatch: all, ns: 'admin.$cmd.bulkWrite' },
    nErrors: int(errors.length),
    ...Object.fromEntries(Object.entries(total).map(([k, n]) => [k, int(n)])),
  };
}
