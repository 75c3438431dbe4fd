import { EngineError } from '../../errors.js';
import { UTC, type Zone, zoneOf } from './timezone.js';

export const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']; // prettier-ignore
const DAY = 86_400_000;

/** A clock's date as the numbers people use. */
export interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** 1 is Sunday. */
  readonly dayOfWeek: number;
  readonly dayOfYear: number;
  /** Weeks begin on Sunday; before the first one it is week 0. */
  readonly week: number;
  readonly isoYear: number;
  readonly isoWeek: number;
  /** 1 is Monday. */
  readonly isoDay: number;
}

/** Milliseconds of a date; the years below 100 are themselves. */
export function utc(year: number, month: number, day: number, rest = 0): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() + rest;
}

export function partsOf(local: number): Parts {
  const d = new Date(local);
  const year = d.getUTCFullYear();
  const midnight = Math.floor(local / DAY) * DAY;
  const weekday = d.getUTCDay();
  const isoDay = weekday === 0 ? 7 : weekday;
  const thursday = midnight + (4 - isoDay) * DAY;
  const isoYear = new Date(thursday).getUTCFullYear();
  const dayOfYear = (midnight - utc(year, 1, 1)) / DAY + 1;
  return {
    year,
    month: d.getUTCMonth() + 1,
    day: d.getUTCDate(),
    hour: d.getUTCHours(),
    minute: d.getUTCMinutes(),
    second: d.getUTCSeconds(),
    millisecond: d.getUTCMilliseconds(),
    dayOfWeek: weekday + 1,
    dayOfYear,
    week: Math.floor((dayOfYear + 6 - weekday) / 7),
    isoYear,
    isoWeek: Math.floor((thursday - utc(isoYear, 1, 1)) / DAY / 7) + 1,
    isoDay,
  };
}

/** The Monday of an ISO week, as milliseconds. */
export function isoWeekStart(year: number, week: number): number {
  const fourth = utc(year, 1, 4);
  const day = new Date(fourth).getUTCDay() || 7;
  return fourth - (day - 1) * DAY + (week - 1) * 7 * DAY;
}

const pad = (n: number, width: number): string => String(n).padStart(width, '0');

/** @throws {EngineError} 18535, 18536: a format that is none */
export function formatDate(ms: number, format: string, zone: Zone): string {
  const local = zone.toLocal(ms);
  const p = partsOf(local);
  const offset = Math.round((local - ms) / 60_000);
  if ((p.year < 0 || p.year > 9999) && /%[YG]/.test(format))
    throw new EngineError(
      18537,
      `Could not convert date to string: date component was outside the supported range of 0-9999: ${p.year}`,
    );
  const specifiers: Record<string, () => string> = {
    '%': () => '%',
    Y: () => pad(p.year, 4),
    m: () => pad(p.month, 2),
    d: () => pad(p.day, 2),
    H: () => pad(p.hour, 2),
    M: () => pad(p.minute, 2),
    S: () => pad(p.second, 2),
    L: () => pad(p.millisecond, 3),
    j: () => pad(p.dayOfYear, 3),
    w: () => String(p.dayOfWeek),
    U: () => pad(p.week, 2),
    u: () => String(p.isoDay),
    V: () => pad(p.isoWeek, 2),
    G: () => pad(p.isoYear, 4),
    b: () => (MONTHS[p.month - 1] ?? '').slice(0, 3),
    B: () => MONTHS[p.month - 1] ?? '',
    z: () => `${offset < 0 ? '-' : '+'}${pad(Math.trunc(Math.abs(offset) / 60), 2)}${pad(Math.abs(offset) % 60, 2)}`,
    Z: () => String(offset),
  };
  return format.replace(/%(.?)/gs, (_all, c: string) => {
    if (c === '') throw new EngineError(18535, "Unmatched '%' at end of format string");
    const write = specifiers[c];
    if (!write) throw new EngineError(18536, `Invalid format character '%${c}' in format string`);
    return write();
  });
}

