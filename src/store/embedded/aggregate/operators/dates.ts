import { Int32, Long, ObjectId, Timestamp } from 'bson';
import { isDoc, toInteger, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import type { Operator } from '../expression.js';
import { fieldsOf, isNull, named, one } from './arguments.js';
import { formatDate, isoWeekStart, parseByFormat, parseDate, partsOf, type Parts, utc } from './date-text.js';
import { dateArithmetic } from './date-arithmetic.js';
import { zoneOf } from './timezone.js';

/** The seconds of an ObjectId count from 1901 to 2038, as MongoDB reads them. */
export const timeOfId = (id: ObjectId): number => new DataView(id.id.buffer, id.id.byteOffset).getInt32(0) * 1000;

/** Milliseconds of what is a date, or bears one. @throws {EngineError} 16006: it is none */
export function timeOf(v: Value, code = 16006): number {
  if (v instanceof Date) return v.getTime();
  if (v instanceof ObjectId) return timeOfId(v);
  if (v instanceof Timestamp) return v.getHighBitsUnsigned() * 1000;
  throw new EngineError(code, `can't convert from BSON type ${typeName(v)} to Date`);
}

/** A part of a date: of an expression, or of { date, timezone }. */
const part =
  (compute: (p: Parts) => Value): Operator =>
  (argument, name, compile) => {
    const single = Array.isArray(argument) && argument.length === 1 ? argument[0] : argument;
    if (!isDoc(single) || Object.keys(single)[0]?.startsWith('$')) {
      if (Array.isArray(single))
        throw new EngineError(
          40536,
          `${name} accepts exactly one argument if given an array, but was given ${single.length}`,
        );
      const evaluate = compile(single);
      return (doc, v) => {
        const date = evaluate(doc, v);
        return isNull(date) ? null : compute(partsOf(timeOf(date)));
      };
    }
    const spec = fieldsOf(
      single,
      name,
      { required: ['date'], optional: ['timezone'] },
      { notObject: 40535, unknown: 40535, missing: 40539 },
    );
    const date = compile(spec['date']);
    const timezone = spec['timezone'] === undefined ? undefined : compile(spec['timezone']);
    return (doc, v) => {
      const zone = timezone?.(doc, v);
      if (timezone && isNull(zone)) return null;
      const when = date(doc, v);
      const rules = zoneOf(zone);
      return isNull(when) ? null : compute(partsOf(rules.toLocal(timeOf(when))));
    };
  };

const int = (n: number): Int32 => new Int32(n);

const CODES = { notObject: 18629, unknown: 18534, missing: 18628 } as const;

function dateToString(args: Doc): Value {
  const { date, format, timezone, onNull } = args as Record<string, Value>;
  if (!isNull(format) && typeof format !== 'string')
    throw new EngineError(18533, `$dateToString requires that 'format' be a string, found: ${typeName(format)}`);
  if ('timezone' in args && isNull(timezone)) return null;
  if ('format' in args && isNull(format)) return null;
  const zone = zoneOf(timezone);
  if (isNull(date)) return 'onNull' in args ? onNull : null;
  const usual = zone.isUtc ? '%Y-%m-%dT%H:%M:%S.%LZ' : '%Y-%m-%dT%H:%M:%S.%L';
  return formatDate(timeOf(date), format ?? usual, zone);
}

const dateFromString: Operator = (argument, name, compile) => {
  const spec = fieldsOf(
    argument,
    name,
    { required: ['dateString'], optional: ['format', 'timezone', 'onError', 'onNull'] },
    { notObject: 40540, unknown: 40541, missing: 40542 },
  );
  const part_ = (k: string): ReturnType<typeof compile> | undefined => (k in spec ? compile(spec[k]) : undefined);
  const [dateString, format, timezone, onError, onNull] = [
    compile(spec['dateString']), part_('format'), part_('timezone'), part_('onError'), part_('onNull'),
  ]; // prettier-ignore
  return (doc, v) => {
    const text = dateString(doc, v);
    const pattern = format?.(doc, v);
    if (format && !isNull(pattern) && typeof pattern !== 'string')
      throw new EngineError(40684, `$dateFromString requires that 'format' be a string, found: ${typeName(pattern)}`);
    const zoneName = timezone?.(doc, v);
    const zone = zoneOf(zoneName);
    if (isNull(text)) return onNull ? onNull(doc, v) : null;
    if ((format && isNull(pattern)) || (timezone && isNull(zoneName))) return null;
    try {
      if (typeof text !== 'string')
        throw new EngineError(
          'ConversionFailure',
          `$dateFromString requires that 'dateString' be a string, found: ${typeName(text)}`,
        );
      if (typeof pattern === 'string') return parseByFormat(text, pattern, zone);
      const date = parseDate(text, zone);
      if (!date) throw new EngineError('ConversionFailure', `Error parsing date string '${text}'`);
      return date;
    } catch (error) {
      if (onError && error instanceof EngineError && error.code === 241) return onError(doc, v);
      throw error;
    }
  };
};

function dateToParts({ date, timezone, iso8601 }: Doc, given: Doc): Value {
  if ('timezone' in given && isNull(timezone)) return null;
  const zone = zoneOf(timezone);
  if (!isNull(iso8601) && typeof iso8601 !== 'boolean')
    throw new EngineError(40521, `iso8601 must evaluate to a bool, found ${typeName(iso8601)}`);
  if (('iso8601' in given && isNull(iso8601)) || isNull(date)) return null;
  const p = partsOf(zone.toLocal(timeOf(date)));
  const head: Doc =
    iso8601 === true
      ? { isoWeekYear: int(p.isoYear), isoWeek: int(p.isoWeek), isoDayOfWeek: int(p.isoDay) }
      : { year: int(p.year), month: int(p.month), day: int(p.day) };
  return { ...head, hour: int(p.hour), minute: int(p.minute), second: int(p.second), millisecond: int(p.millisecond) };
}

function dateFromParts(args: Doc): Value {
  if (Object.values(args).some((v) => v === null || v === undefined)) return null;
  const n = (k: string, fallback: number): number => {
    const v = args[k];
    if (v === undefined) return fallback;
    const whole = toInteger(v);
    if (whole === undefined)
      throw new EngineError(40515, `'${k}' must evaluate to an integer, found ${typeName(v)} with value ${String(v)}`);
    if (k !== 'second' && k !== 'millisecond' && Math.abs(whole) > 32767)
      throw new EngineError(
        31034,
        `'${k}' must evaluate to a value in the range [-32768, 32767]; value ${whole} is not in range`,
      );
    return whole;
  };
  const zone = zoneOf(args['timezone']);
  const year = n('isoWeekYear' in args ? 'isoWeekYear' : 'year', 1970);
  if (year < 1 || year > 9999)
    throw new EngineError(40523, `'year' must evaluate to an integer in the range 1 to 9999, found ${year}`);
  const time = ((n('hour', 0) * 60 + n('minute', 0)) * 60 + n('second', 0)) * 1000 + n('millisecond', 0);
  const date =
    'isoWeekYear' in args
      ? isoWeekStart(year, n('isoWeek', 1)) + (n('isoDayOfWeek', 1) - 1) * 86_400_000
      : utc(year, n('month', 1), n('day', 1));
  return new Date(zone.toUtc(date + time));
}

const TIME = ['hour', 'minute', 'second', 'millisecond', 'timezone'];

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/#date-expression-operators */
export const dates: Readonly<Record<string, Operator>> = {
  $year: part((p) => int(p.year)),
  $month: part((p) => int(p.month)),
  $dayOfMonth: part((p) => int(p.day)),
  $hour: part((p) => int(p.hour)),
  $minute: part((p) => int(p.minute)),
  $second: part((p) => int(p.second)),
  $millisecond: part((p) => int(p.millisecond)),
  $dayOfWeek: part((p) => int(p.dayOfWeek)),
  $dayOfYear: part((p) => int(p.dayOfYear)),
  $week: part((p) => int(p.week)),
  $isoWeek: part((p) => int(p.isoWeek)),
  $isoWeekYear: part((p) => Long.fromNumber(p.isoYear)),
  $isoDayOfWeek: part((p) => int(p.isoDay)),
  $dateToString: named({ required: ['date'], optional: ['format', 'timezone', 'onNull'] }, CODES, dateToString),
  $dateFromString: dateFromString,
  $dateToParts: named(
    { required: ['date'], optional: ['timezone', 'iso8601'] },
    { notObject: 40524, unknown: 40520, missing: 40522 },
    (args) => dateToParts(args, args),
  ),
  $dateFromParts: (argument, name, compile) => {
    if (!isDoc(argument)) throw new EngineError(40519, `${name} only supports an object as its argument`);
    const iso = 'isoWeekYear' in argument;
    if (!iso && !('year' in argument))
      throw new EngineError(40516, `${name} requires either 'year' or 'isoWeekYear' to be present`);
    const names = iso ? ['isoWeekYear', 'isoWeek', 'isoDayOfWeek', ...TIME] : ['year', 'month', 'day', ...TIME];
    const mixed = Object.keys(argument).find(
      (k) => !names.includes(k) && ['year', 'month', 'day', 'isoWeek', 'isoDayOfWeek', 'isoWeekYear'].includes(k),
    );
    if (mixed !== undefined)
      throw new EngineError(
        'year' in argument ? 40489 : 40525,
        `${name} does not allow mixing natural dates with ISO dates`,
      );
    return named(
      { required: [], optional: names },
      { notObject: 40519, unknown: 40518, missing: 40516 },
      dateFromParts,
    )(argument, name, compile);
  },
  $tsSecond: one((v) => {
    if (isNull(v)) return null;
    if (!(v instanceof Timestamp))
      throw new EngineError(5687301, `$tsSecond requires argument of type timestamp, but found ${typeName(v)}`);
    return Long.fromNumber(v.getHighBitsUnsigned());
  }),
  $tsIncrement: one((v) => {
    if (isNull(v)) return null;
    if (!(v instanceof Timestamp))
      throw new EngineError(5687302, `$tsIncrement requires argument of type timestamp, but found ${typeName(v)}`);
    return Long.fromNumber(v.getLowBitsUnsigned());
  }),
  ...dateArithmetic(timeOf),
};
