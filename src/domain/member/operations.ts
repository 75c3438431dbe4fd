import type { Model } from 'mongoose';
import type { Tx } from '../../store/transaction.js';
import type { Member } from './schema.js';

export const memberOperations = (members: Model<Member>) => ({
  /** Names by id. */
  async names(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
    const found = await members
      .find({ _id: { $in: [...ids] } }, { name: 1 })
      .session(tx.session)
      .lean<{ _id: string; name: string }[]>();
    return new Map(found.map((m) => [m._id, m.name]));
  },

  /** How many members a unit and all below it have; residents do not count. */
  async countIn(tx: Tx, unitPath: string): Promise<number> {
    const found = await members
      .find({ unitPath: { $gte: unitPath, $lt: `${unitPath}\uffff` } }, { category: 1 })
      .session(tx.session)
      .lean<{ category: string }[]>();
    return found.filter((m) => m.category !== 'resident').length;
  },
});
