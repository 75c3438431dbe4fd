import { isDoc } from '../bson/types.js';
import { encode } from '../bson/value.js';
import { type Command } from './command.js';

export const endSessions: Command = {
  help: 'Ends sessions and what is open in them.',
  run({ command, engine }) {
    const list = command['endSessions'] ?? command['killSessions'];
    if (Array.isArray(list))
      for (const s of list) if (isDoc(s)) engine.sessions.end(Buffer.from(encode({ id: s['id'] })).toString('latin1'));
    return {};
  },
};
