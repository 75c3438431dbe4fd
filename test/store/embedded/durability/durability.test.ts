import { spawn, spawnSync } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from '@jest/globals';
import type { Document } from 'bson';
import { MongoClient } from 'mongodb';
import { root } from '../../../../src/paths.js';
import { FolderInUse, start } from '../../../../src/store/embedded/index.js';
import { folderForTest, refusal, running } from '../running.js';

const program = join(root, 'dist/src/store/serve.js');

interface Row extends Document {
  _id: number;
}

describe('acknowledged writes', () => {
  it('share a flush when they come together, and have one each when they come alone', async () => {
    const { db } = await running();
    const c = db.collection<Row>('c');
    await c.insertOne({ _id: -1 });
    const flushes = async (): Promise<number> => Number((await db.command({ serverStatus: 1 }))['flushes']);
    const before = await flushes();
    for (let i = 0; i < 20; i += 1) await c.insertOne({ _id: i });
    const alone = await flushes();
    expect(alone - before).toBe(20);
    await Promise.all(Array.from({ length: 320 }, (_, i) => c.insertOne({ _id: 100 + i })));
    expect((await flushes()) - alone).toBeLessThan(160);
    expect(await c.countDocuments()).toBe(341);
  });
});

describe('a data folder', () => {
  it('that is served is refused to a second one, who is told by whom', async () => {
    const { folder, db } = await running();
    await expect(start({ folder, thread: 'same' })).rejects.toThrow(FolderInUse);
    await expect(start({ folder, thread: 'same' })).rejects.toThrow(`process ${process.pid}`);
    expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
  });

  it('is copied while it is written to: the copy opens, and holds one moment', async () => {
    const { engine, client, db, folder } = await running();
    const [left, right] = [db.collection<Row>('left'), db.collection<Row>('right')];
    await Promise.all([left.createIndex({ n: 1 }), right.createIndex({ n: 1 })]);
    let [n, writing] = [0, true];
    const writers = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (writing) {
          const _id = (n += 1);
          const document = { _id, n: _id, text: 'x'.repeat(2000) };
          await client.withSession((session) =>
            session.withTransaction(async () => {
              await left.insertOne(document, { session });
              await right.insertOne(document, { session });
            }),
          );
        }
      }),
    );
    while (n < 100) await db.command({ ping: 1 });
    const before = await left.countDocuments();
    const copy = join(folder, 'copy');
    await engine.backup(copy);
    writing = false;
    await writers;
    await expect(engine.backup(copy)).rejects.toThrow('holds a store already');
    expect((await stat(join(copy, 'data.mdb'))).mode & 0o777).toBe(0o600);
    const restored = (await running({ folder: copy })).db;
    const [a, b] = [
      await restored.collection('left').countDocuments(),
      await restored.collection('right').countDocuments(),
    ];
    expect(a).toBe(b);
    expect(a).toBeGreaterThanOrEqual(before);
    expect(await restored.collection('left').countDocuments({ n: { $gt: 0 } })).toBe(a);
  });
});

/** A file system of a few megabytes, where this process may mount one. */
async function smallDisk(megabytes: number): Promise<{ folder: string; unmount: () => void } | undefined> {
  const folder = join(await folderForTest(), 'disk');
  await mkdir(folder);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]).status !== 0) return undefined;
  return { folder, unmount: () => void spawnSync('umount', ['-l', folder]) };
}

const canMount =
  process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt']).status === 0;
if (canMount) spawnSync('umount', ['/mnt']);

describe('a full disk', () => {
  (process.platform === 'linux' ? it : it.skip)(
    'that takes a part of a write only fails it with MongoDB’s code',
    async () => {
      const folder = await folderForTest();
      // A file may have 4 MB; the signal that says so would end the program.
      const child = spawn('bash', [
        '-c',
        `trap '' XFSZ; ulimit -f 4000; exec "$0" "$@"`,
        process.execPath,
        program,
        '--data',
        folder,
      ]);
      const uri = await new Promise<string>((resolve) =>
        createInterface({ input: child.stdout }).once('line', resolve),
      );
      const client = await new MongoClient(uri).connect();
      try {
        const c = client.db('test').collection<Row>('c');
        let n = 0;
        const fill = async (): Promise<never> => {
          for (;;) {
            await c.insertOne({ _id: n, text: 'x'.repeat(50_000) });
            n += 1;
          }
        };
        expect(await refusal(fill())).toMatchObject({ code: 14031, codeName: 'OutOfDiskSpace' });
        expect(await c.find().toArray()).toHaveLength(n);
        await c.deleteMany({ _id: { $lt: 20 } });
        await c.insertOne({ _id: -1 });
        expect(await c.countDocuments()).toBe(n - 19);
      } finally {
        await client.close();
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await ended;
      }
    },
  );

  (canMount ? it : it.skip)(
    'fails a write with MongoDB’s code; reads go on, nothing is torn, writes go on once there is room (needs mount)',
    async () => {
      const disk = await smallDisk(8);
      if (!disk) throw new Error('can’t mount');
      try {
        const first = await running({ folder: join(disk.folder, 'data') });
        const c = first.db.collection<Row>('c');
        await c.createIndex({ n: 1 });
        let n = 0;
        const fill = async (): Promise<never> => {
          for (;;) {
            await c.insertOne({ _id: n, n, text: 'x'.repeat(20_000) });
            n += 1;
          }
        };
        expect(await refusal(fill())).toMatchObject({ code: 14031, codeName: 'OutOfDiskSpace' });
        expect(n).toBeGreaterThan(20);
        expect(await refusal(fill())).toMatchObject({ code: 14031 });
        expect(await c.countDocuments()).toBe(n);
        expect(await c.find({ n: { $gte: 0 } }).toArray()).toHaveLength(n);
        const session = first.client.startSession();
        session.startTransaction();
        await c.insertOne({ _id: -1, n: -1, text: 'x'.repeat(200_000) }, { session });
        expect(await refusal(session.commitTransaction())).toMatchObject({ code: 14031 });
        await session.endSession();
        expect(await c.findOne({ _id: -1 })).toBeNull();
        spawnSync('mount', ['-o', 'remount,size=16m', disk.folder]);
        await c.insertOne({ _id: -2, n: -2, text: 'x'.repeat(200_000) });
        const second = await first.reopen();
        const again = second.db.collection<Row>('c');
        expect(await again.countDocuments()).toBe(n + 1);
        expect(await again.countDocuments({ n: { $gte: 0 } })).toBe(n);
      } finally {
        disk.unmount();
      }
    },
    60_000,
  );
});
