import type { Fact } from './facts.js';
import { beforeOf } from './updates.js';
import {
  candidates,
  decimalApart,
  equal,
  isDoc,
  isList,
  isObject,
  isWhole,
  type Json,
  type JsonDoc,
  numberOf,
  some,
  text,
  valuesAt,
} from './json.js';
import { isRightChoice } from './found.js';
import { idOf } from './made.js';
import { allStages, type Clause, clausesOf, docOf, filtersOf, holds, listOf } from './request.js';
import { operator, page, type Seen, type Verdict } from './rule.js';

const clauses = (s: Seen): readonly Clause[] => filtersOf(s.operation).flatMap((filter) => clausesOf(filter));
/** Whether some clause is as wanted on a document. */
const onClause =
  (wanted: (c: Clause, values: readonly Json[], doc: JsonDoc) => boolean) =>
  (doc: JsonDoc, s: Seen): boolean =>
    clauses(s).some((c) => wanted(c, candidates(doc, c.path), doc));
/** Whether the engine chose the right documents, of those that the filter finds. */
const isChosen = (f: Fact, s: Seen): boolean =>
  isRightChoice(f, s, (doc) => queries.some(({ matching }) => matching?.(doc, s) === true));
const sortPaths = ({ operation }: Seen): readonly string[] => [
  ...Object.keys(docOf(operation['sort'])),
  ...allStages(operation['pipeline'])
    .filter(({ name }) => name === '$sort')
    .flatMap(({ spec }) => Object.keys(docOf(spec))),
];

/** Whether a path has a place of an array that holds arrays. */
function nestedAt(doc: JsonDoc, path: string): boolean {
  const steps = path.split('.');
  const at = steps.findIndex((step) => /^\d+$/.test(step));
  return at > 0 && valuesAt(doc, steps.slice(0, at)).some((v) => isList(v) && v.some(isList));
}
/** Whether a fact may come of another order of the documents, and the engine has the right one. */
const moved = (f: Fact, s: Seen): boolean =>
  (s.kind === 'findAndModify' ||
    (s.kind === 'find' &&
      (f.kind === 'order' ||
        (s.operation['limit'] !== undefined && (f.kind === 'row' || idOf(f.row) === undefined))))) &&
  isChosen(f, s);
/** Whether documents are sorted by a path at which one of them has an empty array. */
const emptySorted = (s: Seen): boolean =>
  s.before.some((doc) =>
    sortPaths(s).some((path) => valuesAt(doc, path.split('.')).some((v) => isList(v) && v.length === 0)),
  );

