import type { Fact } from './facts.js';
import {
  decimalApart,
  equal,
  isDecimal,
  isDoc,
  isHollow,
  isList,
  type Json,
  type JsonDoc,
  numberOf,
  plain,
  same,
  some,
  text,
  valuesAt,
} from './json.js';
import { docOf, listOf, updatedPaths } from './request.js';
import { has, operator, page, refusal, type Seen, type Verdict } from './rule.js';

/** The document as it was before the request. */
export const beforeOf = ({ before }: Seen, row: Json | undefined): JsonDoc | undefined =>
  before.find((doc) => isDoc(row) && same(doc['_id'], row['_id']));

const byName = (a: string, b: string): number =>
  /^\d+$/.test(a) && /^\d+$/.test(b) ? Number(a) - Number(b) : a < b ? -1 : 1;
/** Whether fields that were there keep their order, and new ones follow by name. */
function newByName(was: Json | undefined, now: Json | undefined): boolean {
  const [old, names] = [Object.keys(docOf(was)), Object.keys(docOf(now))];
  const fresh = names.filter((name) => !old.includes(name));
  const wanted = [...old.filter((name) => names.includes(name)), ...fresh.toSorted(byName)];
  return same(names, wanted);
}
const within = (path: string, outer: string): boolean => path === outer || path.startsWith(`${outer}.`);
/** The path in a document; that of findAndModify's answer lies under `value`. */
const pathOf = ({ path, where }: Fact): string => path.slice(where === 'answer' ? 1 : 0).join('.');
const atPathOf = (f: Fact, s: Seen, ...operators: readonly string[]): boolean =>
  updatedPaths(s.operation, ...operators).some((path) => within(path, pathOf(f)));
/** An empty array, or documents that hold only such. */
const isEmptyWithin = (v: Json | undefined): boolean =>
  isList(v) ? v.length === 0 : isDoc(v) && Object.values(v).every(isEmptyWithin);
