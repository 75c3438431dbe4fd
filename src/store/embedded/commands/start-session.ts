import { UUID } from 'bson';
import { SESSION_MINUTES } from '../server/sessions.js';
import { type Command, int } from './command.js';

export const startSession: Command = {
  help: 'A new session.',
  run: () => ({ id: { id: new UUID().toBinary() }, timeoutMinutes: int(SESSION_MINUTES) }),
};
