import { Schema, type Connection, type Model } from 'mongoose';

/** A 报到 of somebody whom the roster does not have: a leader settles it. */
export interface CheckInRequest {
  readonly _id: number;
  readonly identity: string;
  readonly channel: string;
  readonly userId: string;
  readonly room: string | null;
  readonly name: string;
  readonly phoneTail: string;
  readonly unitPath: string;
  readonly status: 'open' | 'approved' | 'refused';
  readonly at: Date;
  readonly settledBy?: string;
  readonly settledAt?: Date;
  readonly reason?: string;
}

/** Wrong tries of an identity: guessing is limited. */
export interface CheckInAttempts {
  readonly _id: string;
  readonly wrong: readonly Date[];
}

const requestSchema = new Schema<CheckInRequest>(
  {
    _id: { type: Number, required: true },
    identity: { type: String, required: true },
    channel: { type: String, required: true },
    userId: { type: String, required: true },
    room: { type: String, default: null },
    name: { type: String, required: true },
    phoneTail: { type: String, default: '' },
    unitPath: { type: String, required: true },
    status: { type: String, required: true },
    at: { type: Date, required: true },
    settledBy: { type: String },
    settledAt: { type: Date },
    reason: { type: String },
  } as Record<keyof CheckInRequest, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
requestSchema.index({ identity: 1, status: 1 });
requestSchema.index({ status: 1, unitPath: 1 });
const attemptsSchema = new Schema<CheckInAttempts>(
  { _id: { type: String, required: true }, wrong: { type: [Date], default: [] } } as Record<
    keyof CheckInAttempts,
    object
  >,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

export const checkInRequestModel = (c: Connection): Model<CheckInRequest> =>
  c.model<CheckInRequest>('CheckInRequest', requestSchema, 'checkInRequests');
export const checkInAttemptsModel = (c: Connection): Model<CheckInAttempts> =>
  c.model<CheckInAttempts>('CheckInAttempts', attemptsSchema, 'checkInAttempts');
