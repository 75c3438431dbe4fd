import { Schema, type Connection, type Model } from 'mongoose';
import type { Tx } from '../../store/transaction.js';

export type NumberedKind = 'serviceReport' | 'checkInRequest';

/** What a number names. One sequence for all kinds, never used again: `#45` has one meaning. */
export interface Numbered {
  readonly _id: number;
  readonly kind: NumberedKind;
}
interface Counter {
  readonly _id: string;
  readonly next: number;
}

const numberedSchema = new Schema<Numbered>(
  { _id: { type: Number, required: true }, kind: { type: String, required: true } } as Record<keyof Numbered, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
const counterSchema = new Schema<Counter>(
  { _id: { type: String, required: true }, next: { type: Number, required: true } } as Record<keyof Counter, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

export const numberedModel = (c: Connection): Model<Numbered> =>
  c.model<Numbered>('Numbered', numberedSchema, 'numbers');
export const counterModel = (c: Connection): Model<Counter> => c.model<Counter>('Counter', counterSchema, 'counters');

/** Numbers taken from the store at once while many are wanted. */
const BLOCK = 16;
const BUSY_MS = 1000;

/**
 * Numbers come from the store outside the transaction: a counter inside it would make all commands of a community
 * conflict. So a command that fails leaves a gap, and a crash leaves the rest of a block unused; none is given twice.
 */
export function numberOperations(models: { numbered: Model<Numbered>; counters: Model<Counter> }) {
  let free: number[] = [];
  let lastTaken = 0;
  let taking: Promise<void> = Promise.resolve();

  const take = async (): Promise<void> => {
    if (free.length > 0) return;
    const now = performance.now();
    const count = now - lastTaken < BUSY_MS ? BLOCK : 1;
    lastTaken = now;
    const counter = await models.counters
      .findOneAndUpdate({ _id: 'number' }, { $inc: { next: count } }, { upsert: true, returnDocument: 'after' })
      .lean<Counter>();
    const last = counter?.next ?? count;
    free = Array.from({ length: count }, (_, i) => last - count + 1 + i);
  };

  return {
    /** A fresh number, registered with its kind when the transaction commits. */
    async next(tx: Tx, kind: NumberedKind): Promise<number> {
      for (;;) {
        const number = free.shift();
        if (number !== undefined) {
          tx.insert(models.numbered, { _id: number, kind });
          return number;
        }
        taking = taking.then(take, take);
        await taking;
      }
    },
    /** What these numbers name; a number that names nothing is missing. */
    async kinds(tx: Tx, numbers: readonly number[]): Promise<Map<number, NumberedKind>> {
      const found = await models.numbered
        .find({ _id: { $in: [...numbers] } })
        .session(tx.session)
        .lean<Numbered[]>();
      return new Map(found.map((n) => [n._id, n.kind]));
    },
  };
}
