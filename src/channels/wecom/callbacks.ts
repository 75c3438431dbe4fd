import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Handled } from '../../bot/message.js';
import type { Clock } from '../../clock.js';
import { encryptedOf, readAppXml } from './app-xml.js';
import { pressedCard } from './cards.js';
import type { Envelope } from './crypto.js';
import { type Guard, type Opened, Rejected, type Sources } from './guard.js';
import { entranceId } from './events.js';
import type { Envelopes, Late, Scene } from './late.js';
import { readBotPayload, type BotEvent, type Received } from './received.js';
import { type Reply, streamBody, streamIdOf, Streams } from './streams.js';
import { Slot, type Ways } from './ways.js';

/** WeCom gives up after five seconds: by then the message is handled, or kept. */
const LIMIT_MS = 3000;
const MAX_ANSWERS = 1000;

const Posted = z.object({ encrypt: z.string().max(1_000_000) });

export interface CallbackAnswer {
  readonly status: number;
  readonly type: 'text/plain' | 'application/json';
  readonly body: string;
  /** Told whether the answer went out; until then the message's way back is held. */
  settled(delivered: boolean): void;
}

interface Options {
  readonly envelopes: Envelopes;
  readonly guard: Guard;
  readonly sources: Sources;
  readonly ways: Ways;
  readonly late: Late;
  readonly clock: Clock;
  readonly log: Logger;
  /** Hands a message to the bot. */
  readonly receive: (message: Received, by: Scene) => Promise<Handled>;
  /** As `receive`, for what was acknowledged and not taken: nobody delivers it again. */
  readonly insist: (message: Received, by: Scene) => Promise<Handled>;
  /** Somebody opened the chat, or pressed a button. */
  readonly onEvent: (event: BotEvent, id: string, slot?: Slot) => Promise<unknown>;
  readonly limitMs?: number;
}

const empty = (status = 200, settled: (delivered: boolean) => void = () => undefined): CallbackAnswer => ({
  status,
  type: 'text/plain',
  body: '',
  settled,
});
/** The one answer to everything that is wrong. */
const REFUSED: CallbackAnswer = { ...empty(403), body: 'refused' };

/** What WeCom posts to us: checked, taken, answered in time. */
export class Callbacks {
  readonly #options: Options;
  /** What each message of late was answered, so that the same one delivered again gets the same answer. */
  readonly #answers = new Map<string, Promise<object | undefined>>();
  readonly #streams = new Streams();

  constructor(options: Options) {
    this.#options = options;
  }

