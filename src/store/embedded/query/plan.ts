import { BSONRegExp } from 'bson';
import { type Collation, hasText } from '../bson/collation.js';
import { equals } from '../bson/compare.js';
import { after, encodeValue } from '../bson/key.js';
import { isDoc, toInteger } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { contains, type Edge, type Interval, type Predicate, predicateOf, rangeOf, show, unbounded } from './bounds.js';
import type { CompiledIndex, IndexSpec } from './indexes.js';
import { compileFilter } from './match.js';
import { sortFields } from './sort.js';
import { wildcardHolds } from './wildcard.js';

/** Keys from `from` up to but without `to`, by their bytes, without the collection's own prefix. */
export interface Range {
  readonly from: Buffer;
  readonly to: Buffer;
}

export interface PlannerIndex {
  readonly index: CompiledIndex;
  /** A document with an array on the way was stored in it once. */
  readonly multikey: boolean;
}

/** How documents are found. Bounds may be too wide, never too narrow: the filter runs again unless `exact`. */
export type Plan =
  | {
      readonly kind: 'collection';
      readonly reverse: boolean;
      /** A hinted index that holds no entries of its own: what it would not hold is left out. */
      readonly only?: CompiledIndex;
    }
  | {
      readonly kind: 'index';
      readonly index: CompiledIndex;
      readonly ranges: readonly Range[];
      readonly reverse: boolean;
      /** Documents come in the order of the sort. */
      readonly sorted: boolean;
      /** The bounds say all that the filter says: a count need not read documents. */
      readonly exact: boolean;
      readonly multikey: boolean;
      /** Each range is one whole key: a unique index is asked for it, not walked. */
      readonly points: boolean;
      /** The bounds as explain prints them, by path. */
      readonly bounds: Readonly<Record<string, readonly string[]>>;
    };

export interface PlanRequest {
  readonly filter: Doc;
  readonly sort?: Doc | undefined;
  readonly hint?: string | Doc | undefined;
  readonly collation?: Collation | undefined;
  readonly indexes: readonly PlannerIndex[];
}

/** The clauses that must all hold: the filter's own and those of $and. */
function clauses(filter: Doc): [path: string, condition: Value][] {
  return Object.entries(filter).flatMap(([key, v]): [string, Value][] =>
    key === '$and' && Array.isArray(v) ? v.flatMap((part) => (isDoc(part) ? clauses(part) : [])) : [[key, v]],
  );
}

/** Does the filter allow only documents that the partial index holds? */
function implies(filter: readonly [string, Value][], partial: Doc): boolean {
  return clauses(partial).every(([path, wanted]) => {
    const said = filter.filter(([p]) => p === path).map(([, condition]) => condition);
    if (said.some((condition) => equals(condition, wanted))) return true;
    const predicates = said.map(predicateOf);
    if (isDoc(wanted) && equals(wanted, { $exists: true })) return predicates.some((p) => p?.present === true);
    const range = predicateOf(wanted);
    const within = range && !range.points && range.exact ? range.intervals[0] : undefined;
    if (within && said.some((c) => isDoc(c) && contains(within, rangeOf(c)))) return true;
    return predicates.some(
      (p) => p?.present && p.equal !== undefined && compileFilter({ v: wanted }).test({ v: p.equal }),
    );
  });
}

function rangeBytes(prefix: Buffer, { low, high }: Interval, direction: 1 | -1): Range {
  const turn = (bytes: Buffer): Buffer => (direction === 1 ? bytes : Buffer.from(bytes.map((b) => ~b & 0xff)));
  const [first, last] = direction === 1 ? [low, high] : [high, low];
  const from = Buffer.concat([prefix, turn(first.bytes)]);
  const to = Buffer.concat([prefix, turn(last.bytes)]);
  return { from: first.inclusive ? from : after(from), to: last.inclusive ? after(to) : to };
}

interface Candidate {
  readonly plan: Exclude<Plan, { kind: 'collection' }>;
  readonly score: number;
}

function predicatesOf(said: readonly [string, Value][], textless: boolean): ReadonlyMap<string, Predicate> {
  const predicates = new Map<string, Predicate>();
  for (const [path, condition] of said) {
    if (textless && (hasText(condition) || condition instanceof BSONRegExp)) continue;
    const p = predicateOf(condition);
    const earlier = predicates.get(path);
    if (p && (!earlier || (p.points && !earlier.points))) predicates.set(path, earlier ? { ...p, exact: false } : p);
    else if (earlier) predicates.set(path, { ...earlier, exact: false });
  }
  return predicates;
}

