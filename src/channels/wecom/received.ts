import { z } from 'zod';
import type { Unread } from '../../bot/message.js';

/** A picture or file that WeCom serves; a bot's are encrypted. */
export type MediaSource =
  | {
      readonly from: 'bot';
      readonly url: string;
      readonly aesKey?: string | undefined;
      readonly kind: 'image' | 'file';
    }
  | { readonly from: 'app'; readonly mediaId: string; readonly kind: 'image' | 'file' };

/** A message as it came over one of the roads, before its pictures are fetched. */
export interface Received {
  readonly messageId: string;
  /** The group's chatid; null: a single chat. */
  readonly room: string | null;
  readonly from: string;
  readonly text: string;
  readonly quote?: string | undefined;
  readonly media: readonly MediaSource[];
  readonly unread?: Unread | undefined;
  /** When WeCom says that it was written; a bot's messages do not always say. */
  readonly at?: Date | undefined;
  /** Where a late answer may be posted, once, within an hour. */
  readonly responseUrl?: string | undefined;
}

/** Something other than a message. */
export type BotEvent =
  | { readonly is: 'entered'; readonly from: string }
  /** Somebody pressed a button: `says` is what they would have typed. */
  | {
      readonly is: 'pressed';
      readonly from: string;
      readonly room: string | null;
      readonly says: string;
      readonly taskId: string;
    }
  | { readonly is: 'takenOver' }
  | { readonly is: 'other'; readonly type: string };

export type FromBot =
  | { readonly is: 'message'; readonly message: Received }
  | { readonly is: 'event'; readonly event: BotEvent; readonly at?: Date | undefined }
  /** WeCom asks for the present state of an answer that was begun. */
  | { readonly is: 'refresh'; readonly stream: string };

const id = z.string().min(1).max(256);
const mediaUrl = z.url({ protocol: /^https?$/ }).max(4096);
const Content = z.object({ content: z.string().max(65_536) });
const Media = z.object({ url: mediaUrl, aeskey: z.string().max(128).optional() });
const Item = z.object({ msgtype: z.string(), text: Content.optional(), image: Media.optional() });
const Mixed = z.object({ msg_item: z.array(Item).max(100) });
const Bodies = {
  text: Content.optional(),
  image: Media.optional(),
  voice: Content.optional(),
  file: Media.optional(),
  mixed: Mixed.optional(),
};
const Head = {
  msgid: id.optional(),
  chatid: id.optional(),
  chattype: z.enum(['single', 'group']).optional(),
  from: z.object({ userid: id }).optional(),
  create_time: z.coerce.number().int().positive().max(4e9).optional(),
  response_url: mediaUrl.optional(),
};
const Payload = z.object({
  ...Head,
  ...Bodies,
  msgtype: z.string().max(64),
  quote: z.object({ msgtype: z.string(), ...Bodies }).optional(),
  stream: z.object({ id }).optional(),
  event: z
    .looseObject({
      eventtype: z.string().max(64),
      event_key: z.string().max(1024).optional(),
      task_id: z.string().max(128).optional(),
      template_card_event: z
        .object({
          event_key: z.string().max(1024).optional(),
          eventkey: z.string().max(1024).optional(),
          task_id: z.string().max(128).optional(),
        })
        .optional(),
    })
    .optional(),
});
type Payload = z.output<typeof Payload>;

/**
 * Reads what an AI bot is sent, over the long connection or decrypted from a callback: one object, two ways.
 *
 * Source: developer.work.weixin.qq.com/document/path/100719, 101027. Undefined: it is none.
 */
export function readBotPayload(value: unknown): FromBot | undefined {
  const parsed = Payload.safeParse(value);
  if (!parsed.success) return undefined;
  const p = parsed.data;
  const at = p.create_time === undefined ? undefined : new Date(p.create_time * 1000);
  if (p.msgtype === 'stream') return p.stream && { is: 'refresh', stream: p.stream.id };
  if (p.msgtype === 'event') return p.event && { is: 'event', event: eventOf(p, p.event), at };
  if (p.msgid === undefined || p.from === undefined || p.chattype === undefined) return undefined;
  if (p.chattype === 'group' && p.chatid === undefined) return undefined;
  return {
    is: 'message',
    message: {
      messageId: p.msgid,
      room: p.chattype === 'group' ? (p.chatid ?? null) : null,
      from: p.from.userid,
      text: textOf(p),
      ...(p.quote && { quote: textOf(p.quote) }),
      media: mediaOf(p),
      unread: unreadOf(p.msgtype, textOf(p)),
      at,
      responseUrl: p.response_url,
    },
  };
}

const READ: ReadonlySet<string> = new Set(['text', 'image', 'mixed', 'file']);
const UNREAD: Readonly<Record<string, Unread>> = {
  voice: 'voice',
  video: 'video',
  shortvideo: 'video',
  location: 'place',
  link: 'link',
};

/** Why a message of this type says nothing to the bot; a voice says what was written down of it. */
export const unreadOf = (type: string, text = ''): Unread | undefined =>
  READ.has(type) || (type === 'voice' && text.trim() !== '') ? undefined : (UNREAD[type] ?? 'other');

type Bodied = Pick<Payload, 'text' | 'image' | 'voice' | 'file' | 'mixed'>;

const textOf = (p: Bodied): string =>
  p.text?.content ??
  p.voice?.content ??
  p.mixed?.msg_item
    .flatMap((i) => i.text?.content ?? [])
    .join('\n')
    .trim() ??
  '';

const mediaOf = (p: Bodied): MediaSource[] => [
  ...[p.image, ...(p.mixed?.msg_item.map((i) => i.image) ?? [])].flatMap((i) =>
    i ? [{ from: 'bot' as const, url: i.url, aesKey: i.aeskey, kind: 'image' as const }] : [],
  ),
  ...(p.file ? [{ from: 'bot' as const, url: p.file.url, aesKey: p.file.aeskey, kind: 'file' as const }] : []),
];

function eventOf(p: Payload, event: NonNullable<Payload['event']>): BotEvent {
  const from = p.from?.userid;
  if (event.eventtype === 'disconnected_event') return { is: 'takenOver' };
  if (event.eventtype === 'enter_chat' && from !== undefined) return { is: 'entered', from };
  const card = event.template_card_event;
  const says = card?.event_key ?? card?.eventkey ?? event.event_key;
  const taskId = card?.task_id ?? event.task_id;
  if (event.eventtype === 'template_card_event' && from !== undefined && says !== undefined && taskId !== undefined)
    return { is: 'pressed', from, room: p.chattype === 'group' ? (p.chatid ?? null) : null, says, taskId };
  return { is: 'other', type: event.eventtype };
}
