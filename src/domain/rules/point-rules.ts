import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Day } from '../../calendar.js';
import type { Category } from '../member/schema.js';

const Rule = z.strictObject({
  id: z.string().regex(/^[BCADV]\d{2}$/),
  name: z.string().min(1),
  points: z.int(),
  per: z.union([z.literal('once'), z.strictObject({ minutes: z.int().positive() })]),
  caps: z
    .strictObject({
      day: z.int().positive().optional(),
      halfYear: z.int().positive().optional(),
      year: z.int().positive().optional(),
    })
    .default({}),
  for: z.array(z.enum(['direct', 'inService', 'floating', 'retired', 'resident'])).min(1),
  confirmedBy: z.enum(['auto', 'leader', 'secretary']),
});
const Version = z.strictObject({
  effectiveFrom: z.iso.date(),
  classCaps: z.record(
    z.enum(['B', 'C', 'A']),
    z.strictObject({ halfYear: z.int().positive().optional(), year: z.int().positive().optional() }),
  ),
  rules: z.array(Rule).min(1),
});
const RuleFile = z.strictObject({ versions: z.array(Version).min(1) });

export type PointRule = z.infer<typeof Rule>;
export type RuleVersion = z.infer<typeof Version>;

/** The rule table of a day. */
export interface PointRules {
  on(day: Day): RuleVersion;
  /** @throws Error no such rule on that day */
  rule(id: string, day: Day): PointRule;
}

/**
 * Reads the rule file.
 *
 * @throws Error names the file and each entry that is wrong
 */
export function loadPointRules(file: string): PointRules {
  const parsed = RuleFile.safeParse(parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  const versions = parsed.data.versions.toSorted((a, b) => (a.effectiveFrom < b.effectiveFrom ? 1 : -1));
  for (const { effectiveFrom, rules } of versions) {
    const twice = rules.find((r, i) => rules.findIndex((o) => o.id === r.id) !== i);
    if (twice) throw new Error(`${file}: rule ${twice.id} stands twice in the version of ${effectiveFrom}`);
  }
  const on = (day: Day): RuleVersion => {
    const version = versions.find((v) => v.effectiveFrom <= day) ?? versions.at(-1);
    if (!version) throw new Error(`${file}: no version`);
    return version;
  };
  return {
    on,
    rule(id, day) {
      const rule = on(day).rules.find((r) => r.id === id);
      if (!rule) throw new Error(`${file}: no rule ${id} on ${day}`);
      return rule;
    },
  };
}

/** Does the rule give points to this kind of member? Residents get none by default. */
export const appliesTo = (rule: PointRule, category: Category): boolean => rule.for.includes(category);
