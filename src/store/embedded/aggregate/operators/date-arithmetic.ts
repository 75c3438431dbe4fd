import { Long } from 'bson';
import { isNumeric, toInteger, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { dateAt } from '../arithmetic.js';
import type { Operator } from '../expression.js';
import { isNull, named } from './arguments.js';
import { partsOf, utc } from './date-text.js';
import { type Zone, zoneOf } from './timezone.js';

const DAY = 86_400_000;
const SHORT: Readonly<Record<string, number>> = { millisecond: 1, second: 1000, minute: 60_000, hour: 3_600_000 };
/** Units that are always the same length, in milliseconds. */
export const UNIT_MS: Readonly<Record<string, number>> = { ...SHORT, day: DAY, week: 7 * DAY };
const MONTHS_OF: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 };
/** The largest bins of days and longer that $dateTrunc takes. */
const MOST_BINS = 100_000_000_000;
const UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'];
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** @throws {EngineError} `code`: no string; 9: no unit of time */
export function unitOf(v: Value, name: string, code: number): string {
  if (typeof v !== 'string')
    throw new EngineError(code, `${name} requires 'unit' to be a string, but got ${typeName(v)}`);
  if (!UNITS.includes(v))
    throw new EngineError('FailedToParse', `${name} parameter 'unit' value cannot be recognized as a time unit: ${v}`);
  return v;
}

/** 0 is Monday. */
function startOf(v: Value, name: string, code: number): number {
  if (v === undefined) return 6;
  if (typeof v !== 'string')
    throw new EngineError(code, `${name} requires 'startOfWeek' to be a string, but got ${typeName(v)}`);
  const at = DAYS.findIndex((d) => d === v.toLowerCase() || d.slice(0, 3) === v.toLowerCase());
  if (at === -1)
    throw new EngineError(
      code + 1,
      `${name} parameter 'startOfWeek' value cannot be recognized as a day of a week: ${v}`,
    );
  return at;
}

const dayNumber = (local: number): number => Math.floor(local / DAY);
const monthNumber = (local: number): number => {
  const { year, month } = partsOf(local);
  return year * 12 + month - 1;
};

/** A day that a month lacks becomes its last. */
function addMonths(local: number, months: number): number {
  const { day } = partsOf(local);
  const at = monthNumber(local) + months;
  const [year, month] = [Math.floor(at / 12), (((at % 12) + 12) % 12) + 1];
  const last = partsOf(utc(year, month + 1, 0)).day;
  return utc(year, month, Math.min(day, last)) + (local - dayNumber(local) * DAY);
}

/** The amounts that $dateAdd takes stay below these: what 64 bits of milliseconds hold, roughly. */
const MOST_DAYS = Math.floor(2 ** 64 / DAY) + 1;
const MOST_YEARS = Math.floor(MOST_DAYS / 365) + 1;
const mostOf = (unit: string): number => {
  const months = MONTHS_OF[unit];
  return months === undefined ? Math.floor((MOST_DAYS * DAY) / (UNIT_MS[unit] ?? 1)) : (MOST_YEARS * 12) / months;
};

/** Days and longer go by the zone's clock, hours and shorter by time itself. */
export function shifted(ms: number, unit: string, amount: number, zone: Zone): Date {
  if (unit !== 'millisecond' && Math.abs(amount) >= mostOf(unit))
    throw new EngineError(5976500, `invalid dateAdd 'amount' parameter value: ${amount} ${unit}`);
  const short = SHORT[unit];
  if (short !== undefined) return dateAt(ms + short * amount);
  const local = zone.toLocal(ms);
  const months = MONTHS_OF[unit];
  const to =
    months === undefined ? local + amount * (unit === 'week' ? 7 : 1) * DAY : addMonths(local, months * amount);
  return dateAt(zone.toUtc(to));
}

/** How many borders of the unit lie between. https://www.mongodb.com/docs/manual/reference/operator/aggregation/dateDiff/ */
function difference(from: number, to: number, unit: string, zone: Zone, weekStart: number): number {
  const [a, b] = [zone.toLocal(from), zone.toLocal(to)];
  const months = MONTHS_OF[unit];
  if (months !== undefined) return Math.floor(monthNumber(b) / months) - Math.floor(monthNumber(a) / months);
  if (unit === 'day') return dayNumber(b) - dayNumber(a);
  // Day 0 was a Thursday, 3 after Monday.
  const week = (local: number): number => Math.floor((dayNumber(local) + 3 - weekStart) / 7);
  if (unit === 'week') return week(b) - week(a);
  const size = SHORT[unit] ?? 1;
  if (unit !== 'hour') return Math.floor(to / size) - Math.floor(from / size);
  // Hours begin by the zone's clock; one that a change of summer time adds to it or leaves out has not passed.
  const turned = b - to - (a - from);
  return Math.floor(b / size) - Math.floor(a / size) - Math.trunc(turned / size);
}

