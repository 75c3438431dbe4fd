import { randomUUID } from 'node:crypto';
import { Schema, type Connection, type Model } from 'mongoose';
import { type Clock, systemClock } from '../clock.js';

/** A process that works on the store. */
interface Present {
  /** Its random name. */
  readonly _id: string;
  readonly until: Date;
}

const schema = new Schema<Present>(
  { _id: { type: String, required: true }, until: { type: Date, required: true } } as Record<keyof Present, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
schema.index({ until: 1 }, { expireAfterSeconds: 3600 });

const LASTS_MS = 30_000;
const BEAT_MS = 10_000;

interface Options {
  readonly clock?: Clock;
  /** How long a process that says nothing counts as present. */
  readonly lastsMs?: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Which processes work on the store at the moment, so that the living take up what the dead have left. Goes by the
 * computers' own clocks, as a lease does.
 */
export class Presence {
  /** This process's name. */
  readonly id = randomUUID();
  readonly #model: Model<Present>;
  readonly #options: Options;
  #beating: NodeJS.Timeout | undefined;

  constructor(connection: Connection, options: Options) {
    this.#model = connection.models['Present'] ?? connection.model<Present>('Present', schema, 'processes');
    this.#options = options;
  }

  /** `alone`: no other process can be at work on this store, whatever an earlier one has left. */
  async start({ alone }: { alone: boolean }): Promise<void> {
    if (alone) await this.#model.deleteMany({});
    await this.#beat();
    this.#beating = setInterval(() => {
      this.#beat().catch(this.#options.onError);
    }, BEAT_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#beating);
    await this.#model.deleteOne({ _id: this.id });
  }

  /** The names of all that are present, this one always among them. */
  async living(): Promise<string[]> {
    const found = await this.#model.find({ until: { $gt: this.#now() } }, { _id: 1 }).lean<Pick<Present, '_id'>[]>();
    return [...new Set([this.id, ...found.map((p) => p._id)])];
  }

  async #beat(): Promise<void> {
    const until = new Date(this.#now().getTime() + (this.#options.lastsMs ?? LASTS_MS));
    await this.#model.updateOne({ _id: this.id }, { $set: { until } }, { upsert: true });
  }

  #now = (): Date => (this.#options.clock ?? systemClock).now();
}
