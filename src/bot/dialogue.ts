import { Schema, type Connection, type Model } from 'mongoose';

/** A question the bot has asked and the answer it waits for. Stored: another process can go on after a crash. */
export interface Dialogue {
  /** The conversation: one open question for one person in one place. */
  readonly _id: string;
  readonly channel: string;
  readonly room: string | null;
  readonly person: string;
  readonly intent: string;
  readonly slots: Record<string, unknown>;
  readonly missing: readonly string[];
  /** How often it was asked: after the third time the bot gives up politely. */
  readonly asked: number;
  readonly expiresAt: Date;
}

/** A question stays open for ten minutes. */
export const DIALOGUE_MINUTES = 10;
/** A person is asked the same thing at most this often. */
export const MAX_ASKED = 3;

const schema = new Schema<Dialogue>(
  {
    _id: { type: String, required: true },
    channel: { type: String, required: true },
    room: { type: String, default: null },
    person: { type: String, required: true },
    intent: { type: String, required: true },
    slots: { type: Schema.Types.Mixed, default: {} },
    missing: { type: [String], default: [] },
    asked: { type: Number, required: true },
    expiresAt: { type: Date, required: true },
  } as Record<keyof Dialogue, object>,
  { strict: 'throw', versionKey: false, autoIndex: false, minimize: false },
);
schema.index({ expiresAt: 1 });

export const dialogueModel = (connection: Connection): Model<Dialogue> =>
  connection.model<Dialogue>('Dialogue', schema, 'dialogues');
