import type { Doc } from '../bson/value.js';
import { inVersion1 } from '../server/stable-api.js';
import type { Command } from './command.js';

/** https://www.mongodb.com/docs/manual/reference/command/listCommands/ */
export const listCommandsOf = (commands: () => ReadonlyMap<string, Command>): Command => ({
  help: 'The commands there are.',
  fields: {},
  run: (): Doc => ({
    commands: Object.fromEntries(
      [...commands()].map(([name, c]) => [
        name,
        {
          help: c.help,
          requiresAuth: false,
          secondaryOk: false,
          adminOnly: c.adminOnly === true,
          apiVersions: inVersion1(name) ? ['1'] : [],
          deprecatedApiVersions: [],
        },
      ]),
    ),
  }),
});
