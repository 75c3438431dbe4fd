import { describe, expect, it } from '@jest/globals';
import { Int32 } from 'bson';
import type { Collection } from 'mongodb';
import { Writer } from '../../../../src/store/embedded/documents/write.js';
import { Catalogue } from '../../../../src/store/embedded/storage/catalogue.js';
import { build } from '../../../../src/store/embedded/storage/index-build.js';
import { problems } from '../../../../src/store/embedded/storage/integrity.js';
import { sweep } from '../../../../src/store/embedded/storage/leftovers.js';
import { Storage } from '../../../../src/store/embedded/storage/storage.js';
import { Transactions } from '../../../../src/store/embedded/transactions/transactions.js';
import { folderForTest, refusal, type Running, running } from '../running.js';

/** More than are taken in at once: an index of them is built in pieces. */
const ROWS = 3000;

interface Row {
  readonly _id: number;
  readonly u?: number;
  readonly tags?: readonly number[];
}

const rowsOf = ({ db }: Running): Collection<Row> => db.collection<Row>('rows');

async function filled(): Promise<Running> {
  const r = await running();
  await rowsOf(r).insertMany(Array.from({ length: ROWS }, (_, i) => ({ _id: i, u: i })));
  // Connections for what is asked while a build goes on: to open one takes as long as a build.
  await Promise.all(Array.from({ length: 4 }, () => r.db.command({ ping: 1 })));
  return r;
}

/** What is wrong in a folder that nobody serves, before and after its leftovers are removed. */
async function wrongIn(folder: string): Promise<{ before: string[]; after: string[] }> {
  const storage = await Storage.open(folder);
  const catalogue = new Catalogue();
  const transactions = new Transactions(storage);
  transactions.read((tx) => catalogue.load(tx));
  const look = (): string[] => transactions.read((tx) => problems(tx, catalogue));
  const before = look();
  await sweep(transactions, catalogue);
  const after = look();
  await storage.close();
  return { before, after };
}

async function stopped(r: Running): Promise<string> {
  await r.client.close();
  await r.engine.stop();
  return r.folder;
}

