import { z } from 'zod';
import type { Grammar, Phrase, ReadContext, Reading } from '../../../src/bot/grammar.js';
import { findDay, findPeriod } from '../../../src/bot/language/dates.js';
import { findDurations } from '../../../src/bot/language/durations.js';
import { dayOf } from '../../../src/calendar.js';
import { bare, isAlone, isGlued, isQuestion, trimmed } from './ends.js';
import { corrected } from './service-corrections.js';
import { type Draft, draftOf, Item, nowText } from './service-draft.js';
import { findItems } from './service-items.js';
import { segments, withoutTotal } from './service-parts.js';
import { reportedFor } from './service-people.js';
import {
  denies,
  isBareClock,
  isBareVerb,
  isNoLength,
  isToCome,
  isUnsure,
  looksForPeople,
  plans,
  reportsStranger,
  saysMore,
  takesBack,
  tellsOtherwise,
} from './service-sentences.js';

/** More in one message is no report that a person writes. */
const MOST_REPORTS = 20;
/** Nobody serves longer on one day. */
const MAX_MINUTES = 12 * 60;
const slots = z.object({ reports: z.array(Item).min(1).max(MOST_REPORTS) });

/** As it is spelled, and as voice input writes it. */
const SERVICE = ['服务', '志愿服务', '志愿者服务', '自愿服务', '自愿者服务'];
/** The head of a form, `服务时长:2小时`: what offices announce begins so as well. */
const LABELS = SERVICE.flatMap((word) =>
  ['内容', '项目', '时长', '时间', '日期', '类型'].map((what) => `${word}${what}`),
);
const WORDS = [
  ...SERVICE.flatMap((word) => [
    word,
    ...['打卡', '打开', '登记', '报告', '报备', '申报', '上报'].map((what) => `${word}${what}`),
    ...['登记', '报告', '报备', '申报', '填报', '报'].map((verb) => `${verb}${word}`),
  ]),
  ...LABELS,
];

/** What the drafts come to: a record, a question, or a refusal. */
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
function readItems(said: string, context: ReadContext, command = false): Reading {
  const meant = corrected(said, context);
  const text = dayFirst(withoutTotal(meant ?? said), context);
  const direction = plans(text) ? 'ahead' : 'past';
  const { parts, listed } = segments(text, findDurations(text));
  const drafts: Draft[] = [];
  let vague = meant === undefined || reportsStranger(text, context);
  let headed = false;
  let whichDay = false;
  let given: Pick<Draft, 'date' | 'members'> = {};
  for (const [i, part] of parts.entries()) {
    const { draft, ...read } = draftOf(part, context, given, direction);
    const { item, minutes, date, members } = draft;
    const heading = i === 0 && parts.length > 1 && item === undefined && minutes === undefined;
    if (heading) headed = true;
    else {
      // `守桶 周一30分钟 周二40分钟`
      const [before] = drafts;
      if (draft.item === undefined && before?.item !== undefined && before.date !== undefined && read.ownDay)
        draft.item = before.item;
      drafts.push(draft);
      vague ||= read.vague || read.joint || (command && takesBack(draft.note ?? ''));
      whichDay ||= read.whichDay;
      // A day within one item of a list may not be meant for the next; whoever is named once may be in all.
      vague ||= listed && !headed && date !== undefined && !read.ownDay;
      vague ||= !listed && parts.length > 1 && members !== undefined;
    }
    const forAll = headed || (!listed && i === 0) || given.members !== undefined;
    given = { ...(date !== undefined && { date }), ...(forAll && members && { members }) };
  }
  // `上午10点到12点,下午2点到4点 巡逻`: the same at two times.
  const [known, ...more] = drafts.flatMap(({ item }) => item ?? []);
  if (known !== undefined && more.length === 0 && drafts.every(({ startsAt }) => startsAt !== undefined))
    for (const draft of drafts) draft.item = known;
  if ((isToCome(text) || plans(text)) && drafts.some(({ item }) => item !== undefined))
    return { intent: 'reject.future', slots: { reports: drafts } };
  return readingOf(drafts, vague || isUnsure(text), context, whichDay);
}

/** `早上护学40分钟 晚上守桶1小时 昨天`: one day, behind everything, is that of all. */
function dayFirst(text: string, { now, zone }: ReadContext): string {
  if (findDurations(text).length < 2) return text;
  const day = findDay(text, now, zone, 'past');
  return day && day.from > 0 && day.to === text.trimEnd().length && /[\s,]$/.test(text.slice(0, day.from))
    ? `${text.slice(day.from)} ${text.slice(0, day.from)}`
    : text;
}

