import { z } from 'zod';
import type { Grammar, Phrase, ReadContext, Reading } from '../../../src/bot/grammar.js';
import { findDay, findPeriod } from '../../../src/bot/language/dates.js';
import { findDurations } from '../../../src/bot/language/durations.js';
import { addDays, dayOf, localTime } from '../../../src/calendar.js';
import { bare, isAlone, isGlued, isQuestion, trimmed } from './ends.js';
import { findItems } from './service-items.js';
import { segments } from './service-parts.js';
import { ME, reportedFor, takeMembers } from './service-people.js';

/** Nobody serves longer on one day. */
const MAX_MINUTES = 12 * 60;

const Item = z.object({
  item: z.string().max(60),
  minutes: z.number().int(),
  date: z.string().optional(),
  startsAt: z.string().optional(),
  endsAt: z.string().optional(),
  members: z.array(z.string()).max(20).optional(),
  note: z.string().max(200).optional(),
});
const slots = z.object({ reports: z.array(Item).min(1).max(10) });
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

const PART_AT_END = /(?:凌晨|清早|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|早|晚)$/;
const PARTS: Readonly<Record<string, string>> = { 早: '早上', 清早: '早上', 清晨: '早上', 早晨: '早上', 晚: '晚上' };

/** `没去巡逻`: what was not done is no report. */
const denies = (text: string): boolean =>
  findItems(text).some(({ from }) =>
    /(?:没有?|未|别|不(?:去|能|想|参加|做))(?:去|能|再|参加|来|做)?\s*$/.test(text.slice(0, from)),
  );

