import { type Command } from './command.js';

export const commitTransaction: Command = {
  help: 'Makes a transaction’s writes lasting.',
  fields: ['commitTransaction', 'recoveryToken'],
  inTransaction: true,
  async run({ engine, session }) {
    await engine.sessions.commit(session);
    return {};
  },
};
