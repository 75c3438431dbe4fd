import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type RunningApp, startApp } from '../src/app.js';
import { parseConfig } from '../src/config.js';
import { identityKey, type Member } from '../src/domain/member/schema.js';

/**
 * WeCom's callbacks, signed and encrypted, end to end over HTTP, beside the sandbox's API in the same run; and how long a
 * callback waits for its answer while 200 service reports come in within 10 s (WeCom gives up after 5 s).
 */
const RUNS = Number(process.env['BENCH_RUNS'] ?? '3');
const COUNT = Number(process.env['BENCH_COUNT'] ?? '400');
const PEOPLE = 64;
const WIDTHS = [1, 16];
const LOAD = { reports: 200, withinMs: 10_000 };

const token = 'benchtoken';
const aesKey = randomBytes(32).toString('base64').slice(0, 43);
const corp = 'wwbench';
const key = Buffer.from(`${aesKey}=`, 'base64');

/** One callback as WeCom makes it; written anew here, for the far side is not ours. */
function callback(scene: 'bot' | 'app', message: string, receiveId: string): { query: string; body: string } {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(Buffer.byteLength(message));
  const plain = Buffer.concat([randomBytes(16), size, Buffer.from(message), Buffer.from(receiveId)]);
  const pad = 32 - (plain.length % 32);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  const padded = Buffer.concat([plain, Buffer.alloc(pad, pad)]);
  const encrypt = Buffer.concat([cipher.update(padded), cipher.final()]).toString('base64');
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = randomBytes(6).toString('hex');
  const parts = [token, timestamp, nonce, encrypt].toSorted((a, b) => (a < b ? -1 : 1));
  const msg_signature = createHash('sha1').update(parts.join('')).digest('hex');
  const body = scene === 'bot' ? JSON.stringify({ encrypt }) : `<xml><Encrypt><![CDATA[${encrypt}]]></Encrypt></xml>`;
  return { query: new URLSearchParams({ msg_signature, timestamp, nonce }).toString(), body };
}

let messages = 0;
/** Callbacks of the bot that were acknowledged after three seconds, and answered by the later address. */
let late = 0;
/** WeCom's API here. */
let apiUrl = '';
async function post(app: RunningApp, scene: 'bot' | 'app', from: string, text: string): Promise<number> {
  messages += 1;
  const now = Math.floor(Date.now() / 1000);
  const message =
    scene === 'bot'
      ? JSON.stringify({
          msgid: `b${messages}`,
          chattype: 'single',
          from: { userid: from },
          msgtype: 'text',
          text: { content: text },
          response_url: `${apiUrl}/cgi-bin/aibot/response?response_code=${messages}`,
        })
      : `<xml><ToUserName>${corp}</ToUserName><FromUserName>${from}</FromUserName><CreateTime>${now}</CreateTime><MsgType>text</MsgType><Content>${text}</Content><MsgId>${messages}</MsgId></xml>`;
  const { query, body } = callback(scene, message, scene === 'bot' ? '' : corp);
  const started = performance.now();
  const response = await fetch(`${app.url}/callbacks/wecom/${scene}?${query}`, { method: 'POST', body });
  const answer = await response.text();
  const took = performance.now() - started;
  if (response.status !== 200) throw new Error(`${scene}: ${response.status} ${answer}`);
  if (scene === 'bot' && answer === '') late += 1;
  return took;
}

