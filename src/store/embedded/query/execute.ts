import { after } from '../bson/key.js';
import { isDoc } from '../bson/types.js';
import { decode, type Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { type Collection, documentKey, documentsOf, entriesOf, idIndex } from '../storage/catalogue.js';
import type { Transaction } from '../transactions/transactions.js';
import { compileFilter, type Filter } from './match.js';
import { plan, type Plan } from './plan.js';
import { compileSort } from './sort.js';

export interface FindRequest {
  readonly filter: Doc;
  readonly sort?: Doc | undefined;
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
  readonly hint?: string | Doc | undefined;
  readonly let?: Doc | undefined;
  readonly now?: Date;
  readonly memoryLimitBytes?: number;
  readonly allowDiskUse?: boolean;
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
}

/** What a search looked at, as explain tells it. */
export interface Examined {
  keys: number;
  docs: number;
}

const SORT_LIMIT = 100 * 1024 * 1024;

/** A look-up of one `_id`: the commonest search, and the cheapest. */
const isIdLookup = (filter: Doc): boolean => {
  const names = Object.keys(filter);
  const id = filter['_id'];
  return (
    names.length === 1 &&
    names[0] === '_id' &&
    id !== undefined &&
    id !== null &&
    !isDoc(id) &&
    !Array.isArray(id) &&
    !(typeof id === 'object' && '_bsontype' in id && id._bsontype === 'BSONRegExp')
  );
};

export function planFor(tx: Transaction, c: Collection, request: FindRequest): Plan {
  // An index younger than the snapshot has no entries in it.
  const indexes = [{ index: idIndex, multikey: false }, ...c.indexes.filter((i) => i.since <= tx.started)];
  return plan({ filter: request.filter, sort: request.sort, hint: request.hint, indexes });
}

function* scan(tx: Transaction, c: Collection, chosen: Plan, examined: Examined): Iterable<Found> {
  const docs = documentsOf(c);
  if (chosen.kind === 'collection') {
    for (const { value } of tx.range(docs, after(docs), chosen.reverse)) {
      examined.docs += 1;
      yield new Found(value);
    }
    return;
  }
  const byId = chosen.index === idIndex;
  const stored = c.indexes.find((i) => i.index === chosen.index);
  if (!byId && !stored) throw new EngineError('InternalError', 'the plan names an index that is gone');
  const base = stored ? entriesOf(c, stored) : docs;
  const seen = chosen.multikey ? new Set<string>() : undefined;
  const ranges = chosen.reverse ? chosen.ranges.toReversed() : chosen.ranges;
  for (const { from, to } of ranges)
    for (const { value } of tx.range(Buffer.concat([base, from]), Buffer.concat([base, to]), chosen.reverse)) {
      examined.keys += 1;
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

/** Documents that match, in the order of the sort, after skip, up to limit. Lazy as far as the sort allows. */
export function* find(
  tx: Transaction,
  c: Collection | undefined,
  request: FindRequest,
  compiled?: Filter,
  examined: Examined = { keys: 0, docs: 0 },
): Iterable<Found> {
  const { skip = 0, limit = 0 } = request;
  if (!c) {
    compileFilter(request.filter, filterOptions(request));
    return;
  }
  if (isIdLookup(request.filter) && request.hint === undefined) {
    const bytes = tx.get(documentKey(c, request.filter['_id']));
    examined.keys += 1;
    if (bytes) examined.docs += 1;
    if (bytes && skip === 0) yield new Found(bytes);
    return;
  }
  const chosen = planFor(tx, c, request);
  const filter = compiled ?? compileFilter(request.filter, filterOptions(request));
  const everything = chosen.kind === 'index' ? chosen.exact : Object.keys(request.filter).length === 0;
  const matching = everything ? scan(tx, c, chosen, examined) : matches(scan(tx, c, chosen, examined), filter);
  const needsSort =
    request.sort !== undefined &&
    Object.keys(request.sort).length > 0 &&
    !(chosen.kind === 'index' && chosen.sorted) &&
    !('$natural' in request.sort);
  const ordered = needsSort && request.sort ? sorted(matching, request.sort, request) : matching;
  let n = 0;
  for (const found of ordered) {
    n += 1;
    if (n <= skip) continue;
    yield found;
    if (limit > 0 && n >= skip + limit) return;
  }
}

const filterOptions = (request: FindRequest): { let?: Doc; now?: Date } => ({
  ...(request.let && { let: request.let }),
  ...(request.now && { now: request.now }),
});

function* matches(found: Iterable<Found>, filter: Filter): Iterable<Found> {
  for (const f of found) if (filter.test(f.doc)) yield f;
}

function sorted(
  found: Iterable<Found>,
  sort: Doc,
  { memoryLimitBytes = SORT_LIMIT, allowDiskUse, skip = 0, limit = 0 }: FindRequest,
): Found[] {
  const compare = compileSort(sort);
  const top = limit > 0 ? skip + limit : undefined;
  let list: Found[] = [];
  let bytes = 0;
  for (const f of found) {
    list.push(f);
    bytes += f.bytes.length;
    if (top !== undefined && list.length >= 2 * top + 1000) {
      list = list.toSorted((a, b) => compare(a.doc, b.doc)).slice(0, top);
      bytes = list.reduce((sum, { bytes: b }) => sum + b.length, 0);
    }
    if (bytes > memoryLimitBytes && !allowDiskUse)
      throw new EngineError(
        'QueryExceededMemoryLimitNoDiskUseAllowed',
        `Executor error during find command :: caused by :: Sort exceeded memory limit of ${memoryLimitBytes} bytes, but did not opt in to external sorting.`,
      );
  }
  return list.toSorted((a, b) => compare(a.doc, b.doc));
}

/** How many match; reads no document where an index says all. */
export function countMatching(
  tx: Transaction,
  c: Collection | undefined,
  request: FindRequest,
  examined: Examined = { keys: 0, docs: 0 },
): number {
  let n = 0;
  if (!c) return 0;
  const chosen = planFor(tx, c, request);
  if (chosen.kind === 'index' && chosen.exact && chosen.index !== idIndex) {
    const stored = c.indexes.find((i) => i.index === chosen.index);
    if (stored) {
      const base = entriesOf(c, stored);
      for (const { from, to } of chosen.ranges)
        for (const _entry of tx.range(Buffer.concat([base, from]), Buffer.concat([base, to]))) n += 1;
      examined.keys += n;
      const counted = Math.max(n - (request.skip ?? 0), 0);
      return request.limit ? Math.min(counted, request.limit) : counted;
    }
  }
  for (const _found of find(tx, c, request, undefined, examined)) n += 1;
  return n;
}
