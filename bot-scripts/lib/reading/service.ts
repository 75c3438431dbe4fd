import { z } from 'zod';
import type { Grammar, Phrase, ReadContext, Reading } from '../../../src/bot/grammar.js';
import { findDay, findPeriod } from '../../../src/bot/language/dates.js';
import { findDurations } from '../../../src/bot/language/durations.js';
import { parseWhole } from '../../../src/bot/language/numbers.js';
import { addDays, dayOf, localTime } from '../../../src/calendar.js';
import { bare, isAlone, isGlued, isQuestion, ownWords, trimmed } from './ends.js';
import { findItems } from './service-items.js';
import { segments, withoutTotal } from './service-parts.js';
import {
  isBareClock,
  isBareVerb,
  isNoLength,
  isToCome,
  isUnsure,
  looksForPeople,
  plans,
  saysMore,
  tellsOtherwise,
} from './service-sentences.js';
import { ME, reportedFor, takeMembers } from './service-people.js';

/** More in one message is no report that a person writes. */
const MOST_REPORTS = 20;
/** Nobody serves longer on one day. */
const MAX_MINUTES = 12 * 60;

const Item = z.object({
  item: z.string().max(60),
  minutes: z.number().int(),
  date: z.string().optional(),
  startsAt: z.string().optional(),
  endsAt: z.string().optional(),
  members: z.array(z.string()).max(50).optional(),
  note: ownWords.optional(),
});
const slots = z.object({ reports: z.array(Item).min(1).max(MOST_REPORTS) });
type Draft = Partial<z.infer<typeof Item>>;

const WORDS = ['服务', '志愿服务', '志愿者服务'].flatMap((word) => [
  word,
  ...['打卡', '登记', '报告', '申报', '上报'].map((what) => `${word}${what}`),
  ...['登记', '报告', '申报', '填报', '报'].map((verb) => `${verb}${word}`),
]);
const PART_OF_DAY = /今早|一大早|清早|早上|早晨|上午|中午|午后|下午|傍晚|晚上|夜里|凌晨|刚刚|刚才|刚/g;
const FILLER =
  /^(?:呃|嗯|额|那个|就是|我|报一下|报个|报|登记|了|的|在|于|做了|参加了?|去了?|又|也)+|(?:呃|那个|就是说|就是)/g;

/** The clock of a day; minutes over 1440 are the next day's. */
function local(day: string, minutes: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const m = minutes % 1440;
  return `${addDays(day, Math.floor(minutes / 1440))}T${two(Math.floor(m / 60))}:${two(m % 60)}`;
}

function nowText({ now, zone }: ReadContext): string {
  const { hour, minute } = localTime(now, zone);
  return local(dayOf(now, zone), hour * 60 + minute);
}

const TIMES = /(\d{1,2}|[一二两三四五六七八九十])[次回趟][\s,]*(?:每[次回趟])\s*$/;
/** A day that is not told: which one is asked. */
const VAGUE_DAY =
  /周末|每[天日周月]|天天|上次|星期天?前|前[几两些]天|这[几两]天|那天|上[个]?(?:周|星期|礼拜)(?![一二三四五六日天末\d])|上个?月(?!\d|[一二三四五六七八九十]+[号日])/;
const PART_AT_END = /(?:凌晨|清早|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|早|晚)$/;
const PARTS: Readonly<Record<string, string>> = { 早: '早上', 清早: '早上', 清晨: '早上', 早晨: '早上', 晚: '晚上' };

/** `没去巡逻`: what was not done is no report. */
const denies = (text: string): boolean =>
  findItems(text).some(({ from }) =>
    /(?:没有?|未|别|不(?:是|去|能|想|参加|做))(?:去|能|再|参加|来|做)?\s*$/.test(text.slice(0, from)),
  );

