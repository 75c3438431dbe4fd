import { Schema, type Connection, type Model } from 'mongoose';
import type { Day } from '../../calendar.js';

/** A line of a preview that would be recorded. */
export interface PastedLine {
  readonly member: string;
  readonly memberName: string;
  readonly item: string;
  readonly minutes: number;
  readonly day: Day;
  readonly note?: string;
}

/** What a leader pasted into a chat, as the preview showed it. */
export interface Paste {
  /** The chat and the leader: there is one preview at a time. */
  readonly _id: string;
  readonly leader: string;
  readonly status: 'open' | 'entered';
  readonly lines: readonly PastedLine[];
  readonly at: Date;
  readonly expiresAt: Date;
  readonly enteredAt: Date | null;
  /** The numbers that the lines were given. */
  readonly numbers: readonly number[];
}

const line = new Schema<PastedLine>(
  {
    member: { type: String, required: true },
    memberName: { type: String, required: true },
    item: { type: String, required: true },
    minutes: { type: Number, required: true },
    day: { type: String, required: true },
    note: { type: String },
  } as Record<keyof PastedLine, object>,
  { strict: 'throw', _id: false },
);
const schema = new Schema<Paste>(
  {
    _id: { type: String, required: true },
    leader: { type: String, required: true },
    status: { type: String, required: true },
    lines: { type: [line], default: [] },
    at: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    enteredAt: { type: Date, default: null },
    numbers: { type: [Number], default: [] },
  } as Record<keyof Paste, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
schema.index({ status: 1, expiresAt: 1 });

export const pasteModel = (c: Connection): Model<Paste> => c.model<Paste>('Paste', schema, 'pastes');
