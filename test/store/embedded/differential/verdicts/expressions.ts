import { equal, isDecimal, isList, numberOf } from './json.js';
import { allStages, holds, stagesOf } from './request.js';
import { has, operator, page, refusal, type Seen, type Verdict } from './rule.js';

/** Codes by which expressions refuse a value. */
const VALUE_CODES = new Set([28, 40, 2, 9, 14, 15, 241, 16006, 16007, 16020, 16034, 16702, 16610, 16611, 16612, 16883, 17040, 17041, 17042, 17043, 17044, 17046, 17047, 17048, 17049, 17053, 17310, 17124, 28651, 28664, 28680, 28689, 28690, 28714, 28724, 28725, 28729, 28745, 28762, 28764, 28765, 34435, 34443, 34468, 34471, 34473, 40066, 40080, 40081, 40085, 40086, 40090, 40093, 40094, 40228, 40386, 40390, 40400, 40485, 40515, 40523, 50696, 50699, 51044, 51081, 51104, 51744, 51745, 51746, 2942504, 5166403, 5166307, 5439012, 5788200, 4161105, 31034]); // prettier-ignore
const refuses = (code: number | undefined): boolean => VALUE_CODES.has(code ?? 0);

const LAZY = ['$ifNull', '$cond', '$switch', '$and', '$or', '$in', '$filter', '$map', '$reduce', '$let'];

/** Whether the value that the engine refuses is dropped, or its document left out, by a later stage. */
const isDropped = ({ operation, message }: Seen): boolean =>
  stagesOf(operation['pipeline']).some(
    ({ spec, after }) =>
      [...message.matchAll(/\$\w+/g)].some(([name]) => holds(spec, name)) &&
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

/** Verdicts on expressions, each against the second server. */
export const expressions: readonly Verdict[] = [
  {
    name: '$regexMatch, $regexFind, $regexFindAll take no computed input',
    page: operator('aggregation/regexMatch'),
    refusal: refusal(undefined, [51104, /^The \$regex(Match|Find|FindAll) requires that the 'input'/]),
  },
  {
    name: '$zip takes no computed input',
    page: operator('aggregation/zip'),
    refusal: refusal(undefined, [34468, /^The \$zip encountered an input that is not an array: \{/]),
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
      /^Unrecognized BSON data type code/.test(s.theirMessage) &&
      has(s, '$bucket'),
  },
  {
    name: 'an expression whose value no later stage reads is not evaluated',
    page: page('core/aggregation-pipeline-optimization/'),
    refusal: (s) => s.kind === 'aggregate' && refuses(s.code) && s.theirs !== undefined && isDropped(s),
  },
  {
    name: 'a value of an update that a later stage overwrites is not evaluated',
    page: page('tutorial/update-documents-with-aggregation-pipeline/'),
    refusal: (s) => s.kind === 'update' && isList(s.operation['update']) && s.code === 40081 && s.theirs !== undefined,
  },
  {
    name: 'of several values that are refused another one is told first',
    page: page('reference/aggregation-quick-reference/'),
    refusal: ({ code, theirCode }) => refuses(code) && refuses(theirCode),
  },
  {
    name: 'operands that are not needed are evaluated all the same',
    page: operator('aggregation/ifNull'),
    refusal: (s) => s.ours !== undefined && refuses(s.theirCode) && has(s, ...LAZY),
  },
  {
    name: 'of several conditions another one is looked at first',
    page: page('reference/operator/query/expr/'),
    refusal: (s) => has(s, '$expr') && refuses(s.code) && s.theirs !== undefined,
  },
  {
    name: 'decimals have other zeros at their end',
    page: operator('aggregation/toDecimal'),
    fact: (f, s) => s.kind !== 'update' && isDecimal(f.ours) && isDecimal(f.theirs) && equal(f.ours, f.theirs),
  },
  {
    name: '$mod of a double by a long is a long',
    page: operator('aggregation/mod'),
    fact: (f, s) =>
      has(s, '$mod') &&
      numberOf(f.ours)?.type === 'Double' &&
      numberOf(f.theirs)?.type === 'Long' &&
      equal(f.ours, f.theirs),
  },
  {
    name: '$dateTrunc to days and weeks gives other days',
    page: operator('aggregation/dateTrunc'),
    fact: (_f, s) => [s.operation].some((o) => /"unit":"(day|week)","binSize":/.test(JSON.stringify(o))),
  },
  {
    name: 'times near a change of summer time are an hour off',
    page: operator('aggregation/dateAdd'),
    fact: (_f, s) =>
      JSON.stringify(s.operation).includes('America/New_York') && allStages(s.operation['pipeline']).length > 0,
  },
];
