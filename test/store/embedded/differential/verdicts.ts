import type { Operation } from './generate.js';
import type { Outcome } from './perform.js';

export interface Seen {
  readonly operation: Operation;
  readonly ours: Outcome;
  readonly theirs: Outcome;
  readonly before: string;
  readonly stateOurs: string;
  readonly stateTheirs: string;
}

/** A difference as the rules look at it: texts of both sides, undefined where a side refused. */
interface Sides {
  readonly text: string;
  readonly before: string;
  readonly kind: Operation['kind'];
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
  readonly code: number | undefined;
  readonly theirCode: number | undefined;
}

interface Verdict {
  readonly name: string;
  /** The page that decides; every verdict here is against the second server. */
  readonly page: string;
  readonly applies: (s: Sides) => boolean;
}

const manual = 'https://www.mongodb.com/docs/manual/';
const operator = (name: string): string => `${manual}reference/operator/${name}/`;

type Json = null | boolean | number | string | Json[] | { [k: string]: Json };
const parse = (text: string): Json => JSON.parse(text) as Json;

/** The values rewritten from the leaves up; lists of documents without order. */
function rewritten(v: Json, change: (v: Json) => Json | undefined): Json | undefined {
  if (Array.isArray(v)) {
    const items = v.flatMap((item): Json[] => {
      const kept = rewritten(item, change);
      return kept === undefined ? [] : [kept];
    });
    return change(
      items.some(isDoc) ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items,
    );
  }
  if (v !== null && typeof v === 'object') {
    const out: { [k: string]: Json } = {};
    for (const [k, item] of Object.entries(v)) {
      const kept = rewritten(item, change);
      if (kept !== undefined) out[k] = kept;
    }
    return change(out);
  }
  return change(v);
}
const isDoc = (v: Json): v is { [k: string]: Json } => v !== null && typeof v === 'object' && !Array.isArray(v);
const canonical = (text: string, change: (v: Json) => Json | undefined): string => {
  const v = rewritten(parse(text), change);
  return JSON.stringify(Array.isArray(v) ? v.map((item) => JSON.stringify(item)).toSorted() : v);
};
/** Both results, and both states after it, are one once they are rewritten. */
const oneAfter =
  (change: (v: Json) => Json | undefined) =>
  ({ ours, theirs }: Sides): boolean =>
    ours !== undefined && theirs !== undefined && canonical(ours, change) === canonical(theirs, change);
const sortedKeys = (v: Json): Json =>
  isDoc(v) ? Object.fromEntries(Object.entries(v).toSorted(([a], [b]) => (a < b ? -1 : 1))) : v;
const withoutNulls = (v: Json): Json =>
  isDoc(v) ? Object.fromEntries(Object.entries(v).filter(([, item]) => item !== null)) : v;
const withoutEmpty = (v: Json): Json =>
  isDoc(v)
    ? Object.fromEntries(Object.entries(v).filter(([, item]) => !(isDoc(item) && Object.keys(item).length === 0)))
    : v;
/** A decimal without the zeros at its end. */
const shortDecimal = (v: Json): Json => {
  const text = isDoc(v) ? v['$numberDecimal'] : undefined;
  return typeof text === 'string' ? { $numberDecimal: String(Number(text)) } : v;
};
/** All types of number as a double of 14 digits. */
const plainNumber = (v: Json): Json => {
  if (!isDoc(v)) return v;
  const text = v['$numberDecimal'] ?? v['$numberDouble'] ?? v['$numberInt'] ?? v['$numberLong'];
  return typeof text === 'string' ? String(Number(Number(text).toPrecision(14))) : v;
};
const both =
  (...changes: ((v: Json) => Json)[]) =>
  (v: Json): Json =>
    changes.reduce((x, change) => change(x), v);

const has =
  (...words: string[]) =>
  ({ text }: Sides): boolean =>
    words.some((w) => text.includes(`"${w}"`));
const oursRefuses =
  (...codes: number[]) =>
  ({ code, theirs }: Sides): boolean =>
    theirs !== undefined && code !== undefined && codes.includes(code);
const theyRefuse =
  (...codes: number[]) =>
  ({ ours, theirCode }: Sides): boolean =>
    ours !== undefined && theirCode !== undefined && codes.includes(theirCode);
const codesAre =
  (code: number, ...theirs: number[]) =>
  (s: Sides): boolean =>
    s.code === code && s.theirCode !== undefined && theirs.includes(s.theirCode);
