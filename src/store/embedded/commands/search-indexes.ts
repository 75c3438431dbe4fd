import { searchNotEnabled } from '../errors.js';
import type { Command } from './command.js';

/** A server without Atlas Search answers these by name. https://www.mongodb.com/docs/manual/reference/command/createSearchIndexes/ */
export const searchIndexes: Command = {
  help: 'Refused: there is no Atlas Search.',
  run() {
    throw searchNotEnabled();
  },
};
