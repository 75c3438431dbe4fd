import type { Doc } from '../bson/value.js';
import { sessionKey } from '../server/sessions.js';
import { EngineError } from '../errors.js';
import { type Command, docs } from './command.js';
import { checked } from './fields.js';

/** The sessions that a command names. @throws {EngineError} 14, 40414, 40415, 207: what is none */
export const sessionsOf = (command: Doc, name: string): string[] =>
  docs(command, name).flatMap((lsid) => sessionKey(lsid) ?? []);

const ending = (name: string): Command => ({
  help: 'Ends sessions and what is open in them.',
  fields: { [name]: 'list' },
  run({ command, engine }) {
    for (const key of sessionsOf(command, name)) engine.sessions.end(key);
    return {};
  },
});

export const endSessions = ending('endSessions');
export const killSessions = ending('killSessions');

/** Whose sessions are ended. @throws {EngineError} 14, 40414, 40415: what is no user */
function users(command: Doc): Doc[] {
  const list = docs(command, 'killAllSessions');
  for (const item of list) {
    const given = checked(item, 'killAllSessions', { user: 'string', db: 'string' });
    for (const name of ['user', 'db'])
      if (given[name] === undefined)
        throw new EngineError(40414, `BSON field 'killAllSessions.${name}' is missing but a required field`);
  }
  return list;
}

/** https://www.mongodb.com/docs/manual/reference/command/killAllSessions/ */
export const killAllSessions: Command = {
  help: 'Ends all sessions and what is open in them; those of users, of whom there are none, if it names some.',
  fields: { killAllSessions: 'documents' },
  run({ command, engine }) {
    if (users(command).length === 0) engine.sessions.endAll();
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
