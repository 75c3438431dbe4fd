import { type Command, int } from './command.js';

export const getLog: Command = {
  help: 'No log is kept.',
  adminOnly: true,
  run: () => ({ totalLinesWritten: int(0), log: [] }),
};
