import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { open } from 'lmdb';
import { start } from '../src/store/embedded/index.js';
import { connect, type Line, lines, prepare } from './engine/work.js';
import { latencies } from './engine/latencies.js';
import { million } from './engine/million.js';
import { median, measureFor } from './measure.js';

/**
 * The embedded engine through the driver, beside the driver's ping, a server that answers a constant, raw lmdb, and a
 * second server where MONGODB_URI names one. All in one run, taking turns, so that the machine's moods fall on all alike.
 */
const RUNS = Number(process.env['BENCH_RUNS'] ?? '5');
const WIDTHS = [1, 32];
/**
 * Milliseconds of each line on each server before anything is counted. The bot runs for months, so what counts is code
 * that V8 has compiled: insertOne needs some 4 s to reach its rate (docs/performance.md).
 */
const WARM_UP = 4000;

type Results = Map<string, number[]>;
const keep = (results: Results, name: string, perSecond: number): void =>
  void results.set(name, [...(results.get(name) ?? []), perSecond]);
const of = (results: Results, name: string): number => median(results.get(name) ?? []);

/** One line on every server in turn, each with the driver's ping beside it in the same second: the ratios are of neighbours. */
async function measureLine(
  results: Results,
  servers: ReadonlyMap<string, readonly Line[]>,
  name: string,
): Promise<void> {
  for (const width of WIDTHS) {
    const now = new Map<string, number>();
    for (const [who, all] of servers)
      for (const line of all.filter((l) => l.name === name)) {
        const { perSecond } = await measureFor(line.time, width, line.run);
        now.set(who, perSecond * line.counts);
        keep(results, `${who} ${name} @${width}`, perSecond * line.counts);
      }
    const ping = servers.get('engine')?.find((l) => l.name === 'ping');
    if (ping) now.set('ping', (await measureFor(ping.time, width, ping.run)).perSecond);
    for (const other of ['ping', 'constant', 'second'])
      if (now.has(other))
        keep(results, `÷ ${other} ${name} @${width}`, (now.get('engine') ?? 0) / (now.get(other) ?? 1));
  }
}

async function rawLmdb(results: Results, folder: string): Promise<void> {
  const db = open<Buffer, string>({ path: join(folder, 'raw'), encoding: 'binary', overlappingSync: false });
  const value = Buffer.alloc(180);
  for (const width of WIDTHS) {
    const put = await measureFor(400, width, (i) => db.put(`k${i % 50_000}`, value));
    keep(results, `raw insertOne @${width}`, put.perSecond);
    let read = 0;
    const started = performance.now();
    while (performance.now() - started < 100)
      for (let i = 0; i < 100; i += 1) read += Number(db.get(`k${i}`) !== undefined);
    keep(results, `raw findOne by unique key @${width}`, (read * 1000) / (performance.now() - started));
  }
  await db.close();
}

const shown = (n: number): string => (n === 0 ? '' : n < 100 ? n.toFixed(1) : String(Math.round(n)));
const ratio = (n: number): string => (Number.isFinite(n) && n > 0 ? n.toFixed(2) : '');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function table(results: Results, names: readonly string[]): void {
  say('| per second, durable | engine | ÷ ping | ÷ constant | raw lmdb | second server | engine ÷ second |');
  say('|---|---:|---:|---:|---:|---:|---:|');
  for (const width of WIDTHS)
    for (const name of names) {
      const cells = [
        shown(of(results, `engine ${name} @${width}`)),
        ratio(of(results, `÷ ping ${name} @${width}`)),
        ratio(of(results, `÷ constant ${name} @${width}`)),
        shown(of(results, `raw ${name} @${width}`)),
        shown(of(results, `second ${name} @${width}`)),
        ratio(of(results, `÷ second ${name} @${width}`)),
      ];
      say(`| ${name} @${width} | ${cells.join(' | ')} |`);
    }
}

const folder = await mkdtemp(join(tmpdir(), 'gridmate-bench-'));
const engine = await start({ folder: join(folder, 'data') });
const constantPath = join(folder, 'constant.sock');
const constant = new Worker(new URL('./engine/constant.js', import.meta.url), { workerData: { path: constantPath } });
await new Promise((resolve) => constant.once('message', resolve));
const servers = new Map([
  ['engine', engine.uri],
  ['constant', `mongodb://${encodeURIComponent(constantPath)}/?directConnection=true`],
  ...(process.env['MONGODB_URI'] ? [['second', process.env['MONGODB_URI']] as const] : []),
]);
const clients = new Map<string, Awaited<ReturnType<typeof connect>>>();
for (const [who, uri] of servers) clients.set(who, await connect(uri));
const db = 'gridmate_bench';
for (const [who, client] of clients) if (who !== 'constant') await prepare(client.db(db));

const results: Results = new Map();
const only = process.env['BENCH_ONLY'];
const wanted = (line: Line, who: string): boolean =>
  (who !== 'constant' || ['ping', 'findOne by unique key'].includes(line.name)) &&
  (only === undefined || line.name === 'ping' || line.name.includes(only));
for (const [who, client] of clients)
  for (const line of lines(client, client.db(db)).filter((l) => wanted(l, who)))
    await measureFor(WARM_UP, Math.max(...WIDTHS), line.run);
let names: string[] = [];
for (let run = 0; run < RUNS; run += 1) {
  const all = new Map(
    [...clients].map(([who, client]) => [who, lines(client, client.db(db)).filter((l) => wanted(l, who))] as const),
  );
  names = all.get('engine')?.map((l) => l.name) ?? [];
  for (const name of names) await measureLine(results, all, name);
  await rawLmdb(results, folder);
}
say(`medians of ${RUNS} runs, Node ${process.version}, driver with 1 and 32 callers\n`);
table(results, names);
const client = clients.get('engine');
if (client && (only === undefined || only === 'latencies'))
  for (const text of await latencies(client.db(db))) say(text);
for (const c of clients.values()) await c.close();
await engine.stop();
await constant.terminate();
if (only === undefined || only === 'million') for (const text of await million(folder, RUNS)) say(text);
await rm(folder, { recursive: true, force: true });
