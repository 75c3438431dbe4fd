import { Schema, type Connection, type Model } from 'mongoose';
import type { Day } from '../../calendar.js';

export type ReportStatus = 'submitted' | 'confirmed' | 'rejected' | 'withdrawn' | 'reversed';

/** A piece of in-service activity that a member reports and a leader confirms. */
export interface ServiceReport {
  /** Its number, as people type it. */
  readonly _id: number;
  readonly member: string;
  readonly memberName: string;
  /** Who wrote it; another member's report is written by a third. */
  readonly reporter: string;
  readonly item: string;
  readonly minutes: number;
  readonly day: Day;
  readonly note?: string;
  /** Ids of stored pictures. */
  readonly evidence: readonly string[];
  /** `channel:room` of the group, null: said in private. */
  readonly group: string | null;
  readonly unitPath: string;
  readonly unitName: string;
  /** Leaders of this path and above confirm; for a leader's own report it lies above what they lead. */
  readonly confirmPath: string;
  readonly status: ReportStatus;
  readonly at: Date;
  readonly settledBy?: string;
  readonly settledByName?: string;
  readonly settledAt?: Date;
  readonly reason?: string;
}

/** Minutes of a member on a day: what makes two reports at once meet. */
export interface DayLoad {
  readonly _id: string;
  readonly changes: number;
}

/** A picture that waits ten minutes for the report it belongs to. */
export interface PendingEvidence {
  readonly _id: string;
  readonly member: string;
  readonly group: string | null;
  readonly attachments: readonly string[];
  readonly at: Date;
}

const schema = new Schema<ServiceReport>(
  {
    _id: { type: Number, required: true },
    member: { type: String, required: true },
    memberName: { type: String, required: true },
    reporter: { type: String, required: true },
    item: { type: String, required: true },
    minutes: { type: Number, required: true },
    day: { type: String, required: true },
    note: { type: String },
    evidence: { type: [String], default: [] },
    group: { type: String, default: null },
    unitPath: { type: String, required: true },
    unitName: { type: String, required: true },
    confirmPath: { type: String, required: true },
    status: { type: String, required: true },
    at: { type: Date, required: true },
    settledBy: { type: String },
    settledByName: { type: String },
    settledAt: { type: Date },
    reason: { type: String },
  } as Record<keyof ServiceReport, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
schema.index({ member: 1, day: 1 });
schema.index({ status: 1, confirmPath: 1 });
schema.index({ reporter: 1, group: 1, at: -1 });

const loadSchema = new Schema<DayLoad>(
  { _id: { type: String, required: true }, changes: { type: Number, required: true } } as Record<keyof DayLoad, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
const pendingSchema = new Schema<PendingEvidence>(
  {
    _id: { type: String, required: true },
    member: { type: String, required: true },
    group: { type: String, default: null },
    attachments: { type: [String], default: [] },
    at: { type: Date, required: true },
  } as Record<keyof PendingEvidence, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
pendingSchema.index({ member: 1, group: 1, at: 1 });
pendingSchema.index({ at: 1 }, { expireAfterSeconds: 3600 });

export const serviceReportModel = (c: Connection): Model<ServiceReport> =>
  c.model<ServiceReport>('ServiceReport', schema, 'serviceReports');
export const dayLoadModel = (c: Connection): Model<DayLoad> =>
  c.model<DayLoad>('DayLoad', loadSchema, 'serviceDayLoads');
export const pendingEvidenceModel = (c: Connection): Model<PendingEvidence> =>
  c.model<PendingEvidence>('PendingEvidence', pendingSchema, 'pendingEvidence');
