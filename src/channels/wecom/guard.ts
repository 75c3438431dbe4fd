import { Schema, type Connection, type Model } from 'mongoose';
import { z } from 'zod';
import type { Clock } from '../../clock.js';
import type { Envelope } from './crypto.js';

/** A callback that is not WeCom's, or not of now. Everyone is told the same; the reason is for the log. */
export class Rejected extends Error {
  override readonly name = 'Rejected';
}

/** The signature of a callback that was answered: it will not be answered again. */
interface Answered {
  readonly _id: string;
  readonly expiresAt: Date;
}

const schema = new Schema<Answered>(
  { _id: { type: String, required: true }, expiresAt: { type: Date, required: true } } as Record<
    keyof Answered,
    object
  >,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
schema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export const answeredModel = (c: Connection): Model<Answered> =>
  c.model<Answered>('WecomAnswered', schema, 'wecomAnswered');

const Query = z.object({
  msg_signature: z.string().regex(/^[0-9a-f]{40}$/),
  timestamp: z.string().regex(/^\d{10}$/),
  nonce: z.string().regex(/^[\x21-\x7e]{1,128}$/),
});

export interface Opened {
  readonly plain: string;
  readonly nonce: string;
  /** Records that it was answered. @throws {Rejected} it was already, here or in another process */
  close(): Promise<void>;
  /** Its answer did not arrive: WeCom may post it again as it is. */
  reopen(): Promise<void>;
}

interface Options {
  readonly answered: Model<Answered>;
  readonly clock: Clock;
  /** How far the time of a callback may lie from ours. */
  readonly windowMs: number;
}

/**
 * Lets through only what WeCom has signed, lately, and once.
 *
 * The signature covers token, time, nonce and cipher: so it names a request, and one that was answered is known by it. It is
 * compared before anything else is looked at; whoever has no token learns nothing from what comes after.
 */
export class Guard {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws {Rejected} */
  async open(envelope: Envelope, scene: string, query: unknown, encrypt: string | undefined): Promise<Opened> {
    const { answered, clock, windowMs } = this.#options;
    const parsed = Query.safeParse(query);
    if (!parsed.success || encrypt === undefined) throw new Rejected('form');
    const { msg_signature, timestamp, nonce } = parsed.data;
    if (!envelope.signed(msg_signature, timestamp, nonce, encrypt)) throw new Rejected('signature');
    const at = Number(timestamp) * 1000;
    if (Math.abs(clock.now().getTime() - at) > windowMs) throw new Rejected('time');
    const _id = `${scene}:${msg_signature}`;
    if (await answered.exists({ _id })) throw new Rejected('replay');
    const plain = envelope.open(encrypt);
    if (plain === undefined) throw new Rejected('cipher');
    return {
      plain,
      nonce,
      async close() {
        try {
          await answered.create({ _id, expiresAt: new Date(at + 2 * windowMs) });
        } catch (error) {
          throw (await answered.exists({ _id })) ? new Rejected('replay') : error;
        }
      },
      async reopen() {
        await answered.deleteOne({ _id });
      },
    };
  }
}

const MINUTE_MS = 60_000;
const MAX_SOURCES = 10_000;

/** Counts wrong requests by address, a minute at a time: too many, and they are neither explained nor logged. */
export class Sources {
  readonly #perMinute: number;
  readonly #wrong = new Map<string, number>();
  #since = performance.now();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  isBarred(source: string): boolean {
    if (performance.now() - this.#since >= MINUTE_MS) {
      this.#wrong.clear();
      this.#since = performance.now();
    }
    return (this.#wrong.get(source) ?? 0) >= this.#perMinute;
  }

  blame(source: string): void {
    if (this.#wrong.size < MAX_SOURCES || this.#wrong.has(source))
      this.#wrong.set(source, (this.#wrong.get(source) ?? 0) + 1);
  }
}
