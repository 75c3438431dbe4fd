import type { Doc, Value } from '../bson/value.js';
import { toInteger } from '../bson/types.js';
import { variablesOf, type Command, docs, int, optionalBoolean, collectionName } from './command.js';
import { inPieces } from './pieces.js';
import { checkBatch, deleteStatement, each, runDelete } from './statements.js';

export const deleteCommand: Command = {
  help: 'Removes documents.',
  fields: { deletes: 'documents', collectionUUID: 'own', ordered: 'bool', let: 'object' },
  writes: true,
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db, own } = context;
    const name = collectionName(command, 'delete');
    const statements = docs(command, 'deletes', 'delete');
    checkBatch(statements.length);
    const sent = statements.map((s) => deleteStatement(s, 'delete'));
    const collection = engine.catalogue.find(db, name, own);
    const variables = variablesOf(command);
    const ordered = optionalBoolean(command, 'ordered') ?? true;
    // A piece of a delete is the statement as it was sent.
    const run = (_some: readonly Doc[], among?: readonly Value[]): Promise<Doc> =>
      context.write((tx, writer, retry) => {
        let n = 0;
        const deleteOne = (statement: (typeof sent)[number]): Doc => ({
          n: int(runDelete(context, tx, writer, collection, statement, variables, among)),
        });
        const errors = each(context, { tx, retry }, sent, ordered, deleteOne, (answer) => {
          n += toInteger(answer['n']) ?? 0;
        });
        return { n: int(n), ...(errors.length > 0 && { writeErrors: errors }) };
      });
    return inPieces(context, collection, statements, (s) => toInteger(s['limit']) === 0, run);
  },
};
