import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import type { Document } from 'bson';
import fc from 'fast-check';
import { type Db, MongoClient } from 'mongodb';
import { start } from '../../../../src/store/embedded/index.js';
import { type Operation, type Scene, scene } from './generate.js';
import { FELL, OTHER, type Outcome, perform, prepare, reset, shown, state } from './perform.js';
import { verdictOf } from './verdicts.js';

/**
 * Random scenes to the embedded engine and to a second server; counts each kind of difference by its verdict and prints
 * the unexplained ones, shrunk.
 *
 *     npx tsx test/store/embedded/differential/run.ts URI [OPERATIONS] [SEED] [REPORT.json]
 */
const [uri = '', operations = '2000', seed = '1', report] = process.argv.slice(2);
const wanted = Number(operations);

interface Difference {
  readonly operation: Operation;
  readonly ours: Outcome;
  readonly theirs: Outcome;
  readonly before: string;
  readonly stateOurs: string;
  readonly stateTheirs: string;
}

let performed = 0;
const explained = new Map<string, number>();
const unexplained = new Map<string, { count: number; example: string }>();

/** A difference is made smaller for this long. */
const SHRINK_MS = 6000;
const CRASH = 'the second server falls over';
const fallen: string[] = [];
/** The command named by DIFFERENTIAL_RESTART brings the second server up again. */
async function restart(theirs: Db): Promise<void> {
  const command = process.env['DIFFERENTIAL_RESTART'];
  if (command === undefined)
    throw new Error('the second server fell over, and DIFFERENTIAL_RESTART names no command to restart it');
  for (let attempt = 1; ; attempt += 1) {
    try {
      execFileSync(command, { stdio: 'ignore' });
      await theirs.collection('c').countDocuments({});
      return;
    } catch (error) {
      if (attempt === 10) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

const same = (a: Outcome, b: Outcome): boolean =>
  'result' in a ? 'result' in b && a.result === b.result : 'code' in b && a.code === b.code;

/** Plays a scene on both; the first difference that no verdict explains, or undefined. */
async function play(ours: Db, theirs: Db, s: Scene, count: boolean): Promise<Difference | undefined> {
  const [indexes] = await Promise.all([prepare(ours, s, true), prepare(theirs, s, false)]);
  // What is stored, while no write has come since it was read.
  let known: Document[] | undefined;
  for (const operation of s.operations) {
    const writes = !['find', 'count', 'distinct', 'aggregate'].includes(operation.kind);
    known ??= await state(ours);
    const before = known;
    const [a, b] = await Promise.all([
      perform(ours, operation, true, indexes),
      perform(theirs, operation, false, indexes),
    ]);
    if ('code' in b && b.code === FELL) {
      fallen.push(shown(operation));
      if (count) {
        performed += 1;
        explained.set(CRASH, (explained.get(CRASH) ?? 0) + 1);
      }
      await restart(theirs);
      return undefined;
    }
    const states = writes ? await Promise.all([state(ours), state(theirs)]) : [];
    if (writes) [known] = states;
    const [x, y] = states.map(shown);
    if (count) performed += 1;
    if (writes && (x ?? '').length < 60) {
      // Of few documents little can be asked.
      await Promise.all([ours, theirs].map((db) => reset(db, s.documents)));
      known = undefined;
    }
    if (same(a, b) && x === y) continue;
    const difference = {
      operation,
      ours: a,
      theirs: b,
      before: shown(before),
      stateOurs: x ?? '',
      stateTheirs: y ?? '',
    };
    const verdict = verdictOf(difference);
    if (verdict === undefined) return difference;
    if (count) explained.set(verdict, (explained.get(verdict) ?? 0) + 1);
    if (writes) await reset(theirs, await state(ours));
  }
  return undefined;
}

const list = (text: string): string[] => {
  try {
    const v = JSON.parse(text) as unknown;
    return Array.isArray(v) ? v.map((item) => JSON.stringify(item)) : [text];
  } catch {
    return [text];
  }
};
/** Only what differs of two lists. */
const parted = (a: string, b: string): [string, string] => {
  const [x, y] = [list(a), list(b)];
  const pick = (mine: string[], other: string[]): string =>
    mine
      .filter((v) => !other.includes(v))
      .slice(0, 2)
      .join('\n          ')
      .slice(0, 500);
  const [p, q] = [pick(x, y), pick(y, x)];
  return p === '' && q === '' ? [`same documents: ${a.slice(0, 300)}`, b.slice(0, 300)] : [p, q];
};
const idsOf = (text: string): string[] => [...text.matchAll(/"_id":\{"\$numberInt":"(\d+)"\}/g)].map((m) => m[0]);
function describe({ operation, ours, theirs, before, stateOurs, stateTheirs }: Difference): string {
  const text = (o: Outcome): string => ('result' in o ? o.result : `error ${o.code} ${o.message.slice(0, 200)}`);
  const [a, b] = parted(text(ours), text(theirs));
  const lines = [shown(operation).slice(0, 700)];
  const ids = idsOf(a + b + (stateOurs === stateTheirs ? '' : parted(stateOurs, stateTheirs).join('')));
  const touched = list(before).filter((doc) => ids.some((id) => doc.includes(id)));
  lines.push(`before ${touched.slice(0, 2).join(' ').slice(0, 600)}`);
  lines.push(`ours   ${a}`, `theirs ${b}`);
  if (stateOurs !== stateTheirs) {
    const [x, y] = parted(stateOurs, stateTheirs);
    lines.push(`state ours   ${x}`, `state theirs ${y}`);
  }
  return lines
    .join('\n   ')
    .replaceAll(/\{"\$number(Int|Double|Long|Decimal)":"([^"]*)"\}/g, (_all, t: string, n: string) =>
      t === 'Int' ? n : `${n}${t === 'Double' ? 'd' : t === 'Long' ? 'L' : 'm'}`,
    );
}
const kindOf = ({ operation, ours, theirs }: Difference): string => {
  const detail =
    operation.kind === 'aggregate'
      ? operation.pipeline
          .flatMap((p) => Object.keys(p))
          .slice(1)
          .join(' ')
      : operation.kind === 'update'
        ? Object.keys(operation.update).join(' ')
        : '';
  return `${operation.kind} ${detail} | ${'code' in ours ? ours.code : 'ok'} / ${'code' in theirs ? theirs.code : 'ok'}`;
};

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gridmate-differential-'));
  const engine = await start({ folder, thread: 'same' });
  const clients = await Promise.all(
    [engine.uri, uri].map((u) =>
      new MongoClient(u, { serverSelectionTimeoutMS: 5000, retryReads: false, retryWrites: false }).connect(),
    ),
  );
  const [ours, theirs] = clients.map((c) => c.db(`differential_${process.pid}`)) as [Db, Db];
  for (const db of [ours, theirs]) {
    await db.collection('other').insertMany(OTHER.map((d) => ({ ...d })));
    await db.createCollection('c').catch(() => undefined);
  }
  const began = Date.now();
  for (let round = 0; performed < wanted; round += 1) {
    const [next] = fc.sample(scene, { numRuns: 1, seed: Number(seed) * 100_000 + round });
    if (!next) break;
    let found: Difference | undefined;
    try {
      found = await play(ours, theirs, next, true);
    } catch (error) {
      // It fell between two operations: this scene is left.
      if (!/ECONN|connection|Topology/i.test(String(error))) throw error;
      await restart(theirs);
    }
    if (!found) continue;
    const kind = kindOf(found);
    const known = unexplained.get(kind);
    if (known) {
      known.count += 1;
      continue;
    }
    // The same scene again, smaller and smaller, for as long as something unexplained is left.
    let least: Difference = found;
    const until = Date.now() + SHRINK_MS;
    if (process.env['SHRINK'] !== undefined)
      await fc.check(
        fc.asyncProperty(scene, async (s) => {
          if (Date.now() > until) return true;
          const d = await play(ours, theirs, s, false);
          if (!d) return true;
          least = d;
          return false;
        }),
        { seed: Number(seed) * 100_000 + round, numRuns: 1, endOnFailure: false },
      );
    unexplained.set(kind, {
      count: 1,
      example: describe(least),
    });
  }
  for (const [kind, { count, example }] of [...unexplained].toSorted((a, b) => b[1].count - a[1].count))
    process.stdout.write(`${count} × ${kind}\n   ${example}\n`);
  for (const operation of fallen.slice(0, 5)) process.stdout.write(`fell over at ${operation.slice(0, 1500)}\n`);
  const counts = Object.fromEntries([...explained].toSorted((a, b) => b[1] - a[1]));
  const total = [...unexplained.values()].reduce((sum, { count }) => sum + count, 0);
  process.stdout.write(
    `${performed} operations, seed ${seed}: ${Object.values(counts).reduce((sum, n) => sum + n, 0)} explained in ${explained.size} kinds, ${total} unexplained; ${Math.round((Date.now() - began) / 1000)} s\n${JSON.stringify(counts, null, 1)}\n`,
  );
  if (report)
    writeFileSync(
      report,
      `${JSON.stringify({ seed: Number(seed), operations: performed, explained: counts, unexplained: total }, null, 2)}\n`,
    );
  await Promise.all([ours, theirs].map((db) => db.dropDatabase()));
  await Promise.all(clients.map((c) => c.close()));
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = total === 0 ? 0 : 1;
}
await main();
