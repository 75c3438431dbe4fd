import { z } from 'zod';
import type { Outgoing, Reply } from '../src/bot/script.js';
import { clockText } from '../src/calendar.js';
import type { CheckInResult, SettledRequest } from '../src/domain/check-in/operations.js';
import { leads } from '../src/domain/member/schema.js';
import { checkIn } from './lib/reading/check-in.js';
import { script } from './lib/script.js';
import { shownName } from './lib/wording.js';

const CONSENT = '我们只保存您的姓名、单位和登记的活动，用于积分和反馈；想查看或删除，请联系社区书记';

export const say = {
  bound: (name: string, unit: string): string => `${name} 您好，已报到${unit}\n发「帮助」看看怎么用。${CONSENT}`,
  already: (name: string, time: string, same: boolean): string =>
    same
      ? `您已于 ${time} 报到过了，${name}`
      : `这个账号已于 ${time} 报到为${name}，一个账号只能是一个人。如有错误请联系网格长`,
  needsTail: (name: string): string => `请补充${name}的手机后四位，例如：8821`,
  privately: (): string => '为了保护您的号码，请私聊我发：报到 姓名 手机后四位',
  wrongTail: (left: number): string => `姓名和手机后四位对不上，还可以试 ${left} 次。请核对，或请网格长帮您看看名册`,
  tooMany: (time: string): string => `试错的次数太多了，请 ${time} 以后再试，或直接找网格长`,
  requested: (no: number, again: boolean): string =>
    again
      ? `您的报到申请 #${no} 还在等网格长审核`
      : `名册里没有找到您，已转给网格长审核，申请号 #${no}。有结果会告诉您`,
  forOther: (): string => '报到要本人来发，请他用自己的微信发：报到 姓名 手机后四位',
  waiting: (name: string, tail: string, listed?: { name: string; departments: readonly string[] }): string =>
    `报到申请：${name}${tail === '' ? '' : ` 尾号${tail}`}${
      listed ? `（通讯录：${[listed.name, ...listed.departments].join('，')}，请核对）` : ''
    }`,
  approved: (no: number, name: string): string => `#${no} 已同意，${name}报到成功`,
  refused: (no: number): string => `#${no} 已不同意，原因已私下告诉本人`,
  tellApproved: (no: number, unit: string): string =>
    `您的报到申请 #${no} 已通过，您在${unit}。发「帮助」看看怎么用。${CONSENT}`,
  tellRefused: (no: number, reason: string): string => `您的报到申请 #${no} 没有通过：${reason}。有疑问请联系网格长`,
  settled: (no: number, how: string, time: string): string => `#${no} 已于 ${time} ${how}`,
  notYours: (no: number): string => `#${no} 不在您负责的范围`,
  undone: (): string => '已撤回报到，这个账号不再对应名册上的人',
};

