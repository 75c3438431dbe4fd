import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Inbox } from '../../bot/channel.js';
import type { Handled } from '../../bot/message.js';
import type { Clock } from '../../clock.js';
import type { Chats } from './chats.js';
import { TooLarge } from './http.js';
import type { MediaStore } from './media.js';
import type { Received } from './received.js';
import { withoutMention } from './text.js';

const TRIES = 6;
const FIRST_PAUSE_MS = 500;

interface Options {
  readonly channel: string;
  readonly botNames: readonly string[];
  readonly chats: Chats;
  readonly media: MediaStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** From what WeCom delivers to what the bot reads; knows what is under way. */
export class Taking {
  readonly #options: Options;
  readonly #underWay = new Set<Promise<unknown>>();
  #inbox: Inbox | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  start(inbox: Inbox): void {
    this.#inbox = inbox;
  }

  /**
   * Hands one message to the bot; a chat that is new is remembered first.
   *
   * @throws Error not taken: deliver it again
   */
  receive(message: Received, by: 'bot' | 'app' | undefined): Promise<Handled> {
    return this.track(this.#receive(message, by));
  }

  /** As `receive`, again and again for a minute. @throws Error it was not taken for all that */
  insist(message: Received, by: 'bot' | 'app'): Promise<Handled> {
    const { log, signal } = this.#options;
    const trying = async (): Promise<Handled> => {
      for (let tries = 1; ; tries += 1)
        try {
          return await this.#receive(message, by);
        } catch (err) {
          if (tries >= TRIES || signal.aborted) throw err;
          log.warn({ messageId: message.messageId, tries, err }, 'message not taken yet');
          await sleep(FIRST_PAUSE_MS * 2 ** tries, undefined, { signal });
        }
    };
    return this.track(trying());
  }

  /** Counts something as under way until it, and what it sends, is done. */
  track<T>(work: Promise<T>): Promise<T> {
    const whole = work.then(deliveredOf).catch((err: unknown) => this.#options.log.debug({ err }, 'not taken'));
    this.#underWay.add(whole);
    void whole.finally(() => this.#underWay.delete(whole));
    return work;
  }

  /** As `track`, where nobody else looks at how it ends. */
  watch(work: Promise<unknown>): void {
    this.track(work).catch((err: unknown) => this.#options.log.error({ err }, 'something from WeCom was not taken'));
  }

  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async #receive(message: Received, by: 'bot' | 'app' | undefined): Promise<Handled> {
    const { channel, botNames, chats, media, clock, log } = this.#options;
    const { messageId, room, from, quote } = message;
    if (!this.#inbox) throw new Error('the WeCom channel is not started');
    const at = message.at ?? clock.now();
    if (by && (await chats.remember(room === null ? { person: from } : { room }, by)))
      log.info({ by, room, ...(room === null && { person: from }) }, 'first contact in a chat of WeCom');
    const text = room === null ? message.text : withoutMention(message.text, botNames);
    let { unread } = message;
    const attachments = await media.fetchAll(message.media, at).catch((err: unknown) => {
      log.warn({ messageId, err }, 'a picture could not be fetched');
      // Beside words it is left out; alone it was all there was.
      if (text === '') unread = err instanceof TooLarge ? 'tooLarge' : 'lost';
      return [];
    });
    if (unread !== undefined) log.info({ messageId, unread }, 'message that is not read');
    return this.#inbox.receive({
      channel,
      messageId,
      room,
      from,
      text,
      mentionsBot: room !== null,
      mentions: [],
      quote: quote === undefined ? undefined : { text: quote },
      attachments,
      at,
      ...(unread && { unread }),
    });
  }
}

const deliveredOf = (done: unknown): Promise<void> | undefined =>
  typeof done === 'object' && done !== null && 'delivered' in done && done.delivered instanceof Promise
    ? done.delivered.then(() => undefined)
    : undefined;
