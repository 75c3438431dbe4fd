import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { seeded } from '../src/domain/demo/people.js';
import { type Program, Programs } from './program.js';

const KILLS = 30;
const REPORTERS = Array.from({ length: 10 }, (_, i) => `member-${i + 1}`);
const Reply = z.object({ id: z.string(), text: z.string() });
const Answer = z.object({ messageId: z.string(), outcome: z.string(), replies: z.array(Reply) });
type Answer = z.infer<typeof Answer>;

interface Job {
  readonly messageId: string;
  readonly from: string;
  readonly text: string;
}

describe('the whole program, killed again and again', () => {
  let folder: string;
  const programs = new Programs(() => ({ DATA_DIR: folder }));
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-restart-'));
  });
  afterAll(async () => {
    programs.end();
    await rm(folder, { recursive: true, force: true });
  });

  /** Undefined: no answer came, the network would deliver it again. */
  const deliver = async (program: Program, { messageId, from, text }: Job): Promise<Answer | undefined> => {
    try {
      const response = await fetch(`${program.url}/api/sandbox/messages?wait=1`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ from, room: null, text, messageId }),
      });
      return response.ok ? Answer.parse(await response.json()) : undefined;
    } catch {
      return undefined;
    }
  };

  it(`loses nothing, doubles nothing, answers each message once, over ${KILLS} kills`, async () => {
    const random = seeded(42);
    const open: Job[] = Array.from({ length: 120 }, (_, i) => ({
      messageId: `report-${i}`,
      from: REPORTERS[i % 10] ?? '',
      text: '服务 护学 30分钟',
    }));
    const all = new Map<string, Job>();
    const answered = new Map<string, Answer>();
    let kills = 0;
    for (; kills < KILLS; kills += 1) {
      const program = await programs.start();
      const killAt = new Promise((r) => setTimeout(r, 20 + random() * 180));
      let dead = false;
      const worker = async (): Promise<void> => {
        while (!dead) {
          const job = open.shift();
          if (!job) return;
          all.set(job.messageId, job);
          const answer = await deliver(program, job);
          if (!answer) {
            open.unshift(job);
            return;
          }
          answered.set(job.messageId, answer);
          const no = /#(\d+)/.exec(answer.replies[0]?.text ?? '')?.[1];
          if (job.messageId.startsWith('report') && no !== undefined)
            open.push({ messageId: `approve-${no}`, from: 'secretary', text: `通过 #${no}` });
        }
      };
      const workers = Promise.all([worker(), worker(), worker(), worker()]);
      await killAt;
      dead = true;
      await programs.kill(program, 'SIGKILL');
      await workers;
    }
    const program = await programs.start();
    for (let job = open.shift(); job; job = open.shift()) {
      all.set(job.messageId, job);
      const answer = await deliver(program, job);
      if (!answer) throw new Error('no answer from a living program');
      answered.set(job.messageId, answer);
      const no = /#(\d+)/.exec(answer.replies[0]?.text ?? '')?.[1];
      if (
        job.messageId.startsWith('report') &&
        no !== undefined &&
        !all.has(`approve-${no}`) &&
        !open.some((o) => o.messageId === `approve-${no}`)
      )
        open.push({ messageId: `approve-${no}`, from: 'secretary', text: `通过 #${no}` });
    }
    // Every message was handled once: delivered again, it has the same first answer.
    for (const [messageId, job] of all) {
      const again = await deliver(program, job);
      expect([messageId, again?.outcome]).toEqual([messageId, 'duplicate']);
      expect(again?.replies.map((r) => r.text)).toEqual(answered.get(messageId)?.replies.map((r) => r.text));
    }
    const numbers = [...answered]
      .filter(([id]) => id.startsWith('report'))
      .map(([, a]) => /#(\d+)/.exec(a.replies[0]?.text ?? '')?.[1]);
    expect(new Set(numbers).size).toBe(120);
    // Every reply arrived, none twice.
    for (const person of [...REPORTERS, 'secretary']) {
      const shown = z
        .array(Reply)
        .parse(await (await fetch(`${program.url}/api/sandbox/messages?person=${person}&room=private`)).json());
      const ids = shown.map((m) => m.id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [messageId, answer] of answered) {
        if (all.get(messageId)?.from !== person) continue;
        for (const reply of answer.replies) expect(ids.filter((id) => id === reply.id)).toHaveLength(1);
      }
    }
    await programs.kill(program, 'SIGTERM');
    process.stdout.write(`killed ${kills} times among ${all.size} messages\n`);
  }, 240_000);
});
