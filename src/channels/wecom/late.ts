import { Schema, type Connection, type Model } from 'mongoose';
import type { Clock } from '../../clock.js';
import type { Received } from './received.js';

/** A message that was acknowledged before it was handled. Removed as soon as its answers are out. */
interface LateMessage {
  readonly _id: string;
  readonly message: Received;
  readonly at: Date;
}

const DAY_S = 86_400;

const schema = new Schema<LateMessage>(
  {
    _id: { type: String, required: true },
    message: { type: Schema.Types.Mixed, required: true },
    at: { type: Date, required: true },
  } as Record<keyof LateMessage, object>,
  { strict: 'throw', versionKey: false, autoIndex: false, minimize: false },
);
schema.index({ at: 1 }, { expireAfterSeconds: DAY_S });

export const lateModel = (c: Connection): Model<LateMessage> => c.model<LateMessage>('WecomLate', schema, 'wecomLate');

/** WeCom gives up after five seconds and asks again twice: what takes longer is kept here before it is acknowledged. */
export class Late {
  readonly #model: Model<LateMessage>;
  readonly #clock: Clock;

  constructor(model: Model<LateMessage>, clock: Clock) {
    this.#model = model;
    this.#clock = clock;
  }

  async keep(message: Received): Promise<void> {
    await this.#model.updateOne(
      { _id: message.messageId },
      { $setOnInsert: { message, at: this.#clock.now() } },
      { upsert: true, writeConcern: { w: 'majority' } },
    );
  }

  async drop(messageId: string): Promise<void> {
    await this.#model.deleteOne({ _id: messageId });
  }

  /** What an earlier run left, the oldest first. */
  async left(): Promise<Received[]> {
    return (await this.#model.find({}).sort({ at: 1 }).lean<LateMessage[]>()).map((l) => l.message);
  }
}
