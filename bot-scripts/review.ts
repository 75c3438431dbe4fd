import { z } from 'zod';
import type { AnySettler, Outgoing, Reply, Settled } from '../src/bot/script.js';
import type { DomainServices } from '../src/domain/services.js';
import type { Tx } from '../src/store/transaction.js';
import { approve, reject, reviewList, revoke, undo } from './lib/reading/review.js';
import { script } from './lib/script.js';

const SHOWN = 10;
/** Two buttons each: a card has six. */
const WITH_BUTTONS = 3;

export const say = {
  nothing: (): string => '没有等您审核的事',
  waiting: (lines: readonly string[], total: number): string =>
    [
      `有 ${total} 件等您审核（最早的在前）：`,
      ...lines,
      ...(total > lines.length ? [`还有 ${total - lines.length} 件`] : []),
      '发「通过 #号码」或「驳回 #号码 原因」，全部通过发「通过 全部」',
    ].join('\n'),
  askAll: (numbers: readonly number[]): string =>
    `要通过全部 ${numbers.length} 件吗？${numbers
      .slice(0, 20)
      .map((n) => `#${n}`)
      .join(' ')}${numbers.length > 20 ? ' …' : ''}\n回复「确认」通过，「取消」不通过`,
  notFound: (number: number): string => `没有找到 #${number}，发「待办」看看号码`,
  nothingToUndo: (): string => '没有可以撤回的操作',
  tooLate: (): string => '已经超过2分钟，不能撤回了。登记错了请发：撤销 #号码；已通过的请网格长发：撤销 #号码 原因',
};

interface Ctx {
  readonly tx: Tx;
  readonly numbers: DomainServices['numbers'];
  readonly settlers: ReadonlyMap<string, AnySettler>;
}

/** Each kind of thing settles its own numbers; the lines come back in the order asked. */
async function byKind(
  ctx: Ctx,
  wanted: readonly number[],
  settle: (settler: AnySettler, numbers: number[]) => Promise<readonly Settled[]>,
): Promise<Reply> {
  const kinds = await ctx.numbers.kinds(ctx.tx, wanted);
  const lines: string[] = [];
  const messages: Outgoing[] = [];
  const undone: { kind: string; data: Record<string, unknown> }[] = [];
  let needsReason = false;
  for (const number of wanted) if (!kinds.has(number)) lines.push(say.notFound(number));
  for (const kind of new Set(kinds.values())) {
    const settler = ctx.settlers.get(kind);
    if (!settler) continue;
    const all = await settle(
      settler,
      wanted.filter((n) => kinds.get(n) === kind),
    );
    for (const settled of all) {
      lines.push(...settled.lines);
      messages.push(...(settled.messages ?? []));
      needsReason ||= settled.needsReason === true;
      if (settled.undo) undone.push({ kind, data: settled.undo });
    }
  }
  return {
    messages: [{ to: 'here', text: lines.join('\n') }, ...messages],
    refused: undone.length === 0 && messages.length === 0 && !needsReason,
    ...(needsReason && { question: { intent: revoke.intent, slots: { nos: wanted }, missing: ['reason'] } }),
    ...(undone.length > 0 && { undo: { undone } }),
  };
}

/** One after the other in one transaction; each sees what the ones before it did to a member's points. */
async function inTurn(
  { tx }: Ctx,
  numbers: readonly number[],
  settle: (number: number) => Promise<Settled>,
): Promise<Settled[]> {
  const settled: Settled[] = [];
  for (const [i, number] of numbers.entries()) {
    if (i > 0) await tx.flush();
    settled.push(await settle(number));
  }
  return settled;
}

/** One number is told as `no`, several as `nos`. */
const told = ({ no, nos }: { no?: number | undefined; nos?: readonly number[] | undefined }): readonly number[] =>
  nos ?? (no === undefined ? [] : [no]);

const Undone = z.object({ undone: z.array(z.object({ kind: z.string(), data: z.record(z.string(), z.unknown()) })) });

