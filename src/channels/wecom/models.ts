import type { Connection } from 'mongoose';
import { chatModel } from './chats.js';
import { answeredModel } from './guard.js';
import { lateModel } from './late.js';
import { tokenModel } from './tokens.js';

/** Every collection of the channel on one connection. */
export const wecomModels = (connection: Connection) => ({
  chats: chatModel(connection),
  answered: answeredModel(connection),
  late: lateModel(connection),
  tokens: tokenModel(connection),
});
