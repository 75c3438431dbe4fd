import { type Fact, sameItems } from './facts.js';
import {
  equal,
  isDecimal,
  isDoc,
  isHollow,
  isList,
  isWhole,
  type Json,
  numberOf,
  type NumberType,
  text,
  valuesAt,
  some,
  same,
  plain,
} from './json.js';
import { decimalApart } from './queries.js';
import { accumulatorsOf, allStages, docOf, holds, listOf, projectedPaths, stagesOf } from './request.js';
import { has, operator, page, refusal, type Seen, type Verdict } from './rule.js';

const pipelineOf = ({ operation }: Seen): Json | undefined =>
  isList(operation['update']) ? operation['update'] : operation['pipeline'];
/** The accumulators that make the field at a fact's path. */
const accumulatorsAt = (f: Fact, s: Seen): readonly string[] =>
  accumulatorsOf(pipelineOf(s))
    .filter(({ field }) => f.path.includes(field))
    .map(({ operator: name }) => name);
const isAccumulated = (f: Fact, s: Seen, ...names: readonly string[]): boolean =>
  accumulatorsAt(f, s).some((name) => names.includes(name));
const withoutNulls = (v: readonly Json[]): readonly Json[] => v.filter((item) => item !== null);
/** Rows of the answer that a $group of $group, $facet or a row itself may have made. */
const rowsOf = (v: Json | undefined): readonly Json[] =>
  listOf(v).flatMap((row) => [
    row,
    ...(isDoc(row) ? Object.values(row).flatMap((part) => (isList(part) ? part : [])) : []),
  ]);
/** Without the fields that are null. */
const bareOf = (v: Json | undefined): Json =>
  isList(v)
    ? v.map(bareOf)
    : isDoc(v)
      ? Object.fromEntries(
          Object.entries(v)
            .filter(([, part]) => part !== null)
            .map(([name, part]) => [name, bareOf(part)]),
        )
      : (v ?? null);
const idOf = (v: Json | undefined): Json | undefined => docOf(v)['_id'];

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

/** Accumulators that give one of the values that they are given, or several. */
const CHOOSING = ['$min', '$max', '$first', '$last', '$addToSet', '$push', '$minN', '$maxN', '$firstN', '$lastN', '$top', '$bottom', '$mergeObjects']; // prettier-ignore
/** The types of number, the narrowest first. */
const WIDTH: readonly NumberType[] = ['Int', 'Long', 'Double', 'Decimal'];

/** Whether a fact is of what $lookup joins by a local field that holds such a value. */
const joined = (f: Fact, s: Seen, wanted: (v: Json) => boolean): boolean =>
  f.path[0] === 'j' &&
  allStages(pipelineOf(s)).some(({ name, spec }) => {
    const local = docOf(spec)['localField'];
    const docs = s.before.filter((doc) => !isDoc(f.row) || (!isDoc(f.row['_id']) && equal(doc['_id'], f.row['_id'])));
    return (
      name === '$lookup' &&
      typeof local === 'string' &&
      (docs.length > 0 ? docs : s.before).some((doc) => valuesAt(doc, local.split('.')).some(wanted))
    );
  });

