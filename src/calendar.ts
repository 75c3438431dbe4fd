/** A calendar day in the community's zone, `YYYY-MM-DD`. */
export type Day = string;
/** A half year, `2026H1` or `2026H2`. */
export type HalfYear = string;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let f = formats.get(zone);
  if (!f) {
    const options = {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    } as const;
    f = new Intl.DateTimeFormat('en-CA', options);
    formats.set(zone, f);
  }
  return f;
}

export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** The clock on the wall of a zone. */
export function localTime(at: Date, zone: string): LocalTime {
  const part: Record<string, number> = {};
  for (const { type, value } of format(zone).formatToParts(at)) part[type] = Number(value);
  return {
    year: part['year'] ?? 0,
    month: part['month'] ?? 0,
    day: part['day'] ?? 0,
    hour: part['hour'] ?? 0,
    minute: part['minute'] ?? 0,
  };
}

const two = (n: number): string => String(n).padStart(2, '0');

export const dayString = (year: number, month: number, day: number): Day => `${year}-${two(month)}-${two(day)}`;

export function dayOf(at: Date, zone: string): Day {
  const { year, month, day } = localTime(at, zone);
  return dayString(year, month, day);
}

/** The moment at which a zone's clock shows this day and time. */
export function momentOf(day: Day, hour: number, minute: number, zone: string): Date {
  const wanted = Date.parse(`${day}T${two(hour)}:${two(minute)}:00Z`);
  const shown = localTime(new Date(wanted), zone);
  const offset = Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute) - wanted;
  return new Date(wanted - offset);
}

const noon = (day: Day): Date => new Date(`${day}T12:00:00Z`);
const fromNoon = (at: Date): Day => at.toISOString().slice(0, 10);

/** Days later (or earlier, if negative). */
export function addDays(day: Day, days: number): Day {
  const at = noon(day);
  at.setUTCDate(at.getUTCDate() + days);
  return fromNoon(at);
}

/** 1 is Monday, 7 Sunday. */
export const weekdayOf = (day: Day): number => noon(day).getUTCDay() || 7;

/** Is this a day of the calendar (no 31 November)? */
export const isDay = (day: Day): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(noon(day).getTime()) && fromNoon(noon(day)) === day;

export const lastDayOfMonth = (year: number, month: number): Day => fromNoon(new Date(Date.UTC(year, month, 0, 12)));

export const halfYearOf = (day: Day): HalfYear => `${day.slice(0, 4)}H${Number(day.slice(5, 7)) <= 6 ? 1 : 2}`;

export const boundsOf = (period: HalfYear): { readonly from: Day; readonly to: Day } => {
  const year = period.slice(0, 4);
  return period.endsWith('1')
    ? { from: `${year}-01-01`, to: `${year}-06-30` }
    : { from: `${year}-07-01`, to: `${year}-12-31` };
};

const WEEKDAYS = ['', '周一', '周二', '周三', '周四', '周五', '周六', '周日'];

/** `19:02`. */
export function clockText(at: Date, zone: string): string {
  const { hour, minute } = localTime(at, zone);
  return `${two(hour)}:${two(minute)}`;
}

/** `11月25日 周三`. */
export const dayText = (day: Day): string =>
  `${Number(day.slice(5, 7))}月${Number(day.slice(8, 10))}日 ${WEEKDAYS[weekdayOf(day)] ?? ''}`;

/** `2026年下半年`. */
export const halfYearText = (period: HalfYear): string =>
  `${period.slice(0, 4)}年${period.endsWith('1') ? '上' : '下'}半年`;

/** `2.5小时`, `40分钟`, `1小时20分`. */
export function durationText(minutes: number): string {
  if (minutes < 60) return `${minutes}分钟`;
  if (minutes % 30 === 0) return `${minutes / 60}小时`;
  return `${Math.floor(minutes / 60)}小时${minutes % 60}分`;
}
