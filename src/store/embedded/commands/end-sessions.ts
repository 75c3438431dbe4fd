import type { Doc } from '../bson/value.js';
import { sessionKey } from '../server/sessions.js';
import { type Command, docs, missing } from './command.js';
import { checked } from './fields.js';

/** The sessions that a command names. @throws {EngineError} 14, 40414, 40415, 207: what is none */
export const sessionsOf = (command: Doc, name: string): string[] =>
  docs(command, name).flatMap((lsid) => sessionKey(lsid) ?? []);

const ending = (name: string): Command => ({
  help: 'Ends sessions and what is open in them.',
  fields: { [name]: 'list' },
  run({ command, engine }) {
    for (const key of sessionsOf(command, name)) {
      engine.sessions.end(key);
      engine.cursors.end(key);
    }
    return {};
  },
});

export const endSessions = ending('endSessions');
export const killSessions = ending('killSessions');

/** https://www.mongodb.com/docs/manual/reference/command/killAllSessions/ */
export const killAllSessions: Command = {
  help: 'Ends all sessions and what is open in them; those of named users are none, as there are no users.',
  fields: { killAllSessions: 'documents' },
  run({ command, engine }) {
    const users = docs(command, 'killAllSessions');
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
  fields: { refreshSessions: 'list' },
  run({ command }) {
    sessionsOf(command, 'refreshSessions');
    return {};
  },
};
