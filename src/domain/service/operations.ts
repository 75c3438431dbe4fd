import type { Model } from 'mongoose';
import { addDays, boundsOf, type Day, halfYearOf } from '../../calendar.js';
import type { Tx } from '../../store/transaction.js';
import type { auditOperations } from '../audit/audit.js';
import type { Activity, Entitlement } from '../ledger/entitlements.js';
import type { Ledger } from '../ledger/operations.js';
import { leads, type Member } from '../member/schema.js';
import type { numberOperations } from '../numbers/numbers.js';
import { ancestorsOf } from '../organisation/schema.js';
import { appliesTo, type PointRules } from '../rules/point-rules.js';
import {
  DayFull,
  FutureDay,
  ImplausibleDuration,
  MemberNotFound,
  NotYourReport,
  ReportNotFound,
  SeveralMembers,
  TooLate,
} from './errors.js';
import type { DayLoad, PendingEvidence, ReportStatus, ServiceReport } from './schema.js';

/** Nobody serves more on one day. */
export const MAX_DAY_MINUTES = 12 * 60;
/** A picture belongs to the report of the same person in the same group this long before or after it. */
const EVIDENCE_MS = 10 * 60_000;
const RULE = 'C01';

export interface ReportedItem {
  readonly item: string;
  readonly minutes: number;
  readonly day: Day;
  readonly note?: string | undefined;
  /** Whom it counts for: names, and `@me` for the reporter. */
  readonly members: readonly string[];
}

/** A piece of service and the one member it counts for. */
export interface OwnedItem extends Omit<ReportedItem, 'members'> {
  readonly member: Member;
}

/** How a piece of service stands before it is recorded. */
export interface Examined {
  /** Why it can't be recorded. */
  readonly problem?: ImplausibleDuration | FutureDay | TooLate | DayFull;
  /** A report of the same member, day, item and length that counts already. */
  readonly same?: number;
}

export interface Report {
  readonly reporter: Member;
  readonly items: readonly ReportedItem[];
  readonly group: string | null;
  readonly evidence: readonly string[];
  readonly today: Day;
  readonly at: Date;
}

export interface ServiceModels {
  readonly reports: Model<ServiceReport>;
  readonly loads: Model<DayLoad>;
  readonly pending: Model<PendingEvidence>;
  readonly members: Model<Member>;
}

/** How settling one number came out. */
export type SettledReport =
  | {
      readonly is: 'done';
      readonly report: ServiceReport;
      readonly credit?: Entitlement | undefined;
      readonly member: Member;
    }
  | { readonly is: 'already'; readonly report: ServiceReport }
  | { readonly is: 'own' | 'notAllowed' | 'reasonNeeded'; readonly number: number };

const counts = (r: ServiceReport): boolean => r.status === 'submitted' || r.status === 'confirmed';
export const sourceOf = (number: number): string => `serviceReport:${number}`;

