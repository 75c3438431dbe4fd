import { distinctValues } from '../query/distinct.js';
import { find as findDocuments } from '../query/execute.js';
import { assertSimpleCollation, type Command, hintOf, optionalDoc, text } from './command.js';
import { decoded } from './reading.js';

export const distinct: Command = {
  help: 'The different values of a field.',
  fields: ['distinct', 'key', 'query', 'hint', 'collation'],
  inTransaction: true,
  run(context) {
    const { command, engine, db } = context;
    assertSimpleCollation(command);
    const key = text(command, 'key');
    const { tx, release } = context.snapshot();
    try {
      const found = findDocuments(tx, engine.catalogue.find(db, text(command, 'distinct')), {
        filter: optionalDoc(command, 'query') ?? {},
        hint: hintOf(command['hint']),
      });
      return { values: distinctValues(decoded(found), key) };
    } finally {
      release();
    }
  },
};
