import { z } from 'zod';
import type { Grammar, ReadContext } from '../../../src/bot/grammar.js';
import { findDurations } from '../../../src/bot/language/durations.js';
import { parseNumberList } from '../../../src/bot/language/number-lists.js';
import { createReader } from '../../../src/bot/reader.js';
import { dayOf } from '../../../src/calendar.js';
import { bare, isAlone, isGlued } from './ends.js';
import { type Excerpted, isMarked, nameOnCard, readExcerpt } from './excerpt.js';
import { serviceReport } from './service.js';
import { findItems } from './service-items.js';

/** So many things of one excerpt are looked at; a longer one is pasted in parts. */
const MAX_ENTRIES = 60;

const Unread = z.enum(['nobody', 'chatter', 'incomplete', 'vague', 'future', 'implausible', 'undated']);
export type Unread = z.output<typeof Unread>;
const Entry = z.object({
  /** As the excerpt shows it, or as the roster has it where it is sure. */
  who: z.string().max(40),
  text: z.string().max(200),
  why: Unread.optional(),
  item: z.string().max(60).optional(),
  minutes: z.int().optional(),
  day: z.string().optional(),
  note: z.string().max(200).optional(),
});
export type Entry = z.output<typeof Entry>;
const previewSlots = z.object({ entries: z.array(Entry).min(1).max(MAX_ENTRIES), more: z.int().min(0) });

/** The reader of everybody's service reports, and of nothing else. */
const reader = createReader([serviceReport], { botNames: [] });
const Reports = serviceReport.slots;

const namesWork = (text: string): boolean => findDurations(text).length > 0 || findItems(text).some((i) => !i.bySign);

/** One thing said, as the reports it comes to, or as the reason why it comes to none. */
function entriesOf({ who, text, at }: Excerpted, context: ReadContext): Entry[] {
  const shown = (who === undefined ? '' : (nameOnCard(who, context.names) ?? who)).slice(0, 40);
  const said = text.replaceAll('\n', ' ').slice(0, 200);
  const not = (why: Unread): Entry[] => [{ who: shown, text: said, why }];
  const reading = reader.read(
    { text, mentionsBot: true, mentions: [] },
    { ...context, now: at ?? context.now, place: 'private', addressed: true, open: 'asWritten' },
  );
  switch (reading.intent) {
    case 'reject.future':
      return not('future');
    case 'reject.implausible':
      return not('implausible');
    case 'ask':
      return not('incomplete');
    case 'service.report':
      break;
    default:
      return not(namesWork(text) ? 'incomplete' : 'chatter');
  }
  const parsed = Reports.safeParse(reading.slots);
  if (!parsed.success) return not('incomplete');
  if (reading.slots.needsConfirm) return not('vague');
  const today = at === undefined ? undefined : dayOf(at, context.zone);
  return parsed.data.reports.flatMap(({ item, minutes, date, note, members }) =>
    (members ?? ['@me']).map((m): Entry => {
      const name = m === '@me' ? shown : m;
      const day = date ?? today;
      if (name === '') return { who: '', text: said, why: 'nobody' };
      if (day === undefined || (at !== undefined && at > context.now)) return { who: name, text: said, why: 'undated' };
      return { who: name, text: said, item, minutes, day, ...(note !== undefined && { note }) };
    }),
  );
}

function previewOf(
  text: string,
  context: ReadContext,
): { intent: string; slots: z.output<typeof previewSlots> } | undefined {
  const entries = readExcerpt(text, context).flatMap((e) => entriesOf(e, context));
  return entries.length === 0
    ? undefined
    : {
        intent: 'paste.preview',
        slots: { entries: entries.slice(0, MAX_ENTRIES), more: Math.max(0, entries.length - MAX_ENTRIES) },
      };
}

/** 粘贴, and what people said in a group where the bot is not. */
export const paste: Grammar<typeof previewSlots> = {
  intent: 'paste.preview',
  words: ['粘贴', '贴入', '粘贴记录', '粘贴接龙', '粘贴群消息'],
  slots: previewSlots,
  read(phrase, context) {
    if (context.place === 'group' && !context.addressed) return undefined;
    if (isAlone(phrase.rest)) return { intent: 'ask', slots: { missing: ['excerpt'] } };
    if (isGlued(phrase.rest)) return undefined;
    return previewOf(phrase.rest, context) ?? { intent: 'ask', slots: { missing: ['excerpt'] } };
  },
  /** Without the word: several lines that the chat program has marked with names. */
  readSentence(phrase, context) {
    if (context.role === 'member' || context.place === 'group' || phrase.lines.length < 2) return undefined;
    return isMarked(phrase.text, context) ? previewOf(phrase.text, context) : undefined;
  },
  answer: (_kept, phrase, context) => previewOf(phrase.text, context),
};

const enterSlots = z.object({});

/** 入账: what the preview showed is recorded. */
export const enter: Grammar<typeof enterSlots> = {
  intent: 'paste.enter',
  words: ['入账', '确认入账', '全部入账'],
  slots: enterSlots,
  read: (phrase, context) =>
    isAlone(phrase.rest) && (context.place === 'private' || context.addressed)
      ? { intent: 'paste.enter', slots: {} }
      : undefined,
};

const leaveOutSlots = z.object({ lines: z.array(z.int().positive()).min(1).max(50) });

/** 去掉 <line numbers>: the preview without them. */
export const leaveOut: Grammar<typeof leaveOutSlots> = {
  intent: 'paste.leaveOut',
  words: ['去掉', '不要第', '删去'],
  slots: leaveOutSlots,
  read(phrase, context) {
    if (context.place === 'group') return undefined;
    const lines = parseNumberList(bare(phrase.rest).replace(/条$/, ''));
    return lines ? { intent: 'paste.leaveOut', slots: { lines } } : undefined;
  },
};