/** What is asked of every index. */
interface Asked {
  readonly sort: ReturnType<typeof sortFields>;
  readonly hinted: boolean;
  readonly collated: boolean;
  /** `textless`: bounds are bytes, which say nothing of texts that a collation compares. */
  readonly predicatesFor: (textless: boolean) => ReadonlyMap<string, Predicate>;
}

function candidate(
  entry: PlannerIndex,
  said: readonly [string, Value][],
  { sort, hinted, collated, predicatesFor }: Asked,
): Candidate | undefined {
  const { index, multikey } = entry;
  const { spec } = index;
  if (index.kind !== 'keys') return undefined;
  const textless = collated || spec.collation !== undefined;
  const predicates = predicatesFor(textless);
  if (textless && hasText(spec.partialFilterExpression)) return undefined;
  if (spec.hidden) return undefined;
  if (spec.partialFilterExpression && !implies(said, spec.partialFilterExpression)) return undefined;
  if (spec.sparse && !index.fields.some((f) => predicates.get(f.path)?.present) && !hinted) return undefined;
  let ranges: Range[] = [];
  let prefixes: Buffer[] = [Buffer.alloc(0)];
  const roots = new Set<string>();
  const bounds: Record<string, string[]> = {};
  let used = 0;
  let equal = 0;
  let exact = !multikey && !spec.sparse && !spec.partialFilterExpression;
  const intervalText = (v: Interval): string =>
    `${v.low.inclusive ? '[' : '('}${v.low.text}, ${v.high.text}${v.high.inclusive ? ']' : ')'}`;
  for (const { path, direction } of index.fields) {
    const p = predicates.get(path);
    const root = path.split('.')[0] ?? path;
    if (!p || (multikey && roots.has(root)) || (p.points && prefixes.length * p.intervals.length > 2000)) break;
    roots.add(root);
    used += 1;
    exact &&= p.exact;
    bounds[path] = p.intervals.map(intervalText);
    if (!p.points) {
      const [interval] = p.intervals as [Interval];
      const narrowed = multikey && p.both ? { low: interval.low, high: rangeCeiling(interval.low) } : interval;
      ranges = prefixes.map((prefix) => rangeBytes(prefix, narrowed, direction));
      break;
    }
    prefixes = prefixes.flatMap((prefix) =>
      p.intervals.map((v) => Buffer.concat([prefix, encodeTurned(v.low.bytes, direction)])),
    );
    if (p.intervals.length === 1) equal += 1;
  }
  const points = ranges.length === 0 && used === index.fields.length;
  if (ranges.length === 0)
    ranges = prefixes.map((prefix) =>
      prefix.length === 0 ? { from: prefix, to: Buffer.from([0xff, 0xff]) } : { from: prefix, to: after(prefix) },
    );
  ranges.sort((a, b) => Buffer.compare(a.from, b.from));
  const order = ranges.length === 1 && !multikey && !textless ? servesSort(index, equal, predicates, sort) : undefined;
  if (used === 0 && !hinted && (order === undefined || sort.length === 0)) return undefined;
  for (const { path } of index.fields) bounds[path] ??= ['[MinKey, MaxKey]'];
  exact &&= used === said.length && [...predicates.values()].every((p) => p.exact);
  const sorted = sort.length > 0 && order !== undefined;
  const full = spec.unique === true && equal === index.fields.length;
  const plan: Candidate['plan'] = {
    kind: 'index',
    index,
    ranges,
    reverse: sorted && order === -1,
    sorted,
    exact,
    multikey,
    points,
    bounds,
  };
  return {
    plan,
    score: (full ? 1000 : 0) + equal * 10 + (used - equal) * 6 + (sorted ? 5 : 0) - index.fields.length * 0.1,
  };
}

const encodeTurned = (bytes: Buffer, direction: 1 | -1): Buffer =>
  direction === 1 ? bytes : Buffer.from(bytes.map((b) => ~b & 0xff));
/** The end of the type that an edge lies in. */
const rangeCeiling = (edge: Edge): Edge => ({
  bytes: Buffer.from([(edge.bytes[0] ?? 0) + 1]),
  inclusive: false,
  text: 'inf',
});

