import { Schema, type Connection, type Model } from 'mongoose';
import { type Clock, systemClock } from '../clock.js';
import { isDuplicateKey } from './transaction.js';

/** Who alone may do something at the moment, among all processes of one store. */
export interface LeaseRecord {
  readonly _id: string;
  /** One process's random name; '' when it was given back. */
  readonly holder: string;
  readonly expiresAt: Date;
}

const schema = new Schema<LeaseRecord>(
  {
    _id: { type: String, required: true },
    holder: { type: String, default: '' },
    expiresAt: { type: Date, required: true },
  } as Record<keyof LeaseRecord, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

export const leaseModel = (connection: Connection): Model<LeaseRecord> =>
  connection.models['Lease'] ?? connection.model<LeaseRecord>('Lease', schema, 'leases');

export interface LeaseOptions {
  readonly leases: Model<LeaseRecord>;
  /** What is leased; the natural key. */
  readonly name: string;
  readonly holder: string;
  /** How long it lasts without being taken again. */
  readonly lastsMs?: number;
  readonly clock?: Clock;
}

const LASTS_MS = 30_000;

/**
 * One holder's side of a lease. It goes by the computers' own clocks, whatever the program's clock was set to: theirs must
 * not differ by more than the lease lasts.
 */
export class Lease {
  readonly lastsMs: number;
  readonly #options: LeaseOptions;
  readonly #clock: Clock;
  #until = 0;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.lastsMs = options.lastsMs ?? LASTS_MS;
  }

  /** By this side's own reckoning, also while the store can't be asked. */
  get held(): boolean {
    return this.#clock.now().getTime() < this.#until;
  }

  /**
   * Takes or renews the lease; false: another holds it.
   *
   * @throws Error the store does not answer: what was held is held until it runs out
   */
  async take(): Promise<boolean> {
    const { leases, name, holder } = this.#options;
    const now = this.#clock.now();
    const expiresAt = new Date(now.getTime() + this.lastsMs);
    try {
      await leases.updateOne(
        { _id: name, $or: [{ holder }, { expiresAt: { $lte: now } }] },
        { $set: { holder, expiresAt } },
        { upsert: true },
      );
      this.#until = expiresAt.getTime();
      return true;
    } catch (error) {
      // The record is there and does not match: the upsert met the key of another's lease.
      if (!isDuplicateKey(error)) throw error;
      this.#until = 0;
      return false;
    }
  }

  /** Gives it back at once; another's stays as it is. */
  async release(): Promise<void> {
    const { leases, name, holder } = this.#options;
    this.#until = 0;
    await leases.updateOne({ _id: name, holder }, { $set: { holder: '', expiresAt: this.#clock.now() } });
  }
}
