import { z } from 'zod';
import type { ReadContext } from '../../../src/bot/grammar.js';
import { type Direction, findDay, findPeriod } from '../../../src/bot/language/dates.js';
import { findDurations } from '../../../src/bot/language/durations.js';
import { parseWhole } from '../../../src/bot/language/numbers.js';
import { addDays, dayOf, localTime } from '../../../src/calendar.js';
import { ownWords } from './ends.js';
import { findItems, JOINS } from './service-items.js';
import { countsOthers, ME, reportedFor, takeMembers } from './service-people.js';

/** One report as the handler takes it. */
export const Item = z.object({
  item: z.string().max(200),
  minutes: z.number().int(),
  date: z.string().optional(),
  startsAt: z.string().optional(),
  endsAt: z.string().optional(),
  members: z.array(z.string()).max(50).optional(),
  note: ownWords.optional(),
});
/** What is understood of one report so far. */
export type Draft = Partial<z.infer<typeof Item>>;

const PART_OF_DAY = /今早|一大早|清早|早上|早晨|上午|中午|午后|下午|傍晚|晚上|夜里|凌晨|刚刚|刚才|刚/g;
const FILLER =
  /^(?:呃|嗯|额|那个|就是|我|报一下|报个|报|登记|了|的|在|于|做了|参加了?|去了?|又|也)+|(?:呃|那个|就是说|就是)/g;

/** The clock of a day; minutes over 1440 are the next day's. */
function local(day: string, minutes: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const m = minutes % 1440;
  return `${addDays(day, Math.floor(minutes / 1440))}T${two(Math.floor(m / 60))}:${two(m % 60)}`;
}

/** The last part of the day that is said before. */
const partBefore = (text: string, until: number): string =>
  [...text.slice(0, until).matchAll(/凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|早|晚/g)].at(-1)?.[0] ?? '';

/** The local time now, written as `startsAt` is. */
export function nowText({ now, zone }: ReadContext): string {
  const { hour, minute } = localTime(now, zone);
  return local(dayOf(now, zone), hour * 60 + minute);
}

/** Before a length: it was not measured. */
const ABOUT = /(?:大概|大约|差不多|约莫|估摸着?|估计|也就|将近|快|不到|近)\s*(?:\p{Script=Han}{0,3}了)?\s*$/u;
/** After a length: as before. */
const OR_SO = /^\s*(?:吧|的样子|光景|上下|左右|多点|多一点|出头)/;
/** The verb that a length hangs on, and what is said of the length: no note. */
const SPENT =
  /(?:[,;]\s*)?(?:一共|总共|前后|整整|足足|大概|大约|差不多|约莫|估摸着?|也就)*\s*(?:搞|弄|干|忙活?|做|用|花|耗|持续|历时|用时|耗时|时间|时长)?(?:了|为|是|:)?\s*$/;
/** `2次 每次30分钟` */
const TIMES = /(\d{1,2}|[一二两三四五六七八九十])[次回趟][\s,]*(?:每[次回趟])\s*$/;
/** A day that is not told: which one is asked. */
const VAGUE_DAY =
  /周末|每[天日周月]|天天|上次|星期天?前|前[几两些]天|这[几两]天|那天|上[个]?(?:周|星期|礼拜)(?![一二三四五六日天末\d])|上个?月(?!\d|[一二三四五六七八九十]+[号日])/;
const PART_AT_END = /(?:凌晨|清早|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|早|晚)$/;
const PARTS: Readonly<Record<string, string>> = { 早: '早上', 清早: '早上', 清晨: '早上', 早晨: '早上', 晚: '晚上' };