/** 1 or −1: reading the index this way gives the sort's order; fields that are held equal may be passed over. */
function servesSort(
  index: CompiledIndex,
  equal: number,
  predicates: ReadonlyMap<string, Predicate>,
  sort: ReturnType<typeof sortFields>,
): 1 | -1 | undefined {
  const held = new Set(index.fields.slice(0, equal).map((f) => f.path));
  const wanted = sort.filter(([path]) => !held.has(path) || predicates.get(path)?.equal === undefined);
  let way: 1 | -1 | undefined;
  let at = equal;
  for (const [path, direction] of wanted) {
    const f = index.fields[at];
    if (f?.path !== path) return undefined;
    const turn = (f.direction * direction) as 1 | -1;
    if (way !== undefined && way !== turn) return undefined;
    way = turn;
    at += 1;
  }
  return way ?? 1;
}

/** One field held equal to a value that a unique index has: the commonest search beside that by `_id`, planned at once. */
function pointOf(said: readonly [string, Value][], indexes: readonly PlannerIndex[]): Plan | undefined {
  const [clause] = said;
  if (!clause || said.length > 1) return undefined;
  const [path, v] = clause;
  if (path.startsWith('$') || v === null || isDoc(v) || unbounded(v)) return undefined;
  for (const { index, multikey } of indexes) {
    const { unique, hidden, sparse, partialFilterExpression, collation } = index.spec;
    if (index.kind !== 'keys' || collation !== undefined) continue;
    const [only] = index.fields;
    if (!unique || hidden || sparse || partialFilterExpression || multikey || only?.path !== path) continue;
    if (index.fields.length > 1) continue;
    const from = encodeTurned(encodeValue(v), only.direction);
    return {
      kind: 'index',
      index,
      ranges: [{ from, to: after(from) }],
      reverse: false,
      sorted: false,
      exact: true,
      multikey,
      points: true,
      bounds: { [path]: [`[${show(v)}, ${show(v)}]`] },
    };
  }
  return undefined;
}

/** Is this the index that a hint names, by its name or its key? A hidden one can not be named. */
export const isHinted = ({ hidden, name, key }: IndexSpec, hint: string | Doc): boolean =>
  !hidden && (typeof hint === 'string' ? name === hint : equals(key, hint));

/** Could a wildcard index find what a clause says? It holds no entry for what is missing. */
const servesWildcard = ({ spec }: CompiledIndex, [path, condition]: [string, Value]): boolean =>
  path.startsWith('$') || (wildcardHolds(spec, path) && predicateOf(condition)?.present !== false);

/**
 * Chooses how to find what a filter and a sort ask for. Pure: its answer is data, explain prints it.
 *
 * @throws {EngineError} 2: the hint names no index; 291: it names a wildcard index that has nothing of what is asked
 */
export function plan({ filter, sort, hint, collation, indexes }: PlanRequest): Plan {
  const said = clauses(filter);
  const looked = sort || hint !== undefined || collation !== undefined ? undefined : pointOf(said, indexes);
  if (looked) return looked;
  const order = sort ? sortFields(sort) : [];
  const natural = (isDoc(hint) ? hint['$natural'] : undefined) ?? sort?.['$natural'];
  const whole: Plan = { kind: 'collection', reverse: (toInteger(natural) ?? 1) < 0 };
  if (natural !== undefined) return whole;
  const sets = new Map<boolean, ReadonlyMap<string, Predicate>>();
  const asked: Asked = {
    sort: order,
    hinted: false,
    collated: collation !== undefined,
    predicatesFor(textless) {
      const made = sets.get(textless) ?? predicatesOf(said, textless);
      sets.set(textless, made);
      return made;
    },
  };
  if (hint !== undefined) {
    const hinted = indexes.find(({ index: { spec } }) => isHinted(spec, hint));
    if (!hinted)
      throw new EngineError(
        'BadValue',
        `error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index`,
      );
    if (hinted.index.kind === 'wildcard' && !said.some((clause) => servesWildcard(hinted.index, clause)))
      throw new EngineError(
        'NoQueryExecutionPlans',
        "error processing query: planner returned error :: caused by :: $hint: refusing to build whole-index solution, because it's a wildcard index",
      );
    if (hinted.index.kind === 'geo') return { ...whole, only: hinted.index };
    return candidate(hinted, said, { ...asked, hinted: true })?.plan ?? whole;
  }
  let best: Candidate | undefined;
  for (const entry of indexes) {
    const c = candidate(entry, said, asked);
    if (c && (!best || c.score > best.score)) best = c;
  }
  return best?.plan ?? whole;
}
