import { sessionKey } from '../server/sessions.js';
import { type Command } from './command.js';

export const endSessions: Command = {
  help: 'Ends sessions and what is open in them.',
  run({ command, engine }) {
    const list = command['endSessions'] ?? command['killSessions'];
    if (Array.isArray(list))
      for (const s of list) {
        const key = sessionKey(s);
        if (key !== undefined) engine.sessions.end(key);
      }
    return {};
  },
};