/** The white space that MongoDB's reader of dates leaves out; no other. */
const GAP = '[ \\t\\n\\v\\f\\r\\0\\u00a0]';
const ISO = new RegExp(
  `^${GAP}*(-?\\d{4})-(\\d\\d?)-(\\d\\d?)(?:(?:T|${GAP}+)(\\d\\d?):(\\d\\d)(?::(\\d\\d)(?:[.,](\\d{1,9}))?)?)?` +
    `${GAP}*(Z|[+-]\\d\\d(?::?\\d\\d)?|[A-Za-z]+(?:/[A-Za-z_]+)*)?${GAP}*$`,
);
const isDay = (year: number, month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && new Date(utc(year, month, day)).getUTCDate() === day;

/** The zone that a text names, or else the one given. @throws {EngineError} 241: both; 40485: no such zone */
function zoneIn(text: string | undefined, given: Zone): Zone {
  if (text !== undefined && !given.isUtc)
    throw new EngineError(
      'ConversionFailure',
      `you cannot pass in a date/time string with time zone information ('${text}') together with a timezone argument`,
    );
  return text === undefined ? given : text === 'Z' ? UTC : zoneOf(text);
}

/** A date's usual text, ISO 8601 before all; undefined: it is none. `zone` holds where the text names none. */
export function parseDate(text: string, zone: Zone = UTC): Date | undefined {
  const m = ISO.exec(text);
  if (!m) return undefined;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map((s) => Number(s ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (!isDay(year, month, day) || hour > 24 || minute > 59 || second > 60) return undefined;
  const fraction = Math.trunc(Number(`0.${m[7] ?? '0'}`) * 1000 + 1e-6);
  const local = utc(year, month, day, ((hour * 60 + minute) * 60 + second) * 1000 + fraction);
  try {
    return new Date(zoneIn(m[8], zone).toUtc(local));
  } catch {
    return undefined;
  }
}

const READERS: Readonly<Record<string, string>> = {
  Y: '(?<Y>\\d{4})', m: '(?<m>\\d{1,2})', d: '(?<d>\\d{1,2})', H: '(?<H>\\d{1,2})', M: '(?<M>\\d{1,2})', S: '(?<S>\\d{1,2})',
  L: '(?<L>\\d{1,3})', j: '(?<j>\\d{1,3})', G: '(?<G>\\d{4})', V: '(?<V>\\d{1,2})', u: '(?<u>[1-7])', z: '(?<z>Z|[+-]\\d\\d:?\\d\\d)',
  Z: '(?<Z>[+-]?\\d+)', b: '(?<b>[A-Za-z]{3})', B: '(?<B>[A-Za-z]+)', '%': '%',
}; // prettier-ignore

/** Reads a date by a format. @throws {EngineError} 18536: a format that is none; 241: the text does not fit it */
export function parseByFormat(text: string, format: string, zone: Zone): Date {
  const source = format.replace(/%(.?)|[.*+?^${}()|[\]\\]/gs, (all, c: string | undefined) => {
    if (c === undefined) return `\\${all}`;
    if (c === '') throw new EngineError(18535, "Unmatched '%' at end of format string");
    const reader = READERS[c];
    if (reader === undefined) throw new EngineError(18536, `Invalid format character '%${c}' in format string`);
    return reader;
  });
  const groups = new RegExp(`^${source}$`).exec(text)?.groups;
  if (!groups) throw new EngineError('ConversionFailure', `Error parsing date string '${text}'`);
  const has = (...names: string[]): boolean => names.some((k) => groups[k] !== undefined);
  if (!has('G') && !(has('Y') && (has('j') || (has('m', 'b', 'B') && has('d')))))
    throw new EngineError(
      'ConversionFailure',
      `an incomplete date/time string has been found, with elements missing: "${text}"`,
    );
  const n = (k: string, fallback: number): number => (groups[k] === undefined ? fallback : Number(groups[k]));
  const monthName = groups['B'] ?? groups['b'];
  const month =
    monthName === undefined
      ? n('m', 1)
      : MONTHS.findIndex((m) => [m, m.slice(0, 3)].some((name) => name.toLowerCase() === monthName.toLowerCase())) + 1;
  if (!isDay(n('Y', 1970), month, n('d', 1)) || n('H', 0) > 23 || n('M', 0) > 59 || n('S', 0) > 60)
    throw new EngineError('ConversionFailure', `Error parsing date string '${text}'`);
  const time = ((n('H', 0) * 60 + n('M', 0)) * 60 + n('S', 0)) * 1000 + n('L', 0);
  // The day of the year counts from 0 here, as in timelib, which reads dates for MongoDB.
  const date =
    groups['G'] === undefined
      ? groups['j'] === undefined
        ? utc(n('Y', 1970), month, n('d', 1))
        : utc(n('Y', 1970), 1, n('j', 0) + 1)
      : isoWeekStart(n('G', 1970), n('V', 1)) + (n('u', 1) - 1) * DAY;
  const named = zoneIn(groups['z'] ?? (groups['Z'] && 'Z'), zone);
  return new Date(named.toUtc(date + time) - Number(groups['Z'] ?? 0) * 60_000);
}
