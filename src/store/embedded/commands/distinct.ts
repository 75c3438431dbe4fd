import { calculateObjectSize } from 'bson';
import { type Doc, MAX_DOCUMENT } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { distinctValues } from '../query/distinct.js';
import { search } from '../query/execute.js';
import { inSlices } from '../query/slices.js';
import { documentsOfView } from './aggregate.js';
import { collationFor } from './collation.js';
import type { Transaction } from '../transactions/transactions.js';
import { type Command, type Context, hintOf, optionalDoc, text, collectionName } from './command.js';
import { decoded, pause } from './reading.js';
import { distinctOnView } from './views.js';

async function viewed(context: Context, tx: Transaction): Promise<Doc[]> {
  const docs: Doc[] = [];
  for await (const doc of documentsOfView({ ...context, command: distinctOnView(context.command) }, tx)) docs.push(doc);
  return docs;
}

export const distinct: Command = {
  help: 'The different values of a field.',
  fields: { key: 'string', query: 'object', hint: 'hint', collation: 'object' },
  reads: true,
  inTransaction: true,
  async run(context) {
    const { command, engine, db, own } = context;
    const collection = engine.catalogue.find(db, collectionName(command, 'distinct'), own);
    const collation = collationFor(command, collection);
    const key = text(command, 'key', 'distinct');
    if (key.includes('\0')) throw new EngineError(31032, 'Key field cannot contain an embedded null byte');
    const { tx, release } = context.snapshot();
    try {
      const filter = optionalDoc(command, 'query') ?? {};
      const docs = collection?.options.view
        ? await viewed(context, tx)
        : decoded(search(tx, collection, { filter, hint: hintOf(command['hint']), collation }));
      const reply = { values: await inSlices(distinctValues(docs, key, collation), pause) };
      if (calculateObjectSize(reply) > MAX_DOCUMENT)
        throw new EngineError(17217, `distinct too big, ${MAX_DOCUMENT / 2 ** 20}mb cap`);
      return reply;
    } finally {
      release();
    }
  },
};
