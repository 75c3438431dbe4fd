import { type Command, int, collectionName } from './command.js';

export const drop: Command = {
  help: 'Removes a collection.',
  fields: {},
  writes: true,
  async run({ command, engine, db }) {
    const name = collectionName(command, 'drop');
    const collection = engine.catalogue.find(db, name);
    if (!collection) return {};
    await engine.transactions.run(
      (tx) => {
        if (!collection.gone) engine.catalogue.drop(tx, collection);
      },
      { alone: [collection.id] },
    );
    return { nIndexesWas: int(collection.indexes.length + 1), ns: `${db}.${name}` };
  },
};
