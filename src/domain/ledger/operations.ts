import type { Model } from 'mongoose';
import type { Day, HalfYear } from '../../calendar.js';
import type { Tx } from '../../store/transaction.js';
import type { Member } from '../member/schema.js';
import type { PointRules } from '../rules/point-rules.js';
import { type Activity, type Entitlement, entitlements } from './entitlements.js';
import type { Account, LedgerEntry } from './schema.js';

export interface Settlement {
  readonly member: Member;
  readonly period: HalfYear;
  /** Every confirmed activity of the member in that half year, as it stands after this act. */
  readonly activities: readonly Activity[];
  readonly by: string;
  readonly at: Date;
  readonly note?: string | undefined;
}

export interface Balance {
  readonly period: number;
  readonly all: number;
}

export interface LedgerModels {
  readonly entries: Model<LedgerEntry>;
  readonly accounts: Model<Account>;
}

/** Points: entries only grow, balances are derived from them. */
export function ledgerOperations({ entries, accounts }: LedgerModels, rules: PointRules) {
  return {
    /**
     * Posts what brings the member's entries to what the activities are entitled to: new credit, reversals, and what a
     * reversal frees for activities that a cap had cut. Twice is the same as once.
     *
     * The account is touched in every case: two settlements of one member at once conflict, and one runs again.
     */
    async settle(tx: Tx, { member, period, activities, by, at, note }: Settlement): Promise<Map<string, Entitlement>> {
      const posted = await entries.find({ member: member._id, period }).session(tx.session).lean<LedgerEntry[]>();
      const due = entitlements(activities, rules);
      const sources = new Map<string, LedgerEntry[]>();
      for (const e of posted) sources.set(e.source, [...(sources.get(e.source) ?? []), e]);
      let change = 0;
      let count = 0;
      for (const source of new Set([...sources.keys(), ...due.keys()])) {
        const before = sources.get(source) ?? [];
        const points = (due.get(source)?.credited ?? 0) - before.reduce((sum, e) => sum + e.points, 0);
        if (points === 0) continue;
        const activity = activities.find((a) => a.source === source);
        const first = before.find((e) => e.points > 0);
        const rule = activity?.rule ?? first?.rule;
        const day = activity?.day ?? first?.day;
        if (rule === undefined || day === undefined) throw new Error(`no rule is known for ${source}`);
        tx.insert(entries, {
          _id: `${source}:${member._id}:${before.length + 1}`,
          member: member._id,
          points,
          rule,
          ruleName: rules.rule(rule, day).name,
          source,
          period,
          day,
          by,
          at,
          ...(note !== undefined && points < 0 && { note }),
          ...(points < 0 && first && { reverses: first._id }),
        });
        change += points;
        count += 1;
      }
      const account = { member: member._id, period, unitPath: member.unitPath };
      tx.update(
        accounts,
        { _id: `${member._id}|${period}` },
        { $inc: { total: change, entries: count }, $set: account },
        { upsert: true },
      );
      return due;
    },

    /** From the stored totals; no balance below 0 is shown. */
    async balance(tx: Tx, member: string, period: HalfYear): Promise<Balance> {
      const found = await accounts.find({ member }).session(tx.session).lean<Account[]>();
      const of = (list: readonly Account[]): number =>
        Math.max(
          list.reduce((sum, a) => sum + a.total, 0),
          0,
        );
      return { period: of(found.filter((a) => a.period === period)), all: of(found) };
    },

    /** The newest first. */
    /** The newest first; `within`: only entries whose day lies there, both ends included. */
    lastEntries: (
      tx: Tx,
      member: string,
      count: number,
      within?: { readonly from: Day; readonly to: Day },
    ): Promise<LedgerEntry[]> =>
      entries
        .find({ member, ...(within && { day: { $gte: within.from, $lte: within.to } }) })
        .sort({ at: -1, _id: -1 })
        .limit(count)
        .session(tx.session)
        .lean<LedgerEntry[]>(),

    entriesOf: (tx: Tx, member: string, period: HalfYear): Promise<LedgerEntry[]> =>
      entries.find({ member, period }).sort({ at: 1 }).session(tx.session).lean<LedgerEntry[]>(),

    /** The totals of a unit and all below it, the highest first. */
    async standings(tx: Tx, unitPath: string, period: HalfYear): Promise<{ member: string; total: number }[]> {
      const found = await accounts
        .find({ period, unitPath: { $gte: unitPath, $lt: `${unitPath}\uffff` } })
        .session(tx.session)
        .lean<Account[]>();
      return found
        .map(({ member, total }) => ({ member, total: Math.max(total, 0) }))
        .toSorted((a, b) => b.total - a.total);
    },

    /** Accounts whose stored total is not the sum of its entries: empty, or something is wrong. */
    async differences(tx: Tx): Promise<{ account: string; stored: number; derived: number }[]> {
      const sums = await entries
        .aggregate<{ _id: { member: string; period: string }; total: number }>([
          { $group: { _id: { member: '$member', period: '$period' }, total: { $sum: '$points' } } },
        ])
        .session(tx.session);
      const derived = new Map(sums.map((s) => [`${s._id.member}|${s._id.period}`, s.total]));
      const stored = await accounts.find({}).session(tx.session).lean<Account[]>();
      const keys = new Set([...derived.keys(), ...stored.map((a) => a._id)]);
      const totals = new Map(stored.map((a) => [a._id, a.total]));
      return [...keys]
        .map((account) => ({ account, stored: totals.get(account) ?? 0, derived: derived.get(account) ?? 0 }))
        .filter((d) => d.stored !== d.derived);
    },
  };
}

export type Ledger = ReturnType<typeof ledgerOperations>;
