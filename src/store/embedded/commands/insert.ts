import type { Doc } from '../bson/value.js';
import { type Command, docs, ensureCollection, int, optionalBoolean, collectionName } from './command.js';
import { checkBatch, each } from './statements.js';

export const insert: Command = {
  help: 'Inserts documents into a collection.',
  fields: {
    documents: 'documents',
    collectionUUID: 'own',
    ordered: 'bool',
    bypassDocumentValidation: 'flag',
    bypassEmptyTsReplacement: 'flag',
  },
  writes: true,
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, db } = context;
    const name = collectionName(command, 'insert');
    const documents = docs(command, 'documents', 'insert');
    checkBatch(documents.length);
    const collection = await ensureCollection(context, db, name);
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    const one: Doc = { n: int(1) };
    return context.write((tx, writer, retry) => {
      let n = 0;
      const insertOne = (doc: Doc): Doc => {
        writer.insert(collection, doc);
        return one;
      };
      const errors = each(context, { tx, retry }, documents, ordered, insertOne, () => {
        n += 1;
      });
      return { n: int(n), ...(errors.length > 0 && { writeErrors: errors }) };
    });
  },
};
