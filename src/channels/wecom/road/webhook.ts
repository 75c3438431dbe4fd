import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SendUnknown } from '../../../bot/channel.js';
import type { OutgoingMessage } from '../../../bot/message.js';
import { mediaForm } from '../api.js';
import { BAD_TARGET, NoWay, NotSent, Refused } from '../errors.js';
import { postJson, request } from '../http.js';
import type { Pace } from '../pace.js';
import { asMarkdown, TEXT_BYTES, WEBHOOK_MARKDOWN_BYTES } from '../text.js';
import { isPhoto, type Road } from './road.js';

const MAX_PHOTO_BYTES = 2 * 1024 * 1024;

interface Options {
  readonly apiUrl: string;
  /** The robot's key of each group that has one. */
  readonly keys: ReadonlyMap<string, string>;
  /** 20 messages a minute for each robot. */
  readonly pace: Pace;
  readonly signal: AbortSignal;
  readonly alert: (what: string, fields: object) => void;
}

/** Through a robot (消息推送, formerly 群机器人) in the group. Source: developer.work.weixin.qq.com/document/path/99110. */
export function webhookRoad({ apiUrl, keys, pace, signal, alert }: Options): Road {
  const gone = new Set<string>();
  const groupOf = (message: OutgoingMessage): string => ('room' in message.to ? message.to.room : '');
  const keyOf = (message: OutgoingMessage): string => {
    const key = keys.get(groupOf(message));
    if (key === undefined || gone.has(key)) throw new NoWay('the group has no robot');
    return key;
  };
  const post = async (message: OutgoingMessage, body: object): Promise<void> => {
    const key = keyOf(message);
    await pace.take(key, signal);
    const query = new URLSearchParams({ key });
    try {
      await request('webhook/send', `${apiUrl}/cgi-bin/webhook/send?${query}`, postJson(body), z.looseObject({}));
    } catch (error) {
      if (!(error instanceof Refused) || !BAD_TARGET.has(error.code)) throw error;
      gone.add(key);
      alert('webhookGone', { room: groupOf(message), code: error.code });
      throw new NoWay('the robot is no longer in the group', { cause: error });
    }
  };
  const upload = async (message: OutgoingMessage, bytes: Buffer, name: string, type: string): Promise<string> => {
    const query = new URLSearchParams({ key: keyOf(message), type: 'file' });
    const body = mediaForm(bytes, name, type);
    try {
      const answer = z.object({ media_id: z.string().min(1) });
      return (
        await request(
          'webhook/upload_media',
          `${apiUrl}/cgi-bin/webhook/upload_media?${query}`,
          { method: 'POST', body },
          answer,
        )
      ).media_id;
    } catch (error) {
      throw error instanceof SendUnknown ? new NotSent('webhook/upload_media', { cause: error }) : error;
    }
  };
  return {
    name: 'webhook',
    images: true,
    files: true,
    mentions: true,
    encode: (text) => (Buffer.byteLength(text) <= TEXT_BYTES ? text : asMarkdown(text)),
    textBytes: WEBHOOK_MARKDOWN_BYTES,
    leads: (message) => keys.has(groupOf(message)) && !gone.has(keys.get(groupOf(message)) ?? ''),
    // Only a plain text mentions people so that their phones ring; a long one must do as markdown.
    text: (message, piece) =>
      Buffer.byteLength(piece) <= TEXT_BYTES
        ? post(message, { msgtype: 'text', text: { content: piece, mentioned_list: message.mentions } })
        : post(message, { msgtype: 'markdown', markdown: { content: piece } }),
    async file(message, attachment, bytes) {
      if (isPhoto(attachment) && bytes.length <= MAX_PHOTO_BYTES) {
        const image = { base64: bytes.toString('base64'), md5: createHash('md5').update(bytes).digest('hex') };
        return post(message, { msgtype: 'image', image });
      }
      const media_id = await upload(message, bytes, attachment.name, attachment.type);
      return post(message, { msgtype: 'file', file: { media_id } });
    },
  };
}
