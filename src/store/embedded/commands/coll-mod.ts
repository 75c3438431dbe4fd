import { EngineError } from '../errors.js';
import { type Command } from './command.js';

export const collMod: Command = {
  help: 'Changes the options of an index: hidden, expireAfterSeconds.',
  fields: ['collMod', 'index'],
  run() {
    throw new EngineError('NotImplemented', 'collMod is not supported by the embedded engine');
  },
};