/** Bins are counted from 2000-01-01 in the zone. https://www.mongodb.com/docs/manual/reference/operator/aggregation/dateTrunc/ */
function truncated(ms: number, unit: string, size: number, zone: Zone, weekStart: number): Date {
  const local = zone.toLocal(ms);
  const months = MONTHS_OF[unit];
  if (months !== undefined) {
    const bin = months * size;
    const start = 2000 * 12 + Math.floor((monthNumber(local) - 2000 * 12) / bin) * bin;
    return new Date(zone.toUtc(utc(Math.floor(start / 12), (start % 12) + 1, 1)));
  }
  const origin = utc(2000, 1, 1);
  if (unit === 'day' || unit === 'week') {
    // 2000-01-01 was a Saturday: the week's first day comes on it or after it.
    const first = unit === 'day' ? origin : origin + ((weekStart - 5 + 7) % 7) * DAY;
    const bin = (unit === 'week' ? 7 : 1) * size;
    const days = Math.floor((dayNumber(local) - dayNumber(first)) / bin) * bin;
    return new Date(zone.toUtc(first + days * DAY));
  }
  const bin = (SHORT[unit] ?? 1) * size;
  const from = zone.toUtc(origin);
  return new Date(from + Math.floor((ms - from) / bin) * bin);
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/dateAdd/ and its siblings */
export function dateArithmetic(timeOf: (v: Value, code?: number) => number): Readonly<Record<string, Operator>> {
  const add = (name: string, sign: 1 | -1): Operator =>
    named(
      { required: ['startDate', 'unit', 'amount'], optional: ['timezone'] },
      { notObject: 5166400, unknown: 5166401, missing: 5166402 },
      (args) => {
        const { startDate, unit, amount, timezone } = args as Record<string, Value>;
        if (isNull(startDate) || isNull(unit) || isNull(amount) || ('timezone' in args && isNull(timezone)))
          return null;
        const ms = timeOf(startDate, 5166403);
        const by = unitOf(unit, name, 5439013);
        const n = isNumeric(amount) ? toInteger(amount) : undefined;
        if (n === undefined) throw new EngineError(5166405, `${name} expects integer amount of time units`);
        return shifted(ms, by, n * sign, zoneOf(timezone));
      },
    );
  return {
    $dateAdd: add('$dateAdd', 1),
    $dateSubtract: add('$dateSubtract', -1),
    $dateDiff: named(
      { required: ['startDate', 'endDate', 'unit'], optional: ['timezone', 'startOfWeek'] },
      { notObject: 5166301, unknown: 5166302, missing: { startDate: 5166303, endDate: 5166304, unit: 5166305 } },
      (args: Doc) => {
        const { startDate, endDate, unit, timezone, startOfWeek } = args as Record<string, Value>;
        if (Object.values(args).some(isNull)) return null;
        const [a, b] = [timeOf(startDate, 5166307), timeOf(endDate, 5166307)];
        const by = unitOf(unit, '$dateDiff', 5439013);
        const week = by === 'week' ? startOf(startOfWeek, '$dateDiff', 5439015) : 6;
        return Long.fromNumber(difference(a, b, by, zoneOf(timezone), week));
      },
    ),
    $dateTrunc: named(
      { required: ['date', 'unit'], optional: ['binSize', 'timezone', 'startOfWeek'] },
      { notObject: 5439007, unknown: 5439008, missing: { date: 5439009, unit: 5439010 } },
      (args: Doc) => {
        const { date, unit, binSize, timezone, startOfWeek } = args as Record<string, Value>;
        if (Object.values(args).some(isNull)) return null;
        const ms = timeOf(date, 5166307);
        const by = unitOf(unit, '$dateTrunc', 5439013);
        const size = binSize === undefined ? 1 : isNumeric(binSize) ? toInteger(binSize) : undefined;
        if (size === undefined) throw new EngineError(5439017, "$dateTrunc requires 'binSize' to be a 64-bit integer");
        if (size <= 0)
          throw new EngineError(5439018, `$dateTrunc requires 'binSize' to be greater than 0, but got value ${size}`);
        const short = SHORT[by];
        if (short === undefined && size > MOST_BINS)
          throw new EngineError(5439006, 'dateTrunc unsupported binSize value');
        if (short !== undefined && size * short >= 2 ** 63) throw new EngineError(5439002, 'dateTrunc overflowed');
        const week = by === 'week' ? startOf(startOfWeek, '$dateTrunc', 5439015) : 6;
        return truncated(ms, by, size, zoneOf(timezone), week);
      },
    ),
  };
}
