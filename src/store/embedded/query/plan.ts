import { BSONRegExp } from 'bson';
import { type Collation, hasText } from '../bson/collation.js';
import { equals } from '../bson/compare.js';
import { after, encodeValue } from '../bson/key.js';
import { isDoc, isNumeric, orderOf, toInteger, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
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

interface Edge {
  readonly bytes: Buffer;
  readonly inclusive: boolean;
  readonly text: string;
}
interface Interval {
  readonly low: Edge;
  readonly high: Edge;
}
/** What the filter says of one path, as far as bounds can say it. */
interface Predicate {
  intervals: Interval[];
  /** Every interval is one value. */
  points: boolean;
  /** The bounds say no less than the filter does, if no array is involved. */
  exact: boolean;
  /** Neither null nor missing can match. */
  present: boolean;
  equal: Value;
  /** Two bounds that in an array may be met by different elements. */
  both: boolean;
}

const show = (v: Value): string => (v === undefined ? 'null' : JSON.stringify(v));
const point = (v: Value): Interval => {
  const edge = { bytes: encodeValue(v), inclusive: true, text: show(v) };
  return { low: edge, high: edge };
};
/** Bounds can't say it: an array stands for itself or for an element, a regular expression for strings. */
const unbounded = (v: Value): boolean => Array.isArray(v) || v instanceof BSONRegExp || v === undefined;

const everything: Interval = {
  low: { bytes: Buffer.alloc(0), inclusive: true, text: 'MinKey' },
  high: { bytes: Buffer.from([0xff]), inclusive: false, text: 'MaxKey' },
};

function rangeOf(operators: Doc): Interval | undefined {
  let low: Edge | undefined;
  let high: Edge | undefined;
  let type: number | undefined;
  for (const [operator, v] of Object.entries(operators)) {
    const lower = operator === '$gt' || operator === '$gte';
    if (!lower && operator !== '$lt' && operator !== '$lte') continue;
    const order = orderOf(v);
    if (unbounded(v) || v === null || order === 0x01 || order === 0x7f) return undefined;
    // NaN sorts below all numbers and is compared with none: a range that begins or ends there says another thing.
    if (isNumeric(v) && Number.isNaN(toNumber(v))) return undefined;
    if (type !== undefined && type !== order) return undefined;
    type = order;
    const edge = { bytes: encodeValue(v), inclusive: operator === '$gte' || operator === '$lte', text: show(v) };
    if (lower) low = edge;
    else high = edge;
  }
  if (type === undefined) return undefined;
  const floor =
    type === 0x0a ? Buffer.concat([Buffer.from([type]), Buffer.alloc(8), Buffer.from([1])]) : Buffer.from([type]);
  return {
    low: low ?? { bytes: floor, inclusive: true, text: '-inf' },
    high: high ?? { bytes: Buffer.from([type + 1]), inclusive: false, text: 'inf' },
  };
}

/** The text that every match of an anchored expression begins with. */
function prefixOf(regex: BSONRegExp): string {
  if (regex.options.includes('i') || regex.options.includes('x') || regex.options.includes('m')) return '';
  const literal = /^\^([\p{L}\p{N} _:;,@#/<>=!&"'~%-]*)(.?)/u.exec(regex.pattern);
  if (!literal?.[1] || regex.pattern.includes('|')) return '';
  return '*?{'.includes(literal[2] || ' ') ? literal[1].slice(0, -1) : literal[1];
}

/** The first text that does not begin as another does, as explain prints the end of a prefix. */
function followerOf(prefix: string): string {
  const characters = [...prefix];
  const last = characters.pop()?.codePointAt(0) ?? 0;
  return characters.join('') + String.fromCodePoint(Math.min(last + 1, 0x10ffff));
}

function predicateOf(condition: Value): Predicate | undefined {
  const none = { equal: undefined, both: false };
  const operators: Doc =
    isDoc(condition) && Object.keys(condition)[0]?.startsWith('$') ? condition : { $eq: condition };
  const count = Object.keys(operators).length;
  if ('$eq' in operators) {
    const v = operators['$eq'];
    if (v instanceof BSONRegExp && !('$eq' in (isDoc(condition) ? condition : {}))) {
      const prefix = prefixOf(v);
      if (prefix === '') return undefined;
      const low = { bytes: encodeValue(prefix).subarray(0, -2), inclusive: true, text: show(prefix) };
      const high = { bytes: after(low.bytes), inclusive: false, text: show(followerOf(prefix)) };
      return { ...none, intervals: [{ low, high }], points: false, exact: false, present: true };
    }
    if (unbounded(v)) return undefined;
    return {
      intervals: [point(v)],
      points: true,
      exact: v !== null && count === 1,
      present: v !== null,
      equal: v,
      both: false,
    };
  }
  if ('$in' in operators) {
    const list = operators['$in'];
    if (!Array.isArray(list) || list.some(unbounded) || list.length > 1000) return undefined;
    const intervals = list.map(point).toSorted((a, b) => Buffer.compare(a.low.bytes, b.low.bytes));
    const different = intervals.filter(
      (v, i) => i === 0 || !v.low.bytes.equals((intervals[i - 1] as Interval).low.bytes),
    );
    const present = !list.includes(null);
    return { ...none, intervals: different, points: true, exact: present && count === 1, present };
  }
  const range = rangeOf(operators);
  if (range) {
    const names = Object.keys(operators);
    const [lower, upper] = [
      ['$gt', '$gte'],
      ['$lt', '$lte'],
    ].map((side) => names.filter((name) => side.includes(name)).length) as [number, number];
    const used = lower + upper;
    return {
      ...none,
      intervals: [range],
      points: false,
      // Of two bounds on one side the range has one only.
      exact: used === count && lower <= 1 && upper <= 1,
      present: true,
      both: used > 1,
    };
  }
  if ('$exists' in operators && operators['$exists'] === true)
    return { ...none, intervals: [everything], points: false, exact: false, present: true };
  return undefined;
}

/** The clauses that must all hold: the filter's own and those of $and. */
function clauses(filter: Doc): [path: string, condition: Value][] {
  return Object.entries(filter).flatMap(([key, v]): [string, Value][] =>
    key === '$and' && Array.isArray(v) ? v.flatMap((part) => (isDoc(part) ? clauses(part) : [])) : [[key, v]],
  );
}

/** Is all of the inner interval in the outer one? */
function contains(outer: Interval, inner: Interval | undefined): boolean {
  if (!inner) return false;
  const low = Buffer.compare(outer.low.bytes, inner.low.bytes);
  const high = Buffer.compare(outer.high.bytes, inner.high.bytes);
  return (
    (low < 0 || (low === 0 && (outer.low.inclusive || !inner.low.inclusive))) &&
    (high > 0 || (high === 0 && (outer.high.inclusive || !inner.high.inclusive)))
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