  /** The check of the address: the decrypted text, bare. */
  async check(scene: string, source: string, query: Readonly<Record<string, unknown>>): Promise<CallbackAnswer> {
    return this.#guarded(scene, source, async (envelope) => {
      const echo = query['echostr'];
      const opened = await this.#options.guard.open(
        envelope,
        scene,
        query,
        typeof echo === 'string' ? echo : undefined,
      );
      await opened.close();
      return { ...empty(), body: opened.plain };
    });
  }

  async post(
    scene: string,
    source: string,
    query: Readonly<Record<string, unknown>>,
    body: Buffer | undefined,
  ): Promise<CallbackAnswer> {
    return this.#guarded(scene, source, async (envelope, known) => {
      const text = body?.toString('utf8') ?? '';
      const encrypt = known === 'app' ? encryptedOf(text) : encryptOf(text);
      const opened = await this.#options.guard.open(envelope, known, query, encrypt);
      const reply = known === 'app' ? await this.#app(opened.plain) : await this.#bot(opened.plain);
      try {
        await opened.close();
      } catch (error) {
        reply?.settle?.(false);
        throw error;
      }
      return this.#sealed(envelope, opened, reply);
    });
  }

  async #guarded(
    scene: string,
    source: string,
    work: (envelope: Envelope, scene: Scene) => Promise<CallbackAnswer>,
  ): Promise<CallbackAnswer> {
    const { envelopes, sources, log } = this.#options;
    const known = scene === 'bot' || scene === 'app' ? scene : undefined;
    const envelope = known && envelopes[known];
    try {
      if (!envelope || !known) throw new Rejected('scene');
      return await work(envelope, known);
    } catch (error) {
      if (error instanceof Rejected) {
        // Who has no token never gets further than the signature; behind a proxy WeCom shares its address with everybody.
        if (sources.isBarred(source)) return { ...REFUSED, status: 429 };
        sources.blame(source);
        log.warn({ scene: known, source, reason: error.message }, 'callback refused');
        return REFUSED;
      }
      // Not taken: WeCom delivers it again.
      log.error({ scene: known, err: error }, 'callback failed');
      return empty(503);
    }
  }

  #sealed(envelope: Envelope, opened: Opened, reply: Reply | undefined): CallbackAnswer {
    const settled = (delivered: boolean): void => {
      reply?.settle?.(delivered);
      if (!delivered)
        opened
          .reopen()
          .catch((err: unknown) => this.#options.log.warn({ err }, 'a lost answer can not be asked for again'));
    };
    if (!reply) return empty(200, settled);
    const seconds = Math.floor(this.#options.clock.now().getTime() / 1000);
    const { encrypt, signature, timestamp, nonce } = envelope.seal(JSON.stringify(reply.body), opened.nonce, seconds);
    const body = JSON.stringify({ encrypt, msgsignature: signature, timestamp, nonce });
    return { status: 200, type: 'application/json', body, settled };
  }

  /** An empty answer acknowledges; the bot's answer goes by message/send. Source: document/path/90238. */
  async #app(plain: string): Promise<undefined> {
    const read = readAppXml(plain);
    if (!read) throw new Rejected('xml');
    if (read.is === 'message') await this.#inTime(read.message, 'app', undefined);
    return undefined;
  }

  async #bot(plain: string): Promise<Reply | undefined> {
    const read = readBotPayload(jsonOf(plain));
    if (!read) throw new Rejected('json');
    switch (read.is) {
      case 'message':
        return this.#message(read.message);
      case 'refresh':
        return this.#streams.refresh(read.stream);
      case 'event':
        return this.#event(read.event, read.at);
    }
  }

  async #message(message: Received): Promise<Reply | undefined> {
    const { messageId } = message;
    const earlier = this.#answers.get(messageId);
    if (earlier) {
      const body = await earlier;
      return body && { body };
    }
    const slot = new Slot();
    let settle: (delivered: boolean) => void = () => undefined;
    const settled = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    const answering = this.#inTime(message, 'bot', slot).then((inTime): object | undefined => {
      // It may have come while the message was being kept.
      const text = inTime ?? slot.offered;
      if (text !== undefined) return streamBody(streamIdOf(messageId), true, text);
      if (slot.isOpen && message.responseUrl === undefined) return this.#streams.begin(messageId, slot);
      slot.close();
      return undefined;
    });
    // What did not arrive goes by another road: the same message again is then only acknowledged.
    const repeated = answering.then(async (body) => (body === undefined || (await settled) ? body : undefined));
    // Its failure is answered below; nobody may be waiting for the repetition.
    repeated.catch(() => undefined);
    this.#answers.set(messageId, repeated);
    if (this.#answers.size > MAX_ANSWERS) this.#answers.delete(this.#answers.keys().next().value ?? '');
    try {
      const body = await answering;
      return (
        body && {
          body,
          settle: (delivered) => {
            settle(delivered);
            // A stream that was begun is answered at a later refresh, unless its beginning was lost.
            if (!delivered || !this.#streams.has(messageId)) slot.settle(delivered);
          },
        }
      );
    } catch (error) {
      // Not taken: when it comes again it is new.
      this.#answers.delete(messageId);
      throw error;
    }
  }

  /** The text for the callback's own answer, if there is one in time. Returns when the message is handled, or kept. */
  async #inTime(message: Received, by: Scene, slot: Slot | undefined): Promise<string | undefined> {
    const { ways, late, receive, insist, log, limitMs } = this.#options;
    ways.open(message.messageId, {
      room: message.room,
      person: message.from,
      toApp: by === 'app',
      ...(slot && { slot }),
      responseUrl: message.responseUrl,
    });
    const handled = receive(message, by);
    const limit = sleep(limitMs ?? LIMIT_MS, 'late' as const, { ref: false });
    // With a slot the answer is awaited too: it goes where WeCom waits for it.
    const done = handled.then(({ outcome, replies }) =>
      slot && outcome !== 'duplicate' && replies.some((r) => isHere(r.to, message)) ? limit : ('done' as const),
    );
    const first = await Promise.race([done, limit, ...(slot ? [slot.filled.then((text) => ({ text }))] : [])]);
    if (typeof first === 'object') return first.text;
    if (first === 'done') {
      slot?.close();
      return undefined;
    }
    await late.keep(message, by);
    handled
      .catch(() => insist(message, by))
      .then(({ delivered }) => delivered)
      .then(() => late.drop(message.messageId))
      .catch((err: unknown) => log.error({ messageId: message.messageId, err }, 'a late message failed'));
    return undefined;
  }

  async #event(event: BotEvent, at: Date | undefined): Promise<Reply | undefined> {
    const { onEvent, limitMs } = this.#options;
    if (event.is === 'pressed') {
      await onEvent(event, '');
      return { body: pressedCard(event.taskId, event.says) };
    }
    if (event.is !== 'entered') return undefined;
    const slot = new Slot();
    const told = onEvent(event, entranceId(event.from, at ?? this.#options.clock.now()), slot);
    const inTime = await Promise.race([
      slot.filled,
      told.then(() => sleep(limitMs ?? LIMIT_MS, undefined, { ref: false })),
    ]);
    const text = inTime ?? slot.offered;
    if (text !== undefined)
      return { body: { msgtype: 'text', text: { content: text } }, settle: (delivered) => slot.settle(delivered) };
    slot.close();
    return undefined;
  }
}

const isHere = (to: Handled['replies'][number]['to'], message: Received): boolean =>
  'room' in to ? to.room === message.room : message.room === null && to.person === message.from;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const encryptOf = (text: string): string | undefined => Posted.safeParse(jsonOf(text)).data?.encrypt;
