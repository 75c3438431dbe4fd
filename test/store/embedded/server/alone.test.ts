import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { root } from '../../../../src/paths.js';
import { killAll, startProgram } from '../crash/program.js';
import { folderForTest, running } from '../running.js';

const program = join(root, 'dist/src/store/serve.js');
const env = { PATH: process.env['PATH'] ?? '' };

afterAll(killAll);

describe('the engine alone (npm run store)', () => {
  it('prints its URI, on a loopback port where one is asked for, and ends when it is told to', async () => {
    const child = spawn(process.execPath, [program, '--data', await folderForTest(), '--port', '0'], { env });
    const uri = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    expect(uri).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/\?directConnection=true$/);
    const client = await new MongoClient(uri).connect();
    expect(await client.db('test').command({ ping: 1 })).toMatchObject({ ok: 1 });
    await client.close();
    const code = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await code).toBe(0);
  });

  it('says what is wrong with its arguments, and who holds the folder', async () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' });
    expect(run()).toMatchObject({ status: 2, stderr: expect.stringContaining('--data DIR') });
    expect(run('--data', 'x', '--port', '99999')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('99999'),
    });
    expect(run('--prot', '1')).toMatchObject({ status: 2, stderr: expect.stringMatching(/'--prot'[^]*--data DIR/) });
    const folder = await folderForTest();
    const first = await startProgram(folder);
    const second = run('--data', folder);
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(/in use by process \d+: stop it first/);
    await first.kill();
    // Whoever was killed holds nothing any more.
    await (await startProgram(folder)).kill();
  });

  it('prints a URI that a program in another folder can use', async () => {
    const folder = await folderForTest();
    const child = spawn(process.execPath, [program, '--data', 'data'], { env, cwd: folder });
    const uri = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    expect(uri).toContain(encodeURIComponent(join(folder, 'data/store.sock')));
  });

  it('copies its folder from the thread it runs in', async () => {
    const folder = await folderForTest();
    const code = `
      import { start } from ${JSON.stringify(join(root, 'dist/src/store/embedded/index.js'))};
      import { MongoClient } from ${JSON.stringify(join(root, 'node_modules/mongodb/lib/index.js'))};
      const engine = await start({ folder: ${JSON.stringify(join(folder, 'data'))} });
      const client = await new MongoClient(engine.uri).connect();
      await client.db('test').collection('c').insertOne({ _id: 1 });
      await engine.backup(${JSON.stringify(join(folder, 'copy'))});
      await client.close();
      await engine.stop();`;
    writeFileSync(join(folder, 'copies.mjs'), code);
    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'copies.mjs')], { env, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    const { db } = await running({ folder: join(folder, 'copy') });
    expect(await db.collection('c').countDocuments()).toBe(1);
  });
});