/** One report of one part: what is said is taken out piece by piece, the note is what is left. */
export function draftOf(
  segment: string,
  context: ReadContext,
  given: Pick<Draft, 'date' | 'members'> = {},
  direction: Direction = 'past',
): { draft: Draft; vague: boolean; joint: boolean; ownDay: boolean; whichDay: boolean } {
  const draft: Draft = { ...given };
  const { members, rest, unsure } = takeMembers(reportedFor(segment, context), context);
  // `昨晚10点到今天凌晨2点` began on one day.
  let text = rest.replace(/(?<=[到至-])(?:今[天日]?|第二天|次日)(?=凌晨)/, '');
  const span = findPeriod(text, context.now, context.zone);
  const first = findDay(text, context.now, context.zone, direction);
  // `周一到周三`: one report is of one day.
  const several = span !== undefined && span.period.from !== span.period.to && (!first || span.from === first.from);
  let severalDays = several;
  const day = several ? { from: span.from, to: span.to, day: span.period.to } : first;
  if (day) {
    if (!several) draft.date = day.day;
    // `昨晚7点到9点`: the part of the day belongs to the clock as well.
    const part = PART_AT_END.exec(text.slice(day.from, day.to))?.[0] ?? '';
    text = `${text.slice(0, day.from)} ${PARTS[part] ?? part}${text.slice(day.to)}`;
    // `昨天和今天`
    if (findDay(text, context.now, context.zone, 'past')) {
      severalDays = true;
      delete draft.date;
    }
  }
  const [duration] = findDurations(text);
  let vague = false;
  if (duration) {
    const below = /(?:^|\s)-$|负$/.test(text.slice(0, duration.from));
    const times = TIMES.exec(text.slice(0, duration.from))?.[1];
    draft.minutes = duration.minutes * (below ? -1 : 1) * (parseWhole(times ?? '1') ?? 1);
    vague =
      duration.vague ||
      times !== undefined ||
      ABOUT.test(text.slice(0, duration.from)) ||
      OR_SO.test(text.slice(duration.to));
    if (duration.clock) {
      const today = dayOf(context.now, context.zone);
      const on = draft.date ?? today;
      // `昨晚上和张三守桶 七点到八点`: the part of the day can stand further in front.
      const part = partBefore(text, duration.from);
      const evening = duration.clock.startsAt < 720 && duration.clock.endsAt <= 720 && /下午|傍晚|晚|夜里/.test(part);
      const startsAt = duration.clock.startsAt + (evening ? 720 : 0);
      const endsAt = duration.clock.endsAt + (evening ? 720 : 0);
      const open = duration.clock.open && !evening && !/凌晨|早|上午/.test(part);
      // Bare hours from 1 to 6 are those of the afternoon, unless that is still to come: then it is asked back.
      const late = open && local(on, endsAt + 720) <= nowText(context);
      if (open && !late) vague = true;
      draft.startsAt = local(on, startsAt + (late ? 720 : 0));
      draft.endsAt = local(on, endsAt + (late ? 720 : 0));
      // Not over yet: it may end earlier than planned.
      if (draft.endsAt > nowText(context)) vague = true;
    }
    const [before, after] = [text.slice(0, duration.from), text.slice(duration.to)];
    text = `${before.replace(SPENT, '')} ${after.replace(OR_SO, '')}`;
  }
  const items = findItems(text);
  const [item] = items;
  const kinds = [...new Set(items.map((i) => i.item))];
  const between = items.length > 1 ? text.slice(items[0]?.to, items[1]?.from) : '';
  const joint = kinds.length > 1 && JOINS.test(between);
  // Two kinds beside each other for one length may be one report or two.
  if (kinds.length > 1) vague = true;
  if (item) {
    draft.item = joint ? items.map((i) => text.slice(i.from, i.to)).join('和') : item.item;
    if (joint) text = `${text.slice(0, item.from)} ${text.slice(items.at(-1)?.to)}`;
    else if (!item.bySign) text = `${text.slice(0, item.from)} ${text.slice(item.to)}`;
  }
  if (members.length > 0 && !(members.length === 1 && members[0] === ME)) draft.members = members;
  if (unsure || countsOthers(segment, members)) vague = true;
  const note = text
    .replace(PART_OF_DAY, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
    .replace(FILLER, '')
    .replace(/^[\s,:;.、#+/|_*-]+|^[我了在]+|[\s,:;、了#+/|_*-]+$/g, '');
  if (/\p{L}/u.test(note)) draft.note = note;
  const whichDay = draft.date === undefined && (severalDays || VAGUE_DAY.test(text));
  return { draft, vague, joint, ownDay: day !== undefined, whichDay };
}
