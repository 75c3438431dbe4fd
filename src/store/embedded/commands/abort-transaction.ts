import { type Command } from './command.js';

export const abortTransaction: Command = {
  help: 'Drops a transaction’s writes.',
  fields: { recoveryToken: 'own' },
  adminOnly: true,
  writes: true,
  inTransaction: true,
  run({ engine, session }) {
    engine.sessions.abort(session);
    return {};
  },
};