/** Verdicts on which documents a filter finds and in which order, each against the second server. */
export const queries: readonly Verdict[] = [
  {
    name: '$bits… take a number that is not whole',
    page: operator('query/bitsAnyClear'),
    matching: onClause(
      ({ operator: name }, values) =>
        name.startsWith('$bits') && values.some((v) => numberOf(v) !== undefined && !isWhole(v)),
    ),
  },
  {
    name: '$bits… of one position told twice finds other numbers',
    page: operator('query/bitsAnyClear'),
    matching: onClause(
      ({ operator: name, operand }, values) =>
        name.startsWith('$bits') &&
        isList(operand) &&
        new Set(operand.map(text)).size < operand.length &&
        values.some((v) => isObject(v) && !isDoc(v)),
    ),
  },
  {
    name: '$in, $nin hold a decimal apart from an equal double',
    page: operator('query/in'),
    matching: onClause(
      ({ operator: name, operand }, values) =>
        (name === '$in' || name === '$nin') &&
        listOf(operand).some((wanted) => values.some((v) => decimalApart(wanted, v))),
    ),
    fact: (f, s) =>
      f.kind === 'value' &&
      [s.operation['projection'], s.operation['fields']].some((part) =>
        clausesOf(part ?? null).some(
          ({ path, operator: name, operand }) =>
            f.path.includes(path) &&
            name === '$in' &&
            s.before.some((doc) =>
              candidates(doc, path).some((v) => listOf(operand).some((wanted) => decimalApart(wanted, v))),
            ),
        ),
      ),
  },
  {
    name: '$in, $nin hold documents and arrays apart whose numbers are of other types',
    page: operator('query/in'),
    matching: onClause(
      ({ operator: name, operand }, values) =>
        (name === '$in' || name === '$nin') &&
        listOf(operand).some(
          (wanted) =>
            (isList(wanted) || isDoc(wanted)) && values.some((v) => equal(wanted, v) && text(wanted) !== text(v)),
        ),
    ),
  },
  {
    name: 'an $or of equalities holds a decimal apart from an equal double',
    page: operator('query/or'),
    matching: onClause(
      ({ operator: name, operand, inside }, values) =>
        name === '$eq' && inside.includes('$or') && values.some((v) => decimalApart(operand, v)),
    ),
  },
  {
    name: '$all of nothing matches everything in some plans',
    page: operator('query/all'),
    matching: onClause(({ operator: name, operand }) => name === '$all' && isList(operand) && operand.length === 0),
  },
  {
    name: 'a range to null inside an array does not match what is missing',
    page: page('tutorial/query-for-null-fields/'),
    matching: (doc, s) =>
      onClause(
        ({ operator: name, operand, inside, path }) =>
          (name === '$lte' || name === '$gte') &&
          operand === null &&
          (inside.includes('$elemMatch') || path.includes('.')),
      )(doc, s) ||
      listOf(s.operation['arrayFilters']).some((filter) =>
        clausesOf(filter).some(
          ({ operator: name, operand }) => (name === '$lte' || name === '$gte') && operand === null,
        ),
      ),
  },
  {
    name: 'a place in an array that holds an array is not looked into',
    page: page('tutorial/query-arrays/'),
    matching: onClause(({ path }, _values, doc) => nestedAt(doc, path)),
    fact: (f, s) => {
      const { key } = s.operation;
      const paths = typeof key === 'string' ? [key] : moved(f, s) ? sortPaths(s) : [];
      return (
        (typeof key !== 'string' || isChosen(f, s)) && s.before.some((doc) => paths.some((path) => nestedAt(doc, path)))
      );
    },
  },
  {
    name: 'an empty array is not below null in a sort',
    page: page('reference/bson-type-comparison-order/#arrays'),
    fact: (f, s) => moved(f, s) && emptySorted(s),
    refusal: (s) => s.kind === 'findAndModify' && emptySorted(s),
  },
  {
    name: 'a sort by what lies at a place of an array does not look into an array there',
    page: page('reference/bson-type-comparison-order/#arrays'),
    fact: (f, s) =>
      moved(f, s) &&
      s.before.some((doc) =>
        sortPaths(s).some((path) => /\.\d+(\.|$)/.test(path) && valuesAt(doc, path.split('.')).some(isList)),
      ),
  },
  {
    name: 'binary data is not converted to numbers in $expr',
    page: operator('aggregation/convert'),
    matching: (doc, s) =>
      clauses(s).some(({ operator: name, operand }) => name === '$expr' && holds(operand, '$convert')) &&
      some(doc, (part) => isObject(part) && '$binary' in part),
  },
  {
    name: 'a search with a limit meets its documents in another order, and so not the value that is refused',
    page: page('reference/command/count/'),
    refusal: (s) => s.theirs !== undefined && s.operation['limit'] !== undefined && s.refusedWhole,
  },
  {
    name: 'a count without a filter is an estimate',
    page: page('reference/command/count/'),
    fact: (f, s) => s.kind === 'count' && Object.keys(docOf(s.operation['filter'])).length === 0 && isChosen(f, s),
  },
];

/** Whether a rule that tells documents apart explains a fact of an answer. */
export function explainedByMatching(v: Verdict, s: Seen): (f: Seen['facts'][number]) => boolean {
  const { matching } = v;
  if (matching === undefined) return () => false;
  const any = s.before.some((doc) => matching(doc, s)) || (s.kind === 'aggregate' && matching({}, s));
  return (f) => {
    if (!any) return false;
    if (s.kind === 'aggregate') return s.alike.named;
    const stands = beforeOf(s, f.row);
    // Which one document a write takes depends on the others that are found.
    const one = s.kind === 'findAndModify' || s.kind === 'replace';
    const whole = (f.where === 'stored' && !one) || (s.kind === 'find' && s.operation['limit'] === undefined);
    return stands !== undefined && whole && isDoc(f.row) ? matching(stands, s) : isChosen(f, s);
  };
}
/** Whether a write may have met another document, and so another value to refuse. */
export const refusedByMatching = ({ matching }: Verdict, s: Seen): boolean =>
  matching !== undefined &&
  ['update', 'findAndModify'].includes(s.kind) &&
  [2, 9, 14, 28].includes(s.code ?? s.theirCode ?? 0) &&
  s.before.some((doc) => matching(doc, s));
