import { isDoc } from '../bson/types.js';
import { decode } from '../bson/value.js';
import { countMatching } from '../query/execute.js';
import { inSlices } from '../query/slices.js';
import { aggregate } from './aggregate.js';
import { type Command, collectionName, int } from './command.js';
import { pause } from './reading.js';
import { countedBy } from './requests.js';
import { countOnView } from './views.js';

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