export default script('报到', { summary: '让小助手认识您', order: 10 }, (on) => {
  on.command(
    checkIn,
    {
      in: 'anywhere',
      role: 'anyone',
      bindsIds: true,
      asks: { name: '请发您的姓名和手机后四位，例如：王秀兰 8821', phoneTail: '请发手机后四位，例如：8821' },
      refusals: { 'checkIn.requestForOther': say.forOther },
      help: {
        example: '报到 王秀兰 8821',
        about: '姓名加手机后四位，让我认识您',
        mistake: '要本人用自己的微信发，不能代别人报到',
        chip: { label: '报到', text: '报到 ' },
      },
    },
    async (ctx, { name, phoneTail }) => {
      const { tx, person, room, group, place, now, zone, checkIns } = ctx;
      const result = await checkIns.checkIn(tx, { person, room, groupPath: group?.unitPath, name, phoneTail, at: now });
      return answer(result, name, place, (at) => clockText(at, zone));
    },
  );
  on.undo('checkIn.request', z.object({}), async ({ tx, person, checkIns }) => {
    checkIns.unbind(tx, person);
    return say.undone();
  });
  on.copies('checkInRequest', {
    async copies({ tx, member, checkIns }, numbers) {
      const found = (await checkIns.find(tx, numbers)).filter(
        (r) => r.status !== 'refused' && leads(member, r.unitPath),
      );
      return new Map(
        found.map((r) => [
          r._id,
          {
            heading: '【报到】',
            line: `#${r._id} ${shownName(r.name, 'group')} ${r.status === 'approved' ? '已报到，欢迎' : '报到申请审核中'}`,
          },
        ]),
      );
    },
  });
  on.settles('checkInRequest', {
    async waiting({ tx, member, checkIns, directory }) {
      const requests = await checkIns.waiting(tx, member);
      const listed =
        requests.length > 0
          ? await directory.of(
              tx,
              requests.map((r) => r.identity),
            )
          : undefined;
      return requests.map((r) => ({
        number: r._id,
        line: say.waiting(r.name, r.phoneTail, listed?.get(r.identity)),
        since: r.at,
      }));
    },
    async approve({ tx, member, now, zone, place, checkIns }, numbers) {
      const settled = await Promise.all(
        numbers.map((number) => checkIns.approve(tx, { number, by: member, at: now, category: 'inService' })),
      );
      return {
        lines: settled.map((s, i) => lineOf(s, numbers[i] ?? 0, place, (at) => clockText(at, zone))),
        messages: settled.flatMap((s) => tell(s)),
      };
    },
    async reject({ tx, member, now, zone, place, checkIns }, number, reason) {
      const settled = await checkIns.refuse(tx, { number, by: member, at: now, reason });
      return { lines: [lineOf(settled, number, place, (at) => clockText(at, zone))], messages: tell(settled, reason) };
    },
    revoke: async (_ctx, number) => ({ lines: [`#${number} 是报到申请，审核后不能撤销；要更正请联系社区书记`] }),
    unsettle: async () => ({ lines: ['报到申请审核后不能撤回；要更正请联系社区书记'] }),
  });
});

function answer(result: CheckInResult, name: string, place: 'group' | 'private', time: (at: Date) => string): Reply {
  switch (result.is) {
    case 'bound':
      return {
        messages: [{ to: 'here', text: say.bound(shownName(result.member.name, place), result.member.unitName) }],
        undo: {},
      };
    case 'alreadyBound':
      return {
        refused: !result.same,
        messages: [
          { to: 'here', text: say.already(shownName(result.member.name, place), time(result.since), result.same) },
        ],
      };
    case 'needsTail':
      if (place === 'group') return { refused: true, messages: [{ to: 'here', text: say.privately() }] };
      return {
        messages: [{ to: 'here', text: say.needsTail(name) }],
        question: { intent: 'checkIn.request', slots: { name }, missing: ['phoneTail'] },
      };
    case 'wrongTail':
      return { refused: true, messages: [{ to: 'here', text: say.wrongTail(result.left) }] };
    case 'tooManyTries':
      return { refused: true, messages: [{ to: 'here', text: say.tooMany(time(result.until)) }] };
    case 'requested':
      return say.requested(result.number, result.again);
  }
}

function lineOf(s: SettledRequest, number: number, place: 'group' | 'private', time: (at: Date) => string): string {
  switch (s.is) {
    case 'approved':
      return say.approved(number, shownName(s.request.name, place));
    case 'refused':
      return say.refused(number);
    case 'already':
      return say.settled(
        number,
        s.request.status === 'approved' ? '同意' : '不同意',
        time(s.request.settledAt ?? s.request.at),
      );
    case 'notAllowed':
      return say.notYours(number);
    case 'notFound':
      return `没有找到 #${number}`;
  }
}

function tell(s: SettledRequest, reason = ''): Outgoing[] {
  if (s.is === 'approved')
    return [
      {
        to: { channel: s.request.channel, userId: s.request.userId },
        text: say.tellApproved(s.request._id, s.member?.unitName ?? ''),
      },
    ];
  if (s.is === 'refused')
    return [
      { to: { channel: s.request.channel, userId: s.request.userId }, text: say.tellRefused(s.request._id, reason) },
    ];
  return [];
}