/** One report of one part: what is said is taken out piece by piece, the note is what is left. */
function draftOf(
  segment: string,
  context: ReadContext,
  given: Pick<Draft, 'date' | 'members'> = {},
): { draft: Draft; vague: boolean; joint: boolean; ownDay: boolean; whichDay: boolean } {
  const draft: Draft = { ...given };
  const { members, rest } = takeMembers(reportedFor(segment, context), context);
  let text = rest;
  const span = findPeriod(text, context.now, context.zone);
  const first = findDay(text, context.now, context.zone, 'past');
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
    // `2次 每次30分钟`
    const times = TIMES.exec(text.slice(0, duration.from))?.[1];
    draft.minutes = duration.minutes * (below ? -1 : 1) * (parseWhole(times ?? '1') ?? 1);
    vague = duration.vague || times !== undefined;
    if (duration.clock) {
      const today = dayOf(context.now, context.zone);
      const on = draft.date ?? today;
      const { startsAt, endsAt, open } = duration.clock;
      // Bare hours from 1 to 6 are those of the afternoon, unless that is still to come: then it is asked back.
      const late = open && local(on, endsAt + 720) <= nowText(context);
      if (open && !late) vague = true;
      draft.startsAt = local(on, startsAt + (late ? 720 : 0));
      draft.endsAt = local(on, endsAt + (late ? 720 : 0));
      // Not over yet: it may end earlier than planned.
      if (draft.endsAt > nowText(context)) vague = true;
    }
    text = `${text.slice(0, duration.from)} ${text.slice(duration.to)}`;
  }
  const items = findItems(text);
  const [item] = items;
  const kinds = [...new Set(items.map((i) => i.item))];
  const between = items.length > 1 ? text.slice(items[0]?.to, items[1]?.from) : '';
  const joint = kinds.length > 1 && /^[\s]*(?:和|跟|与|及|、|,|\+)[\s]*$/.test(between);
  // Two kinds beside each other for one length may be one report or two.
  if (kinds.length > 1) vague = true;
  if (item) {
    draft.item = joint ? items.map((i) => text.slice(i.from, i.to)).join('和') : item.item;
    if (joint) text = `${text.slice(0, item.from)} ${text.slice(items.at(-1)?.to)}`;
    else if (!item.bySign) text = `${text.slice(0, item.from)} ${text.slice(item.to)}`;
  }
  if (members.length > 0 && !(members.length === 1 && members[0] === ME)) draft.members = members;
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

function readingOf(drafts: readonly Draft[], vague: boolean, context: ReadContext, whichDay = false): Reading {
  const today = dayOf(context.now, context.zone);
  const reports = drafts.filter((d) => Object.keys(d).length > 0);
  const missing = [
    ...(drafts.some((d) => d.item === undefined) ? ['item'] : []),
    ...(drafts.some((d) => d.minutes === undefined) ? ['minutes'] : []),
    ...(whichDay ? ['date'] : []),
  ];
  const perDay = new Map<string, number>();
  for (const d of reports) perDay.set(d.date ?? today, (perDay.get(d.date ?? today) ?? 0) + (d.minutes ?? 0));
  if (reports.some((d) => (d.date ?? today) > today || (d.startsAt ?? '') > nowText(context)))
    return { intent: 'reject.future', slots: { reports } };
  if (
    reports.some((d) => d.minutes !== undefined && d.minutes <= 0) ||
    [...perDay.values()].some((m) => m > MAX_MINUTES)
  )
    return { intent: 'reject.implausible', slots: { reports } };
  if (missing.length > 0 || reports.length === 0)
    return {
      intent: 'ask',
      slots: { ...(reports.length > 0 && { reports }), missing: reports.length > 0 ? missing : ['item', 'minutes'] },
    };
  return { intent: 'service.report', slots: { reports, ...(vague && { needsConfirm: true }) } };
}

