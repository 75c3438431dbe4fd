import { type Command } from './command.js';

export const getCmdLineOpts: Command = {
  help: 'The command line.',
  run: () => ({ argv: [], parsed: {} }),
};
