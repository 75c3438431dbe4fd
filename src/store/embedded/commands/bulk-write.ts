import { Int32, Long } from 'bson';
import { toInteger } from '../bson/types.js';
import { type Doc, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { type Collection } from '../storage/catalogue.js';
import { variablesOf, type Command, docs, ensureCollection, int, optionalBoolean, requiredDoc } from './command.js';
import { assertNotView } from './views.js';
import {
  assertUpdate,
  checkBatch,
  deleteStatement,
  each,
  runDelete,
  runUpdate,
  updateStatement,
} from './statements.js';

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

type Operation =
  | { readonly insert: Value; readonly document: Doc }
  | { readonly update: Value; readonly statement: ReturnType<typeof updateStatement> }
  | { readonly delete: Value; readonly statement: ReturnType<typeof deleteStatement> };

/** @throws {EngineError} 2: neither an insert nor an update nor a delete; 9, 14, 40414, 40415: it can not be read */
function readOperation(op: Doc): Operation {
  if ('insert' in op) return { insert: op['insert'], document: requiredDoc(op, 'document', 'bulkWrite.ops') };
  if ('update' in op) return { update: op['update'], statement: updateStatement(op, 'bulkWrite') };
  if ('delete' in op) return { delete: op['delete'], statement: deleteStatement(op, 'bulkWrite') };
  throw new EngineError('BadValue', 'Unrecognized bulkWrite operation');
}

/** MongoDB 8's: writes to several collections. https://www.mongodb.com/docs/manual/reference/command/bulkWrite/ */
export const bulkWrite: Command = {
  help: 'Writes to several collections.',
  fields: {
    ops: 'documents',
    nsInfo: 'documents',
    ordered: 'bool',
    errorsOnly: 'bool',
    bypassDocumentValidation: 'flag',
    bypassEmptyTsReplacement: 'flag',
    let: 'object',
    cursor: 'object',
  },
  adminOnly: true,
  writes: true,
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, own } = context;
    const ops = docs(command, 'ops');
    checkBatch(ops.length);
    const operations = ops.map(readOperation);
    const spaces: (Collection | undefined)[] = [];
    for (const [at, { ns }] of docs(command, 'nsInfo').entries()) {
      const makes = operations.some((op) =>
        'insert' in op
          ? toInteger(op.insert) === at
          : 'update' in op && op.statement.upsert && toInteger(op.update) === at,
      );
      const dot = typeof ns === 'string' ? ns.indexOf('.') : -1;
      if (typeof ns !== 'string' || dot <= 0)
        throw new EngineError('InvalidNamespace', `Invalid namespace specified for bulkWrite: '${String(ns)}'`);
      const [db, name] = [ns.slice(0, dot), ns.slice(dot + 1)];
      assertNotView(engine.catalogue, db, 'bulkWrite', name);
      spaces.push(makes ? await ensureCollection(context, db, name) : engine.catalogue.find(db, name, own));
    }
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    const errorsOnly = optionalBoolean(command, 'errorsOnly') ?? false;
    const variables = variablesOf(command);
    const space = (v: Value): Collection | undefined => {
      const at = toInteger(v) ?? -1;
      if (at < 0 || at >= spaces.length)
        throw new EngineError('BadValue', `BulkWrite ops entry ${at} has an invalid nsInfo index.`);
      return spaces[at];
    };
    return context.write((tx, writer, retry) => {
      const total = { nInserted: 0, nUpserted: 0, nMatched: 0, nModified: 0, nDeleted: 0 };
      const rows: Doc[] = [];
      const run = (op: Operation): Doc => {
        if ('insert' in op) {
          const into = space(op.insert);
          if (!into) throw new EngineError('InternalError', 'the collection was not made');
          writer.insert(into, op.document);
          return { n: int(1) };
        }
        if ('update' in op) {
          assertUpdate(context, op.statement);
          const result = runUpdate(writer, space(op.update), op.statement, variables);
          return {
            n: int(result.matched + (result.upserted === undefined ? 0 : 1)),
            nModified: int(result.modified),
            ...(result.upserted !== undefined && { upserted: { _id: result.upserted } }),
          };
        }
        return { n: int(runDelete(context, tx, writer, space(op.delete), op.statement, variables)) };
      };
      const take = (answer: Doc, idx: number, op: Operation): void => {
        const n = toInteger(answer['n']) ?? 0;
        if ('insert' in op) total.nInserted += n;
        else if ('delete' in op) total.nDeleted += n;
        else if ('upserted' in answer) total.nUpserted += 1;
        else {
          total.nMatched += n;
          total.nModified += toInteger(answer['nModified']) ?? 0;
        }
        if (!errorsOnly) rows.push({ ok: new Int32(1), idx: int(idx), ...answer });
      };
      const errors = each(context, { tx, retry }, operations, ordered, run, take);
      return bulkReply(rows, errors, total);
    });
  },
};
