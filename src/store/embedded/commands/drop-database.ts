import { type Command } from './command.js';

export const dropDatabase: Command = {
  help: 'Removes a database.',
  fields: ['dropDatabase'],
  async run({ engine, db }) {
    const all = engine.catalogue.list(db);
    await engine.transactions.run(
      (tx) => {
        for (const c of all) if (!c.gone) engine.catalogue.drop(tx, c);
      },
      { alone: all.map((c) => c.id) },
    );
    return all.length > 0 ? { dropped: db } : {};
  },
};
