import { Schema, type Connection, type Model } from 'mongoose';

export const categories = {
  direct: '直管党员',
  inService: '在职党员',
  floating: '流动党员',
  retired: '离退休党员',
  resident: '群众',
} as const;
export type Category = keyof typeof categories;
export type RoleName = 'leader' | 'secretary';

/** A right over a unit and all below it. */
export interface Role {
  readonly role: RoleName;
  readonly unit: string;
  readonly unitName: string;
  readonly path: string;
}

export interface Member {
  readonly _id: string;
  readonly name: string;
  readonly category: Category;
  readonly unit: string;
  readonly unitName: string;
  readonly unitPath: string;
  readonly homeOrganisation?: string;
  readonly posts: readonly string[];
  readonly roles: readonly Role[];
  /** Last four digits of the mobile number: no more is kept. */
  readonly phoneTail: string;
}

const schema = new Schema<Member>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    category: { type: String, required: true, enum: Object.keys(categories) },
    unit: { type: String, required: true },
    unitName: { type: String, required: true },
    unitPath: { type: String, required: true },
    homeOrganisation: { type: String },
    posts: { type: [String], default: [] },
    roles: { type: [Schema.Types.Mixed], default: [] },
    phoneTail: { type: String, default: '' },
  } as Record<keyof Member, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
schema.index({ name: 1 });
schema.index({ unitPath: 1 });
schema.index({ 'roles.path': 1 });

export const memberModel = (connection: Connection): Model<Member> =>
  connection.model<Member>('Member', schema, 'members');

/** A chat identity that is tied to a member: one identity is one person, one person may have several. */
export interface Identity {
  /** `channel:userId`: the natural key. */
  readonly _id: string;
  readonly channel: string;
  readonly userId: string;
  readonly member: string;
  readonly boundAt: Date;
}

const identitySchema = new Schema<Identity>(
  {
    _id: { type: String, required: true },
    channel: { type: String, required: true },
    userId: { type: String, required: true },
    member: { type: String, required: true },
    boundAt: { type: Date, required: true },
  } as Record<keyof Identity, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
identitySchema.index({ member: 1 });

export const identityModel = (connection: Connection): Model<Identity> =>
  connection.model<Identity>('Identity', identitySchema, 'identities');
export const identityKey = (person: { channel: string; userId: string }): string =>
  `${person.channel}:${person.userId}`;

const COMPOUND = /^(欧阳|司马|上官|诸葛|皇甫|尉迟|公孙|慕容|令狐|夏侯|东方|司徒|宇文|长孙|端木|独孤|南宫|百里|西门)/;

/** `王*`, `欧阳*`: how a name stands in a group. */
export const masked = (name: string): string => `${COMPOUND.exec(name)?.[0] ?? [...name][0] ?? ''}*`;

/** Does one of the member's roles cover the unit at `path`? */
export const leads = (member: Member, path: string): boolean => member.roles.some((r) => path.startsWith(r.path));
/** The strongest role: secretary before leader before member. */
export const strongestRole = (member: Member): 'member' | RoleName =>
  member.roles.some((r) => r.role === 'secretary') ? 'secretary' : member.roles.length > 0 ? 'leader' : 'member';
