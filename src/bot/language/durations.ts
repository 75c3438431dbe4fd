import { DECIMAL, NUMBER, NUMERALS, decimalNumber, wholeNumber } from './numbers.js';

/** A length of time found in a text. */
export interface Duration {
  readonly minutes: number;
  /** Said so loosely that the value taken is asked back. */
  readonly vague: boolean;
  readonly start: number;
  readonly end: number;
}

const HOUR = '(?:小时|小時|钟头|hours?|hrs?|h(?![a-z])|点钟头)';
const MINUTE = '(?:分钟|分(?![钟公]|[类批辨工区别])|mins?(?![a-z])|m(?![a-z]))';
const ABOUT_BEFORE = '(?:大概|大约|约|约摸|快|将近|接近|近|差不多|不到|至少|起码|最多|可能|估计)';
const ABOUT_AFTER = '(?:左右|上下|多点|多一点|不到|吧)';

/** Values for what has no exact length (domain.md 5.1.3); the longest words first. */
const FIXED: readonly (readonly [RegExp, number])[] = [
  [/(?:一?个?)?大半天/uy, 300],
  [/小半天/uy, 180],
  [/半个?(?:上午|下午)/uy, 90],
  [/(?:一整个?|整整?一?个?|整个?|一个?)(?:上午|下午|早上|早晨|中午)/uy, 180],
  [/(?:一整个?|整整?一?个?|整个?|一个?)(?:晚上|夜晚|傍晚)/uy, 120],
  [/整?(?:整?一个?整?|整整?)(?:天|白天)(?![的]?[一二三四五六七八九])/uy, 480],
  [/半天/uy, 240],
];

type Reader = (match: RegExpExecArray) => { minutes: number; vague: boolean } | undefined;

const pattern = (source: string): RegExp => new RegExp(source, 'iuy');
const exactly = (minutes: number | undefined): { minutes: number; vague: boolean } | undefined =>
  minutes === undefined || !Number.isFinite(minutes) ? undefined : { minutes: Math.round(minutes), vague: false };
const vaguely = (minutes: number | undefined): { minutes: number; vague: boolean } | undefined =>
  minutes === undefined || !Number.isFinite(minutes) ? undefined : { minutes: Math.round(minutes), vague: true };

const FORMS: readonly (readonly [RegExp, Reader])[] = [
  // 三四个小时, 两三个钟头, 一两个小时: the lower
  [
    pattern(`([一二两三四五六七八九])([二两三四五六七八九])个?(?:${HOUR}|钟)`),
    (m) => {
      const low = wholeNumber(m[1] ?? '');
      const high = wholeNumber(m[2] ?? '');
      return low !== undefined && high === low + 1 ? vaguely(low * 60) : undefined;
    },
  ],
  // 三四十分钟
  [
    pattern(`([一二三四五六七八])([二三四五六七八九])十(?:来|几)?分钟?`),
    (m) => {
      const low = wholeNumber(m[1] ?? '');
      const high = wholeNumber(m[2] ?? '');
      return low !== undefined && high === low + 1 ? vaguely(low * 10) : undefined;
    },
  ],
  // 2-3小时, 2到3个小时
  [
    pattern(`(${DECIMAL})(?:个)?(?:${HOUR})?\\s*[-~—–至到]\\s*(${DECIMAL})\\s*个?(?:${HOUR}|钟(?!头?点))`),
    (m) => {
      const low = decimalNumber(m[1] ?? '');
      const high = decimalNumber(m[2] ?? '');
      return low !== undefined && high !== undefined && low < high ? vaguely(low * 60) : undefined;
    },
  ],
  [
    pattern(`(${NUMBER})\\s*[-~—–至到]\\s*(${NUMBER})\\s*(?:分钟|mins?(?![a-z]))`),
    (m) => {
      const low = wholeNumber(m[1] ?? '');
      const high = wholeNumber(m[2] ?? '');
      return low !== undefined && high !== undefined && low < high ? vaguely(low) : undefined;
    },
  ],
  [pattern('个把(?:小时|钟头|钟)'), () => vaguely(60)],
  // 一个多小时, 两个来小时, 半个多小时, 2个多钟头
  [pattern(`(半|${NUMBER})个?(?:多|来|几)个?(?:${HOUR}|钟)`), (m) => vaguely(m[1] === '半' ? 30 : hours(m[1]))],
  [pattern(`(半|${NUMBER})个?(?:${HOUR}|钟)(?:多|有余|出头)`), (m) => vaguely(m[1] === '半' ? 30 : hours(m[1]))],
  // 四十来分钟, 40多分钟, 十几分钟
  [pattern(`(${NUMBER})(?:多|来|几)分钟?`), (m) => vaguely(wholeNumber(m[1] ?? ''))],
  [pattern(`(${NUMBER})分钟(?:多|有余|出头)`), (m) => vaguely(wholeNumber(m[1] ?? ''))],
  // 两个半小时, 一个半钟头, 2个半钟, 1個半小時
  [pattern(`(${NUMBER})个半(?:${HOUR}|钟)`), (m) => exactly(add(hours(m[1]), 30))],
  // 一小时半, 2小时一刻钟
  [pattern(`(${NUMBER})个?${HOUR}半(?!小时|个|点|天)`), (m) => exactly(add(hours(m[1]), 30))],
  [
    pattern(`(${NUMBER})个?${HOUR}\\s*[零又加]?([一二两三1-3])刻钟?`),
    (m) => exactly(add(hours(m[1]), 15 * (wholeNumber(m[2] ?? '') ?? NaN))),
  ],
  // 2小时30分, 2h30, 1小时20, 1小时零十分钟
  [
    pattern(
      `(${NUMBER})个?${HOUR}\\s*[零又加]?\\s*(半个?小时|${NUMBER})(?:\\s*${MINUTE}|(?<=\\d)(?![\\d.个:/年月号日栋楼幢人位名次]|小时|点))`,
    ),
    (m) => exactly(add(hours(m[1]), (m[2] ?? '').startsWith('半') ? 30 : wholeNumber(m[2] ?? ''))),
  ],
  [pattern('半个?(?:小时|钟头|钟)'), () => exactly(30)],
  [pattern(`(${DECIMAL})个?(?:${HOUR}|钟(?!头?点))`), (m) => exactly(hours(m[1]))],
  [pattern('([一二两三1-3])刻钟'), (m) => exactly(15 * (wholeNumber(m[1] ?? '') ?? NaN))],
  [pattern(`(${DECIMAL})\\s*${MINUTE}`), (m) => exactly(decimalNumber(m[1] ?? ''))],
];

