import { Schema, type Connection, type Model } from 'mongoose';
import type { Day, HalfYear } from '../../calendar.js';

/** One posting. Never updated, never deleted: a mistake is a reversing entry that names the one it reverses. */
export interface LedgerEntry {
  /** `source:member:n`: the natural key. */
  readonly _id: string;
  readonly member: string;
  /** Whole, never 0. */
  readonly points: number;
  readonly rule: string;
  readonly ruleName: string;
  /** What earned it, such as `serviceReport:231`. */
  readonly source: string;
  readonly period: HalfYear;
  /** The day of the activity. */
  readonly day: Day;
  readonly by: string;
  readonly at: Date;
  readonly note?: string;
  readonly reverses?: string;
}

/** A member's half year: the stored total, and what makes two postings at once meet. */
export interface Account {
  /** `member|period`. */
  readonly _id: string;
  readonly member: string;
  readonly period: HalfYear;
  readonly unitPath: string;
  readonly total: number;
  readonly entries: number;
}

const entrySchema = new Schema<LedgerEntry>(
  {
    _id: { type: String, required: true },
    member: { type: String, required: true },
    points: {
      type: Number,
      required: true,
      validate: { validator: (n: number) => Number.isInteger(n) && n !== 0, message: 'points are whole and not 0' },
    },
    rule: { type: String, required: true },
    ruleName: { type: String, required: true },
    source: { type: String, required: true },
    period: { type: String, required: true },
    day: { type: String, required: true },
    by: { type: String, required: true },
    at: { type: Date, required: true },
    note: { type: String },
    reverses: { type: String },
  } as Record<keyof LedgerEntry, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
entrySchema.index({ member: 1, period: 1, at: 1 });

const accountSchema = new Schema<Account>(
  {
    _id: { type: String, required: true },
    member: { type: String, required: true },
    period: { type: String, required: true },
    unitPath: { type: String, required: true },
    total: { type: Number, required: true },
    entries: { type: Number, required: true },
  } as Record<keyof Account, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
accountSchema.index({ member: 1 });
accountSchema.index({ period: 1, unitPath: 1 });

export const ledgerModel = (c: Connection): Model<LedgerEntry> =>
  c.model<LedgerEntry>('LedgerEntry', entrySchema, 'ledgerEntries');
export const accountModel = (c: Connection): Model<Account> => c.model<Account>('Account', accountSchema, 'accounts');
