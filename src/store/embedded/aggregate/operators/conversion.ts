import { Binary, BSONError, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'bson';
import {
  isDoc,
  isNumeric,
  type Numeric,
  storedBytes,
  toInteger,
  toNumber,
  truthy,
  typeName,
  typeNumbers,
} from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { LEAST_EXPONENT, MOST_DIGITS, toDecimal } from '../decimals.js';
import type { Operator } from '../expression.js';
import { fieldsOf, isNull, one } from './arguments.js';
import { parseDate } from './date-text.js';
import { timeOfId } from './dates.js';

/** The fewest digits that stand for a double, with a power of ten below 0.0001 and from 10^16, as MongoDB's fmt has it. */
function doubleText(n: number): string {
  if (Object.is(n, -0)) return '-0';
  const [mantissa = '', power = ''] = n.toExponential().split('e');
  const ten = Number(power);
  if (n === 0 || !Number.isFinite(n) || (ten >= -4 && ten < 16)) return String(n);
  return `${mantissa}e${ten < 0 ? '-' : '+'}${String(Math.abs(ten)).padStart(2, '0')}`;
}

/** A number as $toString writes it. */
export const numberText = (v: Numeric): string => (v instanceof Double ? doubleText(v.value) : v.toString());

const failure = (message: string): EngineError =>
  new EngineError('ConversionFailure', `${message} in $convert with no onError value`);
const parseFailure = (text: string, why: string): EngineError => failure(`Failed to parse number '${text}'${why}`);

function whole(v: Value, least: bigint, most: bigint): bigint | undefined {
  if (typeof v === 'boolean') return v ? 1n : 0n;
  if (typeof v === 'string') {
    if (!/^[+-]?\d+$/.test(v)) throw parseFailure(v, ': Did not consume whole string.');
    const n = BigInt(v.replace(/^\+/, ''));
    if (n < least || n > most) throw parseFailure(v, ': Overflow');
    return n;
  }
  if (v instanceof Binary) return wholeOf(v, most);
  if (!isNumeric(v)) return undefined;
  if (v instanceof Int32 || v instanceof Long) {
    const n = BigInt(v.toString());
    if (n < least || n > most) throw failure(`Conversion would overflow target type: ${n}`);
    return n;
  }
  const n = Math.trunc(toNumber(v));
  if (!Number.isFinite(n)) throw failure('Attempt to convert NaN or an infinite value to integer type');
  const exact = v instanceof Decimal128 ? BigInt(truncated(v)) : BigInt(n);
  if (exact < least || exact > most) throw failure(`Conversion would overflow target type: ${v}`);
  return exact;
}

/** Binary data as a little-endian number, of no more bytes than the target has. https://www.mongodb.com/docs/manual/reference/operator/aggregation/convert/ */
function wholeOf(v: Binary, most: bigint): bigint {
  const bytes = storedBytes(v);
  const { length } = bytes;
  if (![1, 2, 4, 8].includes(length) || 2n ** BigInt(8 * length - 1) > most + 1n)
    throw failure(`Failed to convert ${length} bytes of binData to a number`);
  const hex = Buffer.from(bytes).reverse().toString('hex');
  return BigInt.asIntN(8 * length, BigInt(`0x${hex}`));
}

/** A decimal's whole part, in full. */
function truncated(v: Decimal128): string {
  const [mantissa = '0', exponent = '0'] = v.toString().split('E');
  const [int = '0', fraction = ''] = mantissa.split('.');
  const point = int.length + Number(exponent);
  const digits = (int + fraction).padEnd(point, '0').slice(0, Math.max(point, 0));
  return digits === '' || digits === '-' ? '0' : digits;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** Of those in small letters only the ones with a sign are taken. */
const HEXADECIMAL = /^(?:[+-]0[xX]|0X)(?=\.?[\da-fA-F])([\da-fA-F]*)\.?([\da-fA-F]*)(?:[pP]([+-]?\d+))?$/;
/** Whether a number lies so near 0 that a decimal would lose digits of it. */
function underflows(text: string): boolean {
  const [mantissa = '', power = '0'] = text.replace(/^[+-]/, '').split(/e/i);
  const [int = '', fraction = ''] = mantissa.split('.');
  const digits = (int + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  const exponent = Number(power) - fraction.length + digits.length - kept.length;
  return kept !== '' && exponent < LEAST_EXPONENT && exponent + kept.length <= LEAST_EXPONENT + MOST_DIGITS - 1;
}
const SPECIAL = /^[+-]?(nan|inf|infinity)$/i;

function special(text: string): number {
  if (/nan/i.test(text)) return Number.NaN;
  return text.startsWith('-') ? -Infinity : Infinity;
}

type Convert = (v: Value) => Value;
/** Undefined: there is no such conversion. https://www.mongodb.com/docs/manual/reference/operator/aggregation/convert/ */
const converters: Readonly<Record<string, Convert>> = {
  double(v) {
    if (typeof v === 'boolean') return new Double(v ? 1 : 0);
    if (v instanceof Date) return new Double(v.getTime());
    if (typeof v === 'string') {
      if (SPECIAL.test(v)) return new Double(special(v));
      const [all, int = '', fraction = '', power = '0'] = HEXADECIMAL.exec(v) ?? [];
      if (all !== undefined) {
        const n = Number.parseInt(`${int}${fraction}`, 16) * 2 ** (Number(power) - 4 * fraction.length);
        return new Double(v.startsWith('-') ? -n : n);
      }
      if (!NUMBER.test(v)) throw parseFailure(v, ': Did not consume whole string.');
      const n = Number(v);
      if (!Number.isFinite(n) || (n === 0 && /^[^e]*[1-9]/i.test(v))) throw parseFailure(v, ': Out of range');
      return new Double(n);
    }
    if (v instanceof Binary) {
      const bytes = Buffer.from(storedBytes(v));
      if (bytes.length !== 4 && bytes.length !== 8)
        throw failure(`Failed to convert ${bytes.length} bytes of binData to a number`);
      return new Double(bytes.length === 4 ? bytes.readFloatLE() : bytes.readDoubleLE());
    }
    if (!isNumeric(v)) return undefined;
    const n = toNumber(v);
    if (v instanceof Decimal128 && !Number.isFinite(n) && /\d/.test(v.toString()))
      throw failure(`Conversion would overflow target type: ${v}`);
    return new Double(n);
  },
  string(v) {
    if (typeof v === 'string') return v;
    if (typeof v === 'boolean') return v ? 'true' : 'false';
    if (isNumeric(v)) return numberText(v);
    if (v instanceof ObjectId) return v.toHexString();
    if (v instanceof Date) return v.toISOString();
    if (v instanceof Binary && v.sub_type === Binary.SUBTYPE_UUID) return v.toUUID().toString();
    return undefined;
  },
  objectId(v) {
    if (v instanceof ObjectId) return v;
    if (typeof v !== 'string') return undefined;
    if (!/^[0-9a-f]{24}$/i.test(v))
      throw failure(`Failed to parse objectId '${v}': Invalid string length for parsing to OID`);
    return new ObjectId(v);
  },
  bool: (v) => (isNumeric(v) || typeof v === 'boolean' ? truthy(v) : true),
  date(v) {
    if (v instanceof Date) return v;
    if (v instanceof ObjectId) return new Date(timeOfId(v));
    if (v instanceof Timestamp) return new Date(v.getHighBitsUnsigned() * 1000);
    if (typeof v === 'string') {
      const date = parseDate(v);
      if (!date) throw failure(`Error parsing date string '${v}'`);
      return date;
    }
    if (!isNumeric(v) || v instanceof Int32) return undefined;
    const ms = Number(whole(v, -(2n ** 63n), 2n ** 63n - 1n));
    const date = new Date(ms);
    if (Number.isNaN(date.getTime()))
      throw new EngineError(
        'NotImplemented',
        'a date outside the years −271821 to 275760 is not supported by the embedded engine',
      );
    return date;
  },
  int(v) {
    const n = whole(v, -(2n ** 31n), 2n ** 31n - 1n);
    return n === undefined ? undefined : new Int32(Number(n));
  },
  long(v) {
    if (v instanceof Date) return Long.fromNumber(v.getTime());
    const n = whole(v, -(2n ** 63n), 2n ** 63n - 1n);
    return n === undefined ? undefined : Long.fromBigInt(n);
  },
  decimal(v) {
    if (typeof v === 'boolean') return Decimal128.fromString(v ? '1' : '0');
    if (v instanceof Date) return Decimal128.fromString(String(v.getTime()));
    if (typeof v === 'string') {
      if (SPECIAL.test(v)) return Decimal128.fromString(String(special(v)));
      if (!NUMBER.test(v)) throw parseFailure(v, ': Failed to parse string to decimal');
      if (underflows(v)) throw parseFailure(v, ': Conversion from string to decimal would underflow');
      try {
        // The library takes no text of more than 7,000 characters; zeros before a number say nothing.
        return Decimal128.fromStringWithRounding(v.replace(/^([+-]?)0+(?=\d)/, '$1'));
      } catch (error) {
        if (error instanceof BSONError) throw parseFailure(v, ': Conversion from string to decimal would overflow');
        throw error;
      }
    }
    return isNumeric(v) ? toDecimal(v) : undefined;
  },
};

/** @throws {EngineError} 241: it can't be converted */
function converted(v: Value, to: string): Value {
  const result = converters[to]?.(v);
  if (result === undefined) throw failure(`Unsupported conversion from ${typeName(v)} to ${to}`);
  return result;
}

function targetOf(v: Value): string {
  const type = isDoc(v) ? v['type'] : v;
  const name =
    typeof type === 'string' ? type : Object.keys(typeNumbers).find((k) => typeNumbers[k] === toInteger(type));
  if (typeof type !== 'string' && !isNumeric(type))
    throw new EngineError(
      'FailedToParse',
      `$convert's 'to' argument must be a string or number, but is ${typeName(type)}`,
    );
  if (name === undefined || typeNumbers[name] === undefined)
    throw new EngineError('BadValue', `Unknown type name: ${typeof type === 'string' ? type : String(type)}`);
  if (converters[name] === undefined)
    throw name === 'binData'
      ? new EngineError('NotImplemented', '$convert to binData is not supported by the embedded engine')
      : failure(`Unsupported conversion to ${name}`);
  return name;
}

const convert: Operator = (argument, name, compile) => {
  const spec = fieldsOf(
    argument,
    name,
    { required: ['input', 'to'], optional: ['onError', 'onNull', 'format', 'byteOrder'] },
    { notObject: 'FailedToParse', unknown: 'FailedToParse', missing: 'FailedToParse' },
  );
  for (const option of ['format', 'byteOrder'])
    if (option in spec)
      throw new EngineError('NotImplemented', `$convert with '${option}' is not supported by the embedded engine`);
  const [input, to] = [compile(spec['input']), compile(spec['to'])];
  const onNull = 'onNull' in spec ? compile(spec['onNull']) : undefined;
  const onError = 'onError' in spec ? compile(spec['onError']) : undefined;
  return (doc, v) => {
    const from = input(doc, v);
    const type = to(doc, v);
    const target = isNull(type) ? undefined : targetOf(type);
    if (isNull(from)) return onNull ? onNull(doc, v) : null;
    if (target === undefined) return null;
    try {
      return converted(from, target);
    } catch (error) {
      if (onError && error instanceof EngineError && error.code === 241) return onError(doc, v);
      throw error;
    }
  };
};

/** @throws {EngineError} 50723: several arguments */
const shortened =
  (convertOne: (v: Value) => Value): Operator =>
  (argument, name, compile) => {
    if (Array.isArray(argument) && argument.length !== 1)
      throw new EngineError(50723, `${name} requires a single argument, got ${argument.length}`);
    const input = compile(Array.isArray(argument) ? argument[0] : argument);
    return (doc, v) => {
      const from = input(doc, v);
      return isNull(from) ? null : convertOne(from);
    };
  };

const shorthand = (to: string): Operator => shortened((v) => converted(v, to));

const CANONICAL = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/toUUID/ */
const toUUID = shortened((v) => {
  if (typeof v !== 'string') throw failure(`Unsupported conversion from ${typeName(v)} to a UUID`);
  if (!CANONICAL.test(v)) throw failure(`Invalid UUID string: ${v}`);
  return new UUID(v).toBinary();
});

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/#type-expression-operators */
export const conversion: Readonly<Record<string, Operator>> = {
  $convert: convert,
  $toInt: shorthand('int'),
  $toLong: shorthand('long'),
  $toDouble: shorthand('double'),
  $toDecimal: shorthand('decimal'),
  $toString: shorthand('string'),
  $toBool: shorthand('bool'),
  $toObjectId: shorthand('objectId'),
  $toDate: shorthand('date'),
  $toUUID: toUUID,
  $type: one((v) => typeName(v)),
  $isNumber: one((v) => isNumeric(v)),
};
