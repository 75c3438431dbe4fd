import { calculateObjectSize } from 'bson';
import { collected } from '../aggregate/stage.js';
import { MAX_DOCUMENT } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { distinctValues } from '../query/distinct.js';
import { search } from '../query/execute.js';
import { inSlices } from '../query/slices.js';
import { documentsOf } from './aggregate.js';
import { type Command, collectionName } from './command.js';
import { decoded, pause } from './reading.js';
import { distinguishedBy, keyOf } from './requests.js';
import { distinctOnView } from './views.js';

export const distinct: Command = {
  help: 'The different values of a field.',
  fields: { key: 'string', query: 'object', hint: 'hint', collation: 'object' },
  reads: true,
  inTransaction: true,
  async run(context) {
    const { command, engine, db, own } = context;
    const collection = engine.catalogue.find(db, collectionName(command, 'distinct'), own);
    const key = keyOf(command);
    const request = distinguishedBy(command, collection);
    const { tx, release } = context.snapshot();
    try {
      const docs = collection?.options.view
        ? await collected(documentsOf({ ...context, command: distinctOnView(command) }, tx))
        : decoded(search(tx, collection, request));
      const reply = { values: await inSlices(distinctValues(docs, key, request.collation), pause) };
      if (calculateObjectSize(reply) > MAX_DOCUMENT)
        throw new EngineError(17217, `distinct too big, ${MAX_DOCUMENT / 2 ** 20}mb cap`);
      return reply;
    } finally {
      release();
    }
  },
};
