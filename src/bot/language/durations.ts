import { HAN_DIGITS, parseWhole } from './numbers.js';

/** A length of time found in a text. */
export interface FoundDuration {
  readonly from: number;
  readonly to: number;
  readonly minutes: number;
  /** Taken at a set value: to be asked back. */
  readonly vague: boolean;
  /** From a clock time to another, minutes after midnight. */
  readonly clock?: {
    readonly startsAt: number;
    /** Over 1440 on the next day. */
    readonly endsAt: number;
    /** An hour from 1 to 6 without saying whether of the morning or the afternoon. */
    readonly open: boolean;
  };
}

const H = `[${HAN_DIGITS}]+`;
const N = `(?<![几数])(\\d+(?:\\.\\d+)?|${H}点[一二三四五六七八九]|${H})`;
const HALF = '半[个拉]?';
const HOUR = '(?:小时|钟头|钟|hours?|hrs?|h)';
const MINUTE = '(?:分钟|分(?!之)|minutes?|mins?|min|m(?![a-z]))';
/** After a number: it counts something else than the minutes of an hour, as in `8点到10点 2小时`. */
const NO_MINUTES = '(?:个|小时|钟头|h|人|名|位|户|栋|号|次|张|份)';
const TIME = `(?:凌晨|早上|上午|中午|下午|傍晚|晚上|早|晚)?\\s*(\\d{1,2}|${H})(?:(?::|点|时)(?:\\s*(\\d{1,2}|半|[一三13]刻|${H})(?![\\d${HAN_DIGITS}]|\\s*${NO_MINUTES}))?(?:分)?钟?)`;
/** `7点到8点`, `从七点守到八点`: the verb can stand before 到 once more. */
const TO = '(?:\\s*(?:-|~|至)|\\s*(?:一直|[守站扫巡忙干做弄讲教捡值修聊陪量排发])?到)\\s*';
const RANGE = new RegExp(`${TIME}${TO}${TIME}`, 'gi');
/** `8-10点`: the first hour without its 点. */
const SHORT_RANGE = new RegExp(
  `((?:凌晨|早上|上午|中午|下午|傍晚|晚上|早|晚)?)\\s*(?<![\\d.:/#-])(\\d{1,2}|${H})\\s*[-~到至]\\s*(\\d{1,2}|${H})[点时](?!间|积|\\s*\\d)(半|[一三13]刻)?钟?`,
  'gi',
);

/** `2`, `2.5`, `两`, `两点五`. */
function number(text: string): number {
  if (/^[\d.]+$/.test(text)) return Number(text);
  const [whole = '', tenth] = text.split('点');
  const n = parseWhole(whole) ?? Number.NaN;
  return tenth === undefined ? n : n + (parseWhole(tenth) ?? Number.NaN) / 10;
}

interface Rule {
  readonly pattern: RegExp;
  readonly minutes: (m: RegExpExecArray) => number;
  readonly vague: boolean;
}
const rule = (source: string, minutes: Rule['minutes'], vague = false): Rule => ({
  pattern: new RegExp(source, 'gi'),
  minutes,
  vague,
});

const ABOUT = '(?:快|不到|将近|差不多|大概|大约|约|近|小(?=[两俩三2]))\\s*';

/** The earlier rule wins where two begin at one place; vague forms first, since they contain exact ones. */
const rules: readonly Rule[] = [
  rule('大半天', () => 300, true),
  rule('(?<![大小老好])半天', () => 240, true),
  rule('(?<![周期拜])(?:一|1|整)(?:个|整个)?(?:上午|下午)', () => 180, true),
  rule('(?<![周期拜])(?:一|1)(?:个)?(?:晚上|晚)(?!点)', () => 120, true),
  rule('(?:(?:一|1)整?天|整天)', () => 480, true),
  rule('个把(?:小时|钟头|钟)', () => 60, true),
  rule(`(?<![\\d${HAN_DIGITS}])个半(?:小时|钟头|钟)`, () => 90, true),
  rule(`半个?多(?:小时|钟头|钟)|[大小]半个?(?:小时|钟头|钟)`, () => 30, true),
  rule(`${N}个?(?:多|来)个?${HOUR}`, (m) => number(m[1] ?? '') * 60, true),
  rule(`([一二两俩三四五六七八九])([二两三仨四五六七八九])个?${HOUR}`, (m) => number(m[1] ?? '') * 60, true),
  rule(`([二三四五六七八九])[三四五六七八九]十(?:来)?${MINUTE}`, (m) => number(m[1] ?? '') * 10, true),
  rule(`十([一二三四五六七八])[二三四五六七八九]${MINUTE}`, (m) => 10 + number(m[1] ?? ''), true),
  rule(`${N}(?:个?${HOUR})?\\s*[-~到至]\\s*${N}个?${HOUR}`, (m) => number(m[1] ?? '') * 60, true),
  rule(`${N}(?:${MINUTE})?\\s*[-~到至]\\s*${N}${MINUTE}`, (m) => number(m[1] ?? ''), true),
  rule(`${ABOUT}${N}个半${HOUR}`, (m) => number(m[1] ?? '') * 60 + 30, true),
  rule(`${ABOUT}${N}个?${HOUR}`, (m) => number(m[1] ?? '') * 60, true),
  rule(`${ABOUT}半个?${HOUR}`, () => 30, true),
  rule(`半个?${HOUR}(?:左右|上下|出头|多)`, () => 30, true),
  rule(`${ABOUT}${N}${MINUTE}`, (m) => number(m[1] ?? ''), true),
  rule(`${N}个半${HOUR}(?:左右|多|上下|出头)`, (m) => number(m[1] ?? '') * 60 + 30, true),
  rule(`${N}个?${HOUR}(?:左右|多|上下|出头)`, (m) => number(m[1] ?? '') * 60, true),
  rule(`${N}(?:多|来)${MINUTE}`, (m) => number(m[1] ?? ''), true),
  rule(`${N}${MINUTE}(?:左右|多|上下|出头)`, (m) => number(m[1] ?? ''), true),
  rule(`${N}个半${HOUR}`, (m) => number(m[1] ?? '') * 60 + 30),
  rule(
    `${N}个?${HOUR}(?:\\s*(?:零|又|加)?\\s*${N}${MINUTE}|(\\d{1,2}|[二三四五]?十[一二三四五六七八九]?)(?![个点号人栋幢单月日天楼位名次户岁只件副张条份本元公斤米把盏辆袋桶刻\\d.:/]))`,
    (m) => number(m[1] ?? '') * 60 + number(m[2] ?? m[3] ?? ''),
  ),
  rule(`${N}个?${HOUR}半`, (m) => number(m[1] ?? '') * 60 + 30),
  rule(`${N}个?${HOUR}[零又]?(?:一|1)刻钟?`, (m) => number(m[1] ?? '') * 60 + 15),
  rule(`${N}个?${HOUR}[零又]?(?:三|3)刻钟?`, (m) => number(m[1] ?? '') * 60 + 45),
  rule(`${N}个?${HOUR}`, (m) => number(m[1] ?? '') * 60),
  rule(`${HALF}${HOUR}`, () => 30),
  rule(`([一二两三123])刻钟`, (m) => number(m[1] ?? '') * 15),
  rule(`${N}${MINUTE}`, (m) => number(m[1] ?? '')),
  // `1:30` beside what was done is a length; after a day or a part of it, or before 到, it is a clock.
  rule(
    '(?<![\\d:点天午晚早夜到至~-] ?)([0-3]):([0-5]\\d)(?! ?(?:[\\d:到至~-]|开始|起|集合))',
    (m) => number(m[1] ?? '') * 60 + number(m[2] ?? ''),
  ),
];

