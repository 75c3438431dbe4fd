import { type Fact, sameItems } from './facts.js';
import {
  decimalApart,
  equal,
  isDecimal,
  isDoc,
  isList,
  isWhole,
  type Json,
  numberOf,
  plain,
  same,
  some,
  text,
} from './json.js';
import { bare, idOf, isAccumulated, isRight, isRightRow, pipelineOf, rowsOf, withoutNulls } from './made.js';
import { accumulatorsOf, allStages, docOf, holds, listOf } from './request.js';
import { has, operator, type Seen, type Verdict } from './rule.js';

const apart = (a: Json | undefined, b: Json | undefined): boolean =>
  a !== undefined && b !== undefined && decimalApart(a, b);
/** Whether a decimal and an equal number of another type are about. */
function numbersApart(s: Seen): boolean {
  const numbers: Json[] = [];
  some([...s.before, s.operation], (part) => {
    if (numberOf(part) !== undefined) numbers.push(part);
    return false;
  });
  return numbers.some((a) => isDecimal(a) && numbers.some((b) => apart(a, b)));
}

/** Accumulators whose value depends on the order in which documents come. */
const IN_ORDER = ['$first', '$last', '$firstN', '$lastN', '$push', '$mergeObjects'];
/** Accumulators that give one of the values that they are given, or several. */
const CHOOSING = [...IN_ORDER, '$min', '$max', '$addToSet', '$minN', '$maxN', '$top', '$bottom'];

/** Whether the engine's document of a fact, or that of the same group, is as it may be. */
const isRightGroup = (f: Fact, s: Seen, alike: (a: Json | undefined, b: Json | undefined) => boolean): boolean =>
  f.ours === undefined
    ? rowsOf(s.ours).some((row) => alike(idOf(row), idOf(f.near)) && isRightRow(row, s))
    : f.kind === 'row'
      ? isRightRow(f.near, s)
      : isRight(f, s);

