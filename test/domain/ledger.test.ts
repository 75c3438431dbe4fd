import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Activity, entitlements } from '../../src/domain/ledger/entitlements.js';
import { loadPointRules } from '../../src/domain/rules/point-rules.js';
import { rulesFile } from '../../src/paths.js';

const rules = loadPointRules(rulesFile('points.yaml'));
const activity = fc.record({
  rule: fc.constant('C01'),
  day: fc.integer({ min: 1, max: 28 }).map((d) => `2026-11-${String(d).padStart(2, '0')}`),
  minutes: fc.integer({ min: 1, max: 720 }),
});
const activities = fc
  .array(activity, { maxLength: 40 })
  .map((list) => list.map((a, i): Activity => ({ ...a, source: `serviceReport:${i}`, order: i })));

describe('points that activities are entitled to', () => {
  it('every full half hour is a point, at most 8 a day and 30 a half year', () => {
    const one = (minutes: number): number | undefined =>
      entitlements([{ source: 'a', rule: 'C01', day: '2026-11-25', order: 1, minutes }], rules).get('a')?.credited;
    expect([29, 30, 59, 60, 120, 240, 270, 720].map(one)).toEqual([0, 1, 1, 2, 4, 8, 8, 8]);
  });

  it('never exceed the caps, and do not depend on the order of confirmation', () => {
    fc.assert(
      fc.property(activities, fc.infiniteStream(fc.nat()), (list, noise) => {
        const due = entitlements(list, rules);
        const byDay = new Map<string, number>();
        let total = 0;
        for (const a of list) {
          const credited = due.get(a.source)?.credited ?? 0;
          expect(Number.isInteger(credited) && credited >= 0).toBe(true);
          byDay.set(a.day, (byDay.get(a.day) ?? 0) + credited);
          total += credited;
        }
        expect(Math.max(0, ...byDay.values())).toBeLessThanOrEqual(8);
        expect(total).toBeLessThanOrEqual(30);
        const keys = list.map(() => noise.next().value);
        const shuffled = list
          .map((a, i) => ({ a, key: keys[i] ?? 0 }))
          .toSorted((x, y) => x.key - y.key)
          .map(({ a }) => a);
        expect(entitlements(shuffled, rules)).toEqual(due);
      }),
      { numRuns: 300 },
    );
  });
});