const findRule =
  ({ pattern, minutes, vague }: Rule) =>
  (text: string, from: number): FoundDuration | undefined => {
    pattern.lastIndex = from;
    for (let m = pattern.exec(text); m && m[0] !== ''; m = pattern.exec(text)) {
      const n = minutes(m);
      if (!Number.isNaN(n)) return { from: m.index, to: m.index + m[0].length, minutes: Math.round(n), vague };
    }
    return undefined;
  };

/** Minutes after midnight of a clock time as written; bare hours are taken as said. */
function clockOf(whole: string, hour: string, minute: string | undefined): number {
  let h = number(hour);
  const afternoon = (/下午|晚|傍晚/.test(whole) && h < 12) || (/中午/.test(whole) && h < 6);
  if (afternoon) h += 12;
  const m =
    minute === undefined
      ? 0
      : minute === '半'
        ? 30
        : /^[一1]刻$/.test(minute)
          ? 15
          : /^[三3]刻$/.test(minute)
            ? 45
            : number(minute);
  return h * 60 + m;
}

function findRange(text: string, from: number): FoundDuration | undefined {
  RANGE.lastIndex = from;
  const m = RANGE.exec(text);
  if (!m) return undefined;
  const [first = '', second = ''] = m[0].split(/\s*(?:-|~|到|至)\s*/);
  return rangeOf(m, { first, startsAt: clockOf(first, m[1] ?? '', m[2]), said: clockOf(second, m[3] ?? '', m[4]) });
}

function findShortRange(text: string, from: number): FoundDuration | undefined {
  SHORT_RANGE.lastIndex = from;
  for (let m = SHORT_RANGE.exec(text); m; m = SHORT_RANGE.exec(text)) {
    const [, part = '', hour = '', until = '', minute] = m;
    const said = clockOf(part, until, minute);
    const startsAt = clockOf(part, hour, undefined);
    const found = said > startsAt ? rangeOf(m, { first: `${part}${hour}点`, startsAt, said }) : undefined;
    if (found) return found;
  }
  return undefined;
}

function rangeOf(
  m: RegExpExecArray,
  { first, startsAt, said }: { first: string; startsAt: number; said: number },
): FoundDuration | undefined {
  if (Number.isNaN(startsAt) || Number.isNaN(said) || startsAt >= 1440 || said > 1440) return undefined;
  // `10点到1点` ends in the afternoon, `晚上11点到1点` on the next day.
  const endsAt = said > startsAt ? said : said <= 720 && said + 720 > startsAt ? said + 720 : said + 1440;
  const open = /^ *[1-6一二两三四五六](?!\d|[十:])/.test(first);
  return {
    from: m.index,
    to: m.index + m[0].length,
    minutes: endsAt - startsAt,
    vague: false,
    clock: { startsAt, endsAt, open },
  };
}

/** All lengths of time in a text, in order. `30人次`, `7位`, `12栋`, `90岁` are none. */
export function findDurations(text: string): FoundDuration[] {
  const found: FoundDuration[] = [];
  const searches = [findRange, findShortRange, ...rules.map(findRule)];
  /** What each search found last: it searches on only from where that is used up. */
  const next = searches.map((search) => search(text, 0));
  for (;;) {
    let best: FoundDuration | undefined;
    for (const offered of next) if (offered && (!best || offered.from < best.from)) best = offered;
    if (!best) return found;
    found.push(best);
    const { to } = best;
    for (const [i, search] of searches.entries()) {
      const offered = next[i];
      if (offered && offered.from < to) next[i] = search(text, to);
    }
  }
}