const isOperators = ({ operation }: Seen): boolean => isDoc(operation['update']);
const isUpdate = ({ kind }: Seen): boolean => kind === 'update' || kind === 'findAndModify';
const throughAll = (s: Seen, ...operators: readonly string[]): boolean =>
  updatedPaths(s.operation, ...operators).some((path) => /\.\$(\[|$)/.test(path));
/** How many documents a result tells were found. */
const found = ({ theirs }: Seen): number => {
  const answer = docOf(theirs);
  const n = numberOf(answer['n'])?.value;
  return n ?? ((answer['value'] ?? null) === null ? 0 : 1);
};

/** Whether the engine kept what was there and added each value once, and the second server one more that is alike. */
function isAdded(f: Fact, s: Seen, alike: (a: Json, b: Json) => boolean): boolean {
  const was = listOf(
    valuesAt(beforeOf(s, f.where === 'stored' ? f.row : docOf(f.row)['value']), pathOf(f).split('.'))[0],
  );
  const [ours, theirs] = [listOf(f.ours), listOf(f.theirs)];
  const fresh = ours.slice(was.length);
  return (
    same(ours.slice(0, was.length), was) &&
    new Set(fresh.map(plain)).size === fresh.length &&
    fresh.every((item) => !was.some((other) => equal(item, other))) &&
    theirs.length > ours.length &&
    same([...new Set(ours.map(plain))].toSorted(), [...new Set(theirs.map(plain))].toSorted()) &&
    theirs.some((item, i) => theirs.some((other, k) => k < i && alike(other, item)))
  );
}

/** Verdicts on updates, each against the second server. */
export const updates: readonly Verdict[] = [
  {
    name: 'new fields of an update come in the order written, not by name',
    page: page('reference/operator/update/#behavior'),
    fact: (f, s) =>
      f.kind === 'keys' &&
      isUpdate(s) &&
      isOperators(s) &&
      (beforeOf(s, f.where === 'stored' ? f.row : docOf(f.row)['value']) === undefined
        ? s.operation['upsert'] === true
        : newByName(
            valuesAt(
              beforeOf(s, f.where === 'stored' ? f.row : docOf(f.row)['value']),
              pathOf(f) === '' ? [] : pathOf(f).split('.'),
            )[0],
            f.ours,
          )),
  },
  {
    name: '$pullAll, $pull, $pop, $unset, $rename of a missing path make the documents on the way',
    page: operator('update/pullAll'),
    fact: (f, s) =>
      f.kind === 'value' &&
      isUpdate(s) &&
      f.ours === undefined &&
      isHollow(f.theirs) &&
      atPathOf(f, s, '$pullAll', '$pull', '$pop', '$unset', '$rename'),
  },
  {
    name: '$pop of what is no array is told before a value of the filter',
    page: operator('update/pop'),
    refusal: (s) => s.code !== undefined && has(s, '$expr') && s.theirCode === 2 && /within \$pop/.test(s.theirMessage),
  },
  {
    name: '$addToSet holds documents and arrays apart whose numbers are of other types',
    page: operator('update/addToSet'),
    fact: (f, s) =>
      isUpdate(s) && atPathOf(f, s, '$addToSet') && isAdded(f, s, (a, b) => (isDoc(a) || isList(a)) && equal(a, b)),
  },
  {
    name: '$addToSet holds a decimal apart from an equal double',
    page: operator('update/addToSet'),
    fact: (f, s) => isUpdate(s) && atPathOf(f, s, '$addToSet') && isAdded(f, s, decimalApart),
  },
  {
    name: '$pull of an empty condition takes values that are no documents',
    page: operator('update/pull'),
    fact: (f, s) =>
      isUpdate(s) &&
      f.kind === 'value' &&
      Object.entries(docOf(docOf(s.operation['update'])['$pull'])).some(
        ([path, condition]) =>
          isDoc(condition) &&
          Object.keys(condition).length === 0 &&
          path === pathOf(f) &&
          valuesAt(beforeOf(s, f.where === 'stored' ? f.row : docOf(f.row)['value']), path.split('.')).some(
            (was) =>
              isList(was) &&
              same(
                f.ours,
                was.filter((item) => !isDoc(item)),
              ),
          ),
      ),
  },
  {
    name: 'an update that changes nothing counts as a change, or one that changes something does not',
    page: page('reference/command/update/#mongodb-data-update.nModified'),
    fact: (f, s) =>
      s.kind === 'update' &&
      f.where === 'answer' &&
      pathOf(f) === '' &&
      f.path[0] === 'nModified' &&
      numberOf(f.ours)?.value === s.changed,
  },
  {
    name: '$push, $addToSet of nothing makes no array',
    page: operator('update/push'),
    fact: (f, s) =>
      f.kind === 'value' &&
      isUpdate(s) &&
      f.theirs === undefined &&
      isEmptyWithin(f.ours) &&
      atPathOf(f, s, '$push', '$addToSet'),
  },
  {
    name: '$mul of a missing field by less than 0 is 0, not -0',
    page: operator('update/mul'),
    fact: (f, s) =>
      f.kind === 'value' &&
      isUpdate(s) &&
      Object.is(numberOf(f.ours)?.value, -0) &&
      Object.is(numberOf(f.theirs)?.value, 0) &&
      atPathOf(f, s, '$mul') &&
      valuesAt(beforeOf(s, f.row), pathOf(f).split('.')).length === 0,
  },
  {
    name: '$pop of what is no array has the code of a bad value',
    page: operator('update/pop'),
    refusal: refusal(
      [14, /^Path '.*' contains an element of non-array type/],
      [2, /within \$pop includes an element/],
      (s) => has(s, '$pop'),
    ),
  },
  {
    name: '$[] on what is no array has the code of a path that can not be',
    page: operator('update/positional-all'),
    refusal: refusal(
      [
        2,
        /^Cannot apply array updates to non-array element|must exist in the document in order to apply array updates/,
      ],
      [28, /^Failed to create the field/],
      (s) => throughAll(s),
    ),
  },
  {
    name: 'a missing array of $[] and a value that is not a number: the other one is told',
    page: operator('update/positional-all'),
    refusal: (s) =>
      throughAll(s) &&
      (refusal([14, /^Cannot apply \$(mul|inc)/], [2, /does not exist within the document. Cannot apply array/])(s) ||
        refusal(
          [2, /must exist in the document in order to apply/],
          [14, /operator on values that are not numeric/],
        )(s)),
  },
  {
    name: '$unset through $[] or $ of what is no array is no error',
    page: operator('update/positional-all'),
    refusal: refusal(
      [2, /must exist in the document in order to apply array updates|^Cannot apply array updates to non-array/],
      undefined,
      (s) => throughAll(s, '$unset'),
    ),
  },
  {
    name: 'two operators on one path are found only when a document comes',
    page: page('reference/operator/update/#update-operators'),
    refusal: refusal(
      [40, /^Updating the path '.*' would create a conflict/],
      undefined,
      (s) => found(s) === 0 || has(s, '$setOnInsert'),
    ),
  },
  {
    name: '$inc, $mul, $bit take a boolean for a number',
    page: operator('update/inc'),
    refusal: refusal([14, /^Cannot apply \$(inc|mul|bit) .*of non-(numeric|integral) type bool/], undefined),
  },
  {
    name: 'a path into an array that has no such place has another code',
    page: operator('update/set'),
    refusal: refusal([28, /^Cannot create field/], [9, /./]),
  },
  {
    name: '$unset of a path that can not be is refused',
    page: operator('update/unset'),
    refusal: refusal(undefined, [[2, 28], /^Invalid array index path|^Failed to create the field/], (s) =>
      has(s, '$unset'),
    ),
  },
  {
    name: '$rename looks at its target though the source is missing',
    page: operator('update/rename'),
    refusal: refusal(
      undefined,
      [
        [2, 9, 28],
        /rename cannot be an array element|^Failed to create the field|^Invalid array index path|^The destination field is an invalid/,
      ],
      (s) => has(s, '$rename'),
    ),
  },
  {
    name: '$rename to its own path, or along it, is called a conflict, and no error where nothing matches',
    page: operator('update/rename'),
    refusal: (s) =>
      s.code === 2 &&
      s.message.startsWith('The source and target field for $rename must ') &&
      (s.theirs === undefined
        ? s.theirCode === 40
        : valuesAt(s.theirs, ['nModified']).every((n) => numberOf(n)?.value === 0)),
  },
  {
    name: '$rename from a path that can not be is no error, or has another code',
    page: operator('update/rename'),
    refusal: (s) =>
      has(s, '$rename') &&
      (refusal([28, /^Cannot create field/], undefined)(s) ||
        refusal([28, /^Cannot create field/], [2, /rename cannot be an array element/])(s) ||
        refusal([2, /field cannot be an array element/], [28, /^Failed to create the field/])(s)),
  },
  {
    name: 'parallel arrays are refused by an index that the second server has not',
    page: page('core/indexes/index-types/index-multikey/#compound-multikey-indexes'),
    refusal: refusal([171, /^cannot index parallel arrays/], undefined, (s) => {
      const fields = [...s.message.matchAll(/\[([^\]]+)\]/g)].map(([, field = '']) => field);
      const lists = (doc: Json): number =>
        fields.filter((field) => {
          const steps = field.split('.');
          return steps.some((_, i) => valuesAt(doc, steps.slice(0, i + 1)).some(isList));
        }).length;
      return fields.length === 2 && isList(s.stateTheirs) && s.stateTheirs.some((doc) => lists(doc) === 2);
    }),
  },
  {
    name: 'a decimal with other zeros, or -0, is not set over an equal number',
    page: operator('update/set'),
    fact: (f, s) => {
      const was = valuesAt(beforeOf(s, f.row), pathOf(f) === '' ? [] : pathOf(f).split('.'));
      return (
        isUpdate(s) &&
        (!isOperators(s) || !atPathOf(f, s, '$inc', '$mul')) &&
        f.kind === 'value' &&
        equal(f.ours, f.theirs) &&
        numberOf(f.ours)?.type === numberOf(f.theirs)?.type &&
        was.some((v) => same(v, f.theirs))
      );
    },
  },
  {
    name: 'a document whose numbers are of other types is not written over an equal one',
    page: operator('update/set'),
    fact: (f, s) => {
      const steps = pathOf(f).split('.');
      const at = steps.findIndex((_, i) => updatedPaths(s.operation, '$set').includes(steps.slice(0, i + 1).join('.')));
      const was = valuesAt(beforeOf(s, f.row), steps.slice(0, at + 1))[0];
      return (
        isUpdate(s) &&
        f.kind === 'value' &&
        at >= 0 &&
        at < steps.length - 1 &&
        equal(f.ours, f.theirs) &&
        numberOf(f.ours) !== undefined &&
        some(was, (v) => same(v, f.theirs))
      );
    },
  },
  {
    name: 'a double 0 is a decimal with 15 zeros, $mul of what is missing one with none',
    page: operator('aggregation/toDecimal'),
    fact: (f, s) =>
      f.kind === 'value' &&
      isUpdate(s) &&
      isDecimal(f.ours) &&
      isDecimal(f.theirs) &&
      equal(f.ours, f.theirs) &&
      ((has(s, '$inc', '$mul') && /\.\d{15,}"|E-1[5-9]"/.test(text(f.theirs))) ||
        (atPathOf(f, s, '$mul') && valuesAt(beforeOf(s, f.row), pathOf(f).split('.')).length === 0)),
  },
];
