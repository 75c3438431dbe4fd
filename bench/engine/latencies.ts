import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Collection, Db, Document } from 'mongodb';

type Long = readonly [name: string, run: (rows: Collection) => Promise<unknown>];

const reads: readonly [string, Document[]][] = [
  ['$group', [{ $group: { _id: '$g', n: { $sum: 1 }, v: { $sum: '$v' } } }]],
  ['$sort', [{ $sort: { text: 1, v: -1 } }, { $skip: 99_990 }]],
  [
    '$setWindowFields',
    [
      { $setWindowFields: { partitionBy: '$g', sortBy: { v: 1 }, output: { rank: { $documentNumber: {} } } } },
      { $count: 'n' },
    ],
  ],
  ['$fill', [{ $fill: { sortBy: { v: 1 }, output: { w: { method: 'locf' } } } }, { $count: 'n' }]],
  ['$bucketAuto', [{ $bucketAuto: { groupBy: '$v', buckets: 10 } }]],
  ['$densify', [{ $densify: { field: 'v', range: { step: 1, bounds: 'full' } } }, { $count: 'n' }]],
];
/** The last one leaves nothing to read. */
const LONG: readonly Long[] = [
  ...reads.map(([name, pipeline]): Long => [
    name,
    (rows) => rows.aggregate(pipeline, { allowDiskUse: true }).toArray(),
  ]),
  ['a find that sorts', (rows) => rows.find().sort({ text: 1, v: -1 }).limit(10).toArray()],
  ['updateMany', (rows) => rows.updateMany({}, { $inc: { n: 1 } })],
  ['createIndex', (rows) => rows.createIndex({ g: 1, v: 1 })],
  ['deleteMany', (rows) => rows.deleteMany({})],
];

/** How long other commands and the program's own event loop wait while something long runs. */
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
  const rows = db.collection('grouped');
  // The threads for long aggregations start at the first of them.
  await rows.aggregate([{ $group: { _id: null } }]).toArray();
  for (const [name, run] of LONG) {
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const from = performance.now();
    let running = true;
    const long = run(rows).finally(() => (running = false));
    const times: number[] = [];
    while (running) times.push(await lone());
    await long;
    loop.disable();
    const cells = [performance.now() - from, times.length, Math.max(...times), loop.max / 1e6];
    out.push(`| ${name} | ${cells.map((n) => Math.round(n)).join(' | ')} |`);
  }
  return out;
}
