import { Schema, type Connection, type Model } from 'mongoose';

/** A chat group that is bound to a unit. A group that is bound to none has no record. */
export interface Group {
  /** `channel:room`: the natural key. */
  readonly _id: string;
  readonly channel: string;
  readonly room: string;
  readonly unit: string;
  readonly unitName: string;
  readonly unitPath: string;
  readonly boundBy: string;
  readonly boundAt: Date;
  /** Names in 排行: nobody, masked, or full. Off unless the community turns it on. */
  readonly ranking: 'off' | 'masked' | 'names';
}

/** A code by which a leader binds a group, once. */
export interface BindingCode {
  readonly _id: string;
  readonly unit: string;
  readonly unitName: string;
  readonly unitPath: string;
  readonly by: string;
  readonly expiresAt: Date;
  readonly usedAt?: Date;
}

const schema = new Schema<Group>(
  {
    _id: { type: String, required: true },
    channel: { type: String, required: true },
    room: { type: String, required: true },
    unit: { type: String, required: true },
    unitName: { type: String, required: true },
    unitPath: { type: String, required: true },
    boundBy: { type: String, required: true },
    boundAt: { type: Date, required: true },
    ranking: { type: String, required: true },
  } as Record<keyof Group, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
const codeSchema = new Schema<BindingCode>(
  {
    _id: { type: String, required: true },
    unit: { type: String, required: true },
    unitName: { type: String, required: true },
    unitPath: { type: String, required: true },
    by: { type: String, required: true },
    expiresAt: { type: Date, required: true },
    usedAt: { type: Date },
  } as Record<keyof BindingCode, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
codeSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 30 * 86_400 });

export const groupModel = (c: Connection): Model<Group> => c.model<Group>('Group', schema, 'groups');
export const bindingCodeModel = (c: Connection): Model<BindingCode> =>
  c.model<BindingCode>('BindingCode', codeSchema, 'bindingCodes');
