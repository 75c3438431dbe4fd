import { Schema, type Connection, type Model } from 'mongoose';

export type UnitKind = 'street' | 'community' | 'gridBranch' | 'buildingGroup' | 'homeOrganisation';

/** A unit of the tree: street → community → grid → building. */
export interface OrgUnit {
  readonly _id: string;
  readonly kind: UnitKind;
  /** Canonical: `第三网格`, `3号楼`. */
  readonly name: string;
  /** From the top, with its own id, ending in a slash: below it lies whatever begins with it. */
  readonly path: string;
}

const schema = new Schema<OrgUnit>(
  {
    _id: { type: String, required: true },
    kind: { type: String, required: true },
    name: { type: String, required: true },
    path: { type: String, required: true },
  } as Record<keyof OrgUnit, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
schema.index({ path: 1 });
schema.index({ name: 1 });

export const orgUnitModel = (connection: Connection): Model<OrgUnit> =>
  connection.model<OrgUnit>('OrgUnit', schema, 'orgUnits');

/** The paths of a unit and of all above it, the nearest first. */
export function ancestorsOf(path: string): string[] {
  const parts = path.split('/').filter(Boolean);
  return parts.map((_, i) => `/${parts.slice(0, parts.length - i).join('/')}/`);
}
