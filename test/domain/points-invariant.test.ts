import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Chat } from '../conversations/community.js';
import { SandboxNetwork } from '../conversations/networks/sandbox.js';
import { transact } from '../../src/store/transaction.js';

/** What people do, in any order and at once; redelivery is the same message id again. */
const act = fc.oneof(
  fc.record({
    do: fc.constant('report' as const),
    who: fc.constantFrom('王秀兰', '张三'),
    minutes: fc.integer({ min: 30, max: 300 }),
  }),
  fc.record({
    do: fc.constantFrom('approve' as const, 'reverse' as const, 'withdraw' as const, 'reject' as const),
    pick: fc.nat(20),
    by: fc.constantFrom('董兰', '李书记'),
  }),
  fc.record({ do: fc.constant('redeliver' as const), pick: fc.nat(20) }),
);

describe('the ledger under any interleaving', () => {
  let chat: Chat<SandboxNetwork>;
  beforeAll(async () => {
    chat = await Chat.start(new SandboxNetwork());
  });
  afterAll(() => chat.stop());

  it('the balance is the sum of the entries, and confirmed reports have what they are entitled to', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 16 }), async (acts) => {
        run += 1;
        // Each run has days of its own, so that the limit of twelve hours a day does not refuse what it adds.
        chat.later(24 * 60);
        const sent: [string, string, string][] = [];
        const numbers: number[] = [];
        const deliver = async ([id, person, text]: [string, string, string]): Promise<void> => {
          const handled = await chat.network.handled(chat.said(person, text, { messageId: id }));
          expect(handled.outcome).not.toBe('failed');
          const no = /#(\d+)/.exec(handled.replies[0]?.text ?? '')?.[1];
          if (no !== undefined && text.startsWith('服务') && !numbers.includes(Number(no))) numbers.push(Number(no));
        };
        for (let i = 0; i < acts.length; i += 4)
          await Promise.all(
            acts.slice(i, i + 4).map(async (a, n) => {
              const id = `r${run}-${i + n}`;
              let message: [string, string, string] | undefined;
              if (a.do === 'report') message = [id, a.who, `服务 扫地 ${a.minutes}分钟`];
              else if (a.do === 'redeliver') message = sent[a.pick % Math.max(sent.length, 1)];
              else {
                const no = numbers[a.pick % Math.max(numbers.length, 1)];
                const texts = {
                  approve: `通过 #${no}`,
                  reverse: `撤销 #${no} 有误`,
                  withdraw: `撤销 #${no}`,
                  reject: `驳回 #${no} 有误`,
                };
                if (no !== undefined) message = [id, a.do === 'withdraw' ? '王秀兰' : a.by, texts[a.do]];
              }
              if (!message) return;
              sent.push(message);
              await deliver(message);
            }),
          );
        const { connection, services, models } = chat.app.store;
        expect(await transact(connection, (tx) => services.ledger.differences(tx))).toEqual([]);
        const confirmed = await models.serviceReports.find({ status: 'confirmed' }).lean();
        const others = await models.serviceReports.find({ status: { $ne: 'confirmed' } }).lean();
        const sums = new Map<string, number>();
        for (const e of await models.ledgerEntries.find().lean())
          sums.set(e.source, (sums.get(e.source) ?? 0) + e.points);
        for (const r of others) expect(sums.get(`serviceReport:${r._id}`) ?? 0).toBe(0);
        for (const r of confirmed)
          expect(sums.get(`serviceReport:${r._id}`) ?? 0).toBeLessThanOrEqual(Math.min(Math.floor(r.minutes / 30), 8));
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  it('every message delivered one to three times, also in parallel, gives the store of one delivery', async () => {
    const { connection } = chat.app.store;
    const counts = async (): Promise<number[]> =>
      Promise.all(
        ['interactions', 'outbox', 'serviceReports', 'ledgerEntries', 'numbers'].map((c) =>
          connection.collection(c).countDocuments(),
        ),
      );
    const before = await counts();
    const messages: [string, string, string][] = [
      ['d1', '张三', '服务 巡逻 30分钟'],
      ['d2', '李四', '服务 护学 30分钟'],
      ['d3', '王秀兰', '积分'],
      ['d4', '路人', '服务 扫地 1小时'],
    ];
    await Promise.all(
      messages.flatMap(([id, who, text]) =>
        [1, 2, 3].map(() => chat.network.handled(chat.said(who, text, { messageId: id }))),
      ),
    );
    for (const [id, who, text] of messages)
      expect((await chat.network.handled(chat.said(who, text, { messageId: id }))).outcome).toBe('duplicate');
    const after = await counts();
    expect(after.map((n, i) => n - (before[i] ?? 0))).toEqual([4, 4, 2, 0, 2]);
  });
});
