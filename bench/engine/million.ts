import { join } from 'node:path';
import type { MongoClient } from 'mongodb';
import { start } from '../../src/store/embedded/index.js';
import { median, measureFor } from '../measure.js';
import { connect, fill, row } from './work.js';

const SIZES = [10_000, 1_000_000];
const MILLISECONDS = 500;

/** What a hundred times as many documents cost: the time to open, and indexed reads and writes beside those among 10,000. */
export async function million(folder: string, runs: number): Promise<string[]> {
  for (const size of SIZES) {
    const engine = await start({ folder: join(folder, `rows-${size}`) });
    const client = await connect(engine.uri);
    await fill(client.db('rows').collection('rows'), size);
    await client.close();
    await engine.stop();
  }
  const figures = new Map<string, number[]>();
  const keep = (name: string, n: number): void => void figures.set(name, [...(figures.get(name) ?? []), n]);
  const running: { size: number; client: MongoClient; stop: () => Promise<void> }[] = [];
  for (const size of SIZES) {
    for (let i = 0; i < runs; i += 1) {
      const from = performance.now();
      const engine = await start({ folder: join(folder, `rows-${size}`) });
      const client = await connect(engine.uri);
      await client
        .db('rows')
        .collection('rows')
        .findOne({ k: `k${size / 2}` });
      keep(`open and first read ms ${size}`, performance.now() - from);
      if (i === runs - 1) {
        running.push({ size, client, stop: () => client.close().then(() => engine.stop()) });
        break;
      }
      await client.close();
      await engine.stop();
    }
  }
  for (let run = 0; run < runs; run += 1)
    for (const width of [1, 32])
      for (const { size, client } of running) {
        const rows = client.db('rows').collection<ReturnType<typeof row>>('rows');
        const at = (i: number, c: number): number => (i * 7919 * 31 + c * 104_729) % size;
        const work: Record<string, (i: number, c: number) => Promise<unknown>> = {
          'findOne by unique key': (i, c) => rows.findOne({ k: `k${at(i, c)}` }),
          'updateOne by key': (i, c) => rows.updateOne({ k: `k${at(i, c)}` }, { $inc: { v: 1 } }),
          'indexed range of 100': (i, c) => rows.find({ n: { $gte: at(i, c), $lt: at(i, c) + 100 } }).toArray(),
          insertOne: (i, c) => rows.insertOne(row(size + run * 10_000_000 + width * 1_000_000 + c * 10_000 + i)),
        };
        for (const [name, call] of Object.entries(work))
          keep(`${name} @${width} ${size}`, (await measureFor(MILLISECONDS, width, call)).perSecond);
      }
  for (const { stop } of running) await stop();
  const of = (name: string): number => median(figures.get(name) ?? []);
  const [small, large] = SIZES as [number, number];
  return [
    '',
    `open and first read: ${SIZES.map((size) => `${of(`open and first read ms ${size}`).toFixed(0)} ms with ${size} documents`).join(', ')}`,
    '',
    '| per second | 10,000 | 1,000,000 | cost there ÷ here |',
    '|---|---:|---:|---:|',
    ...[...figures.keys()]
      .filter((name) => name.endsWith(` ${small}`) && !name.startsWith('open'))
      .map((name) => name.slice(0, -String(small).length - 1))
      .map((name) => {
        const [a, b] = [of(`${name} ${small}`), of(`${name} ${large}`)];
        return `| ${name} | ${Math.round(a)} | ${Math.round(b)} | ${(a / b).toFixed(2)} |`;
      }),
  ];
}
