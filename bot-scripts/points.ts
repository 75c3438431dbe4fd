import { dayOf, dayText, halfYearOf, halfYearText } from '../src/calendar.js';
import type { LedgerEntry } from '../src/domain/ledger/schema.js';
import { masked } from '../src/domain/member/schema.js';
import {
  appeal,
  award,
  balance,
  deduct,
  ledgerList,
  publish,
  rankingList,
  redeem,
  reverse,
  rules,
} from './lib/reading/points.js';
import { script } from './lib/script.js';

const LAST = 5;
const MAX_ENTRIES = 50;

const entryLine = (e: LedgerEntry): string =>
  `${e.points > 0 ? '+' : ''}${e.points} ${e.ruleName}（${e.rule}）${dayText(e.day)} ${e.source.replace(/^\w+:/, '#')}${e.note === undefined ? '' : ` ${e.note}`}`;

export const say = {
  balance: (period: string, points: { period: number; all: number }, entries: readonly LedgerEntry[]): string =>
    [
      `积分：${period} ${points.period} 分，累计 ${points.all} 分`,
      ...(entries.length > 0
        ? ['最近几笔：', ...entries.map(entryLine)]
        : ['还没有积分。登记服务试试：服务 环境整治 2小时']),
    ].join('\n'),
  span: (from: string, to: string, points: number): string => `${dayText(from)}到${dayText(to)}：${points} 分`,
  ledger: (entries: readonly LedgerEntry[]): string =>
    entries.length === 0 ? '还没有积分记录' : [`最近 ${entries.length} 笔：`, ...entries.map(entryLine)].join('\n'),
  privately: (): string => '积分明细请私聊我发「积分 明细」',
  mine: (
    unit: string,
    period: string,
    place: number,
    total: number,
    points: number,
    bands: readonly string[],
  ): string =>
    [`${unit} ${period}：您 ${points} 分，第 ${place} 名（共 ${total} 人）`, `分布：${bands.join('，')}`].join('\n'),
  rankingOff: (): string => '本群没有开启积分排行。想看自己的名次，请私聊我发「排行」',
  list: (unit: string, period: string, lines: readonly string[]): string =>
    [`${unit} ${period}积分（前 ${lines.length} 名）：`, ...lines].join('\n'),
  others: (): string => '只能查自己的积分',
  notYet: (what: string, role: string | undefined): string =>
    `${what}还没有开通${role === 'secretary' ? '' : '，请联系社区书记办理'}`,
};

const notYet =
  (what: string) =>
  async ({ role }: { readonly role: string | undefined }) => ({
    refused: true,
    messages: [{ to: 'here' as const, text: say.notYet(what, role) }],
  });

