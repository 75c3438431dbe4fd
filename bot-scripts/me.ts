import { dayOf, halfYearOf, halfYearText } from '../src/calendar.js';
import { categories, type Member } from '../src/domain/member/schema.js';
import { me } from './lib/reading/help.js';
import { script } from './lib/script.js';
import { shownName } from './lib/wording.js';

export const say = {
  me: (
    m: Member,
    place: 'group' | 'private',
    period: string,
    points: { period: number; all: number },
    own: number,
    waiting: number,
  ): string =>
    [
      `您是${shownName(m.name, place)}，${categories[m.category]}，在${m.unitName}`,
      ...(m.posts.length > 0 ? [`担任：${m.posts.join('、')}`] : []),
      `积分：${period} ${points.period} 分，累计 ${points.all} 分`,
      own > 0 ? `有 ${own} 条服务等待审核` : '没有等待审核的服务',
      ...(waiting > 0 ? [`有 ${waiting} 件事等您审核，发「待办」查看`] : []),
    ].join('\n'),
};

export default script('我的', { summary: '我是谁、我的单位和积分', order: 20 }, (on) => {
  on.command(
    me,
    {
      in: 'anywhere',
      role: 'member',
      help: { example: '我的', about: '我是谁、我的单位和积分', chip: { label: '我的', text: '我的', send: true } },
    },
    async ({ tx, now, zone, member, place, ledger, services, checkIns }) => {
      const period = halfYearOf(dayOf(now, zone));
      const points = await ledger.balance(tx, member._id, period);
      const own = await services.waitingOf(tx, member._id);
      const leads = member.roles.length > 0;
      const waiting = leads
        ? (await services.waiting(tx, member)).length + (await checkIns.waiting(tx, member)).length
        : 0;
      return say.me(member, place, halfYearText(period), points, own.length, waiting);
    },
  );
});