/** 服务 <what> <how long> [note]: parts in any order, several items in one message. */
export const serviceReport: Grammar<typeof slots> = {
  intent: 'service.report',
  words: WORDS,
  slots,
  read(phrase: Phrase, context: ReadContext) {
    const rest = phrase.rest.replace(/^(?:那个|呃|嗯|额|就是)+/, '').replaceAll('俺', '我');
    if (MINE.test(`${/我/.exec(phrase.text.slice(0, 4))?.[0] ?? ''}${phrase.word}`) && isGiven(rest, context))
      return serviceList.read(phrase, context);
    if (LABELS.includes(phrase.word ?? '')) return filledForm(rest, context);
    if (isAlone(rest))
      return context.addressed || phrase.text === phrase.word || rest.trim() === ''
        ? { intent: 'ask', slots: { missing: ['item', 'minutes'] } }
        : undefined;
    if (findDurations(rest).length > MOST_REPORTS) return undefined;
    if (denies(rest) || looksForPeople(rest) || /(?<!好)几个?小时/.test(rest)) return undefined;
    const reading = readItems(rest.replace(/^(?:-|[\s,:;.]+)/, '').replace(/^(?:一下|了)[\s,]*/, ''), context, true);
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
    const plain = phrase.text.replaceAll('俺', '我').replace(GREETING, '');
    const asked = ASKED.exec(plain)?.[0] ?? '';
    const own = plain.slice(asked.length);
    const helped = reportedFor(own, context);
    // `替陈桂芳报一下 她昨天守桶1小时`
    const text = corrected(helped === own ? own : helped.replace(/(?<=\s)[他她](?=\p{Script=Han})/u, ''), context);
    if (text === undefined) return undefined;
    if (isQuestion(text) || text.includes('?') || denies(text)) return undefined;
    const lengths = findDurations(text).length;
    if (lengths === 0) return didOnly(text, context);
    if (lengths > MOST_REPORTS || findItems(text).length === 0) return undefined;
    const reading = readItems(text, context);
    if (reading.intent === 'reject.future' && plans(text)) return reading;
    if (reading.intent === 'ask' || tellsOtherwise(text, context.names) || isNoLength(text)) return undefined;
    const drafts = draftsOf(reading);
    return reading.intent === 'service.report' &&
      ((asked === '' && isBareVerb(text)) || isBareClock(text) || drafts.some((d) => saysMore(d.note ?? '', text)))
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

/** Before whatever is said. */
const GREETING =
  /^(?:(?:(?:各位|书记|主任|领导|大家|老师|网格长|小助手){0,2}(?:[您你]?好)|小助手|喂|我?跟你说)[\s,:啊呀哎]*)+/;
/** Before what is to be written down. */
const ASKED =
  /^(?:小助手|你好|您好|麻烦|请|帮忙|帮我|给我|我要|我想|我)*[\s,]*(?:(?:补?登记?|报告|汇报|补报|报(?![名警纸])|记(?!得))(?:一下|一笔|上|个|下|录)?[\s,:]*(?:(?:志愿者?)?服务)?|(?:志愿者?)?服务(?=[\s,:]))[\s,:]*/;

/** `昨天守桶了`: who tells the bot what was done, and not for how long, is asked for it. */
function didOnly(text: string, context: ReadContext): Reading | undefined {
  const [item] = findItems(text);
  if (!item || item.bySign || bare(text).length > 14 || !/^[了过][\s,]*$/.test(text.slice(item.to))) return undefined;
  if (!findDay(text, context.now, context.zone, 'past') || tellsOtherwise(text, context.names)) return undefined;
  const reading = readItems(text, context);
  return reading.intent === 'ask' ? reading : undefined;
}

const MINE = /^我(?:志愿)?服务$/;
/** Nothing but a span of days. */
const isGiven = (rest: string, { now, zone }: ReadContext): boolean => {
  const period = findPeriod(rest, now, zone);
  return (
    period !== undefined && trimmed(`${rest.slice(0, period.from)}${rest.slice(period.to)}`).replace('的', '') === ''
  );
};

/** `服务内容:守桶 服务时长:2小时`. Clock times without a length are those of an announcement. */
function filledForm(rest: string, context: ReadContext): Reading | undefined {
  if (isQuestion(rest) || denies(rest) || looksForPeople(rest) || (isGlued(rest) && !context.addressed))
    return undefined;
  const text = rest.replace(/(?<=^|[\s,;:])(?:(?:志愿者?)?服务)(?=内容|项目|时长|时间|日期|类型|地点|对象|人员)/g, '');
  if (!context.addressed && findDurations(text).every(({ clock }) => clock)) return undefined;
  const reading = readItems(text.replace(/^[\s,:]+/, ''), context);
  return draftsOf(reading).every((d) => d.item !== undefined && d.minutes !== undefined) ? reading : undefined;
}

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
