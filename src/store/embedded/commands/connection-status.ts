import { type Command } from './command.js';

export const connectionStatus: Command = {
  help: 'Who is connected: the socket is its owner’s alone, so there are no users.',
  run: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] } }),
};
