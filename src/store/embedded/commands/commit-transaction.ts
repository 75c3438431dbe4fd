import { type Command } from './command.js';

export const commitTransaction: Command = {
  help: 'Makes a transaction’s writes lasting.',
  fields: { recoveryToken: 'own' },
  adminOnly: true,
  writes: true,
  inTransaction: true,
  async run({ engine, session }) {
    await engine.sessions.commit(session);
    return {};
  },
};
