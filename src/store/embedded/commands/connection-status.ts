import { truthy } from '../bson/types.js';
import type { Command } from './command.js';

/** https://www.mongodb.com/docs/manual/reference/command/connectionStatus/ */
export const connectionStatus: Command = {
  help: 'Who is connected: the socket is its owner’s alone, so there are no users.',
  fields: { showPrivileges: 'flag' },
  run: ({ command }) => ({
    authInfo: {
      authenticatedUsers: [],
      authenticatedUserRoles: [],
      ...(truthy(command['showPrivileges']) && { authenticatedUserPrivileges: [] }),
    },
  }),
};
