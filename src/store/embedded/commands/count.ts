import { countMatching } from '../query/execute.js';
import { assertSimpleCollation, type Command, hintOf, int, optionalDoc, optionalNumber, text } from './command.js';
import { nonNegative } from './reading.js';

export const count: Command = {
  help: 'Counts documents.',
  fields: ['count', 'query', 'limit', 'skip', 'hint', 'fields', 'collation'],
  inTransaction: false,
  run(context) {
    const { command, engine, db } = context;
    assertSimpleCollation(command);
    const { tx, release } = context.snapshot();
    try {
      const request = {
        filter: optionalDoc(command, 'query') ?? {},
        limit: Math.abs(optionalNumber(command, 'limit') ?? 0),
        skip: nonNegative(command, 'skip'),
        hint: hintOf(command['hint']),
      };
      return { n: int(countMatching(tx, engine.catalogue.find(db, text(command, 'count')), request)) };
    } finally {
      release();
    }
  },
};
