import type { Doc } from '../bson/value.js';
import { sessionKey } from '../server/sessions.js';
import { type Command, docs, missing } from './command.js';
import { checked, type Fields } from './fields.js';

/** The documents of a list; a null among them is passed over. @throws {EngineError} 14, 40414: what is none */
function listOf(command: Doc, name: string): Doc[] {
  const list = command[name];
  if (list === null) throw missing(`${name}.${name}`);
  return docs(Array.isArray(list) ? { [name]: list.filter((v) => v !== null) } : command, name, name);
}

/** The sessions that a command names. @throws {EngineError} 14, 40414, 40415, 207: what is none */
const sessionsOf = (command: Doc, name: string): string[] =>
  listOf(command, name).flatMap((lsid) => sessionKey(lsid) ?? []);

/** `fields` as a command has them: those that kill take any others as well. */
const ending = (name: string, fields?: Fields): Command => ({
  help: 'Ends sessions and what is open in them.',
  ...(fields && { fields }),
  run({ command, engine }) {
    for (const key of sessionsOf(command, name)) {
      engine.sessions.end(key);
      engine.cursors.end(key);
    }
    return {};
  },
});

export const endSessions = ending('endSessions', {});
export const killSessions = ending('killSessions');

/** https://www.mongodb.com/docs/manual/reference/command/killAllSessions/ */
export const killAllSessions: Command = {
  help: 'Ends all sessions and what is open in them; those of named users are none, as there are no users.',
  run({ command, engine }) {
    const users = listOf(command, 'killAllSessions');
    for (const given of users) {
      const path = 'killAllSessions.killAllSessions';
      const user = checked(given, path, { user: 'string', db: 'string' });
      for (const name of ['user', 'db']) if (user[name] === undefined) throw missing(`${path}.${name}`);
    }
    if (users.length > 0) return {};
    engine.sessions.endAll();
    engine.cursors.end();
    return {};
  },
};

export const refreshSessions: Command = {
  help: 'Answers: sessions here are kept as long as something is open in them.',
  fields: {},
  run({ command }) {
    sessionsOf(command, 'refreshSessions');
    return {};
  },
};
