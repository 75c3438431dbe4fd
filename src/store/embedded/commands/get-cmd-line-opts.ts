import { type Command } from './command.js';

export const getCmdLineOpts: Command = {
  help: 'The command line.',
  fields: {},
  adminOnly: true,
  run: () => ({ argv: [], parsed: {} }),
};
