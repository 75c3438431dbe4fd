import { after } from '../bson/key.js';
import { decode } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { IndexSpec } from '../query/indexes.js';
import type { Transaction, Transactions } from '../transactions/transactions.js';
import type { Catalogue, Collection, StoredIndex } from './catalogue.js';
import { documentKey, documentsOf } from './keys.js';
import { addEntries } from './entries.js';

/** Documents that are taken in before other commands have their turn: some 10 ms. */
const PIECE = 500;

/** In each collection there is one build at a time. */
const underWay = new WeakMap<Collection, Promise<unknown>>();

/** Takes in documents from a key on, `most` of them. Returns the key to go on from; undefined: there are no more. */
function takeIn(
  tx: Transaction,
  c: Collection,
  indexes: readonly StoredIndex[],
  { from, most }: { from: Buffer; most: number },
): Buffer | undefined {
  let taken = 0;
  for (const { key, value } of tx.range(from, after(documentsOf(c)))) {
    const doc = decode(value);
    if (most < Number.POSITIVE_INFINITY) tx.lock(documentKey(c, doc['_id']));
    for (const i of indexes) if (addEntries(tx, c, i, doc)) i.multikey = true;
    taken += 1;
    if (taken === most) return Buffer.concat([key, Buffer.alloc(1)]);
  }
  return undefined;
}

/**
 * Builds indexes within one transaction.
 *
 * @throws {EngineError} 11000: documents there break a unique index; nothing is built
 */
export function buildAtOnce(tx: Transaction, catalogue: Catalogue, c: Collection, specs: readonly IndexSpec[]): void {
  const indexes = catalogue.newIndexes(tx, c, specs);
  takeIn(tx, c, indexes, { from: documentsOf(c), most: Number.POSITIVE_INFINITY });
  catalogue.addIndexes(tx, c, indexes);
}

const assertThere = (c: Collection): void => {
  if (c.gone) throw new EngineError('QueryPlanKilled', `collection dropped: ${c.db}.${c.name}`);
};

/**
 * Builds indexes while others read and write. Of few documents all at once; of many, some are taken in at a time, each piece
 * in a commit of its own, and from the beginning on each write keeps the new indexes too. Searches know nothing of them before
 * they are whole. What is broken off, by an error or a kill, leaves entries that nobody reads (see leftovers.ts).
 *
 * @param wanted what there is to build, asked when nobody else builds in this collection
 * @throws {EngineError} 11000: documents there break a unique index; 175: the collection was dropped; nothing is built
 */
export async function build(
  transactions: Transactions,
  catalogue: Catalogue,
  c: Collection,
  wanted: () => readonly IndexSpec[],
): Promise<void> {
  for (let other = underWay.get(c); other; other = underWay.get(c)) await other;
  const going = buildNow(transactions, catalogue, c, wanted);
  const done = Promise.allSettled([going]).then(() => underWay.delete(c));
  underWay.set(c, done);
  await done;
  await going;
}

async function buildNow(
  transactions: Transactions,
  catalogue: Catalogue,
  c: Collection,
  wanted: () => readonly IndexSpec[],
): Promise<void> {
  const all = documentsOf(c);
  // Who has begun to write before does not know of the new indexes: they are waited for.
  const indexes = await transactions.run(
    (tx) => {
      assertThere(c);
      const specs = wanted();
      if (specs.length === 0) return [];
      if (!tx.hasMany(all, after(all), PIECE + 1)) {
        buildAtOnce(tx, catalogue, c, specs);
        return [];
      }
      const begun = catalogue.newIndexes(tx, c, specs);
      c.building.push(...begun);
      return begun;
    },
    { alone: [c.id] },
  );
  if (indexes.length === 0) return;
  try {
    for (let from: Buffer | undefined = all; from;)
      from = await transactions.run((tx) => {
        assertThere(c);
        return takeIn(tx, c, indexes, { from: from ?? all, most: PIECE });
      });
    await transactions.run((tx) => {
      assertThere(c);
      c.building.splice(0);
      catalogue.addIndexes(tx, c, indexes);
    });
  } finally {
    c.building.splice(0);
  }
}
