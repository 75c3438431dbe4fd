import { z } from 'zod';
import type { Outgoing } from '../src/bot/script.js';
import { addDays, clockText, dayOf, dayText, durationText } from '../src/calendar.js';
import type { RepliesFor } from '../src/domain/error.js';
import { leads, type Member } from '../src/domain/member/schema.js';
import type { ServiceError } from '../src/domain/service/errors.js';
import type { SettledReport } from '../src/domain/service/operations.js';
import type { ServiceReport } from '../src/domain/service/schema.js';
import { serviceList, serviceReport } from './lib/reading/service.js';
import { script } from './lib/script.js';
import { confirmerText, reportText, shownName } from './lib/wording.js';

const statusText = {
  submitted: '待审核',
  confirmed: '已通过',
  rejected: '被驳回',
  withdrawn: '已撤回',
  reversed: '已冲销',
} as const;

export const say = {
  reported(
    reports: readonly ServiceReport[],
    confirmers: readonly Member[],
    place: 'group' | 'private',
    pictures: number,
  ): string {
    const lines = reports.map(
      (r) =>
        `#${r._id} ${shownName(r.memberName, place)} ${reportText(r)}${r.note === undefined || place === 'group' ? '' : `，${r.note}`}`,
    );
    const photo = pictures > 0 ? `，附照片 ${pictures} 张` : '';
    return [
      `已登记${reports.length > 1 ? ` ${reports.length} 条` : ''}${photo}，待${confirmerText(confirmers, place)}审核`,
      ...lines,
      '2分钟内发「撤回」可取消',
    ].join('\n');
  },
  toOthers: (reporter: string, r: ServiceReport): string =>
    `${reporter}替您登记了服务 #${r._id}：${reportText(r)}。不对请发：撤销 #${r._id}`,
  confirm: (reports: readonly { item: string; minutes: number }[]): string =>
    `是这样吗？${reports.map((r) => `${r.item} 约${durationText(r.minutes)}`).join('；')}\n回复「对」登记，或直接说多长时间，「取消」不登记`,
  picture: (numbers: readonly number[]): string => `照片已附到 ${numbers.map((n) => `#${n}`).join('、')}`,
  list: (reports: readonly ServiceReport[], from: string, to: string): string =>
    reports.length === 0
      ? `${dayText(from)}到${dayText(to)}没有登记服务。例如：服务 环境整治 2小时`
      : [
          `${dayText(from)}到${dayText(to)}共 ${reports.length} 条：`,
          ...reports.slice(0, 20).map((r) => `#${r._id} ${reportText(r)} ${statusText[r.status]}`),
        ].join('\n'),
  future: (): string => '还没到的日子不能登记，做完了再发给我',
  implausible: (reports: readonly { minutes?: number | undefined }[] | undefined): string =>
    `时长不对（${reports?.map((r) => (r.minutes === undefined ? '' : durationText(r.minutes))).find((t) => t !== '') ?? '0分钟'}）：一天在0到12小时之间，没有登记。请改一下再发`,
};

export const errors: RepliesFor<ServiceError> = {
  'service.implausible': ({ minutes }) => say.implausible([{ minutes }]),
  'service.dayFull': ({ name, day, already, minutes }) =>
    `${shownName(name, 'group')} ${dayText(day)}已登记${durationText(already)}，再加${durationText(minutes)}就超过12小时了，没有登记`,
  'service.future': () => say.future(),
  'service.tooLate': ({ day, days }) => `${dayText(day)}是${days}天以前了，超过了自己登记的期限。请联系社区书记补登`,
  'service.memberNotFound': ({ name }) => `名册里没有${name}，没有登记。请核对姓名，或让本人自己发`,
  'service.severalMembers': ({ name }) => `名册里有几位叫${name}，分不清是谁，没有登记。请本人自己发`,
  'service.notFound': ({ number }) => `没有找到 #${number}，发「待办」或「我的服务」看看号码`,
  'service.notYours': ({ number }) => `#${number} 不是您登记的，也不在您负责的范围，不能撤销`,
};

