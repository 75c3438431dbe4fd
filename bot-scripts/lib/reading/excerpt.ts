import type { Names, ReadContext } from '../../../src/bot/grammar.js';
import { findDay } from '../../../src/bot/language/dates.js';
import { findDurations } from '../../../src/bot/language/durations.js';
import { looksLikeName } from '../../../src/bot/language/names.js';
import { type Day, dayOf, dayString, isDay, momentOf } from '../../../src/calendar.js';
import { findItems } from './service-items.js';

/** One thing that somebody said in a group, as it stands in a pasted excerpt. */
export interface Excerpted {
  /** As the group shows the name; undefined: the excerpt does not tell whose it is. */
  readonly who: string | undefined;
  readonly text: string;
  /** When it was written, as far as the excerpt tells; undefined: its date is not to be made out. */
  readonly at: Date | undefined;
}

/** A mark of the chat program, no words of a person. */
const FRAME = /^(?:[\s\-_=*·.]*|#?接龙.*|以下是新消息|.{0,12}撤回了一条消息|.{0,20}(?:加入|退出)了?群聊)$/;
const DASHES = /^[\s-]{3,}$/;
const NUMBERED = /^\d{1,3}[、.)]\s*(?!\d)/;
const CLOCK = /(?:(凌晨|早上|上午|中午|下午|晚上)\s*)?(\d{1,2}):(\d{2})(?::\d{2})?$/;
const DATE = /(?:^|\s)(\d{4})[/.年-](\d{1,2})[/.月-](\d{1,2})日?$/;

/** The 群名片 without building, unit and post: `3号楼张三`, `张三(3-201)`, `3-201 张三`. */
const CARD_PARTS =
  /\d+(?:号楼|号|栋|幢|单元|室|楼|网格)?|第?[一二三四五六七八九十]+(?:网格|号楼|单元)|[^\p{Script=Han}·]+/gu;

/** The member whom a shown name means: all of it, or all but a house number. More than one: undefined. */
export function nameOnCard(shown: string, names: Names): string | undefined {
  if (names.has(shown)) return shown;
  const parts = shown.replace(CARD_PARTS, ' ').split(' ').filter(Boolean);
  const found = new Set(parts.filter((part) => names.has(part)));
  const [only] = found;
  return found.size === 1 && only !== undefined && parts.length <= 2 ? only : undefined;
}

/** `张三 20:15`, `张三 2026/11/24 20:15`: the line above a message, as WeChat copies it. */
function headerOf(
  line: string,
  day: Day | undefined,
  { now, zone }: ReadContext,
): { who: string; at: Date | undefined } | undefined {
  const clock = CLOCK.exec(line);
  if (!clock) return undefined;
  let who = line.slice(0, clock.index).trim();
  let on: Day | undefined = day ?? dayOf(now, zone);
  const date = DATE.exec(who);
  if (date) {
    const said = dayString(Number(date[1]), Number(date[2]), Number(date[3]));
    on = isDay(said) ? said : undefined;
    who = who.slice(0, date.index).trim();
  } else {
    const spoken = findDay(who, now, zone, 'past');
    if (spoken && spoken.to === who.length && spoken.from > 0) {
      on = spoken.day;
      who = who.slice(0, spoken.from).trim();
    }
  }
  if (who === '' || who.length > 30 || !/\p{L}/u.test(who)) return undefined;
  if (findItems(who).length > 0 || findDurations(who).length > 0) return undefined;
  const late = /下午|晚上/.test(clock[1] ?? '') && Number(clock[2]) < 12 ? 12 : 0;
  return {
    who: who.replace(/:$/, ''),
    at: on === undefined ? undefined : momentOf(on, Number(clock[2]) + late, Number(clock[3]), zone),
  };
}

/** A line that is only a date, between the messages of two days. */
function dateLine(line: string, { now, zone }: ReadContext): Day | undefined {
  const text = line.replace(/^[\s-]+|[\s-]+$/g, '');
  const date = DATE.exec(text);
  if (date?.index === 0) {
    const day = dayString(Number(date[1]), Number(date[2]), Number(date[3]));
    return isDay(day) ? day : undefined;
  }
  const spoken = findDay(text, now, zone, 'past');
  return spoken?.from === 0 && spoken.to === text.length ? spoken.day : undefined;
}

