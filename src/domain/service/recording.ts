import type { Model } from 'mongoose';
import { addDays, type Day } from '../../calendar.js';
import type { Tx } from '../../store/transaction.js';
import type { Member } from '../member/schema.js';
import type { numberOperations } from '../numbers/numbers.js';
import { ancestorsOf } from '../organisation/schema.js';
import { DayFull, FutureDay, ImplausibleDuration, TooLate } from './errors.js';
import type { DayLoad, ServiceReport } from './schema.js';

/** Nobody serves more on one day. */
export const MAX_DAY_MINUTES = 12 * 60;

/** A piece of service and the one member it counts for. */
export interface OwnedItem {
  readonly member: Member;
  readonly item: string;
  readonly minutes: number;
  readonly day: Day;
  readonly note?: string | undefined;
}

/** How a piece of service stands before it is recorded. */
export interface Examined {
  /** Why it can't be recorded. */
  readonly problem?: ImplausibleDuration | FutureDay | TooLate | DayFull;
  /** A report of the same member, day, item and length that counts already. */
  readonly same?: number;
}

export interface Recorded {
  readonly reporter: Member;
  readonly items: readonly OwnedItem[];
  readonly group: string | null;
  readonly evidence: readonly string[];
  readonly today: Day;
  readonly at: Date;
}

const counts = (r: ServiceReport): boolean => r.status === 'submitted' || r.status === 'confirmed';

/** A leader's own report goes one level up from the highest unit they lead. */
function confirmPathOf(member: Member): string {
  const led = member.roles
    .filter((r) => member.unitPath.startsWith(r.path))
    .toSorted((a, b) => a.path.length - b.path.length)[0];
  if (!led) return member.unitPath;
  return ancestorsOf(led.path)[1] ?? led.path;
}

/** What may be recorded, and recording it: one rule for what is said in chat and what is pasted. */
export function recording(
  { reports, loads }: { readonly reports: Model<ServiceReport>; readonly loads: Model<DayLoad> },
  { numbers, maxAgeDays }: { readonly numbers: ReturnType<typeof numberOperations>; readonly maxAgeDays: number },
) {
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
  async function record(tx: Tx, { reporter, items, group, evidence, today, at }: Recorded): Promise<ServiceReport[]> {
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

  return { limits, examine, record };
}