function readItems(said: string, context: ReadContext): Reading {
  const text = withoutTotal(said);
  const { parts, listed } = segments(text, findDurations(text));
  const drafts: Draft[] = [];
  let vague = false;
  let headed = false;
  let whichDay = false;
  let given: Pick<Draft, 'date' | 'members'> = {};
  for (const [i, part] of parts.entries()) {
    const { draft, ...read } = draftOf(part, context, given);
    const { item, minutes, date, members } = draft;
    const heading = i === 0 && parts.length > 1 && item === undefined && minutes === undefined;
    if (heading) headed = true;
    else {
      // `守桶 周一30分钟 周二40分钟`
      const [before] = drafts;
      if (draft.item === undefined && before?.item !== undefined && before.date !== undefined && read.ownDay)
        draft.item = before.item;
      drafts.push(draft);
      vague ||= read.vague || read.joint;
      whichDay ||= read.whichDay;
      // A day within one item of a list may not be meant for the next; whoever is named once may be in all.
      vague ||= listed && !headed && date !== undefined && !read.ownDay;
      vague ||= !listed && parts.length > 1 && members !== undefined;
    }
    const forAll = headed || (!listed && i === 0) || given.members !== undefined;
    given = { ...(date !== undefined && { date }), ...(forAll && members && { members }) };
  }
  if (isToCome(text) && drafts.some(({ item }) => item !== undefined))
    return { intent: 'reject.future', slots: { reports: drafts } };
  return readingOf(drafts, vague || isUnsure(text), context, whichDay);
}

/** 服务 <what> <how long> [note]: parts in any order, several items in one message. */
export const serviceReport: Grammar<typeof slots> = {
  intent: 'service.report',
  words: WORDS,
  slots,
  read(phrase: Phrase, context: ReadContext) {
    const rest = phrase.rest.replace(/^(?:那个|呃|嗯|额|就是)+/, '');
    if (isAlone(rest))
      return context.addressed || phrase.text === phrase.word || rest.trim() === ''
        ? { intent: 'ask', slots: { missing: ['item', 'minutes'] } }
        : undefined;
    if (findDurations(rest).length > MOST_REPORTS) return undefined;
    if (denies(rest) || looksForPeople(rest) || /(?<!好)几个?小时/.test(rest)) return undefined;
    const reading = readItems(rest.replace(/^(?:-|[\s,:;.]+)/, '').replace(/^(?:一下|了)[\s,]*/, ''), context);
    if (isQuestion(rest)) return undefined;
    // `服务2小时的地方太远了`: a length that describes something else.
    if (
      draftsOf(reading).some((d) => d.item === undefined) &&
      findDurations(rest).some(({ to }) => rest.startsWith('的', to))
    )
      return undefined;
    if (!isGlued(rest))
      return reading.intent === 'ask' &&
        !context.addressed &&
        findDurations(rest).length === 0 &&
        /^[\s,:]*[\p{L}]{9,}/u.test(rest)
        ? undefined
        : knows(reading)
          ? reading
          : undefined;
    if (!beginsKnown(rest, context)) return undefined;
    const complete = draftsOf(reading).every((d) => d.item !== undefined && d.minutes !== undefined);
    return knows(reading) && (complete || context.addressed) ? reading : undefined;
  },
  readSentence(phrase, context) {
    const text = phrase.text.replace(/^(?:请|帮我|我)?(?:登记|报告|汇报|报|记)(?:一下|个|下)?[\s,:]*/, '');
    if (isQuestion(text) || denies(text)) return undefined;
    const lengths = findDurations(text).length;
    if (lengths === 0 || lengths > MOST_REPORTS || findItems(text).length === 0) return undefined;
    const reading = readItems(text, context);
    if (reading.intent === 'reject.future' && plans(text)) return reading;
    if (reading.intent === 'ask' || tellsOtherwise(text, context.names) || isNoLength(text)) return undefined;
    const drafts = draftsOf(reading);
    return reading.intent === 'service.report' &&
      (isBareVerb(text) || isBareClock(text) || drafts.some((d) => saysMore(d.note ?? '')))
      ? { intent: 'ask', slots: { reports: drafts, missing: ['confirm'] } }
      : reading;
  },
  answer(kept, phrase, context) {
    const drafts = (Array.isArray(kept['reports']) ? kept['reports'] : [{}]) as Draft[];
    const missing = Array.isArray(kept['missing']) ? kept['missing'] : [];
    const text = trimmed(phrase.text);
    if (missing.includes('confirm')) {
      if (/^(?:对|对的|是|是的|嗯|嗯嗯|确认|没错|好|好的|可以|行|正确|ok)$/i.test(bare(text)))
        return { intent: 'service.report', slots: { reports: drafts } };
      const [duration] = findDurations(text);
      if (duration && drafts.length === 1)
        return readingOf([{ ...drafts[0], minutes: duration.minutes }], false, context);
      return undefined;
    }
    const { draft } = draftOf(text, context);
    const number = /^\d+(?:\.\d+)?$/.exec(text);
    if (number && missing.includes('minutes') && !missing.includes('item'))
      draft.minutes = Math.round(Number(text) * (Number(text) <= 12 ? 60 : 1));
    if (
      (!missing.includes('item') || draft.item === undefined) &&
      (!missing.includes('minutes') || draft.minutes === undefined) &&
      (!missing.includes('date') || draft.date === undefined)
    )
      return undefined;
    const filled = drafts.map((d) => ({
      ...(draft.note !== undefined && { note: draft.note }),
      ...(draft.date !== undefined && { date: draft.date }),
      ...(draft.item !== undefined && { item: draft.item }),
      ...(draft.minutes !== undefined && { minutes: draft.minutes }),
      ...d,
    }));
    return readingOf(filled, false, context, missing.includes('date') && draft.date === undefined);
  },
};

