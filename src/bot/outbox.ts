import { Schema, type Connection, type Model } from 'mongoose';
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import { adapt } from './adaption.js';
import { type Channel, SendUnknown, Undeliverable } from './channel.js';
import type { Attachment, Choice, Destination, OutgoingMessage } from './message.js';

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
  readonly interaction: string;
  /** `unknown`: it left, and whether it arrived nobody can tell. */
  readonly status: 'pending' | 'sent' | 'unknown' | 'dead';
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
    interaction: { type: String, required: true },
    status: { type: String, required: true },
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
});

/** After this many failed tries a message is dead: it stays in the list for the operator, nobody tries again. */
const MAX_ATTEMPTS = 8;
const FIRST_RETRY_MS = 500;

interface Options {
  readonly messages: Model<OutboxMessage>;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onSettled?: (result: 'sent' | 'retried' | 'unknown' | 'dead') => void;
}

/**
 * Sends what commands have committed, in order for each destination, paced to the channel. A message that fails is tried
 * again with growing pauses and holds back the later ones of its destination; at last it is dead. A message may reach the
 * channel twice after a crash, always with the same id.
 */
export class Outbox {
  readonly #options: Options;
  /** The end of each destination's queue. */
  readonly #tails = new Map<string, Promise<void>>();
  #sent: string[] = [];
  #marking: Promise<void> | undefined;
  #stopping = false;
  readonly #wakers = new Set<() => void>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Takes up what an earlier run left unsent. */
  async start(): Promise<number> {
    const left = await this.#options.messages
      .find({ status: 'pending' })
      .sort({ at: 1, _id: 1 })
      .lean<OutboxMessage[]>();
    void this.deliver(left);
    return left.length;
  }

  /** Resolves when each message was sent or given up; messages left at `stop` stay pending. */
  async deliver(messages: readonly OutboxMessage[]): Promise<void> {
    await Promise.all(messages.map((message) => this.#enqueue(message)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
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

  /** Never rejects: what can't be sent now is tried again, what never can is dead. */
  async #send(message: OutboxMessage): Promise<void> {
    const channel = this.#options.channels.get(message.channel);
    for (let attempts = message.attempts; !this.#stopping;) {
      try {
        if (!channel) throw new Undeliverable(`the channel ${message.channel} is off`);
        await channel.send(adapt(outgoingOf(message), channel.capabilities));
        this.#markSent(message._id);
        this.#options.onSettled?.('sent');
        if (channel.capabilities.paceMs > 0) await this.#sleep(channel.capabilities.paceMs);
        return;
      } catch (error) {
        attempts += 1;
        const end =
          error instanceof SendUnknown
            ? 'unknown'
            : error instanceof Undeliverable || attempts >= MAX_ATTEMPTS
              ? 'dead'
              : undefined;
        this.#options.log.warn({ outbox: message._id, attempts, end, err: error }, 'message not sent');
        this.#options.onSettled?.(end ?? 'retried');
        const pause = FIRST_RETRY_MS * 2 ** attempts * (0.75 + Math.random() / 2);
        await this.#record(message._id, attempts, end, pause);
        if (end !== undefined) return;
        await this.#sleep(pause);
      }
    }
  }

  async #record(id: string, attempts: number, end: 'unknown' | 'dead' | undefined, pause: number): Promise<void> {
    const notBefore = new Date(this.#options.clock.now().getTime() + pause);
    await this.#options.messages
      .updateOne({ _id: id }, { $set: { attempts, notBefore, ...(end !== undefined && { status: end }) } })
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
        .updateMany({ _id: { $in: ids } }, { $set: { status: 'sent' } })
        .catch((err: unknown) => this.#options.log.error({ outbox: ids, err }, 'sent, but not marked as sent'));
    }
  }

  #sleep(ms: number): Promise<void> {
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