/** One report of one part: what is said is taken out piece by piece, the note is what is left. */
function draftOf(
  segment: string,
  context: ReadContext,
  given: Pick<Draft, 'date' | 'members'> = {},
): { draft: Draft; vague: boolean; joint: boolean; ownDay: boolean } {
  const draft: Draft = { ...given };
  const { members, rest } = takeMembers(reportedFor(segment, context), context);
  let text = rest;
  const day = findDay(text, context.now, context.zone, 'past');
  if (day) {
    draft.date = day.day;
    // `昨晚7点到9点`: the part of the day belongs to the clock as well.
    const part = PART_AT_END.exec(text.slice(day.from, day.to))?.[0] ?? '';
    text = `${text.slice(0, day.from)} ${PARTS[part] ?? part}${text.slice(day.to)}`;
  }
  const [duration] = findDurations(text);
  let vague = false;
  if (duration) {
    const below = /(?:^|\s)-$|负$/.test(text.slice(0, duration.from));
    draft.minutes = below ? -duration.minutes : duration.minutes;
    vague = duration.vague;
    if (duration.clock) {
      const today = dayOf(context.now, context.zone);
      const on = draft.date ?? today;
      const { startsAt, endsAt, open } = duration.clock;
      // Bare hours from 1 to 6 are those of the afternoon, unless that is still to come: then it is asked back.
      const late = open && local(on, endsAt + 720) <= nowText(context);
      if (open && !late) vague = true;
      draft.startsAt = local(on, startsAt + (late ? 720 : 0));
      draft.endsAt = local(on, endsAt + (late ? 720 : 0));
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
  return { draft, vague, joint, ownDay: day !== undefined };
}

function readingOf(drafts: readonly Draft[], vague: boolean, context: ReadContext): Reading {
  const today = dayOf(context.now, context.zone);
  const reports = drafts.filter((d) => Object.keys(d).length > 0);
  const missing = [
    ...(drafts.some((d) => d.item === undefined) ? ['item'] : []),
    ...(drafts.some((d) => d.minutes === undefined) ? ['minutes'] : []),
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

function readItems(text: string, context: ReadContext): Reading {
  const { parts, listed } = segments(text, findDurations(text));
  const drafts: Draft[] = [];
  let vague = false;
  let headed = false;
  let given: Pick<Draft, 'date' | 'members'> = {};
  for (const [i, part] of parts.entries()) {
    const { draft, ...read } = draftOf(part, context, given);
    const { item, minutes, date, members } = draft;
    const heading = i === 0 && parts.length > 1 && item === undefined && minutes === undefined;
    if (heading) headed = true;
    else {
      drafts.push(draft);
      vague ||= read.vague || read.joint;
      // A day within one item of a list may not be meant for the next; whoever is named once may be in all.
      vague ||= listed && !headed && date !== undefined && !read.ownDay;
      vague ||= !listed && parts.length > 1 && members !== undefined;
    }
    const forAll = headed || (!listed && i === 0) || given.members !== undefined;
    given = { ...(date !== undefined && { date }), ...(forAll && members && { members }) };
  }
  return readingOf(drafts, vague, context);
}

/** 服务 <what> <how long> [note]: parts in any order, several items in one message. */
export const serviceReport: Grammar<typeof slots> = {
  intent: 'service.report',
  words: WORDS,
  slots,
  read(phrase: Phrase, context: ReadContext) {
    const { rest } = phrase;
    if (isAlone(rest))
      return context.addressed || phrase.text === phrase.word || rest.trim() === ''
        ? { intent: 'ask', slots: { missing: ['item', 'minutes'] } }
        : undefined;
    if (denies(rest)) return undefined;
    const reading = readItems(rest.replace(/^(?:-|[\s,:;.]+)/, '').replace(/^(?:一下|了)[\s,]*/, ''), context);
    if (isQuestion(rest)) return undefined;
    // `服务2小时的地方太远了`: a length that describes something else.
    if (
      draftsOf(reading).some((d) => d.item === undefined) &&
      findDurations(rest).some(({ to }) => /^的/.test(rest.slice(to)))
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
    if (
      isQuestion(text) ||
      /能加|加几分|几分|多少分|有几个|几个人|谁|哪[些个]|[加扣](?:\d+|[一二两三四五六七八九十]+)分|规则|还没|没来|明天.*(?:吗|几点)|迟到|晚到|请假|签到|参加不了|来不了|到不了|预约|接龙|通知/.test(
        text,
      )
    )
      return undefined;
    if (context.place === 'private' && context.open === 'asWritten' && /停水|停电|快递|等了|堵了|没来/.test(text))
      return undefined;
    if (denies(text) || isTold(text, context)) return undefined;
    if (/吵|闹|扰民|没人|坏了|漏水|停水|停电|投诉/.test(text)) return undefined;
    const durations = findDurations(text);
    if (durations.length === 0 || findItems(text).length === 0) return undefined;
    const reading = readItems(text, context);
    return reading.intent === 'ask' ? undefined : reading;
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
      (!missing.includes('minutes') || draft.minutes === undefined)
    )
      return undefined;
    const filled = drafts.map((d) => ({
      ...(draft.note !== undefined && { note: draft.note }),
      ...(draft.date !== undefined && { date: draft.date }),
      ...(draft.item !== undefined && { item: draft.item }),
      ...(draft.minutes !== undefined && { minutes: draft.minutes }),
      ...d,
    }));
    return readingOf(filled, false, context);
  },
};

/** `张三说他巡逻了`, `巡逻的保安睡了`: told of others, or of those who do it. */
const isTold = (text: string, { names }: ReadContext): boolean =>
  /[他她]说|说[他她]|听说|看见|看到/.test(text) ||
  /^说/.test(text.slice(names.prefixOf(text)?.length ?? text.length)) ||
  findItems(text).some(({ to }) => /^的(?!是)\p{Script=Han}/u.test(text.slice(to)));

/** Right after the word only what a report is made of may stand: `服务扫地2小时`, not `服务器2小时修好`. */
const beginsKnown = (rest: string, { now, zone, names }: ReadContext): boolean =>
  findItems(rest)[0]?.from === 0 ||
  findDurations(rest)[0]?.from === 0 ||
  findDay(rest, now, zone, 'past')?.from === 0 ||
  names.prefixOf(rest) !== undefined ||
  /^(?:我[和跟与同]|和|跟|给|帮|刚|早上|上午|中午|下午|晚上|一下|了 )/.test(rest);

/** Does the text say anything that a report is made of? */
const knows = (reading: Reading): boolean =>
  draftsOf(reading).some((d) => d.item !== undefined || d.minutes !== undefined);

const draftsOf = ({ slots: { reports } }: Reading): readonly Draft[] =>
  Array.isArray(reports) ? (reports as Draft[]) : [];

const listSlots = z.object({ period: z.object({ from: z.string(), to: z.string() }).optional() });

/** 我的服务 [本月]. */
export const serviceList: Grammar<typeof listSlots> = {
  intent: 'service.list',
  words: ['我的服务', '服务记录', '我的服务记录', '我的志愿服务', '我的志愿服务记录', '我的服务列表'],
  slots: listSlots,
  read(phrase, context) {
    if (isAlone(phrase.rest)) return { intent: 'service.list', slots: {} };
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