function hours(text: string | undefined): number | undefined {
  const value = decimalNumber(text ?? '');
  return value === undefined ? undefined : value * 60;
}
const add = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b;

const BEGIN = new RegExp(`[\\d.${NUMERALS}半整大小个]`, 'u');
const BEFORE = new RegExp(`${ABOUT_BEFORE}(?:有|是|花了|用了|干了|做了)?\\s*$`, 'u');
const AFTER = new RegExp(`^\\s*${ABOUT_AFTER}`, 'u');
const NEGATIVE = /(?:负|-)$/u;

function at(text: string, start: number): Duration | undefined {
  for (const [form, minutes] of FIXED) {
    form.lastIndex = start;
    const match = form.exec(text);
    if (match) return { minutes, vague: true, start, end: start + match[0].length };
  }
  for (const [form, read] of FORMS) {
    form.lastIndex = start;
    const match = form.exec(text);
    const found = match && read(match);
    if (match && found) return { ...found, start, end: start + match[0].length };
  }
  return undefined;
}

/** Every length of time in a normalised text, in order. Numbers of people, houses and things are none. */
export function durationsIn(text: string): Duration[] {
  const found: Duration[] = [];
  let i = 0;
  while (i < text.length) {
    const char = text[i] ?? '';
    const inside = i > 0 && /[\d.]/.test(char) && /[\d.:/]/.test(text[i - 1] ?? '');
    const duration = BEGIN.test(char) && !inside ? at(text, i) : undefined;
    if (!duration) {
      i += 1;
      continue;
    }
    let { start, end, vague, minutes } = duration;
    const before = BEFORE.exec(text.slice(Math.max(0, start - 8), start));
    if (before) {
      start -= before[0].length;
      vague = true;
    }
    const after = AFTER.exec(text.slice(end, end + 6));
    if (after) {
      end += after[0].length;
      vague ||= !after[0].trim().startsWith('吧');
    }
    if (NEGATIVE.test(text.slice(0, start)) && !/[\d点:]\s*-$/u.test(text.slice(0, start))) minutes = -minutes;
    found.push({ minutes, vague, start, end });
    i = end;
  }
  return found;
}

/** The length of time that a text is, or undefined. */
export function duration(text: string): Duration | undefined {
  const trimmed = text.trim();
  const [first] = durationsIn(trimmed);
  return first && first.start === 0 && first.end === trimmed.length ? first : undefined;
}
