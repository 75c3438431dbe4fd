import { Binary, BSONRegExp, Int32 } from 'bson';
import type { Collation } from '../bson/collation.js';
import { compare, equals } from '../bson/compare.js';
import { cutToLong, exactInteger } from '../bson/exact.js';
import { isDoc, isNumeric, orderOf, storedBytes, toInteger, toNumber, typeName, typeNumbers } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { badValue as bad, EngineError } from '../errors.js';
import { toRegExp } from './regex.js';

/** What an operator says of one value. Each is compiled once, and refuses an operand that can not be. */
export type Test = (v: Value) => boolean;

interface Collated {
  readonly collation?: Collation | undefined;
}

/** A document of operators; a reference is a value. */
export const isOperators = (v: Value): v is Doc =>
  isDoc(v) && (Object.keys(v)[0] ?? '').startsWith('$') && !('$ref' in v);

export const equalTest = (operand: Value, { collation }: Collated): Test =>
  operand === null || operand === undefined
    ? (v) => v === null || v === undefined
    : (v) => v !== undefined && equals(v, operand, collation?.compare);

/** Ranges hold only within the operand's own type. */
export function rangeTest(operator: string, operand: Value, { collation }: Collated): Test {
  if (operand instanceof BSONRegExp) throw bad(`Can't have RegEx as arg to predicate over field`);
  const type = orderOf(operand);
  const isNaNOperand = isNumeric(operand) && Number.isNaN(toNumber(operand));
  const holds: Record<string, (order: number) => boolean> = {
    $gt: (o) => o > 0,
    $gte: (o) => o >= 0,
    $lt: (o) => o < 0,
    $lte: (o) => o <= 0,
  };
  const test = holds[operator] ?? (() => false);
  if (type === 0x05) return (v) => (v === null || v === undefined) && test(0);
  // What is missing lies between the two, as all else.
  if (type === 0x01 || type === 0x7f)
    return (v) => test(v === undefined ? (type === 0x01 ? 1 : -1) : compare(v, operand));
  return (v) => {
    if (v === undefined || orderOf(v) !== type) return false;
    if (type === 0x0a && isNumeric(v) && Number.isNaN(toNumber(v)) !== isNaNOperand) return false;
    return test(compare(v, operand, collation?.compare));
  };
}

/** Texts that fit, and the same regular expression where one is stored. */
export function regexTest({ pattern, options }: Pick<BSONRegExp, 'pattern' | 'options'>): Test {
  const compiled = toRegExp(pattern, options);
  const sorted = [...options].toSorted().join('');
  return (v) =>
    (typeof v === 'string' && compiled.test(v)) ||
    (v instanceof BSONRegExp && v.pattern === pattern && v.options === sorted);
}

export function typeTest(operand: Value): Test {
  const names = (Array.isArray(operand) ? operand : [operand]).map((t): string => {
    if (typeof t === 'string') {
      if (t !== 'number' && typeNumbers[t] === undefined) throw bad(`Unknown type name alias: ${t}`);
      return t;
    }
    if (!isNumeric(t)) throw new EngineError('TypeMismatch', 'type must be represented as a number or a string');
    const number = toInteger(t);
    const name = Object.keys(typeNumbers).find((n) => typeNumbers[n] === number);
    if (name === undefined) throw bad(`Invalid numerical type code: ${t.toString()}`);
    return name;
  });
  if (names.length === 0) throw new EngineError('FailedToParse', '$type must match at least one type');
  return (v) => {
    const name = typeName(v);
    return v !== undefined && (names.includes(name) || (names.includes('number') && isNumeric(v)));
  };
}

export function modTest(operand: Value): Test {
  if (!Array.isArray(operand)) throw bad('malformed mod, needs to be an array');
  if (operand.length < 2) throw bad('malformed mod, not enough elements');
  if (operand.length > 2) throw bad('malformed mod, too many elements');
  const [divisor, rest] = operand.map((v) => (isNumeric(v) ? cutToLong(v) : undefined));
  const invalid = (n: Value, name: string): EngineError =>
    bad(`malformed mod, ${name} ${isNumeric(n) ? 'value is invalid' : 'not a number'}`);
  if (divisor === undefined) throw invalid(operand[0], 'divisor');
  if (rest === undefined) throw invalid(operand[1], 'remainder');
  if (divisor === 0n) throw bad('divisor cannot be 0');
  const [near, left] = [Number(divisor), Number(rest)];
  return (v) => {
    if (v instanceof Int32) return v.value % near === left;
    const whole = isNumeric(v) ? cutToLong(v) : undefined;
    return whole !== undefined && whole % divisor === rest;
  };
}

export function bitsTest(operator: string, operand: Value): Test {
  let mask = 0n;
  if (Array.isArray(operand))
    for (const bit of operand) {
      const n = toInteger(bit);
      if (n === undefined || n < 0)
        throw bad(`Failed to parse bit position. Expected a non-negative number in: ${operator}`);
      mask |= 1n << BigInt(n);
    }
  else if (operand instanceof Binary)
    for (const [i, b] of storedBytes(operand).entries()) mask |= BigInt(b) << BigInt(8 * i);
  else {
    if (!isNumeric(operand)) throw bad(`${operator} takes an Array, a number, or a BinData`);
    const n = toInteger(operand);
    if (n === undefined || n < 0)
      throw new EngineError('FailedToParse', `Expected a non-negative integer in: ${operator}: ${operand.toString()}`);
    mask = BigInt(n);
  }
  const value = (v: Value): bigint | undefined => {
    if (v instanceof Binary) return storedBytes(v).reduce((sum, b, i) => sum | (BigInt(b) << BigInt(8 * i)), 0n);
    const whole = isNumeric(v) ? exactInteger(v) : undefined;
    return whole === undefined || BigInt.asIntN(64, whole) !== whole ? undefined : BigInt.asUintN(512, whole);
  };
  return (v) => {
    const bits = value(v);
    if (bits === undefined) return false;
    const common = bits & mask;
    if (operator === '$bitsAllSet') return common === mask;
    if (operator === '$bitsAllClear') return common === 0n;
    return operator === '$bitsAnySet' ? common !== 0n : common !== mask;
  };
}

export function inList(operand: Value, operator: string, options: Collated): Test {
  if (!Array.isArray(operand)) throw bad(`${operator} needs an array`);
  const tests = operand.map((item) => {
    if (isOperators(item)) throw bad(`cannot nest $ under ${operator}`);
    return item instanceof BSONRegExp ? regexTest(item) : equalTest(item, options);
  });
  return (v) => tests.some((t) => t(v));
}
