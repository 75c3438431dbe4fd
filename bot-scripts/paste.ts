import { z } from 'zod';
import { conversationOf } from '../src/bot/message.js';
import type { Outgoing } from '../src/bot/script.js';
import { clockText, type Day, dayOf, dayText, durationText } from '../src/calendar.js';
import type { RepliesFor } from '../src/domain/error.js';
import type { PasteError } from '../src/domain/paste/errors.js';
import { type LeftOut, PREVIEW_HOURS, type Previewed, type Said } from '../src/domain/paste/operations.js';
import type { PastedLine } from '../src/domain/paste/schema.js';
import { type Entry, enter, leaveOut, paste, type Unread } from './lib/reading/paste.js';
import { script } from './lib/script.js';
import { say as serviceSay } from './service.js';

const SHOWN = 20;
const SHOWN_TEXT = 24;

const unread: Readonly<Record<Exclude<Unread, 'chatter'>, string>> = {
  nobody: '看不出是谁',
  incomplete: '没写做了什么或多长时间',
  vague: '时长或项目说得不确定',
  future: '还没到的日子',
  implausible: '时长不对，一天在0到12小时之间',
  undated: '看不出是哪一天',
};

function leftText(why: LeftOut): string {
  switch (why.is) {
    case 'notFound':
      return '名册里没有这个人';
    case 'several':
      return '名册里有几位同名，分不清';
    case 'notYours':
      return '不在您负责的范围';
    case 'recorded':
      return `已经登记过（#${why.number}）`;
    case 'twice':
      return '和前面的一条重复';
    case 'wrong':
      switch (why.problem.code) {
        case 'service.dayFull':
          return `这一天合起来超过12小时（已有${durationText(why.problem.details.already)}）`;
        case 'service.tooLate':
          return `${why.problem.details.days}天以前的，超过了登记期限`;
        case 'service.future':
          return unread.future;
        case 'service.implausible':
          return unread.implausible;
      }
  }
}

const short = (text: string): string => (text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text);
const lineText = (l: PastedLine): string => `${l.memberName} ${l.item} ${durationText(l.minutes)}（${dayText(l.day)}）`;

/** Why things were left out, each with what was said. */
function leftLines(entries: readonly Entry[], preview: Previewed): string[] {
  const unclear = entries.flatMap((e) =>
    e.why === undefined || e.why === 'chatter'
      ? []
      : [`${e.who === '' ? '' : `${e.who}：`}${short(e.text)}——${unread[e.why]}`],
  );
  const checked = preview.left.map(
    ({ said, why }) => `${said.name} ${said.item} ${durationText(said.minutes)}——${leftText(why)}`,
  );
  return [...unclear, ...checked];
}

export const say = {
  preview(lines: readonly PastedLine[]): string {
    return [`读出 ${lines.length} 条，还没有登记，请核对：`, ...lines.map((l, i) => `${i + 1}. ${lineText(l)}`)].join(
      '\n',
    );
  },
  next: (): string => `都对就回复「入账」，不要的发「去掉 2」；${PREVIEW_HOURS}小时内有效`,
  left(lines: readonly string[], chatter: number, more: number): string[] {
    if (lines.length === 0 && chatter === 0 && more === 0) return [];
    const rest = lines.length - SHOWN;
    return [
      ...(lines.length > 0
        ? [
            `没有列入 ${lines.length} 条：`,
            ...lines.slice(0, SHOWN).map((l) => `・${l}`),
            ...(rest > 0 ? [`还有 ${rest} 条`] : []),
          ]
        : []),
      ...(chatter > 0 ? [`另有 ${chatter} 句不是服务登记`] : []),
      ...(more > 0 ? [`太长了，后面 ${more} 句没有看，请分几次粘贴`] : []),
    ];
  },
  nothing: (left: readonly string[]): string =>
    ['没有读出可以登记的服务，什么也没有登记。', ...left, '例如：粘贴\n张三：服务 扫地 2小时\n李四：护学 40分钟'].join(
      '\n',
    ),
  entered: (reports: readonly { _id: number }[], lines: string): string =>
    [
      `已入账 ${reports.length} 条，待审核`,
      lines,
      `审核发「通过 ${spanOf(reports.map((r) => r._id))}」，发到群里的文字发「转发稿」，2分钟内发「撤回」可取消`,
    ].join('\n'),
  already: (time: string, numbers: readonly number[]): string =>
    `已于 ${time} 入账（${spanOf(numbers)}），没有重复登记`,
  changed: (): string => '刚才的预览之后情况有变化，什么也没有登记。请再核对一次：',
  emptied: (): string => '一条也不剩了，预览已取消，什么也没有登记',
  undone: (numbers: readonly number[]): string =>
    `已撤回 ${numbers.map((n) => `#${n}`).join('、')}，预览还在，可以再「入账」`,
};

/** `#231-233`, or the numbers one by one where others lie between. */
function spanOf(numbers: readonly number[]): string {
  const first = numbers[0] ?? 0;
  const last = numbers.at(-1) ?? 0;
  const whole = last - first === numbers.length - 1 && numbers.length > 1;
  return whole ? `#${first}-${last}` : numbers.map((n) => `#${n}`).join(' ');
}

