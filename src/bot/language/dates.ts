import { addDays, type Day, dayOf, dayString, isDay, lastDayOfMonth, momentOf, weekdayOf } from '../../calendar.js';
import { HAN_DIGITS, parseWhole } from './numbers.js';

export interface FoundDay {
  readonly from: number;
  readonly to: number;
  readonly day: Day;
}

/** The days of plans lie ahead, those of reports behind. */
export type Direction = 'past' | 'ahead';

const H = `\\d{1,2}|[${HAN_DIGITS}]{1,3}`;
const PART = '(?:凌晨|一?大?清早|一大早|清晨|早上|早晨|上午|中午|午后|下午|傍晚|晚上|夜里|早|晚)?';
/** `昨儿`, `昨个`, `昨儿个`, and before a part of the day the first character alone: `昨上午`. */
const dayCalled = (first: string, characters: string): string =>
  `${first}(?:(?=[上下中]午|晚上|早上${first === '昨' ? '|\\s' : ''})|儿?个|[${characters}]个?)`;
const RELATIVE: readonly [RegExp, number][] = [
  [new RegExp(`大前[天日]${PART}`), -3],
  [new RegExp(`前(?:(?=晚上)|[天日晚儿])${PART}`), -2],
  [new RegExp(`${dayCalled('昨', '天日晚夜儿早')}${PART}`), -1],
  [new RegExp(`${dayCalled('今', '天日晚早儿晨')}${PART}`), 0],
  [new RegExp(`大后[天日]${PART}`), 3],
  [new RegExp(`后[天日]${PART}`), 2],
  [new RegExp(`${dayCalled('明', '天日晚早儿')}${PART}`), 1],
];
const WEEK = new RegExp(
  `(?<!每)(上上|上|这|本|下下|下)?个?(?:周|星期|礼拜)([一二三四五六日天1-7])(?!\\s*[次回])${PART}`,
);
const FULL = new RegExp(`(?:(\\d{4})年)?(${H})月(${H})[日号]?(?!\\d|号?[楼栋幢院])${PART}`);
const IN_MONTH = new RegExp(`(上个?|本|这个?)月(${H})[日号](?!楼|院)${PART}`);
const SLASHED =
  /(?<![\d.:/#-])(?:(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})(?![\d/.-])|(1[0-2]|0?[1-9])[/.](3[01]|[12]\d|0?[1-9])(?![\d/.:]|\s*(?:个|小时|钟|h|分|点|万|元|米|公里))|(1[0-2]|0[1-9])-(0[1-9]|[12]\d|3[01])(?![\d/.:-]|号|楼|栋|\s*(?:个|小时|钟|h|分|点)))/i;
const DAY_ONLY = new RegExp(
  `(?<![\\d#月第${HAN_DIGITS}])(${H})[日号](?!楼|门|院|栋|单元|线|心愿|通知|任务|事项|接龙|桶|电梯|岗|亭|库|车|机|房|桌|厅|室|会议|活动室)${PART}`,
);
const AGO = new RegExp(`(${H})天(?:之)?前`);

const num = (text: string | undefined): number => parseWhole(text ?? '') ?? Number.NaN;

function withYear(month: number, date: number, today: Day, direction: Direction): Day | undefined {
  const year = Number(today.slice(0, 4));
  const candidates = [year - 1, year, year + 1].map((y) => dayString(y, month, date)).filter(isDay);
  if (direction === 'ahead') return candidates.find((d) => d >= today);
  // `12月1日` in November is a day to come, not last year's, also where something was done.
  return candidates.filter((d) => Number(d.slice(0, 4)) <= year).findLast((d) => d <= addDays(today, 183));
}

function dayOfMonth(date: number, today: Day, direction: Direction): Day | undefined {
  const [year, month] = today.split('-').map(Number) as [number, number];
  for (let step = 0; step < 13; step += 1) {
    const at = month - 1 + (direction === 'past' ? -step : step);
    const day = dayString(year + Math.floor(at / 12), (((at % 12) + 12) % 12) + 1, date);
    if (isDay(day) && (direction === 'past' ? day <= today : day >= today)) return day;
  }
  return undefined;
}

function weekday(prefix: string | undefined, named: string, today: Day, direction: Direction): Day {
  const wanted = '日天7'.includes(named) ? 7 : (parseWhole(named) ?? 1);
  const weeks = { 上上: -2, 上: -1, 这: 0, 本: 0, 下: 1, 下下: 2 }[prefix ?? '这'] ?? 0;
  const day = addDays(today, wanted - weekdayOf(today) + 7 * weeks);
  return prefix === undefined && direction === 'past' && day > today ? addDays(day, -7) : day;
}

/** The first day that a text names, read on `now`. */
export function findDay(text: string, now: Date, zone: string, direction: Direction): FoundDay | undefined {
  const today = dayOf(now, zone);
  const found: FoundDay[] = [];
  const offer = (m: RegExpExecArray | null, day: Day | undefined): void => {
    if (m && day !== undefined && isDay(day)) found.push({ from: m.index, to: m.index + m[0].length, day });
  };
  for (const [pattern, days] of RELATIVE) {
    const m = pattern.exec(text);
    offer(m, addDays(today, days));
  }
  const week = WEEK.exec(text);
  if (week) offer(week, weekday(week[1], week[2] ?? '', today, direction));
  const full = FULL.exec(text) ?? SLASHED.exec(text);
  if (full) {
    const [month, date] = [num(full[2] ?? full[4] ?? full[6]), num(full[3] ?? full[5] ?? full[7])];
    offer(
      full,
      full[1] === undefined ? withYear(month, date, today, direction) : dayString(Number(full[1]), month, date),
    );
  }
  const only = DAY_ONLY.exec(text);
  if (only && !full) offer(only, dayOfMonth(num(only[1]), today, direction));
  const inMonth = IN_MONTH.exec(text);
  if (inMonth) {
    const [y, m] = today.split('-').map(Number) as [number, number];
    const of = month(y, m - (inMonth[1]?.startsWith('上') ? 1 : 0)).from;
    offer(inMonth, dayString(Number(of.slice(0, 4)), Number(of.slice(5, 7)), num(inMonth[2])));
  }
  const ago = AGO.exec(text);
  if (ago) offer(ago, addDays(today, -num(ago[1])));
  return found.toSorted((a, b) => a.from - b.from || b.to - a.to)[0];
}

export interface Period {
  readonly from: Day;
  readonly to: Day;
}

const month = (year: number, m: number): Period => {
  const y = year + Math.floor((m - 1) / 12);
  const n = ((((m - 1) % 12) + 12) % 12) + 1;
  return { from: dayString(y, n, 1), to: lastDayOfMonth(y, n) };
};
const quarter = (year: number, q: number): Period => ({ from: month(year, q * 3 - 2).from, to: month(year, q * 3).to });
const half = (year: number, h: 1 | 2): Period =>
  h === 1 ? { from: `${year}-01-01`, to: `${year}-06-30` } : { from: `${year}-07-01`, to: `${year}-12-31` };

const yearOf = (said: string | undefined, year: number): number =>
  said === undefined || said === '今年' ? year : said === '去年' ? year - 1 : Number(said);

/** The same day so many months earlier, or the last of that month. */
function monthsBefore(today: Day, months: number): Day {
  const { from, to } = month(Number(today.slice(0, 4)), Number(today.slice(5, 7)) - Math.min(months, 120));
  const day = `${from.slice(0, 8)}${today.slice(8)}`;
  return isDay(day) ? day : to;
}

/** `昨天`, `6月1日到15日`, `11.1-11.15`, `11月1日以来`. */
function findDays(text: string, now: Date, zone: string): { period: Period; from: number; to: number } | undefined {
  const first = findDay(text, now, zone, 'past');
  if (!first) return undefined;
  const rest = text.slice(first.to);
  const since = /^(?:以来|至今|到现在|到今天)/.exec(rest);
  if (since)
    return { period: { from: first.day, to: dayOf(now, zone) }, from: first.from, to: first.to + since[0].length };
  const until = /^\s*(?:到|至|-|~)\s*/.exec(rest);
  const after = until ? rest.slice(until[0].length) : '';
  const last = until ? findDay(after, momentOf(first.day, 12, 0, zone), zone, 'ahead') : undefined;
  if (until && last && last.from === 0 && last.day >= first.day)
    return { period: { from: first.day, to: last.day }, from: first.from, to: first.to + until[0].length + last.to };
  return { period: { from: first.day, to: first.day }, from: first.from, to: first.to };
}

/** A span of days that a text names (`本月`, `上半年`, `最近7天`), with what was read of the text. */
export function findPeriod(
  text: string,
  now: Date,
  zone: string,
): { period: Period; from: number; to: number } | undefined {
  const today = dayOf(now, zone);
  const days = findDays(text, now, zone);
  if (days) return days;
  const year = Number(today.slice(0, 4));
  const m = Number(today.slice(5, 7));
  const q = Math.ceil(m / 3);
  const monday = addDays(today, 1 - weekdayOf(today));
  const table: readonly [RegExp, (found: RegExpExecArray) => Period][] = [
    [/(\d{4}|去年)年?的?([上下])半年/, (f) => half(yearOf(f[1], year), f[2] === '上' ? 1 : 2)],
    [/(\d{4}|去年)年?的?第?([一二三四1-4])季度/, (f) => quarter(yearOf(f[1], year), parseWhole(f[2] ?? '') ?? 1)],
    [
      new RegExp(`(\\d{4}|今年|去年)?年?(${H})月份?(?:到|至|-|~)(${H})月份?(?!\\d)`),
      (f) => ({ from: month(yearOf(f[1], year), num(f[2])).from, to: month(yearOf(f[1], year), num(f[3])).to }),
    ],
    [new RegExp(`(\\d{4}|今年|去年)年?(${H})月份?(?!\\d)`), (f) => month(yearOf(f[1], year), num(f[2]))],
    [
      new RegExp(`(?:最近|近|过去)(${H})个?月`),
      (f) => ({ from: addDays(monthsBefore(today, num(f[1])), 1), to: today }),
    ],
    [/(?:最近|近|过去)半年/, () => ({ from: addDays(monthsBefore(today, 6), 1), to: today })],
    [/(?:最近|近|过去)(?:一周|一?个?星期|7日)/, () => ({ from: addDays(today, -6), to: today })],
    [/(?:今年)?([上下])半年/, (f) => half(year, f[1] === '上' ? 1 : 2)],
    [/(?:这|本)个?半年/, () => half(year, m <= 6 ? 1 : 2)],
    [/(?:这|本)个?月/, () => month(year, m)],
    [/上上个?月/, () => month(year, m - 2)],
    [/上个?月/, () => month(year, m - 1)],
    [/(?:这|本)个?季度/, () => quarter(year, q)],
    [/上个?季度/, () => (q === 1 ? quarter(year - 1, 4) : quarter(year, q - 1))],
    [/第?([一二三四1-4])季度/, (f) => quarter(year, parseWhole(f[1] ?? '') ?? 1)],
    [/(?:这|本)个?(?:周|星期|礼拜)/, () => ({ from: monday, to: addDays(monday, 6) })],
    [/上上个?(?:周|星期|礼拜)/, () => ({ from: addDays(monday, -14), to: addDays(monday, -8) })],
    [/上个?(?:周|星期|礼拜)/, () => ({ from: addDays(monday, -7), to: addDays(monday, -1) })],
    [/今年|本年度?|全年/, () => ({ from: `${year}-01-01`, to: `${year}-12-31` })],
    [/去年/, () => ({ from: `${year - 1}-01-01`, to: `${year - 1}-12-31` })],
    [/(\d{4})年/, (f) => ({ from: `${f[1]}-01-01`, to: `${f[1]}-12-31` })],
    [
      /(?:最近|近|过去)(\d{1,3}|[一二两三四五六七八九十]{1,3})天/,
      (f) => ({ from: addDays(today, 1 - (parseWhole(f[1] ?? '') ?? 1)), to: today }),
    ],
    [
      /(\d{1,2}|[一二三四五六七八九十]{1,2})月份?(?!\d)/,
      (f) => month((parseWhole(f[1] ?? '') ?? 1) > m ? year - 1 : year, parseWhole(f[1] ?? '') ?? 1),
    ],
    [/昨天/, () => ({ from: addDays(today, -1), to: addDays(today, -1) })],
    [/今天/, () => ({ from: today, to: today })],
  ];
  for (const [pattern, make] of table) {
    const found = pattern.exec(text);
    const period = found && make(found);
    if (found && period && isDay(period.from) && isDay(period.to) && period.from <= period.to)
      return { period, from: found.index, to: found.index + found[0].length };
  }
  return undefined;
}
