import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Db, MongoClient } from 'mongodb';
import { start } from '../../../../src/store/embedded/index.js';
import { ask } from './asking.js';
import { scene } from './generate.js';
import { OTHER, perform, prepare, reset, shown, state } from './perform.js';
import { answerOf, brief, type RecordedScene, writes, written } from './recording.js';
import { verdictsOf } from './verdicts.js';

/**
 * Records the second server's answers to seeded operations, corrected where a verdict is against it, for
 * recorded.test.ts. Refuses to write where a difference is unexplained.
 *
 *     MONGODB_URI=… npx tsx test/store/embedded/differential/record.ts [SCENES] [SEED]
 */
const [scenes = '60', seed = '7'] = process.argv.slice(2);
const uri = process.env['MONGODB_URI'];
if (uri === undefined) throw new Error('MONGODB_URI names the server whose answers are recorded');

const folder = mkdtempSync(join(tmpdir(), 'gridmate-record-'));
const engine = await start({ folder, thread: 'same' });
const clients = await Promise.all([engine.uri, uri].map((u) => new MongoClient(u).connect()));
const [ours, theirs] = clients.map((c) => c.db(`record_${process.pid}`)) as [Db, Db];
for (const db of [ours, theirs]) await db.collection('other').insertMany(OTHER.map((d) => ({ ...d })));
const recorded: RecordedScene[] = [];
let corrected = 0;
let performed = 0;
for (const s of fc.sample(scene, { numRuns: Number(scenes), seed: Number(seed) })) {
  const [indexes] = await Promise.all([prepare(ours, s, true), prepare(theirs, s, false)]);
  const steps: RecordedScene['steps'][number][] = [];
  for (const operation of s.operations) {
    const stored = await state(ours);
    const before = shown(stored);
    const [a, b] = await Promise.all([
      perform(ours, operation, true, indexes),
      perform(theirs, operation, false, indexes),
    ]);
    const [x, y] = (await Promise.all([state(ours), state(theirs)])).map(shown) as [string, string];
    performed += 1;
    if (answerOf(a) !== answerOf(b) || x !== y) {
      const pair = {
        both: async <T>(to: (db: Db, mine: boolean) => Promise<T>) => Promise.all([to(ours, true), to(theirs, false)]),
        theirs: async <T>(to: (db: Db) => Promise<T>) => to(theirs),
      };
      const further = await ask(pair, operation, stored, { ours: a, theirs: b });
      const kinds = verdictsOf({ operation, ours: a, theirs: b, before, stateOurs: x, stateTheirs: y, further });
      if (kinds === undefined) throw new Error(`unexplained: ${shown(operation)}\n${shown(a)}\n${shown(b)}`);
      corrected += 1;
      await reset(theirs, await state(ours));
    }
    steps.push({ operation, answer: answerOf(a), ...(writes(operation) && { stored: brief(x) }) });
  }
  recorded.push({ documents: s.documents, indexes: [...s.indexes], steps });
}
writeFileSync(join(import.meta.dirname, 'recorded.ejson'), written(recorded));
process.stdout.write(`${performed} operations recorded, ${corrected} corrected by a verdict\n`);
await Promise.all([ours, theirs].map((db) => db.dropDatabase()));
await Promise.all(clients.map((c) => c.close()));
await engine.stop();
rmSync(folder, { recursive: true, force: true });