async function sandbox(app: RunningApp, from: string, text: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(`${app.url}/api/sandbox/messages?wait=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ from, room: null, text }),
  });
  await response.text();
  if (response.status !== 200) throw new Error(`sandbox: ${response.status}`);
  return performance.now() - started;
}

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}
const at = (times: readonly number[], share: number): number => {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
};
const figures = (times: readonly number[], ms: number): Figures => ({
  perSecond: (times.length / ms) * 1000,
  p50: at(times, 0.5),
  p99: at(times, 0.99),
  max: at(times, 1),
});
const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

async function measure(count: number, width: number, work: (i: number) => Promise<number>): Promise<Figures> {
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let i = next; i < count; i = next) {
        next += 1;
        times.push(await work(i));
      }
    }),
  );
  return figures(times, performance.now() - started);
}

/** Spread evenly over the time, whatever the answers take. */
async function underLoad(work: (i: number) => Promise<number>): Promise<Figures> {
  const started = performance.now();
  const times = await Promise.all(
    Array.from({ length: LOAD.reports }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, (i / LOAD.reports) * LOAD.withinMs));
      return work(i);
    }),
  );
  return figures(times, performance.now() - started);
}

async function seed(app: RunningApp): Promise<void> {
  const { models, services } = app.store;
  await models.units.insertMany([{ _id: 'c', kind: 'community', name: '幸福社区', path: '/c/' }]);
  const people = Array.from({ length: PEOPLE }, (_, i): Member => ({
    _id: `m${i}`,
    name: `成员${i}`,
    category: 'direct',
    unit: 'c',
    unitName: '幸福社区',
    unitPath: '/c/',
    posts: [],
    roles: [],
    phoneTail: '0000',
  }));
  await models.members.insertMany(people);
  for (const channel of ['wecom', 'sandbox'])
    await models.identities.insertMany(
      people.map((m) => ({
        _id: identityKey({ channel, userId: m._id }),
        channel,
        userId: m._id,
        member: m._id,
        boundAt: new Date(),
      })),
    );
  await app.sandbox?.people.addPeople(
    people.map((m) => ({ id: m._id, name: m.name, title: 'member', unit: '幸福社区' })),
  );
  await services.memberNames.refresh();
}

async function run(results: Map<string, Figures[]>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gridmate-bench-'));
  // WeCom's API: takes everything.
  const api = createServer((request, response) => {
    request.resume();
    response.end(JSON.stringify({ errcode: 0, access_token: 't', expires_in: 7200 }));
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const app = await startApp(
    parseConfig({
      DATA_DIR: join(folder, 'data'),
      PORT: '0',
      DEMO: 'off',
      SANDBOX: 'on',
      WECOM_CORP_ID: corp,
      WECOM_BOT_TOKEN: token,
      WECOM_BOT_AES_KEY: aesKey,
      WECOM_APP_TOKEN: token,
      WECOM_APP_AES_KEY: aesKey,
      WECOM_APP_SECRET: 's',
      WECOM_APP_AGENT_ID: '1',
      WECOM_API_URL: apiUrl,
      WECOM_PER_MINUTE: '10000',
      WECOM_PER_HOUR: '100000',
    }),
    pino({ level: 'silent' }),
  );
  await seed(app);
  const who = (i: number): string => `m${i % PEOPLE}`;
  const report = '服务 环境整治 1分钟 清理楼道';
  const keep = (name: string, f: Figures): void => {
    process.stderr.write(`${name}: ${f.perSecond.toFixed(0)}/s, p99 ${f.p99.toFixed(0)} ms\n`);
    results.set(name, [...(results.get(name) ?? []), f]);
  };
  const ways: [name: string, send: (i: number, text: string) => Promise<number>][] = [
    ['sandbox API, waited for', (i, text) => sandbox(app, who(i), text)],
    ['bot callback, answered passively', (i, text) => post(app, 'bot', who(i), text)],
    ['app callback, acknowledged', (i, text) => post(app, 'app', who(i), text)],
  ];
  for (const [, send] of ways) await measure(PEOPLE, 4, (i) => send(i, '积分'));
  for (const width of WIDTHS)
    for (const [name, send] of ways) {
      keep(`积分, ${name} @${width}`, await measure(COUNT, width, (i) => send(i, '积分')));
      await app.wecom?.idle();
    }
  for (const [name, send] of ways) {
    keep(`200 reports in 10 s, ${name}`, await underLoad((i) => send(i, report)));
    await app.wecom?.idle();
  }
  await app.stop();
  api.closeAllConnections();
  await new Promise((resolve) => api.close(resolve));
  await rm(folder, { recursive: true, force: true });
}

const results = new Map<string, Figures[]>();
for (let i = 0; i < RUNS; i += 1) await run(results);
process.stdout.write(
  `medians of ${RUNS} runs (max: of all), Node ${process.version}\n\n| work | per s | p50 ms | p99 ms | max ms |\n|---|---:|---:|---:|---:|\n`,
);
for (const [name, list] of results)
  process.stdout.write(
    `| ${name} | ${Math.round(median(list.map((f) => f.perSecond)))} | ${median(list.map((f) => f.p50)).toFixed(1)} | ${median(list.map((f) => f.p99)).toFixed(1)} | ${Math.max(...list.map((f) => f.max)).toFixed(1)} |\n`,
  );
process.stdout.write(`\nacknowledged first and answered later: ${late}\n`);
