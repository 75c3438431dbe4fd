import type { Collation } from '../bson/collation.js';
import { after } from '../bson/key.js';
import { isDoc } from '../bson/types.js';
import type { PartialDecoder } from '../bson/partial.js';
import { decode, type Doc, type Value } from '../bson/value.js';
import { inOrder } from '../documents/capped.js';
import { EngineError, outOfMemory } from '../errors.js';
import { type Collection, idIndex } from '../storage/catalogue.js';
import { documentKey, documentsOf, entriesOf } from '../storage/keys.js';
import type { Transaction } from '../transactions/transactions.js';
import { assertGeoIndex, byDistance, nearClause } from './geo/near.js';
import { compileFilter, type Filter, type FilterOptions } from './match.js';
import { hasScore, type TextIndex } from './text/search.js';
import { plan, type Plan } from './plan.js';
import { Slice, sortInSlices } from './slices.js';
import { compileSortKeys, type SortKeys } from './sort.js';

export interface FindRequest {
  readonly filter: Doc;
  readonly sort?: Doc | undefined;
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
  readonly hint?: string | Doc | undefined;
  readonly collation?: Collation | undefined;
  readonly let?: Doc | undefined;
  readonly now?: Date;
  /** A document is made of what the filter says is equal, where none is found. */
  readonly upsert?: boolean;
  readonly memoryLimitBytes?: number;
  /** Looks at the documents with these `_id`s alone, in this order. */
  readonly among?: readonly Value[] | undefined;
}

/** A document found: its bytes, decoded once when asked for. */
export class Found {
  readonly bytes: Buffer;
  #doc: Doc | undefined;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  get doc(): Doc {
    this.#doc ??= decode(this.bytes);
    return this.#doc;
  }
  /** Keeps the bytes alone: many that wait to be sorted take less memory. */
  forget(): void {
    this.#doc = undefined;
  }
  /** The document, or as much of it as is asked for. */
  some(fields: PartialDecoder | undefined): Doc {
    return this.#doc ?? (fields ? fields.decode(this.bytes) : this.doc);
  }
}

/** What a search looked at, as explain tells it. */
export interface Examined {
  keys: number;
  docs: number;
}

const SORT_LIMIT = 100 * 1024 * 1024;

/** A look-up of one `_id`: the commonest search, and the cheapest. */
const isIdLookup = ({ filter, collation }: FindRequest): boolean => {
  const names = Object.keys(filter);
  const id = filter['_id'];
  return (
    names.length === 1 &&
    names[0] === '_id' &&
    id !== undefined &&
    id !== null &&
    !(collation && typeof id === 'string') &&
    !isDoc(id) &&
    !Array.isArray(id) &&
    !(typeof id === 'object' && '_bsontype' in id && id._bsontype === 'BSONRegExp')
  );
};

export function planFor(tx: Transaction, c: Collection, request: FindRequest): Plan {
  // An index younger than the snapshot has no entries in it.
  const indexes = [{ index: idIndex, multikey: false }, ...c.indexes.filter((i) => i.since <= tx.started)];
  const { filter, sort, hint, collation } = request;
  return plan({ filter, sort, hint, collation, indexes });
}

/** The one entry of a unique index under a key: a look-up costs a fifth of a walk. */
function pointAt(tx: Transaction, key: Buffer): { value: Buffer }[] {
  const value = tx.get(key);
  return value ? [{ value }] : [];
}

function* scan(tx: Transaction, c: Collection, chosen: Plan, examined: Examined): Iterable<Found | undefined> {
  const docs = documentsOf(c);
  const slice = new Slice();
  if (chosen.kind === 'collection') {
    const { reverse } = chosen;
    for (const { value } of c.options.capped ? inOrder(tx, c, reverse) : tx.range(docs, after(docs), reverse)) {
      examined.docs += 1;
      if (slice.over()) yield undefined;
      const found = new Found(value);
      if (chosen.only?.covers(found.doc) !== false) yield found;
    }
    return;
  }
  const byId = chosen.index === idIndex;
  const stored = c.indexes.find((i) => i.index === chosen.index);
  if (!byId && !stored) throw new EngineError('InternalError', 'the plan names an index that is gone');
  (stored ?? c).uses.ops += 1;
  const base = stored ? entriesOf(c, stored) : docs;
  const seen = chosen.multikey ? new Set<string>() : undefined;
  const ranges = chosen.reverse ? chosen.ranges.toReversed() : chosen.ranges;
  const points = chosen.points && stored?.index.spec.unique === true;
  for (const { from, to } of ranges)
    for (const { value } of points
      ? pointAt(tx, Buffer.concat([base, from]))
      : tx.range(Buffer.concat([base, from]), Buffer.concat([base, to]), chosen.reverse)) {
      examined.keys += 1;
      if (slice.over()) yield undefined;
      if (seen) {
        const id = value.toString('latin1');
        if (seen.has(id)) continue;
        seen.add(id);
      }
      const bytes = byId ? value : tx.get(Buffer.concat([docs, value]));
      if (!bytes)
        throw new EngineError('InternalError', `an entry of index ${chosen.index.spec.name} points to no document`);
      examined.docs += 1;
      yield new Found(bytes);
    }
}

