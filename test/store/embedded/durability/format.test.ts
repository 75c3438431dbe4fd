import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Document, Int32, serialize } from 'bson';
import { open } from 'lmdb';
import { bringToFormat, type Migration, type Raw } from '../../../../src/store/embedded/storage/format.js';
import { encodeValue } from '../../../../src/store/embedded/bson/key.js';
import { folderForTest, running } from '../running.js';

const raw = (path: string): Raw => open({ path, noSubdir: true, keyEncoding: 'binary', encoding: 'binary' });

interface Row extends Document {
  _id: number;
}

describe('the format of a data folder', () => {
  it('that a newer program wrote is refused, and left as it is', async () => {
    const { folder, engine, client } = await running();
    await client.close();
    await engine.stop();
    writeFileSync(join(folder, 'FORMAT'), '99\n');
    const before = readFileSync(join(folder, 'data.mdb'));
    await expect(running({ folder })).rejects.toThrow('format 99');
    expect(readFileSync(join(folder, 'data.mdb')).equals(before)).toBe(true);
  });

  it('goes up step by step from a made-up one, after a copy of what was', async () => {
    const folder = await folderForTest();
    const path = join(folder, 'data.mdb');
    const old = raw(path);
    old.transactionSync(() => {
      old.putSync(Buffer.from('n'), Buffer.from('1'));
    });
    await old.close();
    writeFileSync(join(folder, 'FORMAT'), '7\n');
    const steps: Migration[] = [7, 8].map((from) => ({
      from,
      what: 'ten times as much',
      run(db) {
        db.putSync(Buffer.from('n'), Buffer.from(`${String(db.get(Buffer.from('n')))}0`));
      },
    }));
    await bringToFormat(folder, path, steps, 9);
    const value = async (file: string): Promise<string> => {
      const db = raw(file);
      const v = String(db.get(Buffer.from('n')));
      await db.close();
      return v;
    };
    expect(await value(path)).toBe('100');
    expect(readFileSync(join(folder, 'FORMAT'), 'utf8')).toBe('9\n');
    expect(await value(join(folder, 'data-of-format-7.mdb'))).toBe('1');
    expect(statSync(join(folder, 'data-of-format-7.mdb')).mode & 0o777).toBe(0o600);
    // A second start has nothing to do.
    await bringToFormat(folder, path, steps, 9);
    expect(await value(path)).toBe('100');
  });

  it('stays what it was when a step fails, and without a way nothing is begun', async () => {
    const folder = await folderForTest();
    const path = join(folder, 'data.mdb');
    const old = raw(path);
    old.transactionSync(() => {
      old.putSync(Buffer.from('n'), Buffer.from('1'));
    });
    await old.close();
    writeFileSync(join(folder, 'FORMAT'), '7\n');
    const failing: Migration = {
      from: 7,
      what: 'half, then no more',
      run(db) {
        db.putSync(Buffer.from('n'), Buffer.from('half'));
        throw new Error('no more');
      },
    };
    await expect(bringToFormat(folder, path, [failing], 8)).rejects.toThrow('no more');
    await expect(bringToFormat(folder, path, [failing], 9)).rejects.toThrow('No migration leads');
    const db = raw(path);
    expect(String(db.get(Buffer.from('n')))).toBe('1');
    await db.close();
    expect(readFileSync(join(folder, 'FORMAT'), 'utf8')).toBe('7\n');
  });

  // Format 1 as it was: no checksums, the _id at the end of every entry's key.
  it('1 is read as before by today’s program', async () => {
    const folder = await folderForTest();
    const db = raw(join(folder, 'data.mdb'));
    const number = (n: number): Buffer => Buffer.from([0, 0, 0, n]);
    const documents = Buffer.concat([Buffer.from([1]), number(1), Buffer.from([1])]);
    const entries = (index: number): Buffer =>
      Buffer.concat([Buffer.from([1]), number(1), Buffer.from([2]), number(index)]);
    const spec = (name: string, unique: boolean): Document => ({
      v: 2,
      key: { [name]: 1 },
      name: `${name}_1`,
      ...(unique && { unique }),
    });
    db.transactionSync(() => {
      const indexes = [
        { id: 1, spec: spec('u', true) },
        { id: 2, spec: spec('n', false) },
      ];
      db.putSync(
        Buffer.concat([Buffer.from([0, 1]), Buffer.from('test.c')]),
        Buffer.from(serialize({ id: 1, indexes })),
      );
      for (let i = 0; i < 50; i += 1) {
        const id = encodeValue(new Int32(i));
        db.putSync(Buffer.concat([documents, id]), Buffer.from(serialize({ _id: i, u: `u${i}`, n: i % 5 })));
        db.putSync(Buffer.concat([entries(1), encodeValue(`u${i}`), id]), id);
        db.putSync(Buffer.concat([entries(2), encodeValue(new Int32(i % 5)), id]), id);
      }
    });
    await db.close();
    writeFileSync(join(folder, 'FORMAT'), '1\n');
    const store = await running({ folder });
    const c = store.db.collection<Row>('c');
    expect(await c.findOne({ u: 'u7' })).toEqual({ _id: 7, u: 'u7', n: 2 });
    expect(await c.countDocuments({ n: 3 })).toBe(10);
    await expect(c.insertOne({ _id: 99, u: 'u7' })).rejects.toMatchObject({ code: 11000 });
    await c.updateOne({ _id: 7 }, { $set: { u: 'other' } });
    await c.insertOne({ _id: 99, u: 'u7' });
    expect(existsSync(join(folder, 'data-of-format-1.mdb'))).toBe(true);
    expect(readFileSync(join(folder, 'FORMAT'), 'utf8')).toBe('2\n');
  });
});
