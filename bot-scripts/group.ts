import { z } from 'zod';
import type { GroupError } from '../src/domain/group/errors.js';
import type { RepliesFor } from '../src/domain/error.js';
import { bind, bindingCode, makeGroup, unbind } from './lib/reading/group.js';
import { script } from './lib/script.js';

export const say = {
  code: (unit: string, code: string): string =>
    `${unit}的绑定码：${code}\n24小时内有效，只能用一次。请在要绑定的群里发：绑定 ${code}`,
  bound: (unit: string): string => `本群已绑定${unit}。大家可以发「帮助」看看怎么用，例如：服务 环境整治 2小时`,
  made: (unit: string, people: number): string =>
    `正在企业微信里为${unit}建群，共${people}人，您是群主。建好后群里会有一条消息；这个群里我只发通知，听不到大家说话`,
  opened: (unit: string): string =>
    `本群是${unit}的群，通知会发在这里。要登记服务、查积分，请私聊我，发「帮助」看看怎么用`,
  askUnbind: (unit: string): string =>
    `要解除本群与${unit}的绑定吗？解除后群里不能再登记。回复「确认」解除，「取消」不解除`,
  unbound: (unit: string): string => `已解除本群与${unit}的绑定`,
  inGroup: (): string => '请在要绑定的群里发「绑定 绑定码」',
  greeting: (): string =>
    '大家好，我是网格小助手，可以登记服务、查积分。\n请网格长私聊我发「绑定码 第几网格」拿到绑定码，再在群里发「绑定 绑定码」，我就能在这里工作了',
};

export const errors: RepliesFor<GroupError> = {
  'group.codeNotFound': ({ code }) => `绑定码 ${code} 不对或已过期，请网格长私聊我发「绑定码 第几网格」重新要一个`,
  'group.codeUsed': ({ code }) => `绑定码 ${code} 已经用过了，请重新要一个`,
  'group.unitNotFound': ({ unit, near }) =>
    `没有找到「${unit}」${near.length > 0 ? `，您是不是要：${near.slice(0, 3).join('、')}` : ''}。例如：绑定码 第三网格`,
  'group.notYourUnit': ({ unit }) => `您不是${unit}的负责人，请${unit}的网格长来办`,
  'group.tooFew': ({ unit }) => `${unit}里在这里报到过的人不到2个，还不能建群。请大家先私聊我：报到 姓名 手机后四位`,
  'group.made': ({ unit }) => `${unit}的群已经建过了，请在企业微信的群聊里找`,
  'group.notBound': () => '本群还没有绑定网格',
};

export default script('群管理', { summary: '把群绑定到网格', order: 70 }, (on) => {
  on.command(
    bindingCode,
    {
      in: 'private',
      role: 'leader',
      asks: { unit: '给哪个网格或楼栋？例如：第三网格' },
      help: { example: '绑定码 第三网格', about: '要一个绑定群的码', chip: { label: '绑定码', text: '绑定码 ' } },
    },
    async ({ tx, now, member, groups }, { unit }) => {
      const made = await groups.makeCode(tx, { unit, by: member, at: now });
      return say.code(made.unitName, made._id);
    },
  );
  on.command(
    bind,
    {
      in: 'group',
      role: 'leader',
      unboundGroup: true,
      bindsIds: true,
      asks: { code: '请发绑定码（6位字母和数字）' },
      help: { example: '绑定 7K3M9Q', about: '用绑定码把本群绑定到网格' },
    },
    async ({ tx, now, member, person, room, groups }, { code }) => {
      if (room === null) return say.inGroup();
      const group = await groups.bind(tx, { code, channel: person.channel, room, by: member, at: now });
      return { messages: [{ to: 'here', text: say.bound(group.unitName) }], undo: {} };
    },
  );
  on.command(
    makeGroup,
    {
      in: 'private',
      role: 'leader',
      makesGroup: true,
      asks: { unit: '给哪个网格或楼栋建群？例如：第三网格' },
      help: { example: '建群 第三网格', about: '在企业微信里为网格或楼栋建一个通知群', hidden: true },
    },
    async ({ tx, now, member, person, groups }, { unit }) => {
      const { channel, userId: owner } = person;
      const { group, people } = await groups.make(tx, { unit, channel, owner, by: member, at: now });
      const founds = { name: group.unitName, owner, members: people };
      return {
        messages: [
          { to: 'here', text: say.made(group.unitName, people.length) },
          { to: { channel, room: group.room }, text: say.opened(group.unitName), founds },
        ],
      };
    },
  );
  on.undo('group.bind', z.object({}), async ({ tx, now, member, group, groups }) => {
    groups.unbind(tx, { group, by: member, at: now });
    return say.unbound(group?.unitName ?? '');
  });
  on.command(
    unbind,
    { in: 'group', role: 'leader', help: { example: '解绑', about: '解除本群的绑定' } },
    async ({ tx, now, member, group, groups }, { confirmed }) => {
      if (confirmed) {
        groups.unbind(tx, { group, by: member, at: now });
        return say.unbound(group.unitName);
      }
      return {
        messages: [{ to: 'here', text: say.askUnbind(group.unitName) }],
        question: { intent: 'group.unbind', slots: {}, missing: ['confirmed'] },
      };
    },
  );
  on.joined(async () => say.greeting());
});