const and =
  (...rules: ((s: Sides) => boolean)[]) =>
  (s: Sides): boolean =>
    rules.every((r) => r(s));

/** Codes by which expressions refuse a value. */
const VALUE_CODES = new Set([28, 40, 2, 9, 14, 15, 241, 16006, 16007, 16020, 16034, 16702, 16610, 16611, 16612, 17040, 17041, 17042, 17043, 17044, 17046, 17047, 17048, 17049, 17053, 17310, 17124, 28651, 28664, 28680, 28689, 28690, 28714, 28724, 28725, 28729, 28745, 28764, 28765, 34435, 34443, 34468, 34471, 34473, 40066, 40080, 40081, 40085, 40086, 40090, 40093, 40094, 40228, 40386, 40390, 40400, 40485, 40515, 40523, 50696, 50699, 51044, 51081, 51104, 51744, 51745, 51746, 2942504, 5166403, 5166307, 5439012, 5788200, 4161105, 31034]); // prettier-ignore

const parseLength = (text: string): number => {
  const v = parse(text);
  return Array.isArray(v) ? v.length : 0;
};
/** Rows of a group whose _id is null or missing set aside. */
const withoutNullGroups = (v: Json): Json | undefined =>
  isDoc(v) && ('count' in v || 'y' in v) && (v['_id'] ?? null) === null ? undefined : withoutNulls(v);
const rowsWithoutId = (text: string): boolean => {
  const rows = (v: Json): boolean =>
    Array.isArray(v)
      ? v.some(rows)
      : isDoc(v) && ((!('_id' in v) && ('count' in v || 'y' in v)) || Object.values(v).some(rows));
  return rows(parse(text));
};
/** Fields that the second server left as an empty document, set aside on both sides. */
function aside({ ours, theirs }: Sides): boolean {
  if (ours === undefined || theirs === undefined) return false;
  const names = new Set<string>();
  rewritten(parse(theirs), (v) => {
    if (isDoc(v))
      for (const [k, item] of Object.entries(v)) if (isDoc(item) && Object.keys(item).length === 0) names.add(k);
    return v;
  });
  const change = (v: Json): Json =>
    isDoc(v)
      ? Object.fromEntries(
          Object.entries(v)
            .filter(([k]) => !names.has(k))
            .toSorted(([a], [b]) => (a < b ? -1 : 1)),
        )
      : v;
  return names.size > 0 && canonical(ours, change) === canonical(theirs, change);
}
const LAZY = ['$ifNull', '$cond', '$switch', '$and', '$or', '$in', '$filter', '$map', '$reduce', '$let'];

