import type { OutgoingMessage } from '../../../bot/message.js';
import { choiceCard } from '../cards.js';
import type { Chats } from '../chats.js';
import type { LongConnection } from '../connection.js';
import { ANSWER_OVER, NoWay, Refused } from '../errors.js';
import { asMarkdown, BOT_BYTES } from '../text.js';
import type { Ways } from '../ways.js';
import { isPhoto, type Road } from './road.js';

/** Over the bot's long connection: as the answer to a message, or as a push where somebody has written to it before. */
export function connectionRoad(connection: LongConnection, ways: Ways, chats: Chats): Road {
  const push = async (message: OutgoingMessage, body: object): Promise<void> => {
    if (!chats.has(message.to, 'bot')) throw new NoWay('nobody has written to the bot there');
    if ('room' in message.to) await connection.push(message.to.room, 'group', body);
    else await connection.push(message.to.person, 'single', body);
  };
  const send = async (message: OutgoingMessage, body: object): Promise<void> => {
    const requestId = ways.of(message)?.requestId;
    if (requestId === undefined) return push(message, body);
    try {
      return await connection.answer(requestId, body);
    } catch (error) {
      if (!(error instanceof Refused) || !ANSWER_OVER.has(error.code)) throw error;
      return push(message, body);
    }
  };
  return {
    name: 'connection',
    images: true,
    files: true,
    mentions: false,
    encode: asMarkdown,
    textBytes: BOT_BYTES,
    leads: (message) => chats.has(message.to, 'bot'),
    text: (message, piece) => send(message, { msgtype: 'markdown', markdown: { content: piece } }),
    async file(message, attachment, bytes) {
      const kind = isPhoto(attachment) ? 'image' : 'file';
      const media_id = await connection.upload(bytes, kind, attachment.name);
      return send(message, { msgtype: kind, [kind]: { media_id } });
    },
    async choices(message) {
      if ('person' in message.to) await push(message, { msgtype: 'template_card', template_card: choiceCard(message) });
    },
  };
}
