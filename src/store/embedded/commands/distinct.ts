import { distinctValues } from '../query/distinct.js';
import { search } from '../query/execute.js';
import { inSlices } from '../query/slices.js';
import { collationFor, type Command, hintOf, optionalDoc, text } from './command.js';
import { decoded, pause } from './reading.js';

export const distinct: Command = {
  help: 'The different values of a field.',
  fields: ['distinct', 'key', 'query', 'hint', 'collation'],
  inTransaction: true,
  async run(context) {
    const { command, engine, db } = context;
    const collection = engine.catalogue.find(db, text(command, 'distinct'));
    const collation = collationFor(command, collection);
    const key = text(command, 'key');
    const { tx, release } = context.snapshot();
    try {
      const found = search(tx, collection, {
        filter: optionalDoc(command, 'query') ?? {},
        hint: hintOf(command['hint']),
        collation,
      });
      return { values: await inSlices(distinctValues(decoded(found), key, collation), pause) };
    } finally {
      release();
    }
  },
};