export default script('积分', { summary: '积分、明细、排行', order: 50 }, (on) => {
  on.command(
    balance,
    {
      in: 'anywhere',
      role: 'member',
      help: { example: '积分', about: '我的积分和最近五笔', chip: { label: '积分', text: '积分', send: true } },
    },
    async ({ tx, now, zone, member, ledger }, { name, period }) => {
      if (name !== undefined && name !== member.name)
        return { refused: true, messages: [{ to: 'here', text: say.others() }] };
      const current = halfYearOf(dayOf(now, zone));
      if (period) {
        const halves = new Set([halfYearOf(period.from), halfYearOf(period.to)]);
        const lists = await Promise.all([...halves].map((h) => ledger.entriesOf(tx, member._id, h)));
        const points = lists
          .flat()
          .filter((e) => e.day >= period.from && e.day <= period.to)
          .reduce((sum, e) => sum + e.points, 0);
        return say.span(period.from, period.to, Math.max(points, 0));
      }
      const points = await ledger.balance(tx, member._id, current);
      return say.balance(halfYearText(current), points, await ledger.lastEntries(tx, member._id, LAST));
    },
  );
  on.command(
    ledgerList,
    { in: 'anywhere', role: 'member', help: { example: '积分 明细 10', about: '每一笔积分从哪里来' } },
    async ({ tx, member, place, ledger }, { limit = 10, period }) => {
      const text = say.ledger(await ledger.lastEntries(tx, member._id, Math.min(limit, MAX_ENTRIES), period));
      return place === 'private'
        ? text
        : {
            messages: [
              { to: 'here', text: '积分明细已私下发给您' },
              { to: 'sender', text },
            ],
          };
    },
  );
  on.command(
    rankingList,
    { in: 'anywhere', role: 'member', help: { example: '排行', about: '我的名次和大家的分布，不公布姓名' } },
    async ({ tx, now, zone, member, group, place, ledger, members }, { limit = 10 }) => {
      const period = halfYearOf(dayOf(now, zone));
      const path = place === 'group' && group ? group.unitPath : member.unitPath;
      if (place === 'group') {
        if (!group || group.ranking === 'off')
          return { refused: true, messages: [{ to: 'here', text: say.rankingOff() }] };
        const standings = (await ledger.standings(tx, path, period)).slice(0, Math.min(limit, 20));
        const names = await members.names(
          tx,
          standings.map((s) => s.member),
        );
        const shown = (id: string): string =>
          group.ranking === 'names' ? (names.get(id) ?? '') : masked(names.get(id) ?? '');
        return say.list(
          group.unitName,
          halfYearText(period),
          standings.map((s, i) => `${i + 1}. ${shown(s.member)} ${s.total} 分`),
        );
      }
      const standings = await ledger.standings(tx, path, period);
      const size = await members.countIn(tx, path);
      const own = standings.find((s) => s.member === member._id)?.total ?? 0;
      const place1 = standings.filter((s) => s.total > own).length + 1;
      const inBand = (low: number, high: number): number =>
        standings.filter((s) => s.total >= low && s.total <= high).length;
      const none = size - standings.filter((s) => s.total > 0).length;
      return say.mine(member.unitName, halfYearText(period), place1, size, own, [
        `20分以上 ${inBand(20, Infinity)} 人`,
        `10到19分 ${inBand(10, 19)} 人`,
        `1到9分 ${inBand(1, 9)} 人`,
        `还没有积分 ${none} 人`,
      ]);
    },
  );
  on.command(
    rules,
    { in: 'anywhere', role: 'anyone', help: { example: '积分规则', about: '做什么得几分' } },
    async ({ now, zone, rules: table }, { item }) => {
      const { rules: list } = table.on(dayOf(now, zone));
      const service = list.find((r) => r.id === 'C01');
      if (item !== undefined && service)
        return `${item}算志愿服务：每满30分钟 ${service.points} 分，一天最多 ${service.caps.day ?? '不限'} 分，半年最多 ${service.caps.halfYear ?? '不限'} 分，由网格长审核后记分`;
      const unit = (r: (typeof list)[number]): string => (r.per === 'once' ? '每次' : `每满${r.per.minutes}分钟`);
      return [
        '现行积分规则：',
        ...list
          .filter((r) => /^[BC]/.test(r.id))
          .map(
            (r) =>
              `${r.id} ${r.name}：${unit(r)} ${r.points} 分${r.caps.halfYear === undefined ? '' : `，半年最多 ${r.caps.halfYear} 分`}`,
          ),
      ].join('\n');
    },
  );
  on.command(
    appeal,
    {
      in: 'anywhere',
      role: 'member',
      asks: { text: '有什么异议？请写清楚' },
      help: { example: '申诉 #388 漏记2小时', about: '对积分有异议', hidden: true },
    },
    notYet('聊天里申诉'),
  );
  on.command(
    publish,
    { in: 'anywhere', role: 'secretary', help: { example: '公示 本季度积分', about: '公示积分', hidden: true } },
    notYet('积分公示'),
  );
  on.command(
    award,
    {
      in: 'anywhere',
      role: 'leader',
      asks: { reason: '为什么加分？请写原因' },
      help: { example: '加分 张三 5分 扫雪值守', about: '按规则加分', hidden: true },
    },
    notYet('直接加分'),
  );
  on.command(
    deduct,
    {
      in: 'anywhere',
      role: 'leader',
      asks: { reason: '为什么扣分？请写原因' },
      help: { example: '扣分 张三 3分 无故缺席', about: '按规则扣分', hidden: true },
    },
    notYet('直接扣分'),
  );
  on.command(
    reverse,
    {
      in: 'anywhere',
      role: 'leader',
      asks: { reason: '为什么撤销？请写原因' },
      help: { example: '撤销加分 #301 记错人了', about: '撤销一笔加分', hidden: true },
    },
    notYet('撤销加分'),
  );
  on.command(
    redeem,
    {
      in: 'anywhere',
      role: 'member',
      asks: { goods: '想换什么？' },
      help: { example: '积分兑换 洗衣液', about: '用积分换东西', hidden: true },
    },
    notYet('积分兑换'),
  );
});