/** Verdicts on groups and what is gathered of them, each against the second server. */
export const groups: readonly Verdict[] = [
  {
    name: '$avg of decimals is a double',
    page: operator('aggregation/avg'),
    fact: (f, s) =>
      has(s, '$avg') && isDecimal(f.ours) && numberOf(f.theirs)?.type === 'Double' && equal(f.ours, f.theirs),
  },
  {
    name: '$avg of decimals is a double: the group of one is that of the other',
    page: operator('aggregation/avg'),
    fact: (f, s) =>
      allStages(pipelineOf(s)).some(
        ({ name, spec }) => name === '$group' && holds(docOf(spec)['_id'] ?? null, '$avg'),
      ) && isRightGroup(f, s, equal),
  },
  {
    name: 'missing parts of a compound _id of $group are null',
    page: operator('aggregation/group'),
    fact: (f, s) =>
      has(s, '$group') &&
      f.path.includes('_id') &&
      f.path.length > 1 &&
      f.ours === undefined &&
      f.theirs === null &&
      isRight(f, s),
  },
  {
    name: 'missing parts of a compound _id of $group are null, and so a row that holds them is another',
    page: operator('aggregation/group'),
    fact: (f, s) =>
      f.kind === 'row' &&
      has(s, '$group') &&
      [...rowsOf(s.ours), ...rowsOf(s.theirs)].filter((row) => bare(row) === bare(f.row)).length > 1,
  },
  {
    name: 'missing and null parts of a compound _id of $group are one',
    page: operator('aggregation/group'),
    fact: (f, s) => {
      const id = idOf(f.near);
      return (
        has(s, '$group') &&
        isDoc(id) &&
        rowsOf(s.ours).filter((row) => isDoc(idOf(row)) && bare(idOf(row)) === bare(id)).length > 1 &&
        isRightGroup(f, s, (a, b) => bare(a) === bare(b))
      );
    },
  },
  {
    name: '$addToSet, $push take a missing value as null',
    page: operator('aggregation/addToSet'),
    fact: (f, s) =>
      isAccumulated(f, s, '$addToSet', '$push') &&
      isList(f.ours) &&
      isList(f.theirs) &&
      f.theirs.includes(null) &&
      sameItems(withoutNulls(f.ours), withoutNulls(f.theirs)) &&
      f.ours.length < f.theirs.length &&
      isRight(f, s),
  },
  {
    name: '$addToSet gives its values in no order',
    page: operator('aggregation/addToSet'),
    fact: (f, s) => {
      const field = f.path.find((step) => isAccumulated({ ...f, path: [step] }, s, '$addToSet')) ?? '';
      const other = rowsOf(s.theirs).find((row) => equal(idOf(row), idOf(f.near)));
      return field !== '' && sameItems(listOf(docOf(f.near)[field]), listOf(docOf(other)[field])) && isRight(f, s);
    },
  },
  {
    name: '$addToSet holds documents and arrays apart whose numbers are of other types',
    page: operator('aggregation/addToSet'),
    fact: (f, s) => {
      const plainSet = (v: Json | undefined): string =>
        text([...new Set(withoutNulls(listOf(v)).map(plain))].toSorted());
      return (
        isAccumulated(f, s, '$addToSet') &&
        plainSet(f.ours) === plainSet(f.theirs) &&
        listOf(f.theirs).some(
          (item, i) =>
            isDoc(item) || (isList(item) && listOf(f.theirs).some((other, j) => i !== j && equal(item, other))),
        ) &&
        isRight(f, s)
      );
    },
  },
  {
    name: '$firstN, $lastN leave missing values out',
    page: operator('aggregation/firstN'),
    fact: (f, s) =>
      isAccumulated(f, s, '$firstN', '$lastN') && isList(f.ours) && f.ours.includes(null) && isRight(f, s),
  },
  {
    name: '$first, $last, $min, $max of a missing value leave their field out',
    page: operator('aggregation/first'),
    fact: (f, s) =>
      f.ours === null &&
      f.theirs === undefined &&
      isAccumulated(f, s, '$first', '$last', '$min', '$max', '$top', '$bottom') &&
      isRight(f, s),
  },
  {
    name: 'of groups of groups there are fewer where missing and null are one',
    page: operator('aggregation/group'),
    fact: (f, s) =>
      allStages(pipelineOf(s)).some(
        ({ name, after }) => name === '$group' && after.some((stage) => stage.name === '$group'),
      ) &&
      isAccumulated(f, s, '$sum', '$count') &&
      (numberOf(f.theirs)?.value ?? Infinity) < (numberOf(f.ours)?.value ?? 0) &&
      isRight(f, s),
  },
  {
    name: 'documents come to a group in no order',
    page: operator('aggregation/push'),
    fact: (f, s) => f.kind === 'value' && isAccumulated(f, s, ...IN_ORDER) && isRight(f, s),
  },
  {
    name: '$top, $bottom take another of documents that sort alike',
    page: operator('aggregation/top'),
    fact: (f, s) => has(s, '$unwind') && isAccumulated(f, s, '$top', '$bottom', '$topN', '$bottomN') && isRight(f, s),
  },
  {
    // Of several types, or of decimals with other zeros.
    name: 'of equal numbers of several types another one stands for them',
    page: operator('aggregation/group'),
    fact: (f, s) =>
      numberOf(f.ours) !== undefined &&
      equal(f.ours, f.theirs) &&
      (((f.path.includes('_id') || isAccumulated(f, s, ...CHOOSING)) && isRight(f, s)) ||
        (s.kind === 'distinct' && some([...s.before], (part) => same(part, f.ours))) ||
        (numberOf(f.ours)?.type !== numberOf(f.theirs)?.type &&
          has(s, '$setUnion', '$setIntersection', '$setDifference'))),
  },
  {
    name: 'a decimal is another group than an equal double',
    page: operator('aggregation/group'),
    fact: (f, s) => {
      if (!has(s, '$group', '$sortByCount')) return false;
      const ids = rowsOf(s.theirs).map(idOf);
      const split = ids.filter((id, i) => ids.some((other, j) => i !== j && apart(id, other)));
      const mine = idOf(f.near);
      return split.some((id) => mine === undefined || equal(id, mine)) && isRightGroup(f, s, equal);
    },
  },
  {
    name: 'sets hold a decimal apart from an equal double',
    page: operator('aggregation/setUnion'),
    fact: (f, s) =>
      has(s, '$setUnion', '$setIntersection', '$setDifference', '$setIsSubset', '$setEquals', '$addToSet') &&
      (isAccumulated(f, s, '$addToSet')
        ? f.kind === 'value' &&
          listOf(f.theirs).some((a, i) => listOf(f.theirs).some((b, j) => i !== j && apart(a, b))) &&
          isRight(f, s)
        : numbersApart(s) && s.alike.doubled),
  },
  {
    name: '$sum of a constant that is no whole number counts by whole ones',
    page: operator('aggregation/sum'),
    fact: (f, s) =>
      accumulatorsOf(pipelineOf(s)).some(
        ({ field, operator: name, operand }) =>
          f.path.at(-1) === field && name === '$sum' && numberOf(operand) !== undefined && !isWhole(operand),
      ) && isRight(f, s),
  },
];
