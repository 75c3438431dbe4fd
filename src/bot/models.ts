import type { Connection } from 'mongoose';
import { dialogueModel } from './dialogue.js';
import { interactionModel } from './interaction.js';
import { outboxModel } from './outbox.js';

/** Every collection of the engine on one connection. */
export const createBotModels = (connection: Connection) => ({
  interactions: interactionModel(connection),
  dialogues: dialogueModel(connection),
  outbox: outboxModel(connection),
});
