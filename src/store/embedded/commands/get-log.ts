import { EngineError } from '../errors.js';
import { type Command, int, text } from './command.js';

const NAMES = ['global', 'startupWarnings'];

/** https://www.mongodb.com/docs/manual/reference/command/getLog/ */
export const getLog: Command = {
  help: 'No log is kept.',
  fields: {},
  adminOnly: true,
  run({ command }) {
    const name = text(command, 'getLog', 'getLog');
    if (name === '*') return { names: NAMES };
    if (!NAMES.includes(name)) throw new EngineError('OperationFailed', `No log named '${name}'`);
    return { totalLinesWritten: int(0), log: [] };
  },
};