export default script('服务', { summary: '登记志愿服务', order: 30 }, (on) => {
  on.command(
    serviceReport,
    {
      in: 'anywhere',
      role: 'member',
      asks: { item: '做了什么服务？例如：环境整治、巡逻、护学', minutes: '做了多长时间？例如：2小时、40分钟' },
      confirms: ({ reports }) => say.confirm(reports),
      refusals: { 'reject.future': say.future, 'reject.implausible': ({ reports }) => say.implausible(reports) },
      help: {
        example: '服务 环境整治 2小时 清理楼道',
        about: '登记做了什么、多长时间，由网格长审核',
        mistake: '要写多长时间，例如 2小时、一个半小时；照片发在同一个群里，前后10分钟内自动附上',
        chip: { label: '登记服务', text: '服务 环境整治 2小时' },
      },
    },
    async ({ tx, now, zone, member, group, place, person, attachments, services, checkIns }, { reports: said }) => {
      const today = dayOf(now, zone);
      const items = said.map((r) => ({
        item: r.item,
        minutes: r.minutes,
        day: r.date ?? today,
        note: r.note,
        members: r.members ?? ['@me'],
      }));
      const pictures = attachments.filter((a) => a.type.startsWith('image/')).map((a) => a.id);
      const { reports, confirmers } = await services.report(tx, {
        reporter: member,
        items,
        group: group?._id ?? null,
        evidence: pictures,
        today,
        at: now,
      });
      const others = reports.filter((r) => r.member !== member._id);
      const told: Outgoing[] = [];
      for (const r of others) {
        const [identity] = await checkIns.identitiesOf(tx, r.member, person.channel);
        if (identity)
          told.push({ to: { channel: identity.channel, userId: identity.userId }, text: say.toOthers(member.name, r) });
      }
      const text = say.reported(reports, confirmers, place, reports[0]?.evidence.length ?? 0);
      return { messages: [{ to: 'here', text }, ...told], undo: { numbers: reports.map((r) => r._id) } };
    },
  );
  on.undo(
    'service.report',
    z.object({ numbers: z.array(z.number()) }),
    async ({ tx, member, now, services }, { numbers }) => {
      const done = [];
      for (const number of numbers)
        done.push(await services.revoke(tx, { number, by: member, at: now, reason: undefined }));
      const withdrawn = done.flatMap((d) => (d.is === 'done' ? [`#${d.report._id}`] : []));
      return withdrawn.length > 0 ? `已撤回 ${withdrawn.join('、')}` : '已经审核过了，不能撤回。请网格长撤销并写明原因';
    },
  );
  on.command(
    serviceList,
    { in: 'anywhere', role: 'member', help: { example: '我的服务', about: '我最近登记的服务' } },
    async ({ tx, now, zone, member, services }, { period }) => {
      const today = dayOf(now, zone);
      const { from, to } = period ?? { from: addDays(today, -30), to: today };
      return say.list(await services.own(tx, member._id, from, to), from, to);
    },
  );
  on.copies('serviceReport', {
    async copies({ tx, member, services, files }, numbers) {
      const found = (await services.find(tx, numbers)).filter(
        (r) => (r.status === 'submitted' || r.status === 'confirmed') && leads(member, r.unitPath),
      );
      const pictures = await files.describe([...new Set(found.flatMap((r) => r.evidence))]);
      return new Map(
        found.map((r) => [
          r._id,
          {
            heading: '【志愿服务】',
            line: `#${r._id} ${shownName(r.memberName, 'group')} ${reportText(r)} ${statusText[r.status]}`,
            attachments: pictures.filter((p) => r.evidence.includes(p.id)),
          },
        ]),
      );
    },
  });
  on.media(async ({ tx, now, member, group, place, messageId, person, services }, attachments) => {
    const pictures = attachments.filter((a) => a.type.startsWith('image/')).map((a) => a.id);
    if (!member || pictures.length === 0 || (place === 'group' && !group)) return undefined;
    const numbers = await services.addEvidence(tx, {
      member,
      group: group?._id ?? null,
      messageKey: `${person.channel}:${messageId}`,
      attachments: pictures,
      at: now,
    });
    return numbers.length > 0 ? say.picture(numbers) : undefined;
  });
  on.settles('serviceReport', {
    waiting: async ({ tx, member, services }) =>
      (await services.waiting(tx, member)).map((r) => ({
        number: r._id,
        line: `${r.memberName} ${reportText(r)}${r.note === undefined ? '' : `，${r.note}`}${r.evidence.length > 0 ? `，照片${r.evidence.length}张` : ''}`,
        since: r.at,
      })),
    async approve(ctx, numbers) {
      const { tx, member, now, services, place, zone } = ctx;
      const settled = await services.approve(tx, { numbers, by: member, at: now });
      const done = settled.flatMap((s) => (s.is === 'done' ? [s.report._id] : []));
      return {
        lines: settled.map((s) => settledLine(s, place, zone)),
        ...(done.length > 0 && { undo: { numbers: done, to: 'submitted' } }),
      };
    },
    async reject({ tx, member, now, person, services, checkIns, place, zone }, number, reason) {
      const settled = await services.reject(tx, { number, by: member, at: now, reason });
      if (settled.is !== 'done') return { lines: [settledLine(settled, place, zone)] };
      const [identity] = await checkIns.identitiesOf(tx, settled.report.member, person.channel);
      const told = identity
        ? [
            {
              to: { channel: identity.channel, userId: identity.userId },
              text: `您的服务 #${number}（${reportText(settled.report)}）没有通过：${reason}。改好可以重新登记`,
            },
          ]
        : [];
      return {
        lines: [`#${number} 已驳回，原因已私下告诉本人`],
        messages: told,
        undo: { numbers: [number], to: 'submitted' },
      };
    },
    async revoke({ tx, member, now, person, services, checkIns, place, zone }, number, reason) {
      const settled = await services.revoke(tx, { number, by: member, at: now, reason });
      if (settled.is !== 'done')
        return { lines: [settledLine(settled, place, zone)], needsReason: settled.is === 'reasonNeeded' };
      const { report } = settled;
      if (report.status === 'withdrawn')
        return { lines: [`已撤销 #${number}，不再审核`], undo: { numbers: [number], to: 'submitted' } };
      const [identity] = await checkIns.identitiesOf(tx, report.member, person.channel);
      const told =
        identity && report.member !== member._id
          ? [
              {
                to: { channel: identity.channel, userId: identity.userId },
                text: `您的服务 #${number}（${reportText(report)}）已撤销：${reason ?? ''}。有疑问请联系网格长`,
              },
            ]
          : [];
      const line =
        report.status === 'reversed' ? `#${number} 已撤销，原来的积分已冲销` : `#${number} 已驳回，原因已私下告诉本人`;
      return {
        lines: [line],
        messages: told,
        undo: { numbers: [number], to: report.status === 'reversed' ? 'confirmed' : 'submitted' },
      };
    },
    async unsettle({ tx, member, now, services }, data) {
      const { numbers, to } = z
        .object({ numbers: z.array(z.number()), to: z.enum(['submitted', 'confirmed']) })
        .parse(data);
      for (const number of numbers) {
        await services.restore(tx, { number, to, by: member, at: now });
        await tx.flush();
      }
      return { lines: [`已撤回，${numbers.map((n) => `#${n}`).join('、')} 恢复为${statusText[to]}`] };
    },
  });
});

function settledLine(s: SettledReport, place: 'group' | 'private', zone: string): string {
  switch (s.is) {
    case 'own':
      return `#${s.number} 是您自己的，要由上一级审核`;
    case 'notAllowed':
      return `#${s.number} 不在您负责的范围`;
    case 'reasonNeeded':
      return `为什么撤销 #${s.number}？请写原因，例如：重复登记`;
    case 'already': {
      const { report } = s;
      const when = report.settledAt
        ? `已于 ${dayText(dayOf(report.settledAt, zone))} ${clockText(report.settledAt, zone)} `
        : '';
      return `#${report._id} ${when}由${shownName(report.settledByName ?? '', place)}处理过了（${statusText[report.status]}）`;
    }
    case 'done': {
      const name = shownName(s.report.memberName, place);
      const { credited = 0, earned = 0 } = s.credit ?? {};
      const capped = credited < earned ? `（应得${earned}分，已到上限）` : '';
      return `#${s.report._id} ${name} 已通过，+${credited}分${capped}`;
    }
  }
}
