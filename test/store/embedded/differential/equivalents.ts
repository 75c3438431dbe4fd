import { type Document, EJSON, Long } from 'bson';
import { shown } from './perform.js';

/** Requests that come to the same as another, written so that a known fault of the second server does not come in. */

const isObject = (v: unknown): v is Document =>
  typeof v === 'object' && v !== null && Object.getPrototypeOf(v) === Object.prototype;
/** A value with some documents in it rewritten, from the leaves up. */
function rewritten(v: unknown, change: (part: Document) => unknown): unknown {
  if (Array.isArray(v)) return v.map((item) => rewritten(item, change));
  if (!isObject(v)) return v;
  return change(Object.fromEntries(Object.entries(v).map(([key, part]) => [key, rewritten(part, change)])));
}

const DAY_MS = 86_400_000;
/** Where the bins of days and of weeks begin (reference/operator/aggregation/dateTrunc/). */
const BINS: Readonly<Record<string, readonly [start: number, ms: number]>> = {
  day: [Date.UTC(2000, 0, 1), DAY_MS],
  week: [Date.UTC(2000, 0, 2), 7 * DAY_MS],
};
const MONTHS: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 };

/** The bin of a date by arithmetic. */
function truncated({ date, unit, binSize = 1 }: Document): unknown {
  const [start, one] = BINS[String(unit)] ?? [0, 1];
  const ms = Long.fromNumber(one * Number(String(binSize)));
  return {
    $add: [
      new Date(start),
      { $multiply: [ms, { $toLong: { $floor: { $divide: [{ $subtract: [date, new Date(start)] }, ms] } } }] },
    ],
  };
}
/** A date some months on, by its parts: of a shorter month the last day. */
function monthsOn({ startDate, unit, amount, timezone }: Document): unknown {
  const months = Number(String(amount)) * (MONTHS[String(unit)] ?? 0);
  const first = (more: number): Document => ({
    $dateFromParts: { year: '$$p.year', month: { $add: ['$$p.month', months + more] }, day: 1 },
  });
  const days = { $toInt: { $divide: [{ $subtract: [first(1), first(0)] }, DAY_MS] } };
  const clock = ['hour', 'minute', 'second', 'millisecond'].map((part) => [part, `$$p.${part}`] as const);
  return {
    $let: {
      vars: { p: { $dateToParts: { date: startDate, timezone } } },
      in: {
        $dateFromParts: {
          year: '$$p.year',
          month: { $add: ['$$p.month', months] },
          day: { $min: ['$$p.day', days] },
          ...Object.fromEntries(clock),
          timezone,
        },
      },
    },
  };
}

const HALF_ZONE = { timezone: '+05:30', ms: 19_800_000 };
const HOUR_MS = 3_600_000;
/** The hours that begin between two dates in a zone that lies half an hour off. */
function hoursBetween({ startDate, endDate }: Document): unknown {
  const hour = (date: unknown): Document => {
    const local = { $add: [{ $subtract: [date, new Date(0)] }, HALF_ZONE.ms] };
    return { $toLong: { $floor: { $divide: [local, HOUR_MS] } } };
  };
  return { $subtract: [hour(endDate), hour(startDate)] };
}

/** A request without $dateTrunc to days and weeks, $dateAdd of months and $dateDiff in hours that begin at half past. */
export const withPlainDates = <T>(request: T): T =>
  rewritten(request, (part) => {
    const [trunc, add, diff] = ['$dateTrunc', '$dateAdd', '$dateDiff'].map(
      (name) => part[name] as Document | undefined,
    );
    if (diff !== undefined && diff['unit'] === 'hour' && diff['timezone'] === HALF_ZONE.timezone)
      return hoursBetween(diff);
    if (trunc !== undefined && String(trunc['unit']) in BINS) return truncated(trunc);
    return add !== undefined && String(add['unit']) in MONTHS ? monthsOn(add) : part;
  }) as T;

/** A value in which all decimals are doubles. */
export const withDoubles = <T>(v: T): T =>
  EJSON.parse(shown(v).replaceAll('"$numberDecimal"', '"$numberDouble"'), { relaxed: false }) as T;

const isProjection = (stage: Document): boolean => '$unset' in stage || '$project' in stage;
/** More documents than a scene has. */
const ALL = 1000;
/** A pipeline with a stage that changes nothing after each projection: the second server takes them one by one then. */
export const parted = (pipeline: readonly Document[]): Document[] =>
  pipeline.flatMap((stage) => (isProjection(stage) ? [stage, { $limit: ALL }] : [stage]));
