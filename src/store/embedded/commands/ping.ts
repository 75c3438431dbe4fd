import { type Command } from './command.js';

export const ping: Command = { help: 'Answers.', fields: {}, run: () => ({}) };
