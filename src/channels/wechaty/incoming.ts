import { types } from 'wechaty-puppet';
import { z } from 'zod';
import type { Attachment, IncomingMessage, Unread } from '../../bot/message.js';
import type { Clock } from '../../clock.js';
import { TOO_FREQUENT } from './errors.js';
import { takeOwnMention } from './mention.js';
import type { Puppet } from './puppet.js';
import { takeQuote } from './quote.js';

export const WECHATY = 'wechaty';

/** A message as gateways of any age and language give it. */
const id = z.string().nullish();
const Payload = z
  .object({
    id: z.string().min(1),
    talkerId: id,
    /** Before 2022 the talker's id was here. */
    fromId: id,
    roomId: id,
    text: z.string().nullish(),
    timestamp: z.number(),
    type: z.number(),
    mentionIdList: z.array(z.string()).nullish(),
  })
  .transform((p) => ({
    id: p.id,
    talker: p.talkerId ?? p.fromId ?? '',
    room: p.roomId ?? '',
    text: p.text ?? '',
    timestamp: p.timestamp,
    type: p.type,
    mentions: p.mentionIdList ?? [],
  }));
export type Payload = z.output<typeof Payload>;
/** @throws Error it is no message */
export const parsePayload = (given: unknown): Payload => Payload.parse(given);

/** Why a message does not reach the bot. `refusal`: the network's own word that the account writes too fast. */
export type Unheard = 'own' | 'refusal' | 'system' | 'recall' | 'kind' | 'old';

export interface IncomingOptions {
  readonly clock: Clock;
  /** Older messages are recorded, and the answer says that it comes late. */
  readonly lateMs: number;
  /** Older messages do not act: a gateway may replay days after a login. */
  readonly maxAgeMs: number;
  /** Is a picture of this person, here, any business of ours? Others are not even fetched. */
  readonly wantsPictures: (person: string, room: string | null) => Promise<boolean>;
  readonly store: (name: string, type: string, bytes: Buffer, at: Date) => Promise<Attachment>;
}

const MAX_PICTURE_BYTES = 8 * 1024 * 1024;
/** Fetching from a frozen gateway must not hold up what comes after. */
export const FETCH_MS = 10_000;
const IMAGE_TYPES: Readonly<Record<string, string>> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg' };
/** WeChat's own accounts that write to everybody; `gh_` are official accounts. */
const SYSTEM = /^(?:gh_|weixin$|newsapp$|fmessage$|filehelper$|notifymessage$|mphelper$)/;
const UNREAD: ReadonlyMap<number, Unread> = new Map([
  [types.Message.Audio, 'voice'],
  [types.Message.Video, 'video'],
  [types.Message.Attachment, 'file'],
  [types.Message.Location, 'place'],
]);
const ALIAS_KEPT_MS = 10 * 60_000;

/** Rejects when `work` takes longer. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, over]).finally(() => clearTimeout(timer));
}

/** Seconds below 1e11, else milliseconds: as wechaty itself reads timestamps. */
export const timeOf = (timestamp: number): Date => new Date(timestamp < 1e11 ? timestamp * 1000 : timestamp);

/** Makes the bot's messages of what one connection hears. */
export class Incoming {
  readonly #puppet: Puppet;
  readonly #options: IncomingOptions;
  readonly #aliases = new Map<string, { alias: string; at: number }>();
  #nickname: string | undefined;

  constructor(puppet: Puppet, options: IncomingOptions) {
    this.#puppet = puppet;
    this.#options = options;
  }

  /** The message as the bot takes it, pictures not yet fetched; or why it does not. */
  async read(payload: Payload): Promise<IncomingMessage | Unheard> {
    const { clock, lateMs, maxAgeMs } = this.#options;
    const self = this.#puppet.currentUserId;
    const { room, talker, mentions } = payload;
    if (talker === self || talker === '')
      return payload.type === types.Message.Unknown && TOO_FREQUENT.test(payload.text) ? 'refusal' : 'own';
    if (SYSTEM.test(talker)) return 'system';
    if (payload.type === types.Message.Recalled) return 'recall';
    const picture = payload.type === types.Message.Image;
    // In a group what the bot can't read is not said to it; in private a sticker, a red envelope is no request either.
    const unread = room === '' ? UNREAD.get(payload.type) : undefined;
    if (!picture && !unread && payload.type !== types.Message.Text && payload.type !== types.Message.GroupNote)
      return 'kind';
    const now = clock.now();
    const written = timeOf(payload.timestamp);
    // A gateway whose clock is ahead must not date acts into the future.
    const at = written > now ? now : written;
    const age = now.getTime() - at.getTime();
    if (age > maxAgeMs) return 'old';
    const { text, quote } = picture || unread ? { text: '' } : takeQuote(payload.text);
    const mention = await this.#ownMention(text, room, self);
    return {
      channel: WECHATY,
      // Ids are the account's: another account may use the same ones.
      messageId: `${self}/${payload.id}`,
      room: room === '' ? null : room,
      from: talker,
      text: mention.text,
      mentionsBot: room !== '' && (mention.found || mentions.includes(self)),
      // A pseudo id stands for `@所有人` in some lists.
      mentions: mentions.filter((id) => id !== self && id !== '' && !/^(?:notify@all|announcement@all)$/.test(id)),
      ...(quote && { quote }),
      ...(unread && { unread }),
      attachments: [],
      at,
      ...(age > lateMs && { late: true }),
    };
  }

  /** With its picture, where that is any business of ours. */
  async withPicture(message: IncomingMessage, payload: Payload): Promise<IncomingMessage | 'kind'> {
    if (payload.type !== types.Message.Image) return message;
    if (!(await this.#options.wantsPictures(message.from, message.room))) return 'kind';
    const file = await within(FETCH_MS, 'picture', this.#puppet.messageFile(payload.id));
    const bytes = await within<Buffer>(FETCH_MS, 'picture', file.toBuffer());
    if (bytes.length > MAX_PICTURE_BYTES) return message.room === null ? { ...message, unread: 'tooLarge' } : 'kind';
    const type = IMAGE_TYPES[/\.(\w+)$/.exec(file.name)?.[1]?.toLowerCase() ?? ''] ?? 'image/jpeg';
    return { ...message, attachments: [await this.#options.store(file.name, type, bytes, message.at)] };
  }

  /** The bot was renamed, or may have been: names are asked for again. */
  forgetNames(): void {
    this.#aliases.clear();
    this.#nickname = undefined;
  }

  async #ownMention(text: string, room: string, self: string): Promise<{ found: boolean; text: string }> {
    if (room === '' || !/[@＠]/.test(text)) return { found: false, text };
    const names = [await this.#ownNickname(self), await this.#ownAlias(room, self)];
    return takeOwnMention(
      text,
      names.filter((n) => n !== undefined),
    );
  }

  async #ownNickname(self: string): Promise<string | undefined> {
    this.#nickname ??= (
      await within(FETCH_MS, 'own name', this.#puppet.contactPayload(self)).catch(() => undefined)
    )?.name;
    return this.#nickname;
  }

  async #ownAlias(room: string, self: string): Promise<string | undefined> {
    const known = this.#aliases.get(room);
    if (known && performance.now() - known.at < ALIAS_KEPT_MS) return known.alias;
    // Not every gateway knows aliases; the nickname is enough then.
    const member = await within(FETCH_MS, 'own alias', this.#puppet.roomMemberPayload(room, self)).catch(
      () => undefined,
    );
    const alias = member?.roomAlias ?? '';
    this.#aliases.set(room, { alias, at: performance.now() });
    return alias === '' ? undefined : alias;
  }
}