export const errors: RepliesFor<PasteError> = {
  'paste.nothing': () => '没有等您入账的内容。先发「粘贴」，再把群里的回复贴过来',
  'paste.expired': () => `预览超过${PREVIEW_HOURS}小时了，什么也没有登记。请重新粘贴一次`,
  'paste.noSuchLine': ({ line, lines }) => `预览里没有第 ${line} 条（一共 ${lines} 条）`,
};

const saidOf = (entries: readonly Entry[], today: Day): Said[] =>
  entries.flatMap(({ who, why, item, minutes, day, note }) =>
    why !== undefined || item === undefined || minutes === undefined
      ? []
      : [{ name: who, item, minutes, day: day ?? today, note }],
  );

export default script('群里转发', { summary: '群里只能由人来发时：转发稿、粘贴、入账', order: 45 }, (on) => {
  on.command(
    paste,
    {
      in: 'private',
      role: 'leader',
      asks: { excerpt: '请把群里的回复贴过来：一人一行，或直接复制的聊天记录、接龙' },
      help: {
        example: '粘贴',
        about: '把群里大家的回复贴给我，读成服务登记，先预览，「入账」才登记',
        mistake: '要看得出是谁、做了什么、多长时间；看不清的会列出来，不会猜',
        chip: { label: '粘贴', text: '粘贴', send: true },
      },
    },
    async ({ tx, now, zone, member, person, room, pastes }, { entries, more }) => {
      const today = dayOf(now, zone);
      const chat = conversationOf({ channel: person.channel, room, from: person.userId });
      const said = saidOf(entries, today);
      const preview = await pastes.preview(tx, { chat, leader: member, said, today, at: now });
      const chatter = entries.filter((e) => e.why === 'chatter').length;
      const left = say.left(leftLines(entries, preview), chatter, more);
      if (preview.lines.length === 0) return { refused: true, messages: [{ to: 'here', text: say.nothing(left) }] };
      return [say.preview(preview.lines), ...left, say.next()].join('\n');
    },
  );
  on.command(
    leaveOut,
    { in: 'private', role: 'leader', help: { example: '去掉 2', about: '从粘贴的预览里去掉几条', hidden: true } },
    async ({ tx, now, member, person, room, pastes }, { lines: wanted }) => {
      const chat = conversationOf({ channel: person.channel, room, from: person.userId });
      const lines = await pastes.leaveOut(tx, { chat, leader: member, wanted, at: now });
      return lines.length === 0 ? say.emptied() : [say.preview(lines), say.next()].join('\n');
    },
  );
  on.command(
    enter,
    {
      in: 'private',
      role: 'leader',
      help: { example: '入账', about: '把粘贴的预览登记下来，和预览一样，只登记一次' },
    },
    async ({ tx, now, zone, member, person, room, pastes, checkIns }) => {
      const chat = conversationOf({ channel: person.channel, room, from: person.userId });
      const result = await pastes.enter(tx, { chat, leader: member, today: dayOf(now, zone), at: now });
      if (result.is === 'already') {
        const time = `${dayText(dayOf(result.at, zone))} ${clockText(result.at, zone)}`;
        return { refused: true, messages: [{ to: 'here', text: say.already(time, result.numbers) }] };
      }
      if (result.is === 'changed') {
        const left = say.left(leftLines([], result.preview), 0, 0);
        const { lines } = result.preview;
        const rest = lines.length > 0 ? [say.preview(lines), ...left, say.next()] : [...left, say.emptied()];
        return { refused: true, messages: [{ to: 'here', text: [say.changed(), ...rest].join('\n') }] };
      }
      const told: Outgoing[] = [];
      for (const r of result.reports.filter((x) => x.member !== member._id)) {
        const [identity] = await checkIns.identitiesOf(tx, r.member, person.channel);
        if (identity)
          told.push({
            to: { channel: identity.channel, userId: identity.userId },
            text: serviceSay.toOthers(member.name, r),
          });
      }
      const lines = result.reports.map(
        (r) => `#${r._id} ${r.memberName} ${r.item} ${durationText(r.minutes)}（${dayText(r.day)}）`,
      );
      return {
        messages: [{ to: 'here', text: say.entered(result.reports, lines.join('\n')) }, ...told],
        undo: { numbers: result.reports.map((r) => r._id), chat },
      };
    },
  );
  on.undo(
    'paste.enter',
    z.object({ numbers: z.array(z.number()), chat: z.string() }),
    async ({ tx, member, now, services, pastes }, { numbers, chat }) => {
      const done: number[] = [];
      for (const number of numbers) {
        const settled = await services.revoke(tx, { number, by: member, at: now, reason: undefined });
        if (settled.is === 'done') done.push(number);
      }
      if (done.length === numbers.length) pastes.reopen(tx, chat);
      return done.length > 0 ? say.undone(done) : '已经审核过了，不能撤回。请撤销并写明原因';
    },
  );
});
