import { after } from '../bson/key.js';
import type { Transaction, Transactions } from '../transactions/transactions.js';
import { Catalogue } from './catalogue.js';
import { COLLECTIONS, ENTRIES, MULTIKEY, NUMBER_BYTES } from './keys.js';

/** Keys that are removed before other commands have their turn. */
const PIECE = 1000;

/** The prefixes that are by a number longer: one look for each, however much lies under it. */
function* numbersUnder(tx: Transaction, prefix: Buffer): Iterable<{ number: number; under: Buffer }> {
  for (let from = prefix; ;) {
    const [first] = tx.range(from, after(prefix));
    if (!first) return;
    const under = first.key.subarray(0, prefix.length + NUMBER_BYTES);
    yield { number: under.readUInt32BE(prefix.length), under };
    from = after(under);
  }
}

/** Of each collection, by its number, the numbers of its indexes: as the store has them, and as they are in memory. */
function namedIn(tx: Transaction, catalogue: Catalogue): ReadonlyMap<number, ReadonlySet<number>> {
  const stored = new Catalogue();
  stored.load(tx);
  const named = new Map<number, Set<number>>();
  for (const { id, indexes, building } of [...stored.list(), ...catalogue.list()]) {
    const numbers = named.get(id) ?? new Set();
    named.set(id, numbers);
    for (const i of [...indexes, ...building]) numbers.add(i.id);
  }
  return named;
}

/** Where something lies that the catalogue does not name: the prefixes of what may be removed. */
function* leftovers(tx: Transaction, catalogue: Catalogue): Iterable<Buffer> {
  const named = namedIn(tx, catalogue);
  for (const [place, part] of [
    [COLLECTIONS, ENTRIES],
    [MULTIKEY, Buffer.alloc(0)],
  ] as const)
    for (const { number, under } of numbersUnder(tx, place)) {
      const indexes = named.get(number);
      if (!indexes) yield under;
      else
        for (const index of numbersUnder(tx, Buffer.concat([under, part])))
          if (!indexes.has(index.number)) yield index.under;
    }
}

/**
 * Removes, a piece at a time, what large drops and broken builds of indexes have left in the store. Nobody reads it: their
 * numbers are not given again while something lies there.
 */
export async function sweep(transactions: Transactions, catalogue: Catalogue): Promise<void> {
  for (let removed = PIECE; removed === PIECE;)
    removed = await transactions.run((tx) => {
      let keys = 0;
      for (const prefix of leftovers(tx, catalogue))
        for (const { key } of tx.range(prefix, after(prefix))) {
          if (keys === PIECE) return keys;
          tx.remove(key);
          keys += 1;
        }
      return keys;
    });
}
