import { Schema, type Connection, type Model, type QueryFilter } from 'mongoose';
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import { adapt, type LinkTo } from './adaption.js';
import { type Channel, NotNow, SendUnknown, Undeliverable } from './channel.js';
import type { Attachment, Choice, Destination, Founding, OutgoingMessage } from './message.js';

/** A message to send, written in the transaction of the command that says it. */
export interface OutboxMessage {
  /** `channel:messageId:n`, the command's key and its place among the replies: a command run again says nothing twice. */
  readonly _id: string;
  readonly channel: string;
  readonly room: string | null;
  /** Set when it goes to one person in private. */
  readonly person: string | null;
  readonly text: string;
  readonly mentions: readonly string[];
  readonly attachments: readonly Attachment[];
  readonly choices?: readonly Choice[];
  readonly founds?: Founding;
  readonly interaction: string;
  /** In a group: the person whose message it answers. */
  readonly answers?: string | null;
  readonly status: 'pending' | 'sent' | 'dead';
  /** It was handed to a network that has not said whether it was taken; with status `dead`: nobody will ever know. */
  readonly maybeSent?: boolean;
  /** The process that sends it; '': whichever can. */
  readonly holder: string;
  readonly attempts: number;
  readonly notBefore: Date;
  readonly at: Date;
}

const schema = new Schema<OutboxMessage>(
  {
    _id: { type: String, required: true },
    channel: { type: String, required: true },
    room: { type: String, default: null },
    person: { type: String, default: null },
    text: { type: String, required: true },
    mentions: { type: [String], default: [] },
    attachments: { type: [Schema.Types.Mixed], default: [] },
    choices: { type: [Schema.Types.Mixed], default: undefined },
    founds: { type: Schema.Types.Mixed, default: undefined },
    interaction: { type: String, required: true },
    answers: { type: String, default: null },
    status: { type: String, required: true },
    maybeSent: { type: Boolean, default: false },
    holder: { type: String, default: '' },
    attempts: { type: Number, required: true },
    notBefore: { type: Date, required: true },
    at: { type: Date, required: true },
  } as Record<keyof OutboxMessage, object>,
  { strict: 'throw', versionKey: false, autoIndex: false, minimize: false },
);
schema.index({ status: 1, at: 1 });
schema.index({ interaction: 1 });
schema.index({ channel: 1, room: 1, person: 1, at: 1 });

export const outboxModel = (connection: Connection): Model<OutboxMessage> =>
  connection.model<OutboxMessage>('OutboxMessage', schema, 'outbox');

const destinationOf = (m: OutboxMessage): Destination =>
  m.person === null ? { channel: m.channel, room: m.room ?? '' } : { channel: m.channel, person: m.person };

export const outgoingOf = (m: OutboxMessage): OutgoingMessage => ({
  id: m._id,
  interaction: m.interaction,
  to: destinationOf(m),
  text: m.text,
  mentions: m.mentions,
  attachments: m.attachments,
  choices: m.choices ?? [],
  at: m.at,
  ...(m.founds && { founds: m.founds }),
  ...(typeof m.answers === 'string' && { answers: m.answers }),
  ...(m.maybeSent === true && { maybeSent: true }),
});

/** After this many failed tries a message is dead: it stays in the list for the operator, nobody tries again. */
const MAX_ATTEMPTS = 8;
/** A message that may have arrived is repeated so often at most: each time may be one more in the group. */
const MAX_REPEATS = 3;
const FIRST_RETRY_MS = 500;
/** While a channel takes nothing, each destination asks it again so often at least, and so seldom at most. */
const ASK_AGAIN_MS = 500;
const ASK_AT_LEAST_MS = 30_000;
/** So often it is looked whether another process has left messages behind. */
const LOOK_MS = 5_000;
const MAX_TAKEN_UP = 500;

interface Options {
  readonly messages: Model<OutboxMessage>;
  readonly channels: ReadonlyMap<string, Channel>;
  /** The processes that work on the store. */
  readonly presence: { readonly id: string; living(): Promise<readonly string[]> };
  readonly clock: Clock;
  readonly log: Logger;
  readonly lookMs?: number;
  /** Where a file can be fetched that the channel does not carry. */
  readonly linkTo?: LinkTo;
  readonly onSettled?: (result: 'sent' | 'retried' | 'unknown' | 'dead') => void;
}

