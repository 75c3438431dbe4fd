import { type Doc } from '../bson/value.js';
import { type Command } from './command.js';

export const listCommandsOf = (commands: () => ReadonlyMap<string, Command>): Command => ({
  help: 'The commands there are.',
  run: (): Doc => ({
    commands: Object.fromEntries([...commands()].map(([name, c]) => [name, { help: c.help, requiresAuth: false }])),
  }),
});
