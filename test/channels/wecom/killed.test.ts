import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PERHAPS_AGAIN } from '../../../src/bot/adaption.js';
import { type Program, Programs } from '../../program.js';
import { AGENT, APP_SECRET, CORP } from './simulator/api.js';
import { WecomSimulator } from './simulator/index.js';

const KILLS = Number(process.env['KILLS'] ?? '2');
const PER_ROUND = 12;
const nameOf = (i: number): string => [...'梅兰竹菊松柏桐枫荷莲桂桃'][i] ?? '';

/** The built program behind WeCom's callbacks, killed between question and answer. */
describe('a program that is killed while WeCom calls it back', () => {
  const simulator = new WecomSimulator();
  const programs = new Programs(() => ({
    DATA_DIR: folder,
    DEMO: 'off',
    WECOM_API_URL: simulator.api.url,
    WECOM_CORP_ID: CORP,
    WECOM_APP_AGENT_ID: String(AGENT),
    WECOM_APP_SECRET: APP_SECRET,
    WECOM_APP_TOKEN: simulator.appKeys.token,
    WECOM_APP_AES_KEY: simulator.appKeys.aesKey,
    WECOM_PER_MINUTE: '10000',
  }));
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-killed-'));
    await simulator.start();
  });
  afterAll(async () => {
    programs.end();
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (): Promise<Program> => {
    const program = await programs.start();
    simulator.target = program.url;
    return program;
  };

  it(
    `${KILLS} times: nothing acknowledged is lost, nothing is done twice`,
    async () => {
      const people: string[] = [];
      let program = await start();
      for (let round = 0; round < KILLS; round += 1) {
        const asking = Array.from({ length: PER_ROUND }, (_, i) => {
          const from = `路人${round}-${i}`;
          people.push(from);
          const message = { from, room: null, text: `报到 吴${nameOf(i)} 1234`, messageId: `k${round}-${i}` };
          // WeCom asks three times; here until it is taken, for the program may start as slowly as it likes.
          return (async () => {
            while ((await simulator.writeToApp(message, { attempts: 1 })) !== 200)
              await new Promise((r) => setTimeout(r, 50));
          })();
        });
        await new Promise((r) => setTimeout(r, 5 + round * 15));
        await programs.kill(program, 'SIGKILL');
        program = await start();
        await Promise.all(asking);
      }
      const answers = (from: string): string[] => simulator.phones.withPerson(from);
      // A program killed while it fetched the access token leaves its place to the next after fifteen seconds.
      for (let i = 0; i < 1200 && people.some((p) => answers(p).length === 0); i += 1)
        await new Promise((r) => setTimeout(r, 25));
      const numbers = people.map((p) => [...new Set(answers(p).map((text) => /#(\d+)/.exec(text)?.[1]))]);
      // One request each, and its answer; an answer may have been on its way when the program died, and come again.
      expect(numbers.every((n) => n.length === 1 && n[0] !== undefined)).toBe(true);
      expect(new Set(numbers.flat()).size).toBe(people.length);
      const again = people.flatMap((p) => answers(p).slice(1));
      process.stdout.write(
        `${KILLS} kills, ${people.length} messages: none without an answer, ${again.length} answers came twice, of which ${again.filter((t) => t.startsWith(PERHAPS_AGAIN)).length} say that they may have\n`,
      );
      expect(again.filter((text) => !text.startsWith(PERHAPS_AGAIN))).toEqual([]);
      await programs.kill(program, 'SIGTERM');
    },
    KILLS * 30_000 + 30_000,
  );
});
