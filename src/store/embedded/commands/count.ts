import { isDoc } from '../bson/types.js';
import { decode, type Doc } from '../bson/value.js';
import { countMatching, type FindRequest } from '../query/execute.js';
import { inSlices } from '../query/slices.js';
import type { Collection } from '../storage/catalogue.js';
import { aggregate } from './aggregate.js';
import { collationFor } from './collation.js';
import { type Command, hintOf, int, optionalDoc, optionalNumber, collectionName } from './command.js';
import { nonNegative, pause } from './reading.js';
import { countOnView } from './views.js';

/** The search that a count asks for. @throws {EngineError} 51024: a skip below 0 */
export const countedBy = (command: Doc, collection: Collection | undefined): FindRequest => ({
  filter: optionalDoc(command, 'query') ?? {},
  limit: Math.abs(optionalNumber(command, 'limit') ?? 0),
  skip: nonNegative(command, 'skip'),
  hint: hintOf(command['hint']),
  collation: collationFor(command, collection),
});

export const count: Command = {
  help: 'Counts documents.',
  fields: { query: 'object', limit: 'number', skip: 'size', hint: 'hint', fields: 'own', collation: 'object' },
  reads: true,
  inTransaction: false,
  async run(context) {
    const { command, engine, db } = context;
    const collection = engine.catalogue.find(db, collectionName(command, 'count'));
    if (collection?.options.view) {
      const reply = await aggregate.run({ ...context, command: countOnView(command) });
      const { cursor } = reply instanceof Uint8Array ? decode(reply) : reply;
      const [row] = isDoc(cursor) && Array.isArray(cursor['firstBatch']) ? cursor['firstBatch'] : [];
      return { n: isDoc(row) ? (row['n'] ?? int(0)) : int(0) };
    }
    const { tx, release } = context.snapshot();
    try {
      const counting = countMatching(tx, collection, countedBy(command, collection));
      return { n: int(await inSlices(counting, pause)) };
    } finally {
      release();
    }
  },
};
