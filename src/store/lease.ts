import { randomUUID } from 'node:crypto';
import { Schema, type Connection, type Model } from 'mongoose';
import { isDuplicateKey } from './transaction.js';

interface StoredLease {
  readonly _id: string;
  readonly holder: string;
  readonly until: Date;
}

const schema = new Schema<StoredLease>(
  {
    _id: { type: String, required: true },
    holder: { type: String, required: true },
    until: { type: Date, required: true },
  } as Record<keyof StoredLease, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

export const leaseModel = (c: Connection): Model<StoredLease> =>
  c.models['Lease'] ?? c.model<StoredLease>('Lease', schema, 'leases');

/**
 * Something that one process at a time may do. Who takes it renews it well before its time is over; a process that died
 * holds it until then.
 */
export class Lease {
  readonly #leases: Model<StoredLease>;
  readonly #name: string;
  readonly #forMs: number;
  readonly #now: () => Date;
  readonly #holder = randomUUID();

  constructor(leases: Model<StoredLease>, name: string, forMs: number, now: () => Date) {
    this.#leases = leases;
    this.#name = name;
    this.#forMs = forMs;
    this.#now = now;
  }

  /** Takes or renews it; false: another process holds it. */
  async take(): Promise<boolean> {
    const now = this.#now();
    const until = new Date(now.getTime() + this.#forMs);
    try {
      const { matchedCount, upsertedCount } = await this.#leases.updateOne(
        { _id: this.#name, $or: [{ holder: this.#holder }, { until: { $lte: now } }] },
        { $set: { holder: this.#holder, until } },
        { upsert: true },
      );
      return matchedCount + upsertedCount > 0;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  async release(): Promise<void> {
    await this.#leases.deleteOne({ _id: this.#name, holder: this.#holder });
  }
}
