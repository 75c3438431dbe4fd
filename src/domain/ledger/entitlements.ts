import type { Day } from '../../calendar.js';
import type { PointRule, PointRules } from '../rules/point-rules.js';

/** Something that earns points by one rule. */
export interface Activity {
  readonly source: string;
  readonly rule: string;
  readonly day: Day;
  /** Order within a day: the number of the record. */
  readonly order: number;
  /** Counted by rules that give points for time. */
  readonly minutes: number;
}

export interface Entitlement {
  /** What the activity earns by itself. */
  readonly earned: number;
  /** What the caps leave of it. */
  readonly credited: number;
}

const earnedBy = (rule: PointRule, minutes: number): number =>
  rule.per === 'once' ? rule.points : Math.floor(minutes / rule.per.minutes) * rule.points;

/**
 * What each activity of one member in one half year is entitled to. Caps bind in time order of the activity, not in the
 * order of confirmation: the result depends on the set alone.
 */
export function entitlements(activities: readonly Activity[], rules: PointRules): Map<string, Entitlement> {
  const used = new Map<string, number>();
  const result = new Map<string, Entitlement>();
  const inOrder = activities.toSorted((a, b) =>
    a.day === b.day ? a.order - b.order || (a.source < b.source ? -1 : 1) : a.day < b.day ? -1 : 1,
  );
  for (const { source, rule: id, day, minutes } of inOrder) {
    const rule = rules.rule(id, day);
    const kind = id[0] ?? '';
    const classCap = kind === 'B' || kind === 'C' || kind === 'A' ? rules.on(day).classCaps[kind]?.halfYear : undefined;
    const earned = earnedBy(rule, minutes);
    const caps: [string, number | undefined][] = [
      [`${id}|${day}`, rule.caps.day],
      [id, rule.caps.halfYear],
      [kind, classCap],
    ];
    let credited = earned;
    for (const [key, cap] of caps)
      if (cap !== undefined) credited = Math.min(credited, Math.max(cap - (used.get(key) ?? 0), 0));
    for (const [key] of caps) used.set(key, (used.get(key) ?? 0) + credited);
    result.set(source, { earned, credited });
  }
  return result;
}
