import { Long, Timestamp } from 'bson';
import { EngineError } from '../errors.js';
import { cursorReply } from '../wire/message.js';
import { type Command, text } from './command.js';
import { nonNegative } from './reading.js';

export const getMore: Command = {
  help: 'Gives the next documents of a cursor.',
  fields: { collection: 'string', batchSize: 'size' },
  inTransaction: true,
  async run({ command, engine, db, session, connectionId }) {
    const id = command['getMore'];
    if (!(id instanceof Long) || id instanceof Timestamp)
      throw new EngineError('TypeMismatch', "BSON field 'getMore.getMore' is the wrong type, expected type 'long'");
    const namespace = `${db}.${text(command, 'collection', 'getMore')}`;
    const batchSize = nonNegative(command, 'batchSize');
    const { docs: batch, id: next } = await engine.cursors.more(id.toBigInt(), {
      namespace,
      session: session.key,
      batchSize: batchSize === undefined || batchSize === 0 ? Number.MAX_SAFE_INTEGER : batchSize,
      limited: command['maxTimeMS'] !== undefined,
      connection: connectionId,
    });
    return cursorReply('nextBatch', batch, next, namespace);
  },
};
