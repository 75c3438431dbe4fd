import { SendUnknown } from '../../../bot/channel.js';
import type { Attachment, OutgoingMessage } from '../../../bot/message.js';
import type { AppApi, Content } from '../api.js';
import type { Chats } from '../chats.js';
import { NotSent, Refused } from '../errors.js';
import { TEXT_BYTES } from '../text.js';
import type { Ways } from '../ways.js';
import { isPhoto, type Road } from './road.js';

type Send = (message: OutgoingMessage, content: Content) => Promise<void>;

/** An upload whose answer is lost has said nothing to anybody. */
async function mediaContent(api: AppApi, attachment: Attachment, bytes: Buffer): Promise<Content> {
  const kind = isPhoto(attachment) ? 'image' : 'file';
  try {
    const media_id = await api.upload(kind, bytes, attachment.name, attachment.type);
    return kind === 'image' ? { msgtype: 'image', image: { media_id } } : { msgtype: 'file', file: { media_id } };
  } catch (error) {
    throw error instanceof SendUnknown ? new NotSent('media/upload', { cause: error }) : error;
  }
}

const road = (api: AppApi, send: Send): Omit<Road, 'name' | 'leads' | 'text' | 'mentions'> => ({
  images: true,
  files: true,
  textBytes: TEXT_BYTES,
  file: async (message, attachment, bytes) => send(message, await mediaContent(api, attachment, bytes)),
});

/** From the app to one person, who need not have written first. */
export function appRoad(api: AppApi, ways: Ways): Road {
  const send: Send = (message, content) => api.sendToPerson('person' in message.to ? message.to.person : '', content);
  return {
    ...road(api, send),
    name: 'app',
    mentions: false,
    isWayBack: (message) => ways.of(message)?.toApp ?? false,
    leads: (message) => 'person' in message.to,
    text: (message, piece) => send(message, { msgtype: 'text', text: { content: piece } }),
  };
}

/** An answer that was lost has sent nothing to anybody. */
function made(error: unknown): Refused {
  if (error instanceof Refused) return error;
  throw error instanceof SendUnknown ? new NotSent('appchat/create', { cause: error }) : error;
}

/** From the app into a group that it has made. */
export function appchatRoad(api: AppApi, chats: Chats): Road {
  const send: Send = async (message, content) => {
    const room = 'room' in message.to ? message.to.room : '';
    if (!message.founds || chats.has({ room }, 'appchat')) return api.sendToGroup(room, content);
    // After a crash it may be there already: whether it is, sending shows.
    const refused = await api.makeGroup(room, message.founds).catch(made);
    await api.sendToGroup(room, content).catch((error: unknown) => {
      throw refused ?? error;
    });
    await chats.remember({ room }, 'appchat', message.founds.name);
  };
  return {
    ...road(api, send),
    name: 'appchat',
    mentions: true,
    leads: (message) => 'room' in message.to && (message.founds !== undefined || chats.has(message.to, 'appchat')),
    text: (message, piece) =>
      send(message, { msgtype: 'text', text: { content: piece, mentioned_list: message.mentions } }),
  };
}
