import { type Command } from './command.js';

export const abortTransaction: Command = {
  help: 'Drops a transaction’s writes.',
  fields: ['abortTransaction', 'recoveryToken'],
  inTransaction: true,
  run({ engine, session }) {
    engine.sessions.abort(session);
    return {};
  },
};
