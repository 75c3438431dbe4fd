import { BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Timestamp } from 'bson';
import { compareStrings } from '../../bson/compare.js';
import { isNumeric, type Numeric, toInteger, toNumber, toWhole, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { toRegExp } from '../../query/regex.js';
import type { Operator } from '../expression.js';
import { assertTextSize, between, isNull, lazily, named, one, two, unlessNull } from './arguments.js';
import { MONTHS } from './date-text.js';

/** A double as C's %g writes it: six digits. */
function general(n: number): string {
  if (!Number.isFinite(n)) return Number.isNaN(n) ? 'nan' : n > 0 ? 'inf' : '-inf';
  if (n === 0) return Object.is(n, -0) ? '-0' : '0';
  const [mantissa = '', power = ''] = n.toExponential(5).split('e');
  const ten = Number(power);
  const short = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits);
  if (ten >= -4 && ten < 6) return short(n.toFixed(5 - ten));
  return `${short(mantissa)}e${ten < 0 ? '-' : '+'}${String(Math.abs(ten)).padStart(2, '0')}`;
}

/** A timestamp as MongoDB writes it: its clock in UTC, without the year, and its count. */
function clock(v: Timestamp): string {
  const date = new Date(v.getHighBitsUnsigned() * 1000);
  const month = (MONTHS[date.getUTCMonth()] ?? '').slice(0, 3);
  return `${month} ${String(date.getUTCDate()).padStart(2)} ${date.toISOString().slice(11, 19)}:${v.getLowBitsUnsigned()}`;
}

/** Text of what may stand for text; null is the empty text. @throws {EngineError} 16007: an array, a document, a boolean… */
function coerced(v: Value): string {
  if (isNull(v)) return '';
  if (typeof v === 'string') return v;
  if (v instanceof BSONSymbol) return v.value;
  if (v instanceof Code && !v.scope) return v.code;
  if (v instanceof Date) return v.toISOString();
  if (v instanceof Timestamp) return clock(v);
  if (v instanceof Double) return general(v.value);
  if (isNumeric(v)) return v.toString();
  throw new EngineError(16007, `can't convert from BSON type ${typeName(v)} to String`);
}

const points = (text: string): string[] => [...text];
const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');

const indexOf = (name: string, unit: 'bytes' | 'points'): Operator =>
  unlessNull(2, 4, ([text, part, start, end]) => {
    const [first, second] = unit === 'bytes' ? [40091, 40092] : [40093, 40094];
    if (typeof text !== 'string')
      throw new EngineError(first, `${name} requires a string as the first argument, found: ${typeName(text)}`);
    if (typeof part !== 'string')
      throw new EngineError(second, `${name} requires a string as the second argument, found: ${typeName(part)}`);
    const place = (v: Value, which: string): number | undefined => {
      if (v === undefined) return undefined;
      const n = toInteger(v);
      if (n === undefined || n < -(2 ** 31) || n >= 2 ** 31)
        throw new EngineError(
          40096,
          `${name} requires an integral ${which} index, found a value of type: ${typeName(v)}`,
        );
      if (n < 0) throw new EngineError(40097, `${name} requires a nonnegative ${which} index, found: ${n}`);
      return n;
    };
    const from = place(start, 'starting') ?? 0;
    const to = place(end, 'ending') ?? Infinity;
    if (unit === 'bytes') {
      const all = bytesOf(text);
      const at =
        from > Math.min(to, all.length) ? -1 : all.subarray(0, Math.min(to, all.length)).indexOf(bytesOf(part), from);
      return new Int32(at);
    }
    const all = points(text).slice(0, Math.min(to, text.length));
    const wanted = points(part);
    if (from > all.length) return new Int32(-1);
    for (let i = from; i + wanted.length <= all.length; i += 1)
      if (wanted.every((c, k) => all[i + k] === c)) return new Int32(i);
    return new Int32(-1);
  });

function substringPoints(values: readonly Value[]): Value {
  const text = points(coerced(values[0]));
  const [start, length] = [1, 2].map((i) => {
    const v = values[i];
    const n = isNumeric(v) ? toInteger(v) : undefined;
    if (!isNumeric(v))
      throw new EngineError(
        i === 1 ? 34450 : 34452,
        `$substrCP: argument must be a numeric type (is BSON type ${typeName(v)})`,
      );
    if (n === undefined || Math.abs(n) > 2 ** 31)
      throw new EngineError(
        i === 1 ? 34451 : 34453,
        '$substrCP: argument cannot be represented as a 32-bit integral value',
      );
    return n;
  }) as [number, number];
  if (start < 0) throw new EngineError(34455, '$substrCP: the starting index must be nonnegative integer.');
  if (length < 0) throw new EngineError(34454, '$substrCP: length must be a nonnegative integer.');
  return text.slice(start, start + length).join('');
}

