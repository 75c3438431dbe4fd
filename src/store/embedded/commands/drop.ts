import { indexCount } from '../storage/catalogue.js';
import { type Command, int, collectionName } from './command.js';

/** MongoDB keeps a database's views in a collection: dropped, it takes them along. */
const VIEWS = 'system.views';

/** https://www.mongodb.com/docs/manual/reference/command/drop/ */
export const drop: Command = {
  help: 'Removes a collection.',
  fields: {},
  writes: true,
  async run({ command, engine, db }) {
    const name = collectionName(command, 'drop');
    const collection = engine.catalogue.find(db, name);
    const views = engine.catalogue.list(db).filter((c) => c.options.view);
    const dropped = collection ? [collection] : name === VIEWS ? views : [];
    if (dropped.length === 0) return {};
    await engine.transactions.run(
      (tx) => {
        for (const c of dropped) if (!c.gone) engine.catalogue.drop(tx, c);
      },
      { alone: dropped.map((c) => c.id) },
    );
    return {
      ...(!collection?.options.view && { nIndexesWas: int(collection ? indexCount(collection) : 1) }),
      ns: `${db}.${name}`,
    };
  },
};