function* withIds(tx: Transaction, c: Collection, ids: readonly Value[]): Iterable<Found> {
  for (const id of ids) {
    const bytes = tx.get(documentKey(c, id));
    if (bytes) yield new Found(bytes);
  }
}

/** As `search`, in one go. */
export function* find(
  tx: Transaction,
  c: Collection | undefined,
  request: FindRequest,
  compiled?: Filter,
  examined?: Examined,
): Iterable<Found> {
  for (const found of search(tx, c, request, compiled, examined)) if (found) yield found;
}

/**
 * Documents that match, in the order of the sort, after skip, up to limit. Lazy as far as the sort allows. An undefined
 * comes where the search has gone on for long and others may have their turn.
 */
export function* search(
  tx: Transaction,
  c: Collection | undefined,
  request: FindRequest,
  compiled?: Filter,
  examined: Examined = { keys: 0, docs: 0 },
): Iterable<Found | undefined> {
  const { skip = 0, limit = 0 } = request;
  if (!c) {
    compileFilter(request.filter, filterOptions(request, c));
    return;
  }
  if (isIdLookup(request) && request.hint === undefined && !request.among) {
    const bytes = tx.get(documentKey(c, request.filter['_id']));
    c.uses.ops += 1;
    examined.keys += 1;
    if (bytes) examined.docs += 1;
    if (bytes && skip === 0) yield new Found(bytes);
    return;
  }
  const filter = compiled ?? compileFilter(request.filter, filterOptions(request, c));
  if (request.among) {
    yield* matches(withIds(tx, c, request.among), filter);
    return;
  }
  const chosen = planFor(tx, c, request);
  const near = nearClause(request.filter);
  if (near) assertGeoIndex(near, c.indexes);
  const everything = chosen.kind === 'index' ? chosen.exact : Object.keys(request.filter).length === 0;
  const matching = everything ? scan(tx, c, chosen, examined) : matches(scan(tx, c, chosen, examined), filter);
  const needsSort =
    request.sort !== undefined &&
    Object.keys(request.sort).length > 0 &&
    !(chosen.kind === 'index' && chosen.sorted) &&
    !('$natural' in request.sort);
  const order =
    needsSort && request.sort
      ? compileSortKeys(request.sort, undefined, request.collation)
      : near && !request.sort
        ? byDistance(near)
        : undefined;
  const ordered = order ? sorted(matching, order, request) : matching;
  let n = 0;
  for (const found of ordered) {
    if (!found) {
      yield undefined;
      continue;
    }
    n += 1;
    if (n <= skip) continue;
    yield found;
    if (limit > 0 && n >= skip + limit) return;
  }
}

/** The collection's text index: there is one at most. Where there is no collection there is nothing to find. */
export const textIndexOf = (c: Collection | undefined): TextIndex | undefined =>
  c ? c.indexes.find(({ index }) => index.kind === 'text')?.index.text : { weights: {}, language: 'english' };

/** What a filter needs to know of the request that it is in. */
export const filterOptions = (request: FindRequest, c: Collection | undefined): FilterOptions => ({
  text: textIndexOf(c),
  // MongoDB reads a time series by an aggregation.
  ...(c?.options.timeField !== undefined && { near: 'refused' }),
  ...(request.upsert && { upsert: true }),
  ...(request.let && { let: request.let }),
  ...(request.now && { now: request.now }),
  ...(request.collation && { collation: request.collation }),
});

function* matches(found: Iterable<Found | undefined>, filter: Filter): Iterable<Found | undefined> {
  for (const f of found) if (!f || filter.test(f.doc)) yield f;
}