/** A place as a 64-bit number, as MongoDB makes one: a decimal that is none, or too large, is the least. @throws {EngineError} 31109: such a double */
function placeOf(v: Numeric): number {
  const n = toNumber(v);
  if (n >= -(2 ** 63) && n < 2 ** 63) return toWhole(v);
  if (v instanceof Decimal128) return -(2 ** 63);
  throw new EngineError(31109, `Can't represent ${n} in Long`);
}

function substringBytes(values: readonly Value[]): Value {
  const bytes = bytesOf(coerced(values[0]));
  const places = [1, 2].map((i) => {
    const v = values[i];
    if (isNumeric(v)) return v;
    throw new EngineError(
      i === 1 ? 16034 : 16035,
      `$substrBytes: argument must be a numeric type (is BSON type ${typeName(v)})`,
    );
  });
  const [start, length] = places.map(placeOf) as [number, number];
  if (start < 0) throw new EngineError(50752, `$substrBytes: starting index must be non-negative (got: ${start})`);
  const end = length < 0 ? bytes.length : Math.min(start + length, bytes.length);
  const inside = (at: number): boolean => at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80;
  if (inside(start))
    throw new EngineError(28656, '$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.');
  if (inside(end))
    throw new EngineError(28657, '$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.');
  return bytes.toString('utf8', Math.min(start, bytes.length), Math.max(end, Math.min(start, bytes.length)));
}

/** What $trim takes away by default. https://www.mongodb.com/docs/manual/reference/operator/aggregation/trim/ */
const SPACE = new Set([
  '\0', ' ', '\t', '\n', '\v', '\f', '\r', '\u00A0', '\u1680', '\u2000', '\u2001', '\u2002', '\u2003', '\u2004',
  '\u2005', '\u2006', '\u2007', '\u2008', '\u2009', '\u200A',
]); // prettier-ignore

const trim = (name: string, left: boolean, right: boolean): Operator =>
  named({ required: ['input'], optional: ['chars'] }, { notObject: 50696, unknown: 50694, missing: 50695 }, (args) => {
    const { input, chars } = args as Record<string, Value>;
    if (isNull(input)) return null;
    if (typeof input !== 'string')
      throw new EngineError(50699, `${name} requires its input to be a string, got ${typeName(input)} instead.`);
    if ('chars' in args && isNull(chars)) return null;
    if (chars !== undefined && typeof chars !== 'string')
      throw new EngineError(50700, `${name} requires 'chars' to be a string, got ${typeName(chars)} instead.`);
    const away = chars === undefined ? SPACE : new Set(points(chars));
    const all = points(input);
    let [from, to] = [0, all.length];
    while (left && from < to && away.has(all[from] ?? '')) from += 1;
    while (right && to > from && away.has(all[to - 1] ?? '')) to -= 1;
    return all.slice(from, to).join('');
  });

const replace = (name: string, everywhere: boolean): Operator =>
  named(
    { required: ['input', 'find', 'replacement'] },
    { notObject: 51751, unknown: 51750, missing: { input: 51749, find: 51748, replacement: 51747 } },
    (args) => {
      const code = { input: 10503904, find: 10503901, replacement: 10503902 };
      for (const k of ['input', 'find', 'replacement'] as const)
        if (!isNull(args[k]) && typeof args[k] !== 'string')
          throw new EngineError(code[k], `${name} requires that '${k}' be a string, found: ${typeName(args[k])}`);
      const { input, find, replacement } = args as Record<string, string | null | undefined>;
      if (isNull(input) || isNull(find) || isNull(replacement)) return null;
      // Nothing is found before, between and after characters, not in the middle of one.
      const text =
        everywhere && find === ''
          ? `${replacement}${points(input)
              .map((c) => c + replacement)
              .join('')}`
          : everywhere
            ? input.replaceAll(find, () => replacement)
            : input.replace(find, () => replacement);
      assertTextSize(text);
      return text;
    },
  );

interface Found {
  readonly match: string;
  readonly index: number;
  readonly captures: readonly (string | undefined)[];
}

function compiledOf(name: string, regex: string | BSONRegExp, options: string): RegExp {
  const [pattern, flags] = regex instanceof BSONRegExp ? [regex.pattern, regex.options || options] : [regex, options];
  if (pattern.includes('\0')) throw new EngineError(51109, `${name}: the regex may not contain a null byte`);
  if (flags.includes('\0')) throw new EngineError(51110, `${name}: the options may not contain a null byte`);
  return toRegExp(pattern, flags, 51111);
}

