import type { Doc, Value } from '../bson/value.js';
import { toInteger } from '../bson/types.js';
import { variablesOf, type Command, docs, int, optionalBoolean, collectionName } from './command.js';
import { inPieces } from './pieces.js';
import { checkBatch, deleteStatement, each, runDelete } from './statements.js';

export const deleteCommand: Command = {
  help: 'Removes documents.',
  fields: { deletes: 'documents', ordered: 'bool', let: 'object' },
  writes: true,
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db, own } = context;
    const name = collectionName(command, 'delete');
    const statements = docs(command, 'deletes', 'delete');
    checkBatch(statements.length);
    const collection = engine.catalogue.find(db, name, own);
    const variables = variablesOf(command);
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    const run = (some: readonly Doc[], among?: readonly Value[]): Promise<Doc> =>
      context.write((tx, writer, retry) => {
        let n = 0;
        const deleteOne = (statement: Doc): Doc => ({
          n: int(runDelete(context, tx, writer, collection, deleteStatement(statement), variables, among)),
        });
        const errors = each(context, { tx, retry }, some, ordered, deleteOne, (answer) => {
          n += toInteger(answer['n']) ?? 0;
        });
        return { n: int(n), ...(errors.length > 0 && { writeErrors: errors }) };
      });
    return inPieces(context, collection, statements, (s) => toInteger(s['limit']) === 0, run);
  },
};
