import type { Attachment } from '../src/bot/message.js';
import { conversationOf } from '../src/bot/message.js';
import type { Copy } from '../src/bot/script.js';
import { copyOut } from './lib/reading/copy-out.js';
import { script } from './lib/script.js';

/** WeChat takes so many pictures in one go. */
const MAX_PICTURES = 9;

export const say = {
  nothing: (): string => '写上要发到群里的号码，例如：转发稿 #231。刚用「入账」登记的，直接发「转发稿」',
  missing: (numbers: readonly number[]): string =>
    `${numbers.map((n) => `#${n}`).join('、')} 没有可以转发的内容：没有这个号码、已经撤销，或不在您负责的范围`,
  draft(copies: readonly Copy[]): string {
    const headings = [...new Set(copies.map((c) => c.heading))];
    return headings.map((h) => [h, ...copies.filter((c) => c.heading === h).map((c) => c.line)].join('\n')).join('\n');
  },
};

export default script('群里转发', { summary: '群里只能由人来发时：转发稿、粘贴、入账', order: 45 }, (on) => {
  on.command(
    copyOut,
    {
      in: 'private',
      role: 'leader',
      help: {
        example: '转发稿 #231',
        about: '得到可以直接粘贴到群里的文字，姓名已隐去',
        mistake: '可以写几个号码，例如：转发稿 #231-235',
        chip: { label: '转发稿', text: '转发稿 #' },
      },
    },
    async (ctx, { nos }) => {
      const { tx, numbers, copiers, pastes, person } = ctx;
      const chat = conversationOf({ channel: person.channel, room: ctx.room, from: person.userId });
      const wanted = nos.length > 0 ? nos : await pastes.lastEntered(tx, chat);
      if (wanted.length === 0) return { refused: true, messages: [{ to: 'here', text: say.nothing() }] };
      const kinds = await numbers.kinds(tx, wanted);
      const found = new Map<number, Copy>();
      for (const kind of new Set(kinds.values())) {
        const own = wanted.filter((n) => kinds.get(n) === kind);
        for (const [n, copy] of (await copiers.get(kind)?.copies(ctx, own)) ?? []) found.set(n, copy);
      }
      const copies = wanted.flatMap((n) => found.get(n) ?? []);
      const missing = wanted.filter((n) => !found.has(n));
      if (copies.length === 0) return { refused: true, messages: [{ to: 'here', text: say.missing(missing) }] };
      const pictures = new Map<string, Attachment>(copies.flatMap((c) => c.attachments ?? []).map((a) => [a.id, a]));
      // The draft stands alone in its message, so that it is forwarded or copied as it is.
      return {
        messages: [
          { to: 'here', text: say.draft(copies), attachments: [...pictures.values()].slice(0, MAX_PICTURES) },
          ...(missing.length > 0 ? [{ to: 'here' as const, text: say.missing(missing) }] : []),
        ],
      };
    },
  );
});
