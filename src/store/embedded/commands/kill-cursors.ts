import { Long, Timestamp } from 'bson';
import { typeName } from '../bson/types.js';
import { EngineError } from '../errors.js';
import { collectionName, type Command } from './command.js';

/** https://www.mongodb.com/docs/manual/reference/command/killCursors/ */
export const killCursors: Command = {
  help: 'Closes cursors.',
  fields: { cursors: 'list' },
  inTransaction: 'later',
  run({ command, engine }) {
    collectionName(command, 'killCursors');
    const { cursors } = command;
    if (!Array.isArray(cursors))
      throw new EngineError(40414, "BSON field 'killCursors.cursors' is missing but a required field");
    const ids = cursors.map((id, i) => {
      if (id instanceof Long && !(id instanceof Timestamp)) return id;
      throw new EngineError(
        'TypeMismatch',
        `BSON field 'killCursors.cursors.${i}' is the wrong type '${typeName(id)}', expected type 'long'`,
      );
    });
    const done = ids.map((id) => ({ id, killed: engine.cursors.kill(id.toBigInt()) }));
    return {
      cursorsKilled: done.filter((d) => d.killed).map((d) => d.id),
      cursorsNotFound: done.filter((d) => !d.killed).map((d) => d.id),
      cursorsAlive: [],
      cursorsUnknown: [],
    };
  },
};
