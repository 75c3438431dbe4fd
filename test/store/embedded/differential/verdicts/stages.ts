import { OTHER, shown } from '../perform.js';
import type { Fact } from './facts.js';
import { candidates, equal, isDoc, isList, type Json, parse, some, text, valuesAt } from './json.js';
import { idOf, isAccumulated, isRight, pipelineOf } from './made.js';
import { isSorted } from './model/choice.js';
import { allStages, docOf, holds, listOf, stagesOf } from './request.js';
import { operator, page, refusal, type Seen, type Verdict } from './rule.js';

const others = listOf(parse(shown(OTHER)));
const stringOf = (v: Json | undefined): string => (typeof v === 'string' ? v : '');
/** The values by which $lookup joins a document: an array's are its items, and what is missing is null. */
function localOf(doc: Json, path: string): readonly Json[] {
  const values = valuesAt(doc, path.split('.')).flatMap((v) => (isList(v) ? v : [v]));
  return values.length > 0 ? values : [null];
}
/** Which documents of the other collection $lookup joins with one, before its pipeline. */
const joinedWith = (doc: Json, spec: Json): readonly Json[] => {
  const { localField, foreignField } = docOf(spec);
  const wanted = localOf(doc, stringOf(localField));
  return others.filter((other) => {
    const values = candidates(other, stringOf(foreignField));
    return wanted.some((v) => values.some((w) => equal(v, w)) || (v === null && values.length === 0));
  });
};

/** Whether a fact is of what $lookup joins by a local field that holds such a value, and the engine joins what has it. */
const joined = (f: Fact, s: Seen, wanted: (v: Json) => boolean): boolean =>
  f.path[0] === 'j' &&
  allStages(pipelineOf(s)).some(({ name, spec }) => {
    const local = stringOf(docOf(spec)['localField']);
    const doc = s.before.find(({ _id }) => equal(_id, idOf(f.row)));
    if (name !== '$lookup' || local === '' || doc === undefined) return false;
    const right = joinedWith(doc, spec).map((other) => text(idOf(other)));
    const mine = listOf(docOf(f.row)['j']).map((other) => text(idOf(other)));
    const fits = holds(spec, 'pipeline') ? mine.every((id) => right.includes(id)) : text(mine) === text(right);
    return fits && valuesAt(doc, local.split('.')).some(wanted);
  });

/** Verdicts on other stages, each against the second server. */
export const stages: readonly Verdict[] = [
  {
    name: '$count of nothing gives a row',
    page: operator('aggregation/count'),
    refusal: refusal(undefined, [40228, /newRoot/], (s) =>
      stagesOf(pipelineOf(s)).some(
        ({ name, after }) => name === '$count' && after.some((stage) => stage.name.startsWith('$replace')),
      ),
    ),
    fact: (f, s) =>
      f.ours === undefined &&
      isDoc(f.theirs) &&
      text(s.ours) === '[]' &&
      s.models.some(({ name, arrived, vouched }) => name === '$count' && arrived === 0 && vouched),
  },
  {
    name: '$group of nothing in $facet gives null',
    page: operator('aggregation/facet'),
    fact: (f, s) =>
      text(f.ours) === '[]' &&
      text(f.theirs) === '[null]' &&
      s.models.some(({ facet, arrived, vouched }) => facet === f.path[0] && arrived === 0 && vouched),
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
      joined(f, s, isList) && some(s.operation, (part) => isDoc(part) && /\.\d/.test(stringOf(part['localField']))),
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
      (isAccumulated(f, s, '$top', '$bottom') && s.before.some((doc) => text(doc['n']) === '[]') && isRight(f, s)) ||
      (f.kind === 'order' &&
        listOf(f.ours).some((row) => some(row, (part) => isList(part) && part.length === 0)) &&
        allStages(pipelineOf(s)).some(({ name, spec }) => name === '$sort' && isSorted(listOf(f.ours), spec))),
  },
  {
    name: 'documents that sort alike come in another order',
    page: operator('aggregation/sort'),
    fact: (f, s) =>
      f.kind === 'order' &&
      allStages(pipelineOf(s)).some(
        ({ name, spec }) => name === '$sort' && [f.ours, f.theirs].every((rows) => isSorted(listOf(rows), spec)),
      ),
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
