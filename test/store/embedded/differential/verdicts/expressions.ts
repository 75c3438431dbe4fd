import { equal, isDecimal, isDoc, isList, isObject, type Json, type JsonDoc, numberOf, some, text } from './json.js';
import { isRightRow, pipelineOf } from './made.js';
import { clausesOf, docOf, filtersOf, holds, listOf, stagesOf } from './request.js';
import { has, operator, page, refusal, type Seen, type Verdict } from './rule.js';

/** Codes by which expressions refuse a value. */
const VALUE_CODES = new Set([28, 40, 2, 9, 14, 15, 241, 16006, 16007, 16020, 16034, 16702, 16610, 16611, 16612, 16883, 17040, 17041, 17042, 17043, 17044, 5887502, 17046, 17047, 17048, 17049, 17053, 17310, 17124, 28651, 28656, 28657, 28664, 28680, 28689, 28690, 28714, 28724, 28725, 28729, 28745, 28762, 28764, 28765, 34435, 34443, 34468, 34471, 34473, 40066, 40080, 40081, 40085, 40086, 40090, 40091, 40092, 40093, 40094, 40228, 40386, 40390, 40400, 40485, 40515, 40523, 50696, 50699, 51044, 51081, 51104, 51091, 51109, 51111, 51744, 51745, 51746, 2942504, 10503900, 10503901, 10503902, 10503904, 5166403, 5166307, 5439012, 5788200, 4161105, 31034, 4848401, 4848403]); // prettier-ignore
const refuses = (code: number | undefined): boolean => VALUE_CODES.has(code ?? 0);

const LAZY = ['$ifNull', '$cond', '$switch', '$and', '$or', '$in', '$filter', '$map', '$reduce', '$let', '$setField'];

/** Whether the value that the engine refuses is dropped, or its document left out, by a later stage. */
const isDropped = ({ operation, message }: Seen): boolean =>
  stagesOf(operation['pipeline']).some(
    ({ name: own, spec, after }) =>
      tells({ [own]: spec }, message) &&
      after.some(({ name }) =>
        [
          '$count',
          '$group',
          '$sortByCount',
          '$bucket',
          '$facet',
          '$project',
          '$unset',
          '$replaceWith',
          '$replaceRoot',
          '$limit',
          '$addFields',
          '$set',
          '$unwind',
          '$match',
        ].includes(name),
      ),
  );

const textOf = (v: Json | undefined): string => (typeof v === 'string' ? v : '');
const isZoned = ({ timezone, unit }: JsonDoc): boolean =>
  timezone !== undefined && timezone !== 'UTC' && ['year', 'quarter', 'month'].includes(textOf(unit));
