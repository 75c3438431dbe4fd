import { Long } from 'bson';
import { EngineError } from '../errors.js';
import { type Command } from './command.js';

export const killCursors: Command = {
  help: 'Closes cursors.',
  fields: ['killCursors', 'cursors'],
  run({ command, engine }) {
    const ids = command['cursors'];
    if (!Array.isArray(ids))
      throw new EngineError(40414, "BSON field 'killCursors.cursors' is missing but a required field");
    const done = ids
      .filter((id): id is Long => id instanceof Long)
      .map((id) => ({ id, killed: engine.cursors.kill(id.toBigInt()) }));
    return {
      cursorsKilled: done.filter((d) => d.killed).map((d) => d.id),
      cursorsNotFound: done.filter((d) => !d.killed).map((d) => d.id),
      cursorsAlive: [],
      cursorsUnknown: [],
    };
  },
};