/** Right after the word only what a report is made of may stand: `服务扫地2小时`, not `服务器2小时修好`. */
const beginsKnown = (rest: string, { now, zone, names }: ReadContext): boolean =>
  findItems(rest)[0]?.from === 0 ||
  findDurations(rest)[0]?.from === 0 ||
  findDay(rest, now, zone, 'past')?.from === 0 ||
  names.prefixOf(rest) !== undefined ||
  /^(?:我[和跟与同]|和|跟|给|帮|刚|早上|上午|中午|下午|晚上|一下|了 )/.test(rest);

/** Does the text say anything that a report is made of? */
const knows = (reading: Reading): boolean =>
  draftsOf(reading).some(
    (d) => d.item !== undefined || d.minutes !== undefined || (d.date !== undefined && d.note === undefined),
  );

const draftsOf = ({ slots: { reports } }: Reading): readonly Draft[] =>
  Array.isArray(reports) ? (reports as Draft[]) : [];

const listSlots = z.object({ period: z.object({ from: z.string(), to: z.string() }).optional() });

/** 我的服务 [本月]. */
export const serviceList: Grammar<typeof listSlots> = {
  intent: 'service.list',
  words: ['我的服务', '服务记录', '我的服务记录', '我的志愿服务', '我的志愿服务记录', '我的服务列表'],
  slots: listSlots,
  read(phrase, context) {
    if (/^[\s,:]*(?:明细|记录|列表)?$/.test(phrase.rest) || isAlone(phrase.rest))
      return { intent: 'service.list', slots: {} };
    const period = findPeriod(phrase.rest, context.now, context.zone);
    return period && bare(phrase.rest).length <= 8
      ? { intent: 'service.list', slots: { period: period.period } }
      : undefined;
  },
  readSentence(phrase, context) {
    if (
      !/我.{0,8}(?:报|做|登记|参加)[过了]*(?:哪些|多少|几次|什么)(?:志愿)?服务|我的服务有?(?:哪些|多少|几[条次])/.test(
        phrase.text,
      )
    )
      return undefined;
    const period = findPeriod(phrase.text, context.now, context.zone);
    return { intent: 'service.list', slots: { ...(period && { period: period.period }) } };
  },
};