const SHORT_DIGITS = 6;
/** Refusals that name no operator, and which it is. */
const NAMELESS: readonly [RegExp, readonly string[]][] = [
  [/^Expected '?array'? type as input/, ['$minN', '$maxN', '$firstN', '$lastN']],
  [/^can't convert from BSON type/, ['$dateDiff', '$dateAdd', '$dateTrunc', '$dateSubtract', '$dateToString', '$dateToParts', '$year', '$month', '$dayOfMonth', '$hour', '$dayOfWeek', '$dayOfYear', '$week', '$isoWeek', '$isoDayOfWeek', '$millisecond', '$minute', '$second', '$isoWeekYear']], // prettier-ignore
  [/newRoot/, ['$replaceWith', '$replaceRoot']],
  [
    /^Unable to convert from BSON type \w+ into a String/,
    ['$substrBytes', '$substrCP', '$toUpper', '$toLower', '$strcasecmp'],
  ],
  [
    /^Unsupported conversion from/,
    ['$toString', '$convert', '$toInt', '$toLong', '$toDouble', '$toDecimal', '$toDate', '$toBool'],
  ],
  [/^\$switch could not find/, ['$bucket']],
];
/** Whether a refusal tells of an operator that stands in a part of the request. */
const tells = (part: Json, message: string): boolean =>
  [...message.matchAll(/\$\w+/g)].some(([name]) => holds(part, name)) ||
  NAMELESS.some(([words, operators]) => words.test(message) && holds(part, ...operators));
/** Codes by which an update refuses a path or the value at it. */
const isUpdateCode = (code: number | undefined): boolean => [2, 9, 14, 28, 40].includes(code ?? 0);
/** Whether a $lookup joins by a field and then has a pipeline, which is for what is joined. */
const isLookupByField = ({ operation }: Seen): boolean =>
  some(operation, (part) => isDoc(part) && 'localField' in part && 'pipeline' in part);
/** Operators that tell of the first or the second operand by code. */
const ORDERED = /^\$(indexOf\w+|setIsSubset|bucket|switch|split|in|replace\w+)$/;

/** Whether a $group or $bucket follows the scan, a $match, a $sort or a $limit: MongoDB runs it in an engine with codes of its own. */
const groupsScan = (s: Seen): boolean => {
  const next = stagesOf(pipelineOf(s)).find(({ name }) => !['$match', '$sort', '$skip', '$limit'].includes(name));
  return next?.name === '$group' || next?.name === '$bucket';
};

/** Codes of the newest server, which the public conformance suite has, and the older ones of the second server. */
const NEWER_CODES: readonly (readonly [number, number])[] = [
  [10503900, 40086],
  [10503904, 51746],
  [10503901, 51745],
  [10503902, 51744],
  [51111, 51091],
  [5733415, 16610],
];

/** Verdicts on expressions, each against the second server. */
export const expressions: readonly Verdict[] = [
  {
    name: '$split, $replaceOne, $replaceAll, $mod and regular expressions are refused with older codes',
    page: operator('aggregation/replaceOne'),
    refusal: (s) => NEWER_CODES.some(([ours, theirs]) => s.code === ours && s.theirCode === theirs),
  },
  {
    name: 'a division by 0 in a $group after the scan has the code of one elsewhere',
    page: operator('aggregation/group'),
    refusal: (s) =>
      groupsScan(s) &&
      (refusal([4848401, /^can't \$divide by zero/], [2, /^\$divide by zero/])(s) ||
        refusal([4848403, /^can't \$mod by zero/], [16610, /\$mod with zero/])(s)),
  },
  {
    name: '$regexMatch, $regexFind, $regexFindAll take no computed input',
    page: operator('aggregation/regexMatch'),
    refusal: (s) =>
      [undefined, [16007, /^can't convert from BSON type/] as const].some((ours) =>
        refusal(ours, [51104, /^The \$regex(Match|Find|FindAll) requires that the 'input'/])(s),
      ),
  },
  {
    name: 'an empty document that $unset made of nothing is refused by what reads it',
    page: operator('aggregation/unset'),
    refusal: refusal(
      undefined,
      [2942504, /^The provided input for the \$sortArray operator must be an array.* object/],
      (s) => has(s, '$unset'),
    ),
  },
  {
    name: '$zip takes no computed input',
    page: operator('aggregation/zip'),
    refusal: refusal(undefined, [34468, /^The \$zip encountered an input that is not an array: (\{|0$)/]),
  },
  {
    name: '$toString, $convert of binary data have the code of what is not supported',
    page: operator('aggregation/convert'),
    refusal: refusal([241, /^Unsupported conversion from binData/], [115, /^Convert to string from binData/]),
  },
  {
    name: '$regexFindAll of null inside another array operator is an inner error',
    page: operator('aggregation/regexFindAll'),
    refusal: refusal(undefined, [1, /^Input Array for bson_expression_map/], (s) => has(s, '$regexFindAll')),
  },
  {
    name: '$minN, $maxN, $firstN, $lastN of null are null',
    page: operator('aggregation/minN-array-element'),
    refusal: refusal([5788200, /^\$(min|max|first|last)N requires an array input, found: (null|missing)/], undefined),
  },
  {
    name: 'a refused value inside $bucket has the code of a value of no type',
    page: operator('aggregation/bucket'),
    refusal: (s) =>
      refuses(s.code) &&
      s.theirCode === 115 &&
      s.theirMessage.startsWith('Unrecognized BSON data type code') &&
      has(s, '$bucket'),
  },
  {
    name: 'an expression whose value no later stage reads is not evaluated',
    page: page('core/aggregation-pipeline-optimization/'),
    refusal: (s) =>
      s.kind === 'aggregate' && refuses(s.code) && s.theirs !== undefined && isDropped(s) && s.refusedEarlier,
  },
  {
    // MongoDB evaluates constants when it compiles the request, whether or not anything is found.
    name: 'an expression of constants is evaluated only when a document comes',
    page: page('core/aggregation-pipeline-optimization/'),
    refusal: (s) =>
      refuses(s.code) &&
      ((isList(s.theirs) && s.theirs.length === 0) || (isDoc(s.theirs) && s.theirs['value'] === null)) &&
      some(
        s.operation,
        (part) =>
          isDoc(part) && tells(part, s.message) && !some(part, (v) => typeof v === 'string' && v.startsWith('$')),
      ),
  },
  {
    name: 'a missing first operand of $setIsSubset has another code',
    page: operator('aggregation/setIsSubset'),
    refusal: refusal(
      [17046, /^All operands of \$setIsSubset must be arrays, found: missing/],
      [17310, /first provided argument is of type: missing/],
    ),
  },
  {
    name: 'of several values that are refused another one is told first',
    page: page('reference/aggregation-quick-reference/'),
    refusal: (s) =>
      refuses(s.code) &&
      refuses(s.theirCode) &&
      (s.code !== 40066 || has(s, '$bucket')) &&
      (tells(s.operation, s.message) || isUpdateCode(s.code)) &&
      (tells(s.operation, s.theirMessage) || isUpdateCode(s.theirCode)) &&
      [...s.message.matchAll(/\$\w+/g)].every(([name]) => !s.theirMessage.includes(`${name} `) || ORDERED.test(name)),
  },
  {
    name: 'operands that are not needed are evaluated all the same',
    page: operator('aggregation/ifNull'),
    refusal: (s) =>
      s.ours !== undefined &&
      refuses(s.theirCode) &&
      some(
        s.operation,
        (part) =>
          isDoc(part) &&
          LAZY.some((name) => {
            const inside = part[name];
            return inside !== undefined && tells(inside, s.theirMessage);
          }),
      ),
  },
  {
    name: 'of several conditions another one is looked at first',
    page: page('reference/operator/query/expr/'),
    refusal: (s) => {
      const clauses = filtersOf(s.operation).flatMap((filter) => clausesOf(filter));
      const code = s.code ?? s.theirCode;
      return (
        (s.ours === undefined) !== (s.theirs === undefined) &&
        refuses(code) &&
        (clauses.length > 1 || isLookupByField(s)) &&
        clauses.some(
          ({ operator: name, operand }) => name === '$expr' && tells(operand, `${s.message}${s.theirMessage}`),
        )
      );
    },
  },
  {
    name: 'a search looks at more documents than it has to',
    page: page('reference/command/findAndModify/'),
    refusal: ({ operation, kind, ours, theirCode, theirMessage }) =>
      ours !== undefined &&
      refuses(theirCode) &&
      [
        kind === 'findAndModify' || operation['limit'] !== undefined ? operation['filter'] : undefined,
        operation['projection'],
        operation['fields'],
      ].some((part) => part !== undefined && tells(part, theirMessage)),
  },
  {
    name: 'a double 0 is a decimal with 15 zeros, and its root one with 8',
    page: operator('aggregation/toDecimal'),
    fact: (f, s) =>
      has(s, '$sqrt', '$toDecimal', '$convert') &&
      isDecimal(f.ours) &&
      isDecimal(f.theirs) &&
      numberOf(f.ours)?.value === 0 &&
      /"0E-(8|15)"/.test(text(f.theirs)),
  },
  {
    name: 'a sum with doubles has a decimal with other zeros at its end',
    page: operator('aggregation/sum'),
    fact: (f, s) =>
      s.kind !== 'update' &&
      isDecimal(f.ours) &&
      isDecimal(f.theirs) &&
      equal(f.ours, f.theirs) &&
      /\.\d{14,}"|E-1[4-9]"/.test(text(f.theirs)) &&
      has(
        s,
        '$sum',
        '$avg',
        '$add',
        '$subtract',
        '$multiply',
        '$divide',
        '$mod',
        '$toDecimal',
        '$convert',
        '$inc',
        '$mul',
      ),
  },
  {
    name: '$toString of a double has six digits',
    page: operator('aggregation/toString'),
    fact: (f, s) =>
      has(s, '$toString', '$convert') &&
      typeof f.ours === 'string' &&
      typeof f.theirs === 'string' &&
      Number(f.theirs) === Number(Number(f.ours).toPrecision(SHORT_DIGITS)) &&
      f.theirs.length < f.ours.length,
  },
  {
    name: 'binary data is not converted to numbers',
    page: operator('aggregation/convert'),
    refusal: refusal(undefined, [[115, 241], /binData/], (s) => has(s, '$convert', '$toInt', '$toLong', '$toDouble')),
    fact: (f, s) =>
      has(s, '$convert') &&
      some([...s.before], (part) => isObject(part) && '$binary' in part) &&
      (f.kind === 'row'
        ? has(s, '$group') && listOf(s.ours).every((row) => isRightRow(row, s))
        : numberOf(f.ours) !== undefined && f.theirs === 'bad'),
  },
  {
    name: '$toString of a double is shorter, and is measured',
    page: operator('aggregation/toString'),
    fact: (f, s) =>
      has(s, '$toString', '$convert') &&
      some(
        s.operation,
        (part) =>
          isDoc(part) &&
          [part['$binarySize'], part['$strLenBytes'], part['$strLenCP']].some((measured) =>
            some(measured, (inner) => isDoc(inner) && ('$toString' in inner || '$convert' in inner)),
          ),
      ) &&
      (numberOf(f.ours)?.value ?? 0) > SHORT_DIGITS &&
      (numberOf(f.theirs)?.value ?? Infinity) < (numberOf(f.ours)?.value ?? 0),
  },
  {
    name: '$pow of a decimal has another last digit',
    page: operator('aggregation/pow'),
    fact: (f, s) => has(s, '$pow') && isDecimal(f.ours) && isDecimal(f.theirs) && equal(f.ours, f.theirs),
  },
  {
    name: '$mod with a double is a whole number',
    page: operator('aggregation/mod'),
    fact: (f, s) =>
      has(s, '$mod') &&
      numberOf(f.ours)?.type === 'Double' &&
      ['Int', 'Long'].includes(numberOf(f.theirs)?.type ?? '') &&
      equal(f.ours, f.theirs),
  },
  {
    name: '$dateTrunc to days and weeks gives other days',
    page: operator('aggregation/dateTrunc'),
    fact: (_f, s) =>
      some(s.operation, (part) => isDoc(part) && /^(day|week)$/.test(textOf(docOf(part['$dateTrunc'])['unit']))) &&
      s.alike.dated,
  },
  {
    name: '$dateDiff in hours of a zone with half hours counts those of UTC',
    page: operator('aggregation/dateDiff'),
    fact: (_f, s) =>
      s.alike.dated &&
      some(s.operation, (part) => {
        const { unit, timezone } = isDoc(part) ? docOf(part['$dateDiff']) : {};
        return unit === 'hour' && timezone === '+05:30';
      }),
  },
  {
    name: '$dateAdd of months in a zone is a day off',
    page: operator('aggregation/dateAdd'),
    fact: (_f, s) => some(s.operation, (part) => isDoc(part) && isZoned(docOf(part['$dateAdd']))) && s.alike.dated,
  },
];
