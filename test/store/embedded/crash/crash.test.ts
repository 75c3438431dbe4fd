import { afterAll, describe, expect, it } from '@jest/globals';
import { seeded } from '../../../../src/domain/demo/people.js';
import { Catalogue } from '../../../../src/store/embedded/storage/catalogue.js';
import { problems } from '../../../../src/store/embedded/storage/integrity.js';
import { sweep } from '../../../../src/store/embedded/storage/leftovers.js';
import { Storage } from '../../../../src/store/embedded/storage/storage.js';
import { Transactions } from '../../../../src/store/embedded/transactions/transactions.js';
import { folderForTest } from '../running.js';
import { Load } from './load.js';
import { killAll, startProgram } from './program.js';

/** The long form: CRASH_RUNS=200. */
const RUNS = Number(process.env['CRASH_RUNS'] ?? '8');
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 100_000);

const pause = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

afterAll(killAll);

/** Walks the whole file, as the killed process left it, but for what a broken build or drop of an index has left unnamed. */
async function damage(folder: string): Promise<string[]> {
  const storage = await Storage.open(folder);
  try {
    const catalogue = new Catalogue();
    const transactions = new Transactions(storage);
    transactions.read((tx) => catalogue.load(tx));
    await sweep(transactions, catalogue);
    return transactions.read((tx) => problems(tx, catalogue));
  } finally {
    await storage.close();
  }
}

describe('the engine, killed while it writes', () => {
  it(
    `keeps what it acknowledged, nothing by halves, indexes whole, repeats once, over ${RUNS} kills (seed ${SEED})`,
    async () => {
      const folder = await folderForTest();
      const random = seeded(SEED);
      const load = new Load(random);
      let program = await startProgram(folder);
      await load.prepare(program.uri);
      for (let kills = 0; kills < RUNS; kills += 1) {
        const { kill } = program;
        const { acknowledged } = load;
        const killed = async (): Promise<void> => {
          while (load.acknowledged === acknowledged) await pause(2);
          await pause(random() * 600);
          await kill();
        };
        await Promise.all([load.run(program.uri), killed()]);
        expect(await damage(folder)).toEqual([]);
        program = await startProgram(folder);
        expect(await load.differences(program.uri)).toEqual([]);
      }
      await program.kill();
      process.stdout.write(
        `${RUNS} kills: ${load.acknowledged} writes acknowledged, ${load.inDoubt} in doubt, ${load.repeated} repeated after a restart\n`,
      );
      expect(load.acknowledged).toBeGreaterThan(RUNS);
    },
    60_000 + RUNS * 15_000,
  );
});
