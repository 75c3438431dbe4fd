import { Schema, type Connection, Types, type Model } from 'mongoose';
import type { Tx } from '../../store/transaction.js';

/** Who did which privileged act to what. Never changed. */
export interface AuditEvent {
  readonly _id: Types.ObjectId;
  readonly act: string;
  readonly by: string;
  readonly subject: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly at: Date;
}

const schema = new Schema<AuditEvent>(
  {
    _id: { type: Schema.Types.ObjectId, required: true },
    act: { type: String, required: true },
    by: { type: String, required: true },
    subject: { type: String, required: true },
    before: { type: Schema.Types.Mixed },
    after: { type: Schema.Types.Mixed },
    at: { type: Date, required: true },
  } as Record<keyof AuditEvent, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
schema.index({ subject: 1, at: 1 });

export const auditModel = (c: Connection): Model<AuditEvent> =>
  c.model<AuditEvent>('AuditEvent', schema, 'auditEvents');

export const auditOperations = (events: Model<AuditEvent>) => ({
  record(tx: Tx, event: Omit<AuditEvent, '_id'>): void {
    tx.insert(events, { _id: new Types.ObjectId(), ...event });
  },
});
