import { Schema, type Connection, type Model } from 'mongoose';
import type { Tx } from '../../store/transaction.js';
import { identityKey } from '../member/schema.js';

/** How a network's own directory names an identity: a hint for whoever settles a 报到, never a reason to bind it. */
export interface DirectoryEntry {
  /** `channel:userId`. */
  readonly _id: string;
  readonly channel: string;
  readonly name: string;
  readonly departments: readonly string[];
  readonly at: Date;
}

const schema = new Schema<DirectoryEntry>(
  {
    _id: { type: String, required: true },
    channel: { type: String, required: true },
    name: { type: String, required: true },
    departments: { type: [String], default: [] },
    at: { type: Date, required: true },
  } as Record<keyof DirectoryEntry, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
schema.index({ channel: 1, at: 1 });

export const directoryModel = (c: Connection): Model<DirectoryEntry> =>
  c.model<DirectoryEntry>('DirectoryEntry', schema, 'directory');

export interface ListedPerson {
  readonly userId: string;
  readonly name: string;
  readonly departments: readonly string[];
}

export function directoryOperations(entries: Model<DirectoryEntry>) {
  return {
    /** Takes a directory as it stands now: who is no longer in it is forgotten. */
    async replace(channel: string, people: readonly ListedPerson[], at: Date): Promise<void> {
      if (people.length > 0)
        await entries.bulkWrite(
          people.map(({ userId, name, departments }) => ({
            updateOne: {
              filter: { _id: identityKey({ channel, userId }) },
              update: { $set: { channel, name, departments: [...departments], at } },
              upsert: true,
            },
          })),
        );
      await entries.deleteMany({ channel, at: { $lt: at } });
    },

    /** What is known of these identities, by their keys. */
    async of(tx: Tx, identities: readonly string[]): Promise<ReadonlyMap<string, DirectoryEntry>> {
      const found = await entries
        .find({ _id: { $in: [...identities] } })
        .session(tx.session)
        .lean<DirectoryEntry[]>();
      return new Map(found.map((e) => [e._id, e]));
    },
  };
}
