import { equal, isDoc, isList, type Json, type JsonDoc, plain, same, text } from './json.js';

/** One thing in which two answers, or what two servers stored, differ. */
export interface Fact {
  /** A value; the order of a document's keys; a document that one side alone has; the order of all. */
  readonly kind: 'value' | 'keys' | 'row' | 'order';
  readonly where: 'answer' | 'stored';
  /** Within the row. */
  readonly path: readonly string[];
  readonly ours: Json | undefined;
  readonly theirs: Json | undefined;
  /** The whole document, ours where there is one. */
  readonly row: Json | undefined;
  /** The same, or of documents within a document the innermost. */
  readonly near: Json | undefined;
}
type Bare = Omit<Fact, 'where' | 'row' | 'near'> & { readonly near?: Json | undefined };

const isRows = (v: Json | undefined): v is readonly JsonDoc[] =>
  isList(v) && v.length > 0 && v.every((item) => isDoc(item) && '_id' in item);

/** What differs within one value. */
function within(path: readonly string[], ours: Json | undefined, theirs: Json | undefined): readonly Bare[] {
  if (same(ours, theirs)) return [];
  if (isDoc(ours) && isDoc(theirs)) {
    const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
    const facts = names.flatMap((name) => within([...path, name], ours[name], theirs[name]));
    const common = (a: JsonDoc, b: JsonDoc): string => text(Object.keys(a).filter((name) => name in b));
    return common(ours, theirs) === common(theirs, ours) ? facts : [...facts, { kind: 'keys', path, ours, theirs }];
  }
  if (path.length > 0 && (isRows(ours) || isRows(theirs)) && isList(ours) && isList(theirs))
    return betweenRows(ours, theirs).map(({ row: _row, ...fact }) => ({ ...fact, path: [...path, ...fact.path] }));
  if (isList(ours) && isList(theirs) && ours.length === theirs.length)
    return ours.flatMap((item, i) => within([...path, String(i)], item, theirs[i]));
  return [{ kind: 'value', path, ours, theirs }];
}

/** Takes pairs of two lists, as long as there are some: first those that suit best. */
function paired(ours: Json[], theirs: Json[], suits: (a: Json, b: Json) => boolean): [Json, Json][] {
  const pairs: [Json, Json][] = [];
  for (const mine of [...ours]) {
    const at = theirs.findIndex((other) => suits(mine, other));
    const other = theirs[at];
    if (other === undefined) continue;
    pairs.push([mine, other]);
    ours.splice(ours.indexOf(mine), 1);
    theirs.splice(at, 1);
  }
  return pairs;
}

/** The rows without an _id that differ least belong together. */
function nearest(ours: Json[], theirs: Json[]): [Json, Json][] {
  const pairs: [Json, Json][] = [];
  while (ours.length > 0 && theirs.length > 0) {
    let best: { a: Json; b: Json; cost: number } | undefined;
    for (const a of ours)
      for (const b of theirs) {
        const cost = within([], a, b).length;
        if (best === undefined || cost < best.cost) best = { a, b, cost };
      }
    if (best === undefined) break;
    const { a, b } = best;
    pairs.push([a, b]);
    ours.splice(ours.indexOf(a), 1);
    theirs.splice(theirs.indexOf(b), 1);
  }
  return pairs;
}

const idOf = (v: Json): Json | undefined => (isDoc(v) ? v['_id'] : undefined);

/** Parts of a compound _id that are missing or null are one. */
const withoutNulls = (v: Json | undefined): Json | undefined =>
  isDoc(v) ? Object.fromEntries(Object.entries(v).filter(([, part]) => part !== null)) : v;

/** Rows of one _id, of several by what differs least. */
function sharing(ours: Json[], theirs: Json[]): [Json, Json][] {
  const ids = [
    ...new Set(
      ours
        .map(idOf)
        .filter((id) => id !== undefined)
        .map(text),
    ),
  ];
  return ids.flatMap((id) => {
    const [a, b] = [ours, theirs].map((rows) => rows.filter((row) => text(idOf(row)) === id)) as [Json[], Json[]];
    const pairs = nearest(a, b);
    for (const [mine, other] of pairs) {
      ours.splice(ours.indexOf(mine), 1);
      theirs.splice(theirs.indexOf(other), 1);
    }
    return pairs;
  });
}

function betweenRows(ours: readonly Json[], theirs: readonly Json[]): readonly Omit<Fact, 'where'>[] {
  const [mine, others] = [[...ours], [...theirs]];
  const equalRows = paired(mine, others, same);
  if (mine.length === 0 && others.length === 0)
    return same(ours, theirs) ? [] : [{ kind: 'order', path: [], ours, theirs, row: undefined, near: undefined }];
  const pairs = [
    ...sharing(mine, others),
    ...paired(mine, others, (a, b) => idOf(a) !== undefined && equal(idOf(a), idOf(b))),
    ...paired(mine, others, (a, b) => idOf(a) !== undefined && equal(withoutNulls(idOf(a)), withoutNulls(idOf(b)))),
    ...paired(mine, others, (a, b) => !isDoc(a) && equal(a, b)),
    ...(mine.length === others.length && [...mine, ...others].every((row) => isDoc(row) && !('_id' in row))
      ? nearest(mine, others)
      : []),
  ];
  const facts = pairs.flatMap(([a, b]) => within([], a, b).map((fact) => ({ near: a, ...fact, row: a })));
  const order = ours.length === theirs.length && equalRows.length + pairs.length === ours.length;
  const moved =
    order &&
    ours.some((a, i) => !equalRows.some(([x]) => x === a) && !pairs.some(([x, y]) => x === a && y === theirs[i]));
  return [
    ...facts,
    ...(moved && facts.length === 0
      ? [{ kind: 'order' as const, path: [], ours, theirs, row: undefined, near: undefined }]
      : []),
    ...mine.map((row) => ({ kind: 'row' as const, path: [], ours: row, theirs: undefined, row, near: row })),
    ...others.map((row) => ({ kind: 'row' as const, path: [], ours: undefined, theirs: row, row, near: row })),
  ];
}

/** Everything in which two values differ; lists at the top are rows. */
export function factsOf(where: Fact['where'], ours: Json, theirs: Json): readonly Fact[] {
  const facts: readonly Omit<Fact, 'where'>[] =
    isList(ours) && isList(theirs)
      ? betweenRows(ours, theirs)
      : within([], ours, theirs).map((fact) => ({ near: ours, ...fact, row: ours }));
  return facts.map((fact) => ({ ...fact, where }));
}

/** Whether two lists hold the same in another order, numbers of all types being one. */
export const sameItems = (a: readonly Json[], b: readonly Json[]): boolean =>
  text(a.map(plain).toSorted()) === text(b.map(plain).toSorted());
