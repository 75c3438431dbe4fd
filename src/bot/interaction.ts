import { Schema, type Connection, type Model } from 'mongoose';
import type { Attachment, Outcome } from './message.js';

/** One message that the bot acted on: what was said, how it was read, what came of it. Chatter is not stored. */
export interface Interaction {
  /** `channel:messageId`: however often a message is delivered, there is one. */
  readonly _id: string;
  readonly channel: string;
  readonly messageId: string;
  readonly room: string | null;
  readonly person: string;
  /** The conversation (see conversationOf): finds a person's last command there. */
  readonly conversation: string;
  /** Whole phone and ID numbers are masked. */
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly mentions: readonly string[];
  readonly intent: string;
  readonly slots: Record<string, unknown>;
  readonly outcome: Exclude<Outcome, 'ignored' | 'duplicate'>;
  /** Ids of the outbox messages that this command sent, the answers to the sender first. */
  readonly replies: readonly string[];
  /** How 撤回 takes it back. */
  readonly undo?: Record<string, unknown>;
  readonly undoneAt?: Date;
  /** What a failed command was given to name it by. */
  readonly reference?: string;
  /** When the message was written. */
  readonly at: Date;
  /** When it arrived, in milliseconds since 1970 with a fraction: the order of a person's commands, whatever their own times say. */
  readonly arrivedAt: number;
  /** Milliseconds from its arrival to the end of the handler. */
  readonly handledMs: number;
}

const schema = new Schema<Interaction>(
  {
    _id: { type: String, required: true },
    channel: { type: String, required: true },
    messageId: { type: String, required: true },
    room: { type: String, default: null },
    person: { type: String, default: '' },
    conversation: { type: String, required: true },
    text: { type: String, default: '' },
    attachments: { type: [Schema.Types.Mixed], default: [] },
    mentions: { type: [String], default: [] },
    intent: { type: String, required: true },
    slots: { type: Schema.Types.Mixed, default: {} },
    outcome: { type: String, required: true },
    replies: { type: [String], default: [] },
    undo: { type: Schema.Types.Mixed },
    undoneAt: { type: Date },
    reference: { type: String },
    at: { type: Date, required: true },
    arrivedAt: { type: Number, required: true },
    handledMs: { type: Number, required: true },
  } as Record<keyof Interaction, object>,
  { strict: 'throw', versionKey: false, autoIndex: false, minimize: false },
);
schema.index({ conversation: 1, arrivedAt: -1 });
schema.index({ channel: 1, room: 1, at: 1 });

export const interactionModel = (connection: Connection): Model<Interaction> =>
  connection.model<Interaction>('Interaction', schema, 'interactions');

export const interactionKey = (message: { channel: string; messageId: string }): string =>
  `${message.channel}:${message.messageId}`;
