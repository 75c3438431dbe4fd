import { isDoc, toInteger } from '../bson/types.js';
import { type Doc, type Value } from '../bson/value.js';
import { variablesOf, type Command, docs, ensureCollection, int, optionalBoolean, collectionName } from './command.js';
import { inPieces } from './pieces.js';
import { assertUpdate, checkBatch, each, updateStatement, runUpdate } from './statements.js';

export const update: Command = {
  help: 'Changes documents.',
  fields: {
    updates: 'documents',
    collectionUUID: 'own',
    ordered: 'bool',
    bypassDocumentValidation: 'flag',
    bypassEmptyTsReplacement: 'flag',
    let: 'object',
  },
  writes: true,
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db, own } = context;
    const name = collectionName(command, 'update');
    const statements = docs(command, 'updates', 'update');
    checkBatch(statements.length);
    const sent = statements.map((s) => updateStatement(s, 'update'));
    const upserts = sent.some((s) => s.upsert);
    const collection = upserts ? await ensureCollection(context, db, name) : engine.catalogue.find(db, name, own);
    const variables = variablesOf(command);
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    const run = (some: readonly Doc[], among?: readonly Value[]): Promise<Doc> => {
      const read = some === statements ? sent : some.map((s) => updateStatement(s, 'update'));
      return context.write((tx, writer, retry) => {
        let n = 0;
        let nModified = 0;
        const upserted: Doc[] = [];
        const updateOne = (statement: (typeof sent)[number]): Doc => {
          assertUpdate(context, statement);
          const result = runUpdate(writer, collection, statement, variables, among);
          return {
            n: int(result.matched + (result.upserted === undefined ? 0 : 1)),
            nModified: int(result.modified),
            ...(result.upserted !== undefined && { upserted: { _id: result.upserted } }),
          };
        };
        const errors = each(context, { tx, retry }, read, ordered, updateOne, (answer, index) => {
          n += toInteger(answer['n']) ?? 0;
          nModified += toInteger(answer['nModified']) ?? 0;
          if (isDoc(answer['upserted'])) upserted.push({ index: int(index), ...answer['upserted'] });
        });
        return {
          n: int(n),
          nModified: int(nModified),
          ...(upserted.length > 0 && { upserted }),
          ...(errors.length > 0 && { writeErrors: errors }),
        };
      });
    };
    return inPieces(context, collection, statements, (s) => s['multi'] === true, run);
  },
};
