import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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

  it('leaves an empty store as empty as it was', async () => {
    await (await openStore({ folder, thread: 'same' })).close();
    const findings = await look();
    expect(problems(findings)).toEqual([]);
    expect(of(findings, '索引')).toEqual(['ok 还没有数据，第一次启动时建立']);
    const store = await openStore({ folder, name: 'gridmate', thread: 'same' });
    expect(await store.connection.listCollections()).toEqual([]);
    await store.close();
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
    await app?.store.connection.collection('members').createIndex({ name: 1 });
    await app?.store.connection.collection('channelGaps').dropIndex('to_1');
    expect(of(await look(), '索引')).toEqual([expect.stringContaining('problem 缺少 channelGaps {"to":1} ttl')]);
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
    const findings = await look({ METRICS_TOKEN_FILE: secret, SSL_CERT_FILE: secret });
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

  it('a data folder that is none is a finding too', async () => {
    await writeFile(folder, 'a file');
    const findings = await look();
    expect(of(findings, '文件权限')).toEqual([expect.stringContaining('problem')]);
    expect(of(findings, '数据')[0]).toMatch(/^problem 打不开/);
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
    ['valid', { errcode: 0, access_token: 'a', expires_in: 7200 }, /^正常 ✓ .*凭证有效/],
    ['wrong', { errcode: 40001 }, /^有问题 ✗ .*凭证不对（错误码 40001）\n.*WECOM_APP_SECRET/],
    ['from a place that is not trusted', { errcode: 60020 }, /错误码 60020.*\n.*可信IP/],
  ])('tries the credentials of the WeCom app: %s', async (_name, answer, said) => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const config = parseConfig(
      env({
        WECOM_API_URL: `http://127.0.0.1:${port}`,
        WECOM_CORP_ID: 'ww1',
        WECOM_APP_SECRET: 'very-secret',
        WECOM_APP_AGENT_ID: '7',
      }),
    );
    const texts = (await channels(config)).map(textOf);
    await new Promise((resolve) => server.close(resolve));
    expect(asked).toEqual(['/cgi-bin/gettoken?corpid=ww1&corpsecret=very-secret']);
    expect(texts.join('\n')).toMatch(said);
    expect(texts.join('\n')).not.toContain('very-secret');
  });

  it('says when WeCom can not be reached', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((resolve) => server.close(resolve));
    const app = { WECOM_CORP_ID: 'ww1', WECOM_APP_SECRET: 'x', WECOM_APP_AGENT_ID: '7' };
    const config = parseConfig(env({ WECOM_API_URL: `http://${host}`, ...app }));
    expect((await channels(config)).map((f) => f.found)).toContain(`连不上 ${host}`);
  });

  it('looks whether the gateway of Wechaty can be reached and its certificate read', async () => {
    const config = parseConfig(
      env({
        WECHATY: 'on',
        WECHATY_GATEWAY_ENDPOINT: '127.0.0.1:1',
        WECHATY_GATEWAY_TOKEN: 'gridmate_x',
        WECHATY_GATEWAY_CA_FILE: join(root, 'nowhere.pem'),
      }),
    );
    const found = (await channels(config)).map((f) => `${f.level} ${f.found}`);
    expect(found).toContain('ok wechaty-puppet-service 已安装');
    expect(found).toContain(`problem 证书 ${join(root, 'nowhere.pem')} 读不了`);
    expect(found).toContain('problem 网关 127.0.0.1:1 连不上');
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