export default script('审核', { summary: '待办、通过、驳回、撤销', order: 40 }, (on) => {
  on.command(
    reviewList,
    {
      in: 'anywhere',
      role: 'leader',
      help: { example: '待办', about: '等我审核的事，最早的在前', chip: { label: '待办', text: '待办', send: true } },
    },
    async (ctx) => {
      const lists = await Promise.all([...ctx.settlers.values()].map((s) => s.waiting(ctx)));
      const all = lists.flat().toSorted((a, b) => a.since.getTime() - b.since.getTime() || a.number - b.number);
      if (all.length === 0) return say.nothing();
      const text = say.waiting(
        all.slice(0, SHOWN).map((w) => `#${w.number} ${w.line}`),
        all.length,
      );
      const choices = all.slice(0, WITH_BUTTONS).flatMap(({ number }) => [
        { label: `通过 #${number}`, says: `通过 #${number}` },
        { label: `驳回 #${number}`, says: `驳回 #${number}` },
      ]);
      const list: Outgoing = { to: 'sender', text, choices };
      if (ctx.place === 'private') return { messages: [list] };
      return { messages: [{ to: 'here', text: `有 ${all.length} 件等您审核，明细已私下发给您` }, list] };
    },
  );
  on.command(
    approve,
    {
      in: 'anywhere',
      role: 'leader',
      asks: { nos: '通过哪几条？例如：通过 #231 #232' },
      help: {
        example: '通过 #231',
        about: '确认服务、同意报到；可以写几个号码',
        mistake: '号码在「待办」里；自己的服务要由上一级通过',
        chip: { label: '通过', text: '通过 #' },
      },
    },
    async (ctx, { nos, all, confirmed }) => {
      if (!all) return byKind(ctx, nos ?? [], async (s, numbers) => [await s.approve(ctx, numbers)]);
      const waiting = (await Promise.all([...ctx.settlers.values()].map((s) => s.waiting(ctx))))
        .flat()
        .map((w) => w.number);
      const numbers = waiting.toSorted((a, b) => a - b).slice(0, 50);
      if (numbers.length === 0) return say.nothing();
      if (confirmed) return byKind(ctx, numbers, async (s, list) => [await s.approve(ctx, list)]);
      return {
        messages: [{ to: 'here', text: say.askAll(numbers) }],
        question: { intent: 'review.approve', slots: { all: true }, missing: ['confirm'] },
      };
    },
  );
  on.command(
    reject,
    {
      in: 'anywhere',
      role: 'leader',
      asks: {
        reason: (slots) =>
          `为什么驳回 ${told(slots)
            .map((n) => `#${n}`)
            .join(' ')}？请写原因，会私下告诉本人`,
        no: '驳回哪一条？例如：驳回 #231 照片不清楚',
      },
      help: {
        example: '驳回 #231 照片不清楚',
        about: '不通过，要写原因，只告诉本人',
        chip: { label: '驳回', text: '驳回 #' },
      },
    },
    async (ctx, { reason, ...numbers }) =>
      byKind(ctx, told(numbers), (s, list) => inTurn(ctx, list, (no) => s.reject(ctx, no, reason))),
  );
  on.command(
    revoke,
    {
      in: 'anywhere',
      role: 'member',
      asks: {
        reason: (said) =>
          `为什么撤销 ${told(said)
            .map((n) => `#${n}`)
            .join('、')}？请写原因，例如：重复登记`,
      },
      help: { example: '撤销 #231', about: '撤销自己没审核的登记；负责人撤销已通过的要写原因' },
    },
    async (ctx, { reason, ...numbers }) =>
      byKind(ctx, told(numbers), (s, list) => inTurn(ctx, list, (no) => s.revoke(ctx, no, reason))),
  );
  on.command(
    undo,
    { in: 'anywhere', role: 'member', help: { example: '撤回', about: '2分钟内收回刚才的操作' } },
    async (ctx, numbers) => {
      const wanted = told(numbers);
      if (wanted.length > 0)
        return byKind(ctx, wanted, (s, list) => inTurn(ctx, list, (no) => s.revoke(ctx, no, undefined)));
      const result = await ctx.undoLast();
      if (result.status === 'undone') return result.reply;
      return {
        refused: true,
        messages: [{ to: 'here', text: result.status === 'tooLate' ? say.tooLate() : say.nothingToUndo() }],
      };
    },
  );
  for (const intent of ['review.approve', 'review.reject', 'service.withdraw', 'review.reverse'])
    on.undo(intent, Undone, async (ctx, { undone }) => {
      const lines: string[] = [];
      for (const { kind, data } of undone)
        lines.push(...((await ctx.settlers.get(kind)?.unsettle(ctx, data))?.lines ?? []));
      return lines.join('\n');
    });
});