/** The matches of a regular expression; undefined: the input is null. */
function matchesOf(name: string, args: Doc, all: boolean): Found[] | undefined {
  const { input, regex, options } = args as Record<string, Value>;
  if (!isNull(regex) && typeof regex !== 'string' && !(regex instanceof BSONRegExp))
    throw new EngineError(51105, `${name} needs 'regex' to be of type string or regex`);
  if (!isNull(options) && typeof options !== 'string')
    throw new EngineError(51106, `${name} needs 'options' to be of type string`);
  if (regex instanceof BSONRegExp && regex.options !== '' && !isNull(options))
    throw new EngineError(51107, `${name}: found regex option(s) specified in both 'regex' and 'option' fields`);
  const compiled = isNull(regex) ? undefined : compiledOf(name, regex, options ?? '');
  if (!isNull(input) && typeof input !== 'string')
    throw new EngineError(51104, `${name} needs 'input' to be of type string`);
  if (isNull(input) || !compiled) return undefined;
  const expression = new RegExp(compiled.source, `${compiled.flags}g`);
  const found: Found[] = [];
  for (const m of input.matchAll(expression)) {
    found.push({ match: m[0], index: points(input.slice(0, m.index)).length, captures: m.slice(1) });
    // No search begins at the end of a text; one that began before it may find nothing there.
    const step = m[0].length || String.fromCodePoint(input.codePointAt(m.index) ?? 0).length;
    if (!all || m.index + step >= input.length) break;
  }
  return found;
}

const shown = (f: Found): Doc => ({
  match: f.match,
  idx: new Int32(f.index),
  captures: f.captures.map((c) => c ?? null),
});

const regex = (name: string, all: boolean, result: (found: Found[] | undefined) => Value): Operator =>
  named(
    { required: ['input', 'regex'], optional: ['options'] },
    { notObject: 51103, unknown: 31024, missing: { input: 31022, regex: 31023 } },
    (args) => result(matchesOf(name, args, all)),
  );

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/#string-expression-operators */
export const strings: Readonly<Record<string, Operator>> = {
  $concat: lazily((values) => {
    let text = '';
    for (const v of values) {
      if (isNull(v)) return null;
      if (typeof v !== 'string') throw new EngineError(16702, `$concat only supports strings, not ${typeName(v)}`);
      text += v;
    }
    assertTextSize(text);
    return text;
  }),
  // Only the letters of ASCII change.
  $toUpper: one((v) => coerced(v).replace(/[a-z]+/g, (s) => s.toUpperCase())),
  $toLower: one((v) => coerced(v).replace(/[A-Z]+/g, (s) => s.toLowerCase())),
  $strcasecmp: two((a, b) => {
    const [x, y] = [a, b].map((v) => coerced(v).replace(/[a-z]+/g, (s) => s.toUpperCase())) as [string, string];
    return new Int32(compareStrings(x, y));
  }),
  $strLenCP: one((v) => {
    if (typeof v !== 'string')
      throw new EngineError(34471, `$strLenCP requires a string argument, found: ${typeName(v)}`);
    return new Int32(points(v).length);
  }),
  $strLenBytes: one((v) => {
    if (typeof v !== 'string')
      throw new EngineError(34473, `$strLenBytes requires a string argument, found: ${typeName(v)}`);
    return new Int32(bytesOf(v).length);
  }),
  $substr: between(3, 3, substringBytes),
  $substrBytes: between(3, 3, substringBytes),
  $substrCP: between(3, 3, substringPoints),
  $split: two((text, by) => {
    if (isNull(text) || isNull(by)) return null;
    if (typeof text !== 'string')
      throw new EngineError(
        40085,
        `$split requires an expression that evaluates to a string as a first argument, found: ${typeName(text)}`,
      );
    if (typeof by !== 'string')
      throw new EngineError(
        10503900,
        `$split requires an expression that evaluates to a string as a second argument, found: ${typeName(by)}`,
      );
    if (by === '') throw new EngineError(40087, '$split requires a non-empty separator');
    return text.split(by);
  }),
  $indexOfBytes: indexOf('$indexOfBytes', 'bytes'),
  $indexOfCP: indexOf('$indexOfCP', 'points'),
  $trim: trim('$trim', true, true),
  $ltrim: trim('$ltrim', true, false),
  $rtrim: trim('$rtrim', false, true),
  $replaceOne: replace('$replaceOne', false),
  $replaceAll: replace('$replaceAll', true),
  $regexMatch: regex('$regexMatch', false, (found) => (found?.length ?? 0) > 0),
  $regexFind: regex('$regexFind', false, (found) => (found?.[0] ? shown(found[0]) : null)),
  $regexFindAll: regex('$regexFindAll', true, (found) => (found ?? []).map(shown)),
};