/** `张三: …`. A colon after anything but a name is part of what is said. */
function speakerOf(line: string, names: Names): { who: string; text: string } | undefined {
  const found = /^([^:\n]{1,20}):(?!\d{2})\s*(.*)$/.exec(line);
  const who = found?.[1]?.trim() ?? '';
  if (!found || who === '' || findItems(who).length > 0) return undefined;
  return nameOnCard(who, names) !== undefined || looksLikeName(who) ? { who, text: found[2] ?? '' } : undefined;
}

/** `张三 扫地2小时`, `1. 张三 扫地2小时`: the line names its own person, who stays in the text. */
function ownLine(line: string, names: Names): { who: string | undefined; text: string } {
  const text = line.replace(NUMBERED, '');
  const known = names.prefixOf(text);
  if (known !== undefined) return { who: known, text };
  const first = /^(\p{Script=Han}{2,4}|[^\s,:]{2,20}(?=\s))/u.exec(text)?.[1];
  const carded = first === undefined ? undefined : nameOnCard(first, names);
  if (first !== undefined && carded !== undefined) return { who: carded, text: text.slice(first.length) };
  const word = /^(\p{Script=Han}{2,4})(?=[\s,:])/u.exec(text)?.[1];
  if (word !== undefined && looksLikeName(word)) return { who: word, text: text.slice(word.length) };
  return { who: undefined, text };
}

/** What stands above a line of dashes is the quoted message, not this person's words. */
function withoutQuote(lines: readonly string[]): readonly string[] {
  const dashes = lines.findIndex((l) => DASHES.test(l));
  return dashes > 0 ? lines.slice(dashes + 1) : lines;
}

/** A message's body: one thing said, or a 接龙 that its sender copied with everybody's lines. */
function bodyOf(who: string, at: Date | undefined, lines: readonly string[], names: Names): Excerpted[] {
  const said = withoutQuote(lines);
  const listed = said.filter((l) => NUMBERED.test(l) && ownLine(l, names).who !== undefined);
  if (listed.length > 0) return listed.map((l) => ({ ...ownLine(l, names), at }));
  // `name: words` inside a message is not surely its sender's: such a line counts for whom it names, or for nobody.
  const others = said.filter((l) => speakerOf(l, names) !== undefined);
  const text = said.filter((l) => !others.includes(l)).join('\n');
  return [
    ...(text === '' || FRAME.test(text) ? [] : [{ who, text, at }]),
    ...others.map((l) => ({ who: undefined, text: l, at })),
  ];
}

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l !== '');

/** Do the lines bear the marks of a chat program: a name with its time, or several with a colon? */
export function isMarked(text: string, context: ReadContext): boolean {
  const lines = linesOf(text);
  return (
    lines.some((l) => headerOf(l, undefined, context) !== undefined) ||
    lines.filter((l) => speakerOf(l, context.names) !== undefined).length >= 2
  );
}

/**
 * Takes a pasted excerpt apart: what WeChat copies (`name date time`, then the words), `name: words`, a 接龙 list, or
 * lines that begin with a name. Nothing is guessed: a line that does not tell whose it is comes back without a name.
 */
export function readExcerpt(text: string, context: ReadContext): Excerpted[] {
  const { names, now } = context;
  const lines = linesOf(text);
  const copied = lines.some((l) => headerOf(l, undefined, context) !== undefined);
  const found: Excerpted[] = [];
  let day: Day | undefined;
  let open: { who: string; at: Date | undefined; lines: string[] } | undefined;
  const close = (): void => {
    if (open) found.push(...bodyOf(open.who, open.at, open.lines, names));
    open = undefined;
  };
  for (const line of lines) {
    const date = dateLine(line, context);
    if (date !== undefined) {
      close();
      day = date;
      continue;
    }
    const header = headerOf(line, day, context);
    if (header) {
      close();
      open = { ...header, lines: [] };
      continue;
    }
    const speaker = copied ? undefined : speakerOf(line, names);
    const at = day === undefined ? now : momentOf(day, 12, 0, context.zone);
    if (speaker?.text === '') {
      close();
      open = { who: speaker.who, at, lines: [] };
    } else if (speaker) {
      close();
      found.push({ ...speaker, at });
    } else if (open)
      open.lines.push(line.replace(/^@\S+\s+/, (m) => (names.prefixOf(m.slice(1)) === undefined ? '' : m)));
    else if (!FRAME.test(line)) found.push({ ...ownLine(line, names), at });
  }
  close();
  return found;
}
