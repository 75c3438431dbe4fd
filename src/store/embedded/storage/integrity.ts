import { decode } from '../bson/value.js';
import { after } from '../bson/key.js';
import type { Transaction } from '../transactions/transactions.js';
import type { Catalogue, Collection } from './catalogue.js';
import { cappedOrderOf, cappedSizeOf, CATALOGUE, documentKey, documentsOf, entriesOf } from './keys.js';

const text = (key: Buffer): string => key.toString('latin1');

/**
 * What is wrong in the store, one sentence each; empty: nothing. Walks everything: each document lies under its own
 * `_id`, each index holds exactly the entries that its documents give, and nothing lies about that belongs to no collection.
 */
export function problems(tx: Transaction, catalogue: Catalogue): string[] {
  const found: string[] = [];
  const known = new Set<string>();
  for (const c of catalogue.list()) {
    known.add(text(documentsOf(c)));
    if (c.options.capped) for (const key of [cappedSizeOf(c), cappedOrderOf(c)]) known.add(text(key));
    for (const i of c.indexes) known.add(text(entriesOf(c, i)));
    found.push(...problemsOf(tx, c));
  }
  for (const { key } of tx.range(Buffer.from([1]), Buffer.from([2])))
    if (!known.has(text(key.subarray(0, key[5] === 1 || key[5] === 4 ? 6 : 10))))
      found.push(`${key.toString('hex')} belongs to nothing`);
  for (const { key, value } of tx.range(CATALOGUE, after(CATALOGUE)))
    if (!decode(value)['id']) found.push(`${key.toString('utf8', 2)} has no number`);
  return found;
}

function problemsOf(tx: Transaction, c: Collection): string[] {
  const found: string[] = [];
  const name = `${c.db}.${c.name}`;
  const wanted = c.indexes.map(() => new Set<string>());
  const all = documentsOf(c);
  for (const { key, value } of tx.range(all, after(all))) {
    const doc = decode(value);
    if (!key.equals(documentKey(c, doc['_id']))) found.push(`${name}: a document lies under another's _id`);
    const id = text(key.subarray(all.length));
    for (const [at, { index, multikey }] of c.indexes.entries()) {
      if (!index.covers(doc)) continue;
      const entries = index.keys(doc);
      if (entries.multikey && !multikey) found.push(`${name}.${index.spec.name} holds an array and does not know it`);
      for (const entry of entries.keys) wanted[at]?.add(text(entry) + id);
    }
  }
  for (const [at, stored] of c.indexes.entries()) {
    const base = entriesOf(c, stored);
    const left = wanted[at] as Set<string>;
    for (const { key, value } of tx.range(base, after(base))) {
      const entry = key.subarray(base.length);
      const bare = stored.index.spec.unique ? entry : entry.subarray(0, entry.length - value.length);
      if (
        !left.delete(text(Buffer.concat([bare, value]))) ||
        (bare !== entry && !entry.subarray(bare.length).equals(value))
      )
        found.push(`${name}.${stored.index.spec.name}: an entry that no document gives`);
    }
    if (left.size > 0) found.push(`${name}.${stored.index.spec.name}: ${left.size} entries are missing`);
  }
  return found;
}
