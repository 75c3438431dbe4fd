import { Schema, type Connection, type Model } from 'mongoose';
import type { Clock } from '../../clock.js';
import type { Envelope } from './crypto.js';
import type { Received } from './received.js';

/** By which callback something came. */
export type Scene = 'bot' | 'app';
export type Envelopes = Readonly<Partial<Record<Scene, Envelope>>>;

/** A message that was acknowledged before it was handled. Removed as soon as its answers are out. */
interface LateMessage {
  readonly _id: string;
  readonly scene: Scene;
  /** The message as it was said, numbers and all, and so under the key of its callback. */
  readonly sealed: string;
  readonly at: Date;
}

const DAY_S = 86_400;

const schema = new Schema<LateMessage>(
  {
    _id: { type: String, required: true },
    scene: { type: String, required: true },
    sealed: { type: String, required: true },
    at: { type: Date, required: true },
  } as Record<keyof LateMessage, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
schema.index({ at: 1 }, { expireAfterSeconds: DAY_S });

export const lateModel = (c: Connection): Model<LateMessage> => c.model<LateMessage>('WecomLate', schema, 'wecomLate');

/** WeCom gives up after five seconds and asks again twice: what takes longer is kept here before it is acknowledged. */
export class Late {
  readonly #model: Model<LateMessage>;
  readonly #clock: Clock;
  readonly #envelopes: Envelopes;

  constructor(model: Model<LateMessage>, clock: Clock, envelopes: Envelopes) {
    this.#model = model;
    this.#clock = clock;
    this.#envelopes = envelopes;
  }

  async keep(message: Received, scene: Scene): Promise<void> {
    const sealed = this.#envelopes[scene]?.seal(JSON.stringify(message), '', 0).encrypt;
    if (sealed === undefined) throw new Error(`no key for messages of the ${scene}`);
    await this.#model.updateOne(
      { _id: message.messageId },
      { $setOnInsert: { scene, sealed, at: this.#clock.now() } },
      { upsert: true, writeConcern: { w: 'majority' } },
    );
  }

  async drop(messageId: string): Promise<void> {
    await this.#model.deleteOne({ _id: messageId });
  }

  /** What an earlier run left, the oldest first; what was kept under another key is passed over. */
  async left(): Promise<{ message: Received; scene: Scene }[]> {
    const kept = await this.#model.find({}).sort({ at: 1 }).lean<LateMessage[]>();
    return kept.flatMap(({ scene, sealed }) => {
      const text = this.#envelopes[scene]?.open(sealed);
      if (text === undefined) return [];
      // Written by `keep` under our own key: a Received, but for its time.
      const { at, ...message } = JSON.parse(text) as Omit<Received, 'at'> & { readonly at?: string };
      return [{ message: { ...message, at: at === undefined ? undefined : new Date(at) }, scene }];
    });
  }
}
