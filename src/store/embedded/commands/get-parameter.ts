import { EngineError } from '../errors.js';
import { type Command } from './command.js';

export const getParameter: Command = {
  help: 'Parameters.',
  adminOnly: true,
  run({ command }) {
    if ('featureCompatibilityVersion' in command) return { featureCompatibilityVersion: { version: '8.0' } };
    throw new EngineError('InvalidOptions', 'no option found to get');
  },
};