// https://www.mongodb.com/docs/manual/core/index-creation/: reads and writes go on while an index is built.
describe('an index over many documents', () => {
  it('written to while it is built → holds what was inserted, changed and removed meanwhile', async () => {
    const r = await filled();
    const rows = rowsOf(r);
    let building = true;
    const built = rows.createIndex({ tags: 1, u: -1 }).finally(() => (building = false));
    let changes = 0;
    while (building) {
      await Promise.all([
        rows.updateOne({ _id: changes }, { $set: { tags: [changes, -1] } }),
        rows.deleteOne({ _id: ROWS - 1 - changes }),
        rows.insertOne({ _id: ROWS + changes, tags: [-2] }),
      ]);
      if (building) changes += 1;
    }
    await built;
    expect(changes).toBeGreaterThan(1);
    const found = await rows.find({ tags: -1 }).hint('tags_1_u_-1').toArray();
    expect(found.length).toBeGreaterThanOrEqual(changes);
    expect(await wrongIn(await stopped(r))).toEqual({ before: [], after: [] });
  });

  it('a write that waits for the same flush as a piece → leaves no entry of the old value', async () => {
    const storage = await Storage.open(await folderForTest());
    const [transactions, catalogue] = [new Transactions(storage), new Catalogue()];
    const c = await transactions.run((tx) => {
      const made = catalogue.create(tx, 'test', 'rows');
      const writer = new Writer(tx, catalogue);
      for (let i = 0; i < ROWS; i += 1) writer.insert(made, { _id: new Int32(i), u: new Int32(i) });
      return made;
    });
    let building = true;
    const spec = { name: 'u_1', key: { u: new Int32(1) } };
    const built = build(transactions, catalogue, c, () => [spec]).finally(() => (building = false));
    // Each goes on as soon as its last write is on the disk, which is when the build does: over the documents of its next piece.
    const change = async (from: number): Promise<void> => {
      for (let i = from; building && i < ROWS; i += 500) {
        const [_id, u, then] = [new Int32(i), new Int32(i), new Int32(i + ROWS)];
        await transactions.run((tx) => new Writer(tx, catalogue).replace(c, { _id, u }, { _id, u: then }));
      }
    };
    await Promise.all([built, ...Array.from({ length: 1500 }, (_, i) => change(i))]);
    expect(transactions.read((tx) => problems(tx, catalogue))).toEqual([]);
    await storage.close();
  });

  it('not yet whole → no search goes by it, and it is not listed', async () => {
    const r = await filled();
    const built = rowsOf(r).createIndex({ u: 1 });
    const [plan, listed] = await Promise.all([rowsOf(r).find({ u: 7 }).explain(), rowsOf(r).indexes()]);
    await built;
    expect(JSON.stringify(plan)).toContain('COLLSCAN');
    expect(listed.map((i) => i.name)).toEqual(['_id_']);
    expect(JSON.stringify(await rowsOf(r).find({ u: 7 }).explain())).toContain('IXSCAN');
  });

  it('unique, over documents that break it → fails whole, and the next is built', async () => {
    const r = await filled();
    const rows = rowsOf(r);
    await rows.updateOne({ _id: ROWS - 1 }, { $set: { u: 0 } });
    const two = rows.createIndexes([{ key: { u: 1 }, unique: true }, { key: { tags: 1 } }]);
    expect(await refusal(two)).toMatchObject({ code: 11000, keyPattern: { u: 1 }, keyValue: { u: 0 } });
    expect((await rows.indexes()).map((i) => i.name)).toEqual(['_id_']);
    // The entries that were made of the old values must not be found by the next index.
    await rows.updateMany({ _id: { $lt: ROWS - 1 } }, { $inc: { u: ROWS } });
    await rows.createIndex({ u: 1 }, { unique: true });
    expect(
      await rows
        .find({ u: { $lt: ROWS } })
        .hint('u_1')
        .toArray(),
    ).toEqual([{ _id: ROWS - 1, u: 0 }]);
    const { before, after } = await wrongIn(await stopped(r));
    expect(before.length).toBeGreaterThan(0);
    expect(after).toEqual([]);
  });

  it('unique, and the second of two equal documents is removed in time → the first keeps its entry', async () => {
    const r = await filled();
    const rows = rowsOf(r);
    await rows.updateOne({ _id: ROWS - 1 }, { $set: { u: 0 } });
    const built = rows.createIndex({ u: 1 }, { unique: true });
    await rows.deleteOne({ _id: ROWS - 1 });
    await built;
    expect(await rows.find({ u: 0 }).hint('u_1').toArray()).toEqual([{ _id: 0, u: 0 }]);
    expect(await wrongIn(await stopped(r))).toEqual({ before: [], after: [] });
  });

  it('asked for twice at once → is built once', async () => {
    const r = await filled();
    const another = (await r.another()).db('test').collection('rows');
    expect(await Promise.all([rowsOf(r).createIndex({ u: 1 }), another.createIndex({ u: 1 })])).toEqual(['u_1', 'u_1']);
    expect((await rowsOf(r).indexes()).map((i) => i.name)).toEqual(['_id_', 'u_1']);
    expect(await wrongIn(await stopped(r))).toEqual({ before: [], after: [] });
  });

  it('dropped with its collection while it is built → 175, and a new collection is empty', async () => {
    const r = await filled();
    const built = refusal(rowsOf(r).createIndex({ u: 1 }));
    await r.db.command({ ping: 1 });
    await rowsOf(r).drop();
    expect(await built).toMatchObject({ code: 175 });
    await rowsOf(r).insertOne({ _id: 1 });
    expect(await rowsOf(r).find().toArray()).toEqual([{ _id: 1 }]);
    expect((await wrongIn(await stopped(r))).after).toEqual([]);
  });

  it('a transaction that wrote before it was begun is waited for', async () => {
    const r = await filled();
    const rows = rowsOf(r);
    const session = r.client.startSession();
    session.startTransaction();
    await rows.insertOne({ _id: -1, u: -5 }, { session });
    const built = rows.createIndex({ u: 1 });
    await r.db.command({ ping: 1 });
    await session.commitTransaction();
    await session.endSession();
    await built;
    expect(await rows.find({ u: -5 }).hint('u_1').toArray()).toEqual([{ _id: -1, u: -5 }]);
    expect(await wrongIn(await stopped(r))).toEqual({ before: [], after: [] });
  });
});

describe('a large collection that is dropped', () => {
  it('leaves what is removed later, which no new collection finds, even after a restart', async () => {
    const r = await filled();
    await rowsOf(r).createIndex({ u: 1 });
    await rowsOf(r).drop();
    const again = await r.reopen();
    await rowsOf(again).insertOne({ _id: 1, u: 1 });
    await rowsOf(again).createIndex({ u: 1 });
    expect(await rowsOf(again).find({}).hint('u_1').toArray()).toEqual([{ _id: 1, u: 1 }]);
    const { before, after } = await wrongIn(await stopped(again));
    expect(before.length).toBeGreaterThan(0);
    expect(after).toEqual([]);
  });

  it('is removed from the store within a minute', async () => {
    const r = await running({ expireEveryMs: 20 });
    await rowsOf(r).insertMany(Array.from({ length: ROWS }, (_, i) => ({ _id: i, u: i })));
    const bytes = async (): Promise<number> => (await r.db.admin().listDatabases()).totalSize ?? 0;
    const full = await bytes();
    await rowsOf(r).drop();
    let left = full;
    while (left > full / 5) left = await bytes();
    expect(left).toBeLessThanOrEqual(full / 5);
  });
});
