import { Long } from 'bson';
import { EngineError } from '../errors.js';
import { cursorReply } from '../wire/message.js';
import { type Command, text } from './command.js';
import { nonNegative } from './reading.js';

export const getMore: Command = {
  help: 'Gives the next documents of a cursor.',
  fields: ['getMore', 'collection', 'batchSize'],
  inTransaction: true,
  async run({ command, engine, db }) {
    const id = command['getMore'];
    if (!(id instanceof Long))
      throw new EngineError('TypeMismatch', "BSON field 'getMore.getMore' is the wrong type, expected type 'long'");
    const namespace = `${db}.${text(command, 'collection')}`;
    const batchSize = nonNegative(command, 'batchSize');
    const { docs: batch, id: next } = await engine.cursors.more(
      id.toBigInt(),
      namespace,
      batchSize === undefined || batchSize === 0 ? Number.MAX_SAFE_INTEGER : batchSize,
    );
    return cursorReply('nextBatch', batch, next, namespace);
  },
};