/** Verdicts on stages and their accumulators, each against the second server. */
export const pipelines: readonly Verdict[] = [
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
      ) && rowsOf(s.ours).filter((row) => equal(idOf(row), idOf(f.row))).length > 1,
  },
  {
    name: 'missing parts of a compound _id of $group are null',
    page: operator('aggregation/group'),
    fact: (f, s) =>
      has(s, '$group') && f.path.includes('_id') && f.path.length > 1 && f.ours === undefined && f.theirs === null,
  },
  {
    name: 'missing parts of a compound _id of $group are null, and so a row that holds them is another',
    page: operator('aggregation/group'),
    fact: (f, s) =>
      f.kind === 'row' &&
      has(s, '$group') &&
      [...rowsOf(s.ours), ...rowsOf(s.theirs)].filter((row) => text(bareOf(row)) === text(bareOf(f.row))).length > 1,
  },
  {
    name: 'missing and null parts of a compound _id of $group are one',
    page: operator('aggregation/group'),
    fact: (f, s) => {
      const bare = (v: Json | undefined): string => text(Object.entries(docOf(v)).filter(([, part]) => part !== null));
      const id = idOf(f.row);
      return (
        has(s, '$group') &&
        isDoc(id) &&
        rowsOf(s.ours).filter((row) => isDoc(idOf(row)) && bare(idOf(row)) === bare(id)).length > 1
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
      f.ours.length < f.theirs.length,
  },
  {
    name: '$addToSet gives its values in no order',
    page: operator('aggregation/addToSet'),
    fact: (f, s) => {
      const field = accumulatorsOf(pipelineOf(s)).find(
        (made) => made.operator === '$addToSet' && f.path.includes(made.field),
      )?.field;
      if (field === undefined) return false;
      const other = rowsOf(s.theirs).find((row) => equal(idOf(row), idOf(f.row)));
      return sameItems(listOf(docOf(f.row)[field]), listOf(docOf(other)[field]));
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
        )
      );
    },
  },
  {
    name: '$firstN, $lastN leave missing values out',
    page: operator('aggregation/firstN'),
    fact: (f, s) =>
      isAccumulated(f, s, '$firstN', '$lastN') &&
      isList(f.ours) &&
      isList(f.theirs) &&
      f.ours.includes(null) &&
      withoutNulls(f.ours).every((item) => listOf(f.theirs).some((other) => equal(item, other))),
  },
  {
    name: '$first, $last, $min, $max of a missing value leave their field out',
    page: operator('aggregation/first'),
    fact: (f, s) =>
      f.ours === null &&
      f.theirs === undefined &&
      isAccumulated(f, s, '$first', '$last', '$min', '$max', '$top', '$bottom'),
  },
  {
    name: '$first, $last after a projection without _id lose the order of the $sort before it',
    page: operator('aggregation/last'),
    fact: (f, s) =>
      f.kind === 'value' &&
      isAccumulated(f, s, '$first', '$last') &&
      stagesOf(pipelineOf(s)).some(
        ({ name, spec, after }) =>
          name === '$project' &&
          numberOf(docOf(spec)['_id'])?.value === 0 &&
          after.some((stage) => stage.name === '$group'),
      ) &&
      some([...s.before], (part) => same(part, f.theirs ?? null)),
  },
  {
    name: 'of groups of groups there are fewer where missing and null are one',
    page: operator('aggregation/group'),
    fact: (f, s) =>
      allStages(pipelineOf(s)).some(
        ({ name, after }) => name === '$group' && after.some((stage) => stage.name === '$group'),
      ) &&
      isAccumulated(f, s, '$sum', '$count') &&
      (numberOf(f.theirs)?.value ?? Infinity) < (numberOf(f.ours)?.value ?? 0),
  },
  {
    // What the engine gives is held to the order of its documents by aggregate.test.ts.
    name: 'documents come to a group in no order',
    page: operator('aggregation/push'),
    fact: (f, s) => {
      if (f.kind !== 'value') return false;
      if (isAccumulated(f, s, '$first', '$last', '$firstN', '$lastN', '$mergeObjects')) return true;
      const pushed = accumulatorsOf(pipelineOf(s)).find(
        (made) => made.operator === '$push' && f.path.includes(made.field),
      )?.field;
      if (pushed === undefined) return false;
      const other = rowsOf(s.theirs).find((row) => equal(idOf(row), idOf(f.row)));
      return sameItems(listOf(docOf(f.row)[pushed]), listOf(docOf(other)[pushed]));
    },
  },
  {
    name: '$last of a missing value is the last value there is',
    page: operator('aggregation/last'),
    fact: (f, s) => f.kind === 'value' && f.ours === null && isAccumulated(f, s, '$last', '$first'),
  },
  {
    name: 'of equal numbers of several types another one stands for them',
    page: operator('aggregation/group'),
    fact: (f, s) =>
      numberOf(f.ours) !== undefined &&
      equal(f.ours, f.theirs) &&
      numberOf(f.ours)?.type !== numberOf(f.theirs)?.type &&
      (s.kind === 'distinct' ||
        f.path.includes('_id') ||
        isAccumulated(f, s, ...CHOOSING) ||
        has(s, '$setUnion', '$setIntersection', '$setDifference')),
  },
  {
    name: '$sum in a window keeps the type and the digits of a number that has left it',
    page: operator('aggregation/setWindowFields'),
    fact: (f, s) => {
      const [mine, other] = [numberOf(f.ours), numberOf(f.theirs)];
      return (
        has(s, '$setWindowFields') &&
        isAccumulated(f, s, '$sum') &&
        mine !== undefined &&
        other !== undefined &&
        equal(f.ours, f.theirs) &&
        (WIDTH.indexOf(mine.type) < WIDTH.indexOf(other.type) || (isDecimal(f.ours) && isDecimal(f.theirs)))
      );
    },
  },
  {
    name: '$sum, $avg, $linearFill and deviations of doubles have another last digit',
    page: operator('aggregation/sum'),
    fact: (f, s) =>
      has(s, '$sum', '$avg', '$stdDevPop', '$stdDevSamp', '$linearFill') &&
      numberOf(f.ours)?.type === 'Double' &&
      numberOf(f.theirs)?.type === 'Double' &&
      equal(f.ours, f.theirs),
  },
  {
    name: 'a decimal is another group than an equal double',
    page: operator('aggregation/group'),
    fact: (f, s) => {
      if (!has(s, '$group', '$sortByCount')) return false;
      const ids = rowsOf(s.theirs).map(idOf);
      const split = ids.filter((id, i) => ids.some((other, j) => i !== j && apart(id, other)));
      const mine = idOf(f.row);
      return mine === undefined
        ? isDoc(f.row) && (split.length > 0 || numbersApart(s))
        : split.some((id) => equal(id, mine)) || (f.path.length > 0 && isList(f.ours) && split.length > 0);
    },
  },
  {
    name: 'sets hold a decimal apart from an equal double',
    page: operator('aggregation/setUnion'),
    fact: (f, s) =>
      has(s, '$setUnion', '$setIntersection', '$setDifference', '$setIsSubset', '$setEquals', '$addToSet') &&
      (isList(f.ours) && isList(f.theirs)
        ? (f.theirs.some((a, i) => f.theirs !== undefined && listOf(f.theirs).some((b, j) => i !== j && apart(a, b))) ||
            (has(s, '$setIntersection', '$setDifference') && numbersApart(s))) &&
          f.kind === 'value'
        : (f.kind === 'row' ? has(s, '$setIsSubset', '$setEquals') : f.kind === 'value' && !has(s, '$addToSet')) &&
          numbersApart(s)),
  },
  {
    name: '$sum of a constant that is no whole number counts by whole ones',
    page: operator('aggregation/sum'),
    fact: (f, s) =>
      accumulatorsOf(pipelineOf(s)).some(({ field, operator: name, operand }) => {
        const [constant, sum] = [numberOf(operand), numberOf(f.ours)];
        return (
          f.path.at(-1) === field &&
          name === '$sum' &&
          constant !== undefined &&
          !isWhole(operand) &&
          sum !== undefined &&
          Number.isInteger(sum.value / constant.value)
        );
      }),
  },
  {
    name: '$bucket does not keep the order of what is pushed',
    page: operator('aggregation/bucket'),
    fact: (f, s) => {
      if (!has(s, '$bucket')) return false;
      const [a, b] = [docOf(f.row)['ids'], f.ours];
      return (f.path.includes('ids') && isList(a)) || isList(b)
        ? sameItems(
            rowsOf(s.ours).flatMap((row) => withoutNulls(listOf(docOf(row)['ids']))),
            rowsOf(s.theirs).flatMap((row) => withoutNulls(listOf(docOf(row)['ids']))),
          )
        : false;
    },
  },
  {
    name: '$count of nothing gives a row',
    page: operator('aggregation/count'),
    refusal: refusal(undefined, [40228, /newRoot/], (s) =>
      stagesOf(pipelineOf(s)).some(
        ({ name, after }) => name === '$count' && after.some((stage) => stage.name.startsWith('$replace')),
      ),
    ),
    fact: (f, s) =>
      has(s, '$count') &&
      f.ours === undefined &&
      isDoc(f.theirs) &&
      (numberOf(Object.values(f.theirs)[0])?.value === 0 ||
        (text(s.ours) === '[]' &&
          listOf(s.theirs).length === 1 &&
          stagesOf(pipelineOf(s)).some(({ name, after }) => name === '$count' && after.length > 0))),
  },
  {
    name: '$group of nothing in $facet gives null',
    page: operator('aggregation/facet'),
    fact: (f, s) => has(s, '$facet') && text(f.ours) === '[]' && text(f.theirs) === '[null]',
  },
  {
    name: 'documents that a projection leaves empty are lost in $facet',
    page: operator('aggregation/facet'),
    fact: (f, s) =>
      has(s, '$facet') &&
      isList(f.ours) &&
      isList(f.theirs) &&
      sameItems(
        f.ours.filter((item) => !isHollow(item)),
        f.theirs.filter((item) => !isHollow(item)),
      ),
  },
  {
    name: 'a projection into what is missing or no document leaves an empty document, or takes the field along',
    page: operator('aggregation/unset'),
    fact: (f, s) => {
      const head = f.path.find((step) => !/^\d+$/.test(step) && step !== 'value');
      const dotted = projectedPaths(s.operation).some((path) => path.includes('.') && path.split('.')[0] === head);
      if (f.kind === 'keys')
        return projectedPaths(s.operation).some((path) => isHollow(docOf(f.theirs)[path.split('.')[0] ?? '']));
      return f.kind === 'value' && dotted && !isDoc(f.ours) && (isHollow(f.theirs) || f.theirs === undefined);
    },
  },
  {
    name: '$top, $bottom take another of documents that sort alike',
    page: operator('aggregation/top'),
    fact: (f, s) => has(s, '$unwind') && isAccumulated(f, s, '$top', '$bottom', '$topN', '$bottomN'),
  },
  {
    name: '$shift gives nothing where it should give a value or its default',
    page: operator('aggregation/shift'),
    fact: (f, s) =>
      has(s, '$shift') &&
      (f.kind === 'keys' || (f.path.includes('w') && f.ours !== undefined && f.theirs === undefined)),
  },
  {
    name: 'a field that two $setWindowFields set keeps what the first gave',
    page: operator('aggregation/setWindowFields'),
    fact: (f, s) =>
      f.path.includes('w') &&
      stagesOf(pipelineOf(s)).some(
        ({ name, after }) => name === '$setWindowFields' && after.some((stage) => stage.name === '$setWindowFields'),
      ),
  },
  {
    name: 'an empty document that a projection left names a group',
    page: operator('aggregation/unset'),
    fact: (f, s) =>
      has(s, '$unset', '$project') &&
      has(s, '$group') &&
      f.path.includes('_id') &&
      !isDoc(f.ours) &&
      isHollow(f.theirs),
  },
  {
    name: 'an empty document that a projection left is the greatest, the least, the first or the last',
    page: operator('aggregation/unset'),
    fact: (f, s) =>
      has(s, '$unset', '$project') &&
      isAccumulated(f, s, '$max', '$min', '$first', '$last') &&
      !isDoc(f.ours) &&
      isHollow(f.theirs),
  },
  {
    name: 'a projection into an array makes its values empty documents',
    page: operator('aggregation/unset'),
    fact: (f, s) => {
      const head = f.path.find((step) => !/^\d+$/.test(step) && step !== 'value');
      const dotted = projectedPaths(s.operation).some((path) => path.includes('.') && path.split('.')[0] === head);
      return (
        dotted &&
        isList(f.theirs) &&
        f.theirs.some(isHollow) &&
        sameItems(
          listOf(f.ours),
          f.theirs.filter((v) => !isHollow(v)),
        )
      );
    },
  },
  {
    name: 'a field that was unset is still read by a later stage',
    page: operator('aggregation/unset'),
    fact: (f, s) => {
      const stages = stagesOf(pipelineOf(s));
      return stages.some(({ name, spec, after }) => {
        const gone = name === '$unset' && typeof spec === 'string' ? [spec] : [];
        const excluded =
          name === '$project'
            ? Object.entries(docOf(spec))
                .filter(([, v]) => numberOf(v)?.value === 0)
                .map(([k]) => k)
            : [];
        return [...gone, ...excluded].some((path) => {
          const head = path.split('.')[0] ?? '';
          return after.some(
            (later) =>
              ['$set', '$addFields', '$project'].includes(later.name) &&
              f.path[0] !== undefined &&
              f.path[0] in docOf(later.spec) &&
              some(
                later.spec,
                (part) => typeof part === 'string' && (part === `$${head}` || part.startsWith(`$${head}.`)),
              ),
          );
        });
      });
    },
  },
  {
    name: '$set of a field by a document of expressions moves it to the end',
    page: operator('aggregation/addFields'),
    fact: (f, s) =>
      f.kind === 'keys' &&
      stagesOf(pipelineOf(s)).some(
        ({ name, spec }) =>
          ['$set', '$addFields'].includes(name) &&
          Object.entries(docOf(spec)).some(([path, v]) => {
            const steps = path.split('.');
            const at = [...f.path, steps.at(-1) ?? ''].join('.');
            return (
              isDoc(v) &&
              !Object.keys(v).some((key) => key.startsWith('$')) &&
              path === at &&
              Object.keys(docOf(f.theirs)).at(-1) === steps.at(-1)
            );
          }),
      ),
  },
  {
    name: '$setWindowFields of a field that is there moves it to the end',
    page: operator('aggregation/setWindowFields'),
    fact: (f, s) =>
      f.kind === 'keys' &&
      f.path.length === 0 &&
      allStages(pipelineOf(s)).filter(({ name }) => name === '$setWindowFields').length > 1 &&
      same(
        Object.keys(docOf(f.ours)).filter((key) => key !== 'w'),
        Object.keys(docOf(f.theirs)).filter((key) => key !== 'w'),
      ),
  },
  {
    name: '$lookup by a path that ends in an empty array joins nothing, not what is null',
    page: operator('aggregation/lookup'),
    fact: (f, s) => joined(f, s, (v) => isList(v) && v.length === 0),
  },
  {
    name: '$lookup does not look into an array at a place of an array',
    page: operator('aggregation/lookup'),
    fact: (f, s) =>
      joined(f, s, isList) && some(s.operation, (part) => isDoc(part) && /\.\d/.test(String(part['localField'] ?? ''))),
  },
  {
    name: '$lookup holds documents apart whose numbers are of other types',
    page: page('reference/bson-type-comparison-order/#numeric-types'),
    fact: (f, s) => joined(f, s, (v) => isDoc(v) || (isList(v) && v.some((item) => isDoc(item) || isList(item)))),
  },
  {
    name: '$group gives its documents in no order',
    page: operator('aggregation/group'),
    fact: (f, s) =>
      f.kind === 'order' &&
      allStages(pipelineOf(s)).some(
        ({ name, after }) =>
          ['$group', '$bucket', '$sortByCount'].includes(name) && after.some((stage) => stage.name === '$facet'),
      ) &&
      f.path[0] === 'a',
  },
  {
    name: 'an empty array is not below null in a sort of groups',
    page: page('reference/bson-type-comparison-order/#arrays'),
    fact: (f, s) =>
      (isAccumulated(f, s, '$top', '$bottom') && s.before.some((doc) => text(doc['n']) === '[]')) ||
      (f.kind === 'order' &&
        has(s, '$sort') &&
        listOf(f.ours).some((row) => some(row, (part) => isList(part) && part.length === 0))),
  },
  {
    name: 'of a wrong projection and a wrong value the value is told',
    page: page('reference/method/db.collection.find/#projection'),
    refusal: (s) => (s.code === 31249 || s.code === 31250) && s.ours === undefined && s.theirs === undefined,
  },
  {
    name: 'a projection is checked only when a document comes',
    page: page('reference/method/db.collection.find/#projection'),
    refusal: (s) =>
      (s.code === 31249 || s.code === 31250) &&
      ((isList(s.theirs) && s.theirs.length === 0) || (isDoc(s.theirs) && s.theirs['value'] === null)),
  },
  {
    name: '$bucket without a bucket has another code than $switch',
    page: operator('aggregation/bucket'),
    refusal: (s) =>
      s.code === 40066 &&
      allStages(pipelineOf(s)).some(({ name, spec }) => name === '$bucket' && !holds(spec, 'default')) &&
      ((s.theirCode === 2 && s.theirMessage.startsWith('$bucket was unable to locate')) ||
        (s.theirCode === 115 && s.theirMessage.startsWith('Unrecognized BSON data type code'))),
  },
];
