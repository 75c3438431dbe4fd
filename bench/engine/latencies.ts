import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Db, Document } from 'mongodb';

const LONG: readonly [string, Document[]][] = [
  ['$group', [{ $group: { _id: '$g', n: { $sum: 1 }, v: { $sum: '$v' } } }]],
  ['$sort', [{ $sort: { text: 1, v: -1 } }, { $skip: 99_990 }]],
  [
    '$setWindowFields',
    [
      { $setWindowFields: { partitionBy: '$g', sortBy: { v: 1 }, output: { rank: { $documentNumber: {} } } } },
      { $count: 'n' },
    ],
  ],
];

/** How long other commands and the program's own event loop wait while a long aggregation runs. */
export async function latencies(db: Db): Promise<string[]> {
  const out = [
    '',
    '| while this runs over 100,000 documents | ms | pings | longest ping ms | longest event loop delay ms |',
    '|---|---:|---:|---:|---:|',
  ];
  const lone = async (): Promise<number> => {
    const from = performance.now();
    await db.command({ ping: 1 });
    return performance.now() - from;
  };
  for (let i = 0; i < 50; i += 1) await lone();
  for (const [name, pipeline] of LONG) {
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const from = performance.now();
    let running = true;
    const long = db
      .collection('grouped')
      .aggregate(pipeline, { allowDiskUse: true })
      .toArray()
      .finally(() => (running = false));
    const times: number[] = [];
    while (running) times.push(await lone());
    await long;
    loop.disable();
    const cells = [performance.now() - from, times.length, Math.max(...times), loop.max / 1e6];
    out.push(`| ${name} | ${cells.map((n) => Math.round(n)).join(' | ')} |`);
  }
  return out;
}