/** What is known of the second server where it departs from MongoDB's documentation. */
export const verdicts: readonly Verdict[] = [
  {
    name: 'new fields of an update come in the order written, not by name',
    page: `${manual}reference/operator/update/#behavior`,
    applies: and(({ kind }) => ['update', 'findAndModify', 'replace'].includes(kind), oneAfter(sortedKeys)),
  },
  {
    name: '$avg of decimals is a double',
    page: operator('aggregation/avg'),
    applies: and(has('$avg'), oneAfter(plainNumber)),
  },
  {
    name: 'missing parts of a compound _id of $group are null',
    page: operator('aggregation/group'),
    applies: and(has('$group'), oneAfter(withoutNulls)),
  },
  {
    name: '$addToSet, $push take a missing value as null',
    page: operator('aggregation/addToSet'),
    applies: and(
      has('$addToSet', '$push'),
      oneAfter((v) => (v === null || v === 'null' ? undefined : v)),
    ),
  },
  {
    name: '$first, $last of a missing value leave their field out',
    page: operator('aggregation/first'),
    applies: and(has('$first', '$last', '$min', '$max', '$top'), oneAfter(withoutNulls)),
  },
  {
    name: 'a projection into what is missing or no document leaves an empty document',
    page: operator('aggregation/unset'),
    applies: and(has('$unset', '$project', 'projection', 'fields'), aside),
  },
  {
    name: '$pullAll, $pull, $pop, $unset, $rename of a missing path make the documents on the way',
    page: operator('update/pullAll'),
    applies: and(has('$pullAll', '$pull', '$pop', '$unset', '$rename'), oneAfter(both(withoutEmpty, sortedKeys))),
  },
  {
    name: '$count of nothing gives a row',
    page: operator('aggregation/count'),
    applies: and(
      has('$count'),
      ({ ours, theirs }) => ours === '[]' && theirs !== undefined && parseLength(theirs) === 1,
    ),
  },
  {
    name: '$bucket without a bucket has another code than $switch',
    page: operator('aggregation/bucket'),
    applies: and(has('$bucket'), codesAre(40066, 2, 115)),
  },
  {
    name: '$pop of what is no array has the code of a bad value',
    page: operator('update/pop'),
    applies: and(has('$pop'), codesAre(14, 2)),
  },
  {
    name: '$[] on what is no array has the code of a path that can not be',
    page: operator('update/positional-all'),
    applies: codesAre(2, 28),
  },
  {
    name: '$unset through $[] of a missing array is no error',
    page: operator('update/positional-all'),
    applies: and(has('$unset'), ({ text }) => text.includes('.$['), oursRefuses(2)),
  },
  {
    name: 'two operators on one path are found only when a document comes',
    page: `${manual}reference/operator/update/#update-operators`,
    applies: oursRefuses(40),
  },
  {
    name: 'an update that changes nothing counts as a change',
    page: `${manual}reference/command/update/#mongodb-data-update.nModified`,
    applies: and(
      ({ kind }) => kind === 'update',
      oneAfter((v) => (isDoc(v) && 'nModified' in v ? { ...v, nModified: 0 } : v)),
    ),
  },
  {
    name: '$regexMatch, $regexFind, $regexFindAll take no computed input',
    page: operator('aggregation/regexMatch'),
    applies: and(has('$regexMatch', '$regexFind', '$regexFindAll'), theyRefuse(51104)),
  },
  {
    name: '$zip takes no computed input',
    page: operator('aggregation/zip'),
    applies: and(has('$zip'), theyRefuse(34468)),
  },
  {
    name: '$minN, $maxN, $firstN, $lastN of null are null',
    page: operator('aggregation/minN-array-element'),
    applies: oursRefuses(5788200),
  },
  {
    name: 'documents that a projection leaves empty are lost in $facet',
    page: operator('aggregation/facet'),
    applies: and(
      has('$facet'),
      oneAfter(
        both((v) => (Array.isArray(v) ? v.filter((i) => !(isDoc(i) && Object.keys(i).length === 0)) : v), withoutNulls),
      ),
    ),
  },
  {
    name: 'an expression whose value no later stage reads is not evaluated',
    page: `${manual}core/aggregation-pipeline-optimization/`,
    applies: and(
      ({ kind, code }) => kind === 'aggregate' && VALUE_CODES.has(code ?? 0),
      ({ theirs }) => theirs !== undefined,
      has(
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
      ),
    ),
  },
  {
    name: 'of several values that are refused another one is told first',
    page: `${manual}reference/aggregation-quick-reference/`,
    applies: ({ code, theirCode }) => VALUE_CODES.has(code ?? 0) && VALUE_CODES.has(theirCode ?? 0),
  },
  {
    name: 'decimals have other zeros at their end',
    page: operator('aggregation/toDecimal'),
    applies: oneAfter(both(shortDecimal, sortedKeys)),
  },
  {
    name: 'missing and null are two groups',
    page: operator('aggregation/group'),
    applies: and(
      has('$group', '$sortByCount'),
      (s) => s.theirs !== undefined && rowsWithoutId(s.theirs) && oneAfter(withoutNullGroups as (v: Json) => Json)(s),
    ),
  },
  {
    name: 'of equal numbers of several types another one names the group',
    page: operator('aggregation/group'),
    applies: and(
      (s) =>
        s.kind === 'distinct' ||
        has('$group', '$sortByCount', '$addToSet', '$setUnion', '$setIntersection', '$setWindowFields')(s),
      oneAfter(both(withoutNulls, plainNumber)),
    ),
  },
  {
    name: '$mod of a double by a long is a long',
    page: operator('aggregation/mod'),
    applies: and(has('$mod'), oneAfter(plainNumber)),
  },
  {
    name: 'a projection is checked only when a document comes',
    page: `${manual}reference/method/db.collection.find/#projection`,
    applies: and(oursRefuses(31249, 31250), ({ theirs }) => theirs === '[]' || theirs === '{"value":null}'),
  },
  {
    name: 'a path into an array that has no such place has another code',
    page: operator('update/set'),
    applies: codesAre(28, 9),
  },
  {
    name: '$unset of a path that can not be is refused',
    page: operator('update/unset'),
    applies: and(has('$unset'), theyRefuse(28)),
  },
  {
    name: '$push, $addToSet of nothing makes no array',
    page: operator('update/push'),
    applies: and(
      has('$push', '$addToSet'),
      oneAfter((v) =>
        isDoc(v) && 'nModified' in v
          ? { ...v, nModified: 0 }
          : isDoc(v)
            ? Object.fromEntries(
                Object.entries(v)
                  .filter(([, i]) => !(Array.isArray(i) && i.length === 0))
                  .toSorted(([a], [b]) => (a < b ? -1 : 1)),
              )
            : v,
      ),
    ),
  },
  {
    name: '$rename looks at its target though the source is missing',
    page: operator('update/rename'),
    applies: and(has('$rename'), theyRefuse(2, 28)),
  },
  {
    name: 'operands that are not needed are evaluated all the same',
    page: operator('aggregation/ifNull'),
    applies: and(has(...LAZY), ({ ours, theirCode }) => ours !== undefined && VALUE_CODES.has(theirCode ?? 0)),
  },
  {
    name: '$bucket does not keep the order of what is pushed',
    page: operator('aggregation/bucket'),
    applies: and(
      has('$bucket'),
      oneAfter(both(withoutNulls, (v) => (Array.isArray(v) ? v.map((i) => JSON.stringify(i)).toSorted() : v))),
    ),
  },
  {
    name: '$sum of a constant that is no whole number counts by whole ones',
    page: operator('aggregation/sum'),
    applies: (s) =>
      /"\$sum":([012]\.5|\{"\$number(Double|Decimal))/.test(s.text) &&
      oneAfter((v) => (isDoc(v) && 'y' in v ? { ...(withoutNulls(v) as object), y: 0 } : v))(s),
  },
  {
    name: 'an empty array is not below null in a sort',
    page: `${manual}reference/bson-type-comparison-order/#arrays`,
    applies: ({ kind, before, ours, theirs }) =>
      before.includes('[]') &&
      (kind === 'findAndModify' ||
        (kind === 'find' && ours !== undefined && theirs !== undefined && parseLength(ours) === parseLength(theirs))),
  },
  {
    name: 'a search looks at more documents than it has to',
    page: `${manual}reference/command/findAndModify/`,
    applies: ({ kind, ours, theirCode }) =>
      (kind === 'findAndModify' || kind === 'find') && ours !== undefined && VALUE_CODES.has(theirCode ?? 0),
  },
  {
    name: 'several of the kinds of $group at once',
    page: operator('aggregation/group'),
    applies: and(
      has('$group'),
      oneAfter(
        both(
          (v) => (Array.isArray(v) ? v.filter((i) => i !== null && i !== 'null') : v),
          (v) => (isDoc(v) && 'x' in v && 'y' in v ? { ...v, y: 0 } : v),
          withoutNulls,
          plainNumber,
        ),
      ),
    ),
  },
  {
    name: '$bits… take a number that is not whole',
    page: operator('query/bitsAnyClear'),
    applies: ({ text, before }) =>
      text.includes('"$bits') && /"\$number(Decimal|Double)":"[^"]*\.[^"]*[1-9]"/.test(before),
  },
  {
    name: 'a count without a filter is an estimate',
    page: `${manual}reference/command/count/`,
    applies: ({ kind, text }) => kind === 'count' && text.includes('"filter":{}'),
  },
  {
    name: 'a field that was unset is still read by a later stage',
    page: operator('aggregation/unset'),
    applies: and(
      has('$unset', '$project'),
      oneAfter((v) => (isDoc(v) ? Object.fromEntries(Object.entries(v).filter(([k]) => k !== 'e')) : v)),
    ),
  },
  {
    name: 'of several conditions another one is looked at first',
    page: `${manual}reference/operator/query/expr/`,
    applies: and(has('$expr'), ({ code, theirs }) => VALUE_CODES.has(code ?? 0) && theirs !== undefined),
  },
  {
    name: '$dateTrunc to days and weeks gives other days',
    page: operator('aggregation/dateTrunc'),
    applies: ({ text, ours, theirs }) =>
      /"unit":"(day|week)","binSize":[123]/.test(text) && ours !== undefined && theirs !== undefined,
  },
  {
    name: '$lookup by a path that ends in an empty array joins nothing, not what is null',
    page: operator('aggregation/lookup'),
    applies: and(
      has('$lookup'),
      ({ before }) => before.includes('[]'),
      oneAfter((v) => (isDoc(v) ? Object.fromEntries(Object.entries(v).filter(([k]) => k !== 'j')) : v)),
    ),
  },
  {
    name: '$rename to its own path is called a conflict',
    page: operator('update/rename'),
    applies: ({ code, theirCode, text }) => code === 2 && theirCode === 40 && text.includes('$rename'),
  },
  {
    name: '$rename from a path that can not be is no error',
    page: operator('update/rename'),
    applies: and(has('$rename'), oursRefuses(28)),
  },
  {
    name: '$all of nothing matches everything in some plans',
    page: operator('query/all'),
    applies: ({ text, ours, theirs }) => text.includes('"$all":[]') && ours !== undefined && theirs !== undefined,
  },
  {
    name: 'a range to null inside an array does not match what is missing',
    page: `${manual}tutorial/query-for-null-fields/`,
    applies: ({ text }) => /"arrayFilters":.*null|"\$(lte|gte)":null/.test(text),
  },
  {
    name: 'times near a change of summer time are an hour off',
    page: operator('aggregation/dateAdd'),
    applies: ({ text, ours, theirs }) =>
      text.includes('America/New_York') && ours !== undefined && theirs !== undefined,
  },
  {
    name: '$inc, $mul, $bit of an upsert take a boolean for a number',
    page: operator('update/inc'),
    applies: and(({ text }) => text.includes('"upsert":true'), oursRefuses(14)),
  },
  {
    name: '$in, $nin hold a decimal apart from an equal double',
    page: operator('query/in'),
    applies: ({ text, before, ours, theirs }) =>
      /"\$n?in"/.test(text) &&
      `${before}${text}`.includes('$numberDecimal') &&
      ours !== undefined &&
      theirs !== undefined,
  },
  {
    name: '$mul of a missing field by less than 0 is 0, not -0',
    page: operator('update/mul'),
    applies: and(
      has('$mul'),
      oneAfter(
        both(
          sortedKeys,
          (v) => (isDoc(v) && v['$numberDouble'] === '-0.0' ? { $numberDouble: '0.0' } : v),
          shortDecimal,
        ),
      ),
    ),
  },
  {
    name: 'a decimal is another group than an equal double',
    page: operator('aggregation/group'),
    applies: and(
      has('$group', '$sortByCount', '$setUnion', '$setIntersection', '$setDifference', '$addToSet'),
      ({ before, text, ours, theirs }) =>
        `${before}${text}`.includes('$numberDecimal') && ours !== undefined && theirs !== undefined,
    ),
  },
  {
    name: 'a projection into an array makes its values empty documents',
    page: operator('aggregation/unset'),
    applies: and(
      has('$unset', '$project', 'projection', 'fields'),
      ({ theirs }) => theirs?.includes('{}') ?? false,
      oneAfter((v) =>
        Array.isArray(v)
          ? v.map((i) => (isDoc(i) && !('$numberInt' in i) && Object.keys(i).some((k) => !k.startsWith('$')) ? i : {}))
          : v,
      ),
    ),
  },
  {
    name: 'a place in an array that holds an array is not looked into',
    page: `${manual}tutorial/query-arrays/`,
    applies: ({ text, before, ours, theirs }) =>
      /"(c\.0|r\.1|q\.0\.x)":/.test(text) && before.includes('[[') && ours !== undefined && theirs !== undefined,
  },
  {
    name: 'of a wrong projection and a wrong value the value is told',
    page: `${manual}reference/method/db.collection.find/#projection`,
    applies: ({ code, theirCode }) => (code === 31249 || code === 31250) && VALUE_CODES.has(theirCode ?? 0),
  },
];

/** The kind of a difference that is understood, or undefined. */
export function verdictOf({ operation, ours, theirs, before, stateOurs, stateTheirs }: Seen): string | undefined {
  const text = (o: Outcome): string | undefined => ('result' in o ? o.result : undefined);
  const code = (o: Outcome): number | undefined => ('code' in o ? o.code : undefined);
  const base = { text: JSON.stringify(operation), before, kind: operation.kind };
  const results: Sides = { ...base, code: code(ours), theirCode: code(theirs), ours: text(ours), theirs: text(theirs) };
  const states: Sides = { ...base, code: undefined, theirCode: undefined, ours: stateOurs, theirs: stateTheirs };
  const refused = results.ours === undefined || results.theirs === undefined;
  const sameResult = !refused && results.ours === results.theirs;
  const ofResult = sameResult ? undefined : verdicts.find((v) => v.applies(results));
  if (!sameResult && !ofResult) return undefined;
  // Where one side refused, the states differ by what the other wrote.
  if (refused || stateOurs === stateTheirs) return ofResult?.name;
  const ofState = ofResult?.applies(states) ? ofResult : verdicts.find((v) => v.applies(states));
  return ofState && (ofResult ?? ofState).name;
}
