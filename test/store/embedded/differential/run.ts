import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from 'bson';
import fc from 'fast-check';
import { start } from '../../../../src/store/embedded/index.js';
import { ask } from './asking.js';
import { describe, kindOf } from './describe.js';
import { type Operation, type Scene, scene } from './generate.js';
import { bringUp, Pair, SecondServerFell } from './pair.js';
import { type Outcome, perform, prepare, reset, shown, state } from './perform.js';
import { writes } from './recording.js';
import { type Difference, verdictsOf } from './verdicts.js';

/**
 * Random scenes to the embedded engine and to a second server; counts each kind of difference by its verdict and prints
 * the unexplained ones, with SHRINK set made smaller. Ends with 1 where something is unexplained.
 *
 *     npx tsx test/store/embedded/differential/run.ts URI [OPERATIONS] [SEED] [REPORT.json]
 *
 * LANES scenes (3) are played at once, each in a database of its own: what takes time is waiting.
 * DIFFERENTIAL_ENGINE is the URI of an engine in a process of its own (src/store/serve.ts): on a busy machine that is faster.
 * DIFFERENTIAL_RESTART names a command that brings the second server up again when it falls over.
 * DIFFERENTIAL_DIFFERENCES names a file to which every difference is appended, a line of JSON each.
 */
const [uri = '', operations = '2000', seed = '1', report] = process.argv.slice(2);
const wanted = Number(operations);
const {
  DIFFERENTIAL_ENGINE: engineUri,
  DIFFERENTIAL_RESTART: restart,
  DIFFERENTIAL_DIFFERENCES: kept,
  SHRINK: shrink,
  LANES: lanes = '3',
} = process.env;

let performed = 0;
/** Differences that are explained; one may be of several kinds. */
let differences = 0;
const explained = new Map<string, number>();
const unexplained = new Map<string, { count: number; example: string }>();
/** What was under way when the second server fell over. */
const fallen: string[] = [];
const underWay = new Map<Pair, Operation>();

/** A difference is made smaller for this long. */
const SHRINK_MS = 6000;
const CRASH = 'the second server falls over';
/** Of fewer documents than fit into this many characters little can be asked. */
const FEW = 60;

const same = (a: Outcome, b: Outcome): boolean =>
  'result' in a ? 'result' in b && a.result === b.result : 'code' in b && a.code === b.code;
const add = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1);
};

/** Plays a scene on both; the first difference that no verdict explains, or undefined. */
async function play(pair: Pair, s: Scene, count: boolean): Promise<Difference | undefined> {
  const [indexes] = await pair.both(async (db, ours) => prepare(db, s, ours));
  // What is stored, while no write has come since it was read.
  let known: Document[] | undefined;
  for (const operation of s.operations) {
    known ??= await state(pair.ours);
    const before = known;
    underWay.set(pair, operation);
    const [a, b] = await pair.both(async (db, ours) => perform(db, operation, ours, indexes));
    underWay.delete(pair);
    if (count) performed += 1;
    const states = writes(operation) ? await pair.both(async (db) => state(db)) : [];
    if (writes(operation)) [known] = states;
    const [x = '', y = ''] = states.map(shown);
    if (writes(operation) && x.length < FEW) {
      await pair.both(async (db) => reset(db, s.documents));
      known = undefined;
    }
    if (same(a, b) && x === y) continue;
    const seen = {
      operation,
      ours: a,
      theirs: b,
      before: shown(before),
      stateOurs: x,
      stateTheirs: y,
      further: await ask(pair, operation, before, { ours: a, theirs: b }),
    };
    const kinds = verdictsOf(seen);
    if (count && kept !== undefined)
      appendFileSync(
        kept,
        `${JSON.stringify({ seed, kinds, ...seen, operation: shown(operation), further: shown(seen.further), indexes })}\n`,
      );
    if (kinds === undefined) return seen;
    if (count) {
      differences += 1;
      for (const kind of kinds) add(explained, kind);
    }
    if (writes(operation)) {
      const stored = await state(pair.ours);
      await pair.theirs(async (db) => reset(db, stored));
    }
  }
  return undefined;
}

/** The same scene again, smaller and smaller, for as long as something unexplained is left. */
async function smaller(pair: Pair, found: Difference, of: number): Promise<Difference> {
  let least = found;
  const until = Date.now() + SHRINK_MS;
  await fc.check(
    fc.asyncProperty(scene, async (s) => {
      if (Date.now() > until) return true;
      const seen = await play(pair, s, false);
      if (seen) least = seen;
      return seen === undefined;
    }),
    { seed: of, numRuns: 1, endOnFailure: false },
  );
  return least;
}

let restarting: Promise<void> | undefined;
/** The first lane that notices brings the server up again; its scene is left, and those of the others. */
async function revive(pair: Pair, cause: SecondServerFell): Promise<void> {
  if (restart === undefined)
    throw new Error('DIFFERENTIAL_RESTART names no command to restart the second server', { cause });
  const command = restart;
  restarting ??= (async () => {
    for (const operation of underWay.values()) fallen.push(shown(operation));
    performed += 1;
    differences += 1;
    add(explained, CRASH);
    try {
      await pair.restart(command);
    } finally {
      restarting = undefined;
    }
  })();
  await restarting;
  underWay.delete(pair);
}

let round = 0;
/** Plays scenes until enough has been performed. */
async function lane(pair: Pair): Promise<void> {
  while (performed < wanted) {
    const of = Number(seed) * 100_000 + round;
    round += 1;
    const [next] = fc.sample(scene, { numRuns: 1, seed: of });
    if (!next) return;
    try {
      const found = await play(pair, next, true);
      if (!found) continue;
      const kind = kindOf(found);
      const known = unexplained.get(kind);
      if (known) known.count += 1;
      else {
        const entry = { count: 1, example: describe(found) };
        unexplained.set(kind, entry);
        if (shrink !== undefined) entry.example = describe(await smaller(pair, found, of));
      }
    } catch (error) {
      if (!(error instanceof SecondServerFell)) throw error;
      await revive(pair, error);
    }
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gridmate-differential-'));
  const engine = engineUri === undefined ? await start({ folder, thread: 'same' }) : undefined;
  if (restart !== undefined) await bringUp(restart, async () => undefined);
  const pairs: Pair[] = [];
  for (let i = 0; i < Number(lanes); i += 1) pairs.push(await Pair.connect(engine?.uri ?? engineUri ?? '', uri, i));
  const began = Date.now();
  await Promise.all(pairs.map(lane));
  for (const [kind, { count, example }] of [...unexplained].toSorted((a, b) => b[1].count - a[1].count))
    process.stdout.write(`${count} × ${kind}\n   ${example}\n`);
  for (const operation of fallen.slice(0, 5)) process.stdout.write(`fell over at ${operation.slice(0, 1500)}\n`);
  const counts = Object.fromEntries([...explained].toSorted((a, b) => b[1] - a[1]));
  const total = [...unexplained.values()].reduce((sum, { count }) => sum + count, 0);
  const seconds = Math.round((Date.now() - began) / 1000);
  process.stdout.write(
    `${performed} operations, seed ${seed}: ${differences} explained in ${explained.size} kinds, ${total} unexplained; ${seconds} s\n${JSON.stringify(counts, null, 1)}\n`,
  );
  if (report !== undefined)
    writeFileSync(
      report,
      `${JSON.stringify({ seed: Number(seed), operations: performed, differences, explained: counts, unexplained: total }, null, 2)}\n`,
    );
  for (const pair of pairs) await pair.close();
  await engine?.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = total === 0 ? 0 : 1;
}
await main();