/**
 * Sends what commands have committed, in order for each destination, paced to the channel. A message that fails is tried
 * again with growing pauses and holds back the later ones of its destination; at last it is dead. A message may reach the
 * channel twice after a crash, always with the same id. Sent, not sent and unknown are told apart: see
 * docs/decisions/0006-unknown-sends.md.
 *
 * Of several processes one holds a message: the one that wrote it, until it dies, or until it turns out that another one has
 * the channel's connection. Then one that can send takes it up.
 */
export class Outbox {
  readonly #options: Options;
  /** The end of each destination's queue. */
  readonly #tails = new Map<string, Promise<void>>();
  #sent: string[] = [];
  #marking: Promise<void> | undefined;
  #handing: { readonly ids: string[]; readonly stored: Promise<void> } | undefined;
  #handed: Promise<void> = Promise.resolve();
  #looking: NodeJS.Timeout | undefined;
  #stopping = false;
  readonly #wakers = new Set<() => void>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** The name under which messages are written that this process sends. */
  get holder(): string {
    return this.#options.presence.id;
  }

  /** Takes up what an earlier run left unsent, and from now on what other processes leave; returns how many there were. */
  async start(): Promise<number> {
    const left = await this.#takeUp();
    const look = (): void => {
      this.#looking = setTimeout(() => {
        this.#takeUp()
          .catch((err: unknown) => this.#options.log.warn({ err }, 'not looked for messages that were left'))
          .then(look, look);
      }, this.#options.lookMs ?? LOOK_MS).unref();
    };
    look();
    return left;
  }

  async #takeUp(): Promise<number> {
    const { messages, channels, presence, log } = this.#options;
    if (this.#stopping) return 0;
    // What is for a network that is off waits until it is on.
    const here = [...channels.values()].filter((c) => c.isElsewhere?.() !== true).map((c) => c.name);
    const left: QueryFilter<OutboxMessage> = {
      status: 'pending',
      holder: { $nin: [...(await presence.living())] },
      channel: { $in: here },
    };
    const found = await messages
      .find(left, { _id: 1 })
      .sort({ at: 1, _id: 1 })
      .limit(MAX_TAKEN_UP)
      .lean<{ _id: string }[]>();
    if (found.length === 0) return 0;
    const ids = found.map((m) => m._id);
    await messages.updateMany({ ...left, _id: { $in: ids } }, { $set: { holder: presence.id } });
    const taken = await messages
      .find({ _id: { $in: ids }, status: 'pending', holder: presence.id })
      .sort({ at: 1, _id: 1 })
      .lean<OutboxMessage[]>();
    if (taken.length > 0) log.info({ messages: taken.length }, 'messages that were left are sent now');
    void this.deliver(taken);
    return taken.length;
  }

