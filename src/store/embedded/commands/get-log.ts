import { type Command, int } from './command.js';

export const getLog: Command = {
  help: 'No log is kept.',
  run: () => ({ totalLinesWritten: int(0), log: [] }),
};
