import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Document } from 'bson';
import { seeded } from '../../../../src/domain/demo/people.js';
import { folderForTest, running } from '../running.js';

/** The long form: DAMAGE_RUNS=2000. */
const RUNS = Number(process.env['DAMAGE_RUNS'] ?? '60');
/** The short form looks at the same bits each time. */
const SEED = Number(
  process.env['DAMAGE_SEED'] ?? (process.env['DAMAGE_RUNS'] === undefined ? 18_810 : Date.now() % 100_000),
);
const ROWS = 300;

interface Row extends Document {
  _id: number;
  n: number;
}

const row = (_id: number): Row => ({ _id, n: _id * 7, text: `row ${_id} `.repeat(_id % 40 === 0 ? 1000 : 8) });

describe('a damaged data file', () => {
  let whole: string;
  beforeAll(async () => {
    whole = mkdtempSync(join(tmpdir(), 'gm-whole-'));
    const { db, engine, client } = await running({ folder: join(whole, 'data') });
    const c = db.collection<Row>('rows');
    await c.createIndex({ n: 1 }, { unique: true });
    for (let i = 0; i < ROWS; i += 50) await c.insertMany(Array.from({ length: 50 }, (_, k) => row(i + k)));
    await client.close();
    await engine.stop();
  });
  afterAll(() => rmSync(whole, { recursive: true, force: true }));

  const copy = async (): Promise<{ folder: string; file: string }> => {
    const folder = await folderForTest();
    cpSync(join(whole, 'data'), folder, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    return { folder, file: join(folder, 'data.mdb') };
  };

  it('that is cut off says so, and where it lies', async () => {
    for (const share of [0, 0.001, 0.3, 0.9]) {
      const { folder, file } = await copy();
      truncateSync(file, Math.floor(statSync(file).size * share));
      const opening = running({ folder });
      await expect(opening).rejects.toThrow('is damaged');
      await expect(opening).rejects.toThrow(file);
      await expect(opening).rejects.toThrow('Restore a backup');
    }
  });

  it('that is gone is not begun anew', async () => {
    const { folder, file } = await copy();
    rmSync(file);
    await expect(running({ folder })).rejects.toThrow(`${file} is gone`);
  });

  it('that begins with something else is not opened', async () => {
    // The magic number, the page size, the root of the tree: in both first pages, whichever is newer.
    for (const [from, to] of [
      [0, 4096],
      [24, 28],
      [48, 52],
      [136, 144],
    ] as const) {
      const { folder, file } = await copy();
      const bytes = readFileSync(file);
      for (let i = from; i < to; i += 1) bytes[i] = bytes[4096 + i] = (i * 31 + 7) & 0xff;
      writeFileSync(file, bytes);
      await expect(running({ folder })).rejects.toThrow(/is damaged|has format/);
    }
    const { folder, file } = await copy();
    writeFileSync(file, 'this is a text and no store\n'.repeat(1000));
    await expect(running({ folder })).rejects.toThrow('is damaged');
  });

  it('whose page names a commit that has not been is not opened', async () => {
    const { folder, file } = await copy();
    const bytes = readFileSync(file);
    // The root of the documents' tree, as the newer first page has it; a page's commit is the number after its own.
    const meta = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(4096 + 152) ? 0 : 4096;
    const root = Number(bytes.readBigUInt64LE(meta + 136)) * 4096;
    bytes[root + 8 + 6] = 1;
    writeFileSync(file, bytes);
    await expect(running({ folder })).rejects.toThrow('is damaged');
  });

  it(
    `with a flipped bit is refused, or every answer is right (${RUNS} bits, seed ${SEED})`,
    async () => {
      const random = seeded(SEED);
      let refused = 0;
      for (let run = 0; run < RUNS; run += 1) {
        const { folder, file } = await copy();
        const bytes = readFileSync(file);
        const at = Math.floor(random() * bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
        writeFileSync(file, bytes);
        let opened;
        try {
          opened = await running({ folder });
        } catch (error) {
          expect(String(error)).toMatch(/is damaged|can't be opened/);
          refused += 1;
          continue;
        }
        const c = opened.db.collection<Row>('rows');
        expect(await c.find().sort({ _id: 1 }).toArray()).toEqual(Array.from({ length: ROWS }, (_, i) => row(i)));
        expect(
          await c
            .find({ n: { $gte: 0 } })
            .sort({ n: 1 })
            .toArray(),
        ).toHaveLength(ROWS);
        expect(await c.findOne({ n: 70 })).toEqual(row(10));
        // Writing takes free pages and touches used ones: what it leaves must be whole as well.
        await c.insertOne(row(ROWS));
        await c.updateMany({ _id: { $lt: ROWS / 2 } }, { $set: { text: 'written again '.repeat(20) } });
        await c.deleteMany({ _id: { $gte: ROWS / 2, $lt: ROWS } });
        const again = (await opened.reopen()).db.collection<Row>('rows');
        const left = await again.find().sort({ _id: 1 }).toArray();
        expect(left).toEqual([
          ...Array.from({ length: ROWS / 2 }, (_, i) => ({ ...row(i), text: 'written again '.repeat(20) })),
          row(ROWS),
        ]);
      }
      expect(refused).toBeGreaterThan(0);
    },
    30_000 + RUNS * 1000,
  );
});
