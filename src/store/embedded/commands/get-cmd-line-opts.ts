import { type Command } from './command.js';

export const getCmdLineOpts: Command = {
  help: 'The command line.',
  adminOnly: true,
  run: () => ({ argv: [], parsed: {} }),
};