export function serviceOperations(
  { reports, loads, pending, members }: ServiceModels,
  needs: {
    readonly numbers: ReturnType<typeof numberOperations>;
    readonly ledger: Ledger;
    readonly audit: ReturnType<typeof auditOperations>;
    readonly rules: PointRules;
    /** Reports of older days are refused: later needs the secretary. */
    readonly maxAgeDays: number;
  },
) {
  const { numbers, ledger, audit, rules, maxAgeDays } = needs;

  /** The nearest leaders who may confirm; never the member. */
  async function confirmersOf(tx: Tx, confirmPath: string, member: string): Promise<Member[]> {
    const paths = ancestorsOf(confirmPath);
    const found = await members
      .find({ 'roles.path': { $in: paths } })
      .session(tx.session)
      .lean<Member[]>();
    const others = found.filter((m) => m._id !== member);
    for (const path of paths) {
      const here = others.filter((m) => m.roles.some((r) => r.path === path));
      if (here.length > 0) return here;
    }
    return [];
  }

  /** A leader's own report goes one level up from the highest unit they lead. */
  function confirmPathOf(member: Member): string {
    const led = member.roles
      .filter((r) => member.unitPath.startsWith(r.path))
      .toSorted((a, b) => a.path.length - b.path.length)[0];
    if (!led) return member.unitPath;
    return ancestorsOf(led.path)[1] ?? led.path;
  }

  async function byName(tx: Tx, name: string, reporter: Member): Promise<Member> {
    const found = await members.find({ name }).session(tx.session).lean<Member[]>();
    const near = found.filter((m) => m.unitPath === reporter.unitPath);
    const [one, another] = near.length > 0 ? near : found;
    if (!one) throw new MemberNotFound({ name });
    if (another) throw new SeveralMembers({ name });
    return one;
  }

  /** Brings the ledger to what the member's confirmed reports of that half year are entitled to. */
  async function settleLedger(
    tx: Tx,
    member: Member,
    changed: readonly ServiceReport[],
    by: string,
    at: Date,
    note?: string,
  ): Promise<Map<string, Entitlement>> {
    const rule = rules.rule(RULE, changed[0]?.day ?? '');
    const period = halfYearOf(changed[0]?.day ?? '');
    const { from, to } = boundsOf(period);
    const stored = await reports
      .find({ member: member._id, day: { $gte: from, $lte: to } })
      .session(tx.session)
      .lean<ServiceReport[]>();
    const byNumber = new Map([...stored, ...changed].map((r) => [r._id, r]));
    const activities: Activity[] = appliesTo(rule, member.category)
      ? [...byNumber.values()]
          .filter((r) => r.status === 'confirmed')
          .map((r) => ({ source: sourceOf(r._id), rule: RULE, day: r.day, order: r._id, minutes: r.minutes }))
      : [];
    return ledger.settle(tx, { member, period, activities, by, at, note });
  }

  const change = (
    tx: Tx,
    report: ServiceReport,
    status: ReportStatus,
    by: Member,
    at: Date,
    reason?: string,
  ): ServiceReport => {
    const set = {
      status,
      settledBy: by._id,
      settledByName: by.name,
      settledAt: at,
      ...(reason !== undefined && { reason }),
    };
    tx.update(reports, { _id: report._id, status: report.status }, { $set: set });
    audit.record(tx, {
      act: `service.${status}`,
      by: by._id,
      subject: sourceOf(report._id),
      before: report.status,
      after: status,
      at,
    });
    return { ...report, ...set };
  };

  async function load(tx: Tx, wanted: readonly number[]): Promise<Map<number, ServiceReport>> {
    const found = await reports
      .find({ _id: { $in: [...wanted] } })
      .session(tx.session)
      .lean<ServiceReport[]>();
    for (const number of wanted) if (!found.some((r) => r._id === number)) throw new ReportNotFound({ number });
    return new Map(found.map((r) => [r._id, r]));
  }

  const membersOf = async (tx: Tx, ids: readonly string[]): Promise<Map<string, Member>> =>
    new Map(
      (
        await members
          .find({ _id: { $in: [...ids] } })
          .session(tx.session)
          .lean<Member[]>()
      ).map((m) => [m._id, m]),
    );

  const limits = ({ minutes, day }: Pick<OwnedItem, 'minutes' | 'day'>, today: Day): Examined['problem'] => {
    if (!(minutes > 0 && minutes <= MAX_DAY_MINUTES)) return new ImplausibleDuration({ minutes });
    if (day > today) return new FutureDay({ day });
    return day < addDays(today, -maxAgeDays) ? new TooLate({ day, days: maxAgeDays }) : undefined;
  };

  /** One after the other: what is right so far counts for the day's sum of what follows. */
  async function examine(tx: Tx, items: readonly OwnedItem[], today: Day): Promise<Examined[]> {
    const days = new Map<string, ServiceReport[]>();
    const dayMinutes = new Map<string, number>();
    const examined: Examined[] = [];
    for (const { member, item, minutes, day } of items) {
      const problem = limits({ minutes, day }, today);
      if (problem) {
        examined.push({ problem });
        continue;
      }
      const key = `${member._id}|${day}`;
      const there =
        days.get(key) ??
        (await reports.find({ member: member._id, day }).session(tx.session).lean<ServiceReport[]>()).filter(counts);
      days.set(key, there);
      const already = dayMinutes.get(key) ?? there.reduce((sum, r) => sum + r.minutes, 0);
      const same = there.find((r) => r.item === item && r.minutes === minutes)?._id;
      const full = already + minutes > MAX_DAY_MINUTES;
      if (!full) dayMinutes.set(key, already + minutes);
      examined.push({
        ...(full && { problem: new DayFull({ name: member.name, day, already, minutes }) }),
        ...(same !== undefined && { same }),
      });
    }
    return examined;
  }

  /** @throws what `examine` finds wrong with one of them: nothing is recorded */
  async function record(
    tx: Tx,
    { reporter, items, group, evidence, today, at }: Omit<Report, 'items'> & { readonly items: readonly OwnedItem[] },
  ): Promise<ServiceReport[]> {
    for (const { problem } of await examine(tx, items, today)) if (problem) throw problem;
    const made: ServiceReport[] = [];
    for (const { member, item, minutes, day, note } of items) {
      const report: ServiceReport = {
        _id: await numbers.next(tx, 'serviceReport'),
        member: member._id,
        memberName: member.name,
        reporter: reporter._id,
        item,
        minutes,
        day,
        ...(note !== undefined && { note }),
        evidence,
        group,
        unitPath: member.unitPath,
        unitName: member.unitName,
        confirmPath: confirmPathOf(member),
        status: 'submitted',
        at,
      };
      tx.insert(reports, report);
      made.push(report);
    }
    for (const key of new Set(items.map((i) => `${i.member._id}|${i.day}`)))
      tx.update(loads, { _id: key }, { $inc: { changes: 1 } }, { upsert: true });
    return made;
  }

  return {
    examine,
    record,

    /**
     * Stores one report for each item and person.
     *
     * @throws {ImplausibleDuration} minutes ≤ 0 or over 12 h
     * @throws {DayFull} with the day's other reports it is over 12 h
     * @throws {FutureDay} the day has not come; {TooLate} it is too long ago
     * @throws {MemberNotFound} {SeveralMembers} a name that is not one member's
     */
    async report(
      tx: Tx,
      { reporter, items, group, evidence, today, at }: Report,
    ): Promise<{ reports: ServiceReport[]; confirmers: Member[] }> {
      const waiting = await pending
        .find({ member: reporter._id, group, at: { $gte: new Date(at.getTime() - EVIDENCE_MS) } })
        .session(tx.session)
        .lean<PendingEvidence[]>();
      const pictures = [...new Set([...evidence, ...waiting.flatMap((p) => p.attachments)])];
      const owned: OwnedItem[] = [];
      for (const { members: names, ...item } of items) {
        const problem = limits(item, today);
        if (problem) throw problem;
        for (const name of names)
          owned.push({
            ...item,
            member: name === '@me' || name === reporter.name ? reporter : await byName(tx, name, reporter),
          });
      }
      const made = await record(tx, { reporter, items: owned, group, evidence: pictures, today, at });
      for (const { _id } of waiting) tx.remove(pending, { _id });
      const [first] = made;
      return { reports: made, confirmers: first ? await confirmersOf(tx, first.confirmPath, first.member) : [] };
    },

    /** These reports, those that there are, by number. */
    find: (tx: Tx, wanted: readonly number[]): Promise<ServiceReport[]> =>
      reports
        .find({ _id: { $in: [...wanted] } })
        .sort({ _id: 1 })
        .session(tx.session)
        .lean<ServiceReport[]>(),

    /** Attaches a picture to the report of the last ten minutes, or keeps it ten minutes for the next one. */
    async addEvidence(
      tx: Tx,
      {
        member,
        group,
        messageKey,
        attachments,
        at,
      }: { member: Member; group: string | null; messageKey: string; attachments: readonly string[]; at: Date },
    ): Promise<number[]> {
      const recent = await reports
        .find({ reporter: member._id, group, at: { $gte: new Date(at.getTime() - EVIDENCE_MS) } })
        .sort({ at: -1 })
        .session(tx.session)
        .lean<ServiceReport[]>();
      const newest = recent.filter((r) => r.status === 'submitted' && r.at.getTime() === recent[0]?.at.getTime());
      if (newest.length === 0) {
        tx.insert(pending, { _id: messageKey, member: member._id, group, attachments, at });
        return [];
      }
      for (const r of newest) tx.update(reports, { _id: r._id }, { $addToSet: { evidence: { $each: attachments } } });
      return newest.map((r) => r._id).toSorted((a, b) => a - b);
    },

    /** What waits for a leader, the oldest first. */
    async waiting(tx: Tx, leader: Member): Promise<ServiceReport[]> {
      const lists = await Promise.all(
        leader.roles.map(({ path }) =>
          reports
            .find({ status: 'submitted', confirmPath: { $gte: path, $lt: `${path}\uffff` } })
            .session(tx.session)
            .lean<ServiceReport[]>(),
        ),
      );
      const all = new Map(lists.flat().map((r) => [r._id, r]));
      return [...all.values()]
        .filter((r) => r.member !== leader._id)
        .toSorted((a, b) => a.at.getTime() - b.at.getTime() || a._id - b._id);
    },

    /** @throws {ReportNotFound} one of the numbers names no report: nothing is confirmed */
    async approve(
      tx: Tx,
      { numbers: wanted, by, at }: { numbers: readonly number[]; by: Member; at: Date },
    ): Promise<SettledReport[]> {
      const found = await load(tx, wanted);
      const people = await membersOf(
        tx,
        [...found.values()].map((r) => r.member),
      );
      const changed = new Map<string, ServiceReport[]>();
      const results: SettledReport[] = [];
      for (const number of new Set(wanted)) {
        const report = found.get(number);
        const member = report && people.get(report.member);
        if (!report || !member) throw new ReportNotFound({ number });
        if (report.member === by._id) results.push({ is: 'own', number });
        else if (!leads(by, report.confirmPath)) results.push({ is: 'notAllowed', number });
        else if (report.status !== 'submitted') results.push({ is: 'already', report });
        else {
          const after = change(tx, report, 'confirmed', by, at);
          const key = `${report.member}|${halfYearOf(report.day)}`;
          changed.set(key, [...(changed.get(key) ?? []), after]);
          results.push({ is: 'done', report: after, member });
        }
      }
      for (const list of changed.values()) {
        const member = people.get(list[0]?.member ?? '');
        if (!member) continue;
        const due = await settleLedger(tx, member, list, by._id, at);
        for (const [i, r] of results.entries())
          if (r.is === 'done' && list.some((x) => x._id === r.report._id))
            results[i] = { ...r, credit: due.get(sourceOf(r.report._id)) };
      }
      return results;
    },

    async reject(
      tx: Tx,
      { number, by, at, reason }: { number: number; by: Member; at: Date; reason: string },
    ): Promise<SettledReport> {
      const report = (await load(tx, [number])).get(number);
      const member = report && (await membersOf(tx, [report.member])).get(report.member);
      if (!report || !member) throw new ReportNotFound({ number });
      if (report.member === by._id) return { is: 'own', number };
      if (!leads(by, report.confirmPath)) return { is: 'notAllowed', number };
      if (report.status !== 'submitted') return { is: 'already', report };
      return { is: 'done', report: change(tx, report, 'rejected', by, at, reason), member };
    },

    /**
     * The author's withdrawal of what is not confirmed, a leader's reversal of what is.
     *
     * @throws {NotYourReport} neither author nor leader
     */
    async revoke(
      tx: Tx,
      { number, by, at, reason }: { number: number; by: Member; at: Date; reason: string | undefined },
    ): Promise<SettledReport> {
      const report = (await load(tx, [number])).get(number);
      const member = report && (await membersOf(tx, [report.member])).get(report.member);
      if (!report || !member) throw new ReportNotFound({ number });
      const author = report.member === by._id || report.reporter === by._id;
      if (report.status === 'submitted' && author)
        return { is: 'done', report: change(tx, report, 'withdrawn', by, at, reason), member };
      if (report.status !== 'submitted' && report.status !== 'confirmed') {
        if (!author && !leads(by, report.unitPath)) throw new NotYourReport({ number });
        return { is: 'already', report };
      }
      if (report.member === by._id) return { is: 'own', number };
      if (!leads(by, report.confirmPath)) throw new NotYourReport({ number });
      if (reason === undefined) return { is: 'reasonNeeded', number };
      if (report.status === 'submitted')
        return { is: 'done', report: change(tx, report, 'rejected', by, at, reason), member };
      const after = change(tx, report, 'reversed', by, at, reason);
      await settleLedger(tx, member, [after], by._id, at, reason);
      return { is: 'done', report: after, member };
    },

    /** 撤回 of an act within two minutes: the report is as it was before. */
    async restore(
      tx: Tx,
      { number, to, by, at }: { number: number; to: ReportStatus; by: Member; at: Date },
    ): Promise<ServiceReport> {
      const report = (await load(tx, [number])).get(number);
      const member = report && (await membersOf(tx, [report.member])).get(report.member);
      if (!report || !member) throw new ReportNotFound({ number });
      const after = change(tx, report, to, by, at);
      if (report.status === 'confirmed' || to === 'confirmed')
        await settleLedger(tx, member, [after], by._id, at, '撤回');
      return after;
    },

    /** A member's own, the newest first. */
    own: (tx: Tx, member: string, from: Day, to: Day): Promise<ServiceReport[]> =>
      reports
        .find({ member, day: { $gte: from, $lte: to } })
        .sort({ day: -1, _id: -1 })
        .session(tx.session)
        .lean<ServiceReport[]>(),

    waitingOf: (tx: Tx, member: string): Promise<ServiceReport[]> =>
      reports.find({ member, status: 'submitted' }).sort({ _id: 1 }).session(tx.session).lean<ServiceReport[]>(),
    confirmersOf,
  };
}

export type Services = ReturnType<typeof serviceOperations>;
