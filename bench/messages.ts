import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { pino } from 'pino';
import { type RunningApp, startApp } from '../src/app.js';
import type { Handled } from '../src/bot/message.js';
import { parseConfig } from '../src/config.js';
import { identityKey, type Member } from '../src/domain/member/schema.js';
import { type Figures, measure, median } from './measure.js';

/** Messages per second through the whole bot (reading, transaction, outbox), beside raw lmdb on the same disk in the same run. */
const RUNS = Number(process.env['BENCH_RUNS'] ?? '5');
const PEOPLE = 64;
const PER_PHASE = { chatter: 60_000, report: 320, confirm: 320, points: 640 } as const;
const WIDTHS = [1, 32];

async function floor(folder: string, width: number): Promise<Figures> {
  const db = open<Buffer, string>({ path: join(folder, `floor-${width}`), encoding: 'binary', overlappingSync: false });
  const value = Buffer.alloc(256);
  const figures = await measure(width === 1 ? 500 : 8000, width, (i) => db.put(`k${i}`, value));
  await db.close();
  return figures;
}

async function seed(app: RunningApp): Promise<void> {
  const { models, services } = app.store;
  await models.units.insertMany([
    { _id: 'c', kind: 'community', name: '幸福社区', path: '/c/' },
    { _id: 'g1', kind: 'gridBranch', name: '第一网格', path: '/c/g1/' },
  ]);
  const people = Array.from({ length: PEOPLE }, (_, i): Member => ({
    _id: `m${i}`,
    name: `成员${i}`,
    category: 'direct',
    unit: 'g1',
    unitName: '第一网格',
    unitPath: '/c/g1/',
    posts: [],
    roles: [],
    phoneTail: '0000',
  }));
  const leaders = Array.from({ length: 32 }, (_, i): Member => ({
    ...(people[0] as Member),
    _id: `l${i}`,
    name: `网格长${i}`,
    roles: [{ role: 'leader', unit: 'c', unitName: '幸福社区', path: '/c/' }],
  }));
  await models.members.insertMany([...people, ...leaders]);
  await models.identities.insertMany(
    [...people, ...leaders].map((m) => ({
      _id: identityKey({ channel: 'sandbox', userId: m._id }),
      channel: 'sandbox',
      userId: m._id,
      member: m._id,
      boundAt: new Date(),
    })),
  );
  await services.memberNames.refresh();
}

async function run(results: Map<string, Figures[]>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gridmate-bench-'));
  const app = await startApp(
    parseConfig({ DATA_DIR: join(folder, 'data'), PORT: '0', DEMO: 'off', LOG_LEVEL: 'silent' }),
    pino({ level: 'silent' }),
  );
  const { sandbox } = app;
  if (!sandbox) throw new Error('the sandbox is off');
  await seed(app);
  let id = 0;
  // A day of its own for every second report of a person: nobody may serve more than twelve hours on one.
  const noon = Date.now();
  const say = (from: string, text: string, room: string | null = null, at = new Date(noon)): Promise<Handled> => {
    id += 1;
    return sandbox.inbox().receive({
      channel: 'sandbox',
      messageId: `b${id}`,
      room,
      from,
      text,
      mentionsBot: false,
      mentions: [],
      quote: undefined,
      attachments: [],
      at,
    });
  };
  const keep = (name: string, figures: Figures): void =>
    void results.set(name, [...(results.get(name) ?? []), figures]);
  for (const width of WIDTHS) {
    keep(`raw lmdb put @${width}`, await floor(folder, width));
    keep(
      `chatter @${width}`,
      await measure(PER_PHASE.chatter, width, (i) => say(`m${i % PEOPLE}`, '大家今天晚上几点去社区活动室集合啊', 'g')),
    );
    const numbers: number[] = [];
    keep(
      `service report @${width}`,
      await measure(PER_PHASE.report, width, async (i) => {
        const { replies, outcome } = await say(`m${i % PEOPLE}`, '服务 环境整治 30分钟 清理楼道');
        const no = Number(/#(\d+)/.exec(replies[0]?.text ?? '')?.[1]);
        if (outcome !== 'handled' || !(no > 0)) throw new Error(`not reported: ${replies[0]?.text ?? outcome}`);
        numbers.push(no);
      }),
    );
    keep(
      `confirmation @${width}`,
      await measure(PER_PHASE.confirm, width, async (i) => {
        const { replies } = await say(`l${i % 32}`, `通过 #${numbers[i] ?? 0}`);
        if (!replies[0]?.text.includes('已通过')) throw new Error(`not confirmed: ${replies[0]?.text ?? ''}`);
      }),
    );
    keep(`积分 @${width}`, await measure(PER_PHASE.points, width, (i) => say(`m${i % PEOPLE}`, '积分')));
  }
  await app.stop();
  await rm(folder, { recursive: true, force: true });
}

const results = new Map<string, Figures[]>();
for (let i = 0; i < RUNS; i += 1) await run(results);
const floors = new Map(
  WIDTHS.map((w) => [w, median((results.get(`raw lmdb put @${w}`) ?? []).map((f) => f.perSecond))]),
);
process.stdout.write(
  `medians of ${RUNS} runs, Node ${process.version}\n\n| work | per s | p50 ms | p99 ms | ÷ raw lmdb |\n|---|---:|---:|---:|---:|\n`,
);
for (const [name, list] of results) {
  const perSecond = median(list.map((f) => f.perSecond));
  const raw = floors.get(Number(name.split('@')[1])) ?? 1;
  process.stdout.write(
    `| ${name} | ${Math.round(perSecond)} | ${median(list.map((f) => f.p50)).toFixed(2)} | ${median(list.map((f) => f.p99)).toFixed(2)} | ${(perSecond / raw).toFixed(3)} |\n`,
  );
}