  /** Resolves when each message was sent, given up or left to another process; messages left at `stop` stay pending. */
  async deliver(messages: readonly OutboxMessage[]): Promise<void> {
    await Promise.all(messages.map((message) => this.#enqueue(message)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#looking);
    for (const wake of this.#wakers) wake();
    await Promise.allSettled(this.#tails.values());
    while (this.#marking) await this.#marking;
  }

  #enqueue(message: OutboxMessage): Promise<void> {
    const key = `${message.channel}|${message.person === null ? `r${message.room}` : `p${message.person}`}`;
    const tail = (this.#tails.get(key) ?? Promise.resolve()).then(() => this.#send(message));
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return tail;
  }

  /** The network took a message and said afterwards that it did not: it is sent again. */
  async refused(id: string): Promise<void> {
    while (this.#marking) await this.#marking;
    const message = await this.#options.messages
      .findOneAndUpdate(
        { _id: id, status: 'sent' },
        { $set: { status: 'pending', maybeSent: false, holder: this.holder } },
        { returnDocument: 'after' },
      )
      .lean<OutboxMessage>();
    if (message) void this.#enqueue(message);
  }

  /** Never rejects: what can't be sent now is tried again, what never can is dead. */
  async #send(message: OutboxMessage): Promise<void> {
    const channel = this.#options.channels.get(message.channel);
    let maybeSent = message.maybeSent === true;
    let repeats = 0;
    let handed = false;
    const handsOver = async (): Promise<void> => {
      await this.#handsOver(message._id);
      handed = true;
    };
    for (let attempts = message.attempts; !this.#stopping;) {
      try {
        if (!channel) throw new Undeliverable(`the channel ${message.channel} is off`);
        await channel.send(
          adapt(outgoingOf({ ...message, maybeSent }), channel.capabilities, this.#options.linkTo),
          handsOver,
        );
        this.#markSent(message._id);
        this.#options.onSettled?.('sent');
        if (channel.capabilities.paceMs > 0) await this.#sleep(channel.capabilities.paceMs);
        return;
      } catch (error) {
        if (error instanceof NotNow) {
          if (handed) await this.#record(message._id, attempts, false, maybeSent, 0);
          handed = false;
          if (channel?.isElsewhere?.() === true && (await this.#leave(message._id))) return;
          await this.#askAgain(message, error);
          continue;
        }
        attempts += 1;
        if (error instanceof SendUnknown) {
          repeats += 1;
          maybeSent = true;
        }
        const dead = error instanceof Undeliverable || attempts >= MAX_ATTEMPTS || repeats > MAX_REPEATS;
        const result = dead ? 'dead' : error instanceof SendUnknown ? 'unknown' : 'retried';
        this.#options.log.warn({ outbox: message._id, attempts, result, maybeSent, err: error }, 'message not sent');
        this.#options.onSettled?.(result);
        const pause = FIRST_RETRY_MS * 2 ** attempts * (0.75 + Math.random() / 2);
        await this.#record(message._id, attempts, dead, maybeSent, pause);
        if (dead) return;
        await this.#sleep(pause);
      }
    }
  }

  /**
   * One update notes all that are handed over while the last one is under way.
   *
   * @throws Error it could not be recorded: then the message must not be handed over
   */
  #handsOver(id: string): Promise<void> {
    if (!this.#handing) {
      const ids: string[] = [];
      const stored = this.#handed.then(async () => {
        this.#handing = undefined;
        await this.#options.messages.updateMany({ _id: { $in: ids } }, { $set: { maybeSent: true } });
      });
      this.#handed = stored.catch(() => undefined);
      this.#handing = { ids, stored };
    }
    this.#handing.ids.push(id);
    return this.#handing.stored;
  }

  /** Leaves a message to the process that has the channel's connection; false: it could not be noted. */
  async #leave(id: string): Promise<boolean> {
    try {
      await this.#options.messages.updateOne({ _id: id, status: 'pending' }, { $set: { holder: '' } });
      return true;
    } catch (err) {
      this.#options.log.warn({ outbox: id, err }, 'message not left to another process');
      return false;
    }
  }

  /** Waits until a channel that takes nothing is worth asking again; no try is counted. */
  async #askAgain({ _id, channel }: OutboxMessage, { until, message }: NotNow): Promise<void> {
    const wait = until === undefined ? 0 : until.getTime() - this.#options.clock.now().getTime();
    this.#options.log.debug({ outbox: _id, channel, until, reason: message }, 'message waits for the channel');
    await this.#sleep(Math.min(Math.max(wait, ASK_AGAIN_MS), ASK_AT_LEAST_MS) * (1 + Math.random() / 4));
  }

  async #record(id: string, attempts: number, dead: boolean, maybeSent: boolean, pause: number): Promise<void> {
    const notBefore = new Date(this.#options.clock.now().getTime() + pause);
    await this.#options.messages
      .updateOne({ _id: id }, { $set: { attempts, maybeSent, notBefore, ...(dead && { status: 'dead' }) } })
      .catch((err: unknown) => this.#options.log.error({ outbox: id, err }, 'a failed try was not recorded'));
  }

  /** One update marks all that were sent while the last update was under way. */
  #markSent(id: string): void {
    this.#sent.push(id);
    this.#marking ??= this.#markAll().finally(() => {
      this.#marking = undefined;
    });
  }

  async #markAll(): Promise<void> {
    while (this.#sent.length > 0) {
      const ids = this.#sent;
      this.#sent = [];
      await this.#options.messages
        .updateMany({ _id: { $in: ids } }, { $set: { status: 'sent', maybeSent: false } })
        .catch((err: unknown) => this.#options.log.error({ outbox: ids, err }, 'sent, but not marked as sent'));
    }
  }

  #sleep(ms: number): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wakers.add(wake);
    });
  }
}
