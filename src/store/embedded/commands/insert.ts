import { type Command, docs, ensureCollection, int, optionalBoolean, collectionName } from './command.js';
import { checkBatch, each } from './statements.js';

export const insert: Command = {
  help: 'Inserts documents into a collection.',
  fields: {
    documents: 'documents',
    ordered: 'bool',
    bypassDocumentValidation: 'flag',
    bypassEmptyTsReplacement: 'flag',
  },
  writes: true,
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db } = context;
    const documents = docs(command, 'documents');
    checkBatch(documents.length);
    const collection = await ensureCollection(engine, db, collectionName(command, 'insert'));
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