/** Nothing is put aside on the disk, so `allowDiskUse` changes nothing: beyond the limit a sort is refused. */
function* sorted(
  found: Iterable<Found | undefined>,
  { keysOf, compare }: ReturnType<typeof compileSortKeys>,
  { memoryLimitBytes = SORT_LIMIT, skip = 0, limit = 0 }: FindRequest,
): Iterable<Found | undefined> {
  const byKeys = (a: { keys: SortKeys }, b: { keys: SortKeys }): number => compare(a.keys, b.keys);
  const top = limit > 0 ? skip + limit : undefined;
  let list: { found: Found; keys: SortKeys }[] = [];
  let bytes = 0;
  for (const f of found) {
    if (!f) {
      yield undefined;
      continue;
    }
    list.push({ found: f, keys: keysOf(f.doc) });
    // A score is held by the document that was scored.
    if (!hasScore(f.doc)) f.forget();
    bytes += f.bytes.length;
    if (top !== undefined && list.length > top && (list.length >= 2 * top + 1000 || bytes > memoryLimitBytes)) {
      list = list.toSorted(byKeys).slice(0, top);
      bytes = list.reduce((sum, { found: { bytes: b } }) => sum + b.length, 0);
    }
    if (bytes > memoryLimitBytes) throw outOfMemory('Sort', memoryLimitBytes);
  }
  for (const row of yield* sortInSlices(list, byKeys)) yield row.found;
}

function* fieldsOf(found: Iterable<Found | undefined>, fields: PartialDecoder | undefined): Iterable<Doc | undefined> {
  for (const f of found) yield f?.some(fields);
}

/** As `search`, what `fields` reads of each document: read where it lies if nothing has to be compared or sorted. */
export function searchFields(
  tx: Transaction,
  c: Collection | undefined,
  request: FindRequest,
  fields: PartialDecoder | undefined,
): Iterable<Doc | undefined> {
  const all = Object.keys(request.filter).length === 0 && !request.sort && !request.skip && !request.limit;
  const chosen = c && fields && all ? planFor(tx, c, request) : undefined;
  if (!c || !fields || chosen?.kind !== 'collection' || chosen.only || c.options.capped)
    return fieldsOf(search(tx, c, request), fields);
  const docs = documentsOf(c);
  return tx.values(docs, after(docs), (bytes, length) => fields.decode(bytes, length));
}

/** Whether a search goes through `many` documents or index entries, or more: looks at keys alone, and at no more of them. */
export function readsMany(tx: Transaction, c: Collection | undefined, request: FindRequest, many: number): boolean {
  if (!c || isIdLookup(request)) return false;
  const chosen = planFor(tx, c, request);
  const exact = chosen.kind === 'index' ? chosen.exact : Object.keys(request.filter).length === 0;
  const sorted = !request.sort || (chosen.kind === 'index' && chosen.sorted);
  if (request.limit && request.limit < many && exact && sorted) return false;
  const docs = documentsOf(c);
  if (chosen.kind === 'collection') return tx.hasMany(docs, after(docs), many);
  const stored = c.indexes.find((i) => i.index === chosen.index);
  const base = stored ? entriesOf(c, stored) : docs;
  return (
    chosen.ranges.length >= many ||
    (!chosen.points &&
      chosen.ranges.some(({ from, to }) => tx.hasMany(Buffer.concat([base, from]), Buffer.concat([base, to]), many)))
  );
}

/** How many match; reads no document where an index says all. In slices. */
export function* countMatching(
  tx: Transaction,
  c: Collection | undefined,
  request: FindRequest,
  examined: Examined = { keys: 0, docs: 0 },
): Generator<undefined, number> {
  let n = 0;
  if (!c) {
    compileFilter(request.filter, filterOptions(request, c));
    return 0;
  }
  const chosen = planFor(tx, c, request);
  const stored = chosen.kind === 'index' && chosen.exact ? c.indexes.find((i) => i.index === chosen.index) : undefined;
  if (!stored || chosen.kind !== 'index') {
    for (const found of search(tx, c, request, undefined, examined))
      if (found) n += 1;
      else yield;
    return n;
  }
  stored.uses.ops += 1;
  const base = entriesOf(c, stored);
  const slice = new Slice();
  for (const { from, to } of chosen.ranges)
    for (const _entry of tx.range(Buffer.concat([base, from]), Buffer.concat([base, to]))) {
      n += 1;
      if (slice.over()) yield;
    }
  examined.keys += n;
  const counted = Math.max(n - (request.skip ?? 0), 0);
  return request.limit ? Math.min(counted, request.limit) : counted;
}
