import { type Doc } from '../bson/value.js';
import { variablesOf, type Command, docs, ensureCollection, int, optionalBoolean, collectionName } from './command.js';
import { checkBatch, each, runUpdate, updateStatement } from './statements.js';

export const update: Command = {
  help: 'Changes documents.',
  fields: {
    updates: 'documents',
    ordered: 'bool',
    bypassDocumentValidation: 'flag',
    bypassEmptyTsReplacement: 'flag',
    let: 'object',
  },
  writes: true,
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db } = context;
    const statements = docs(command, 'updates');
    checkBatch(statements.length);
    const name = collectionName(command, 'update');
    const upserts = statements.some((s) => s['upsert'] !== undefined && s['upsert'] !== false);
    const collection = upserts ? await ensureCollection(engine, db, name) : engine.catalogue.find(db, name);
    const variables = variablesOf(command);
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    return context.write((tx, writer) => {
      let n = 0;
      let nModified = 0;
      const upserted: Doc[] = [];
      const errors = each(context, tx, statements, ordered, (statement, index) => {
        const result = runUpdate(writer, collection, updateStatement(context, statement, 'update'), variables);
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
