import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type RunningApp, startApp } from '../src/app.js';
import { parseConfig } from '../src/config.js';
import { channels } from '../src/doctor/channels.js';
import { diagnose } from '../src/doctor/diagnose.js';
import { type Finding, ok, problem, textOf } from '../src/doctor/finding.js';
import { nodeVersion } from '../src/doctor/machine.js';
import { openStore } from '../src/store/connect.js';

const NOW = new Date('2026-11-25T02:00:00Z');

describe('the doctor', () => {
  let root: string;
  let folder: string;
  let places = 0;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'gridmate-doctor-'));
  });
  beforeEach(() => {
    places += 1;
    folder = join(root, `data-${places}`);
  });
  let app: RunningApp | undefined;
  afterEach(async () => {
    await app?.stop();
    app = undefined;
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  const env = (more: Record<string, string> = {}): Record<string, string> => ({
    DATA_DIR: folder,
    DEMO: 'off',
    PORT: '1',
    ...more,
  });
  const start = async (): Promise<RunningApp> => {
    app = await startApp(parseConfig(env({ PORT: '0' })), pino({ level: 'silent' }), 'same');
    return app;
  };
  const look = (more: Record<string, string> = {}): Promise<Finding[]> =>
    diagnose(env(more), { now: NOW, thread: 'same' });
  const of = (findings: readonly Finding[], what: string): string[] =>
    findings.filter((f) => f.what === what).map((f) => `${f.level} ${f.found}`);
  const problems = (findings: readonly Finding[]): Finding[] => findings.filter((f) => f.level === 'problem');

  it('finds nothing wrong before the first start, and makes no folder', async () => {
    const findings = await look();
    expect(problems(findings)).toEqual([]);
    expect(of(findings, '数据')).toEqual([`ok ${folder} 还没有，第一次启动时建立`]);
    expect(of(await look(), '数据')).toEqual(of(findings, '数据'));
  });

  it('looks at a running program through its own socket, and asks it how it is', async () => {
    const { url } = await start();
    const findings = await look({ PORT: new URL(url).port });
    expect(problems(findings)).toEqual([]);
    expect(of(findings, '数据')[0]).toMatch(/^ok 内置数据库 .*能读能写，数据版本 \d+$/);
    expect(of(findings, '索引')[0]).toMatch(/^ok 声明的 \d+ 个都在$/);
    expect(of(findings, '时钟')[0]).toBe('ok 11月25日 周三 10:00（Asia/Shanghai）。请看一眼对不对');
    expect(of(findings, '程序')[0]).toMatch(/^ok 正在运行/);
    expect(of(await look(), '程序')[0]).toMatch(`warning 进程 ${process.pid} 占着数据目录`);
  });

  it('names a missing index, a store of a newer program, and a restore that was left half done', async () => {
    await (await start()).store.connection.collection('members').dropIndex('name_1');
    const findings = await look();
    expect(of(findings, '索引')).toEqual(['problem 缺少 members {"name":1}']);
    const states = app?.store.connection.collection<{ _id: string; version: number }>('storeState');
    await states?.updateOne({ _id: 'schema' }, { $set: { version: 99 } });
    expect(of(await look(), '数据')[0]).toMatch(/^problem 由更新的版本写入（数据版本 99/);
    await states?.insertOne({ _id: 'restore', version: 1 });
    expect(of(await look(), '数据')).toEqual(['problem 上次恢复没有做完']);
  });

  it('tells each wrong setting, and still looks at the machine', async () => {
    const findings = await look({ PROT: '3000', PORT: 'x', MONGODB_URI: 'http://user:hush@db' });
    expect(problems(findings).map((f) => f.found.split(' ')[0])).toEqual(['PROT', 'PORT=x', 'MONGODB_URI']);
    expect(findings.map(textOf).join('\n')).not.toContain('hush');
    expect(of(findings, 'Node')).toHaveLength(1);
  });

  it('says that a MongoDB does not answer, without its password', async () => {
    const findings = await look({ MONGODB_URI: 'mongodb://user:hush@127.0.0.1:9/?serverSelectionTimeoutMS=200' });
    expect(of(findings, '数据')[0]).toMatch(/^problem 打不开/);
    expect(findings.map(textOf).join('\n')).not.toContain('hush');
  });

  it('sees data and secrets that other users can read', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'FORMAT'), '1\n');
    await chmod(folder, 0o755);
    const secret = join(root, 'secret');
    await writeFile(secret, 'x'.repeat(20), { mode: 0o644 });
    const findings = await look({ METRICS_TOKEN_FILE: secret });
    expect(of(findings, '文件权限')).toEqual([
      `problem 别的用户能读 ${folder}、${join(folder, 'FORMAT')}`,
      `warning 密钥文件 ${secret} 所有用户都能读`,
    ]);
  });

  it('a damaged or foreign data folder is a finding with a way out, not a crash', async () => {
    await (await openStore({ folder, thread: 'same' })).close();
    await writeFile(join(folder, 'FORMAT'), '7\n');
    const [finding] = (await look()).filter((f) => f.what === '数据');
    expect(finding).toMatchObject({ level: 'problem', todo: expect.stringContaining('npm run restore') });
    expect(finding?.found).toContain('format 7');
  });

  it('asks each channel that is on, and misses one where none is', async () => {
    const config = parseConfig(env());
    const check = (name: string, on: boolean): Parameters<typeof channels>[1] => [
      { name, on: () => on, look: () => Promise.resolve([problem(name, '登录过期', '重新扫码')]) },
    ];
    expect(await channels(config)).toEqual([ok('通道 sandbox', '试用页面开着，只有本机能打开')]);
    expect((await channels(config, check('phones', true))).map(textOf)).toEqual([
      '有问题 ✗ phones：登录过期\n    怎么办：重新扫码',
    ]);
    expect(problems(await channels(config, check('phones', false)))).toHaveLength(1);
  });

  it.each([
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
    ['20.18.3', 'problem'],
    ['18.20.0', 'problem'],
  ])('Node %s: %s', (version, level) => {
    expect(nodeVersion(version).level).toBe(level);
  });
});
