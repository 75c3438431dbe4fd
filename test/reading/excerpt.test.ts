import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nameOnCard, readExcerpt } from '../../bot-scripts/lib/reading/excerpt.js';
import { paste } from '../../bot-scripts/lib/reading/paste.js';
import type { ReadContext } from '../../src/bot/grammar.js';
import { normalise } from '../../src/bot/language/normalise.js';
import { createReader } from '../../src/bot/reader.js';

const members = ['张三', '李四', '王秀兰', '孙丽', '孙丽娟', '阿依古丽·买买提'];
const context: ReadContext = {
  now: new Date('2026-11-25T10:00:00+08:00'),
  zone: 'Asia/Shanghai',
  place: 'private',
  addressed: true,
  role: 'leader',
  names: {
    has: (name) => members.includes(name),
    prefixOf: (text) => members.toSorted((a, b) => b.length - a.length).find((m) => text.startsWith(m)),
  },
  open: 'asWritten',
};
const read = (...lines: string[]): string[] =>
  readExcerpt(normalise(lines.join('\n')), context).map(
    ({ who, text, at }) => `${who ?? '?'}|${text}|${at?.toISOString().slice(0, 16) ?? '?'}`,
  );

describe('an excerpt of a chat', () => {
  it.each<[string, string[], string[]]>([
    ['WeChat on a computer', ['张三 2026/11/24 20:15', '扫地'], ['张三|扫地|2026-11-24T12:15']],
    ['with seconds and dashes', ['张三 2026-11-24 20:15:07', '扫地'], ['张三|扫地|2026-11-24T12:15']],
    ['with a Chinese date', ['张三 11月24日 晚上8:15', '扫地'], ['张三|扫地|2026-11-24T12:15']],
    ['yesterday', ['张三 昨天 20:15', '扫地'], ['张三|扫地|2026-11-24T12:15']],
    ['today', ['张三 9:05', '扫地'], ['张三|扫地|2026-11-25T01:05']],
    ['a line with the date above', ['—— 2026-11-23 ——', '张三 9:05', '扫地'], ['张三|扫地|2026-11-23T01:05']],
    ['a day that is none', ['张三 2026/11/31 20:15', '扫地'], ['张三|扫地|?']],
    ['a name with a colon', ['张三：扫地', '李四: 护学'], ['张三|扫地|2026-11-25T02:00', '李四|护学|2026-11-25T02:00']],
    ['a name, then lines', ['张三：', '扫地', '巡逻'], ['张三|扫地\n巡逻|2026-11-25T02:00']],
    [
      'a colon after no name',
      ['地点：广场', '张三：扫地'],
      ['?|地点:广场|2026-11-25T02:00', '张三|扫地|2026-11-25T02:00'],
    ],
    [
      '接龙',
      ['#接龙', '1. 张三 扫地', '2、李四 护学'],
      ['张三|张三 扫地|2026-11-25T02:00', '李四|李四 护学|2026-11-25T02:00'],
    ],
    ['a stranger in a 接龙', ['1. 钱多多 扫地'], ['钱多多| 扫地|2026-11-25T02:00']],
    ['a clock that is none', ['张三 25:59', '扫地'], ['张三|张三 25:59|2026-11-25T02:00', '?|扫地|2026-11-25T02:00']],
    ['withdrawn and joined', ['张三 9:05', '扫地', '李四 9:06', '李四撤回了一条消息'], ['张三|扫地|2026-11-25T01:05']],
  ])('%s', (_what, lines, expected) => {
    expect(read(...lines)).toEqual(expected);
  });

  it.each([
    ['张三', '张三'],
    ['3号楼张三', '张三'],
    ['张三(3-201)', '张三'],
    ['3-201 张三', '张三'],
    ['第三网格-张三', '张三'],
    ['阿依古丽·买买提', '阿依古丽·买买提'],
    ['张三李四', undefined],
    ['张三 李四', undefined],
    ['张三 家属', undefined],
    ['老张', undefined],
    ['孙丽娟娟', undefined],
  ])('the card name %s names %s', (shown, name) => {
    expect(nameOnCard(shown, context.names)).toBe(name);
  });

  it('whatever is pasted, a reading fits its slots, and every recorded thing has a person, an item, minutes and a day', () => {
    const reader = createReader([paste], { botNames: [] });
    const piece = fc.constantFrom(
      ...[
        '张三',
        '李四',
        '：',
        ' ',
        '\n',
        '扫地',
        '护学',
        '2小时',
        '半天',
        '20:15',
        '2026/11/24',
        '昨天',
        '明天',
        '1. ',
        '#接龙',
      ],
      ...['「', '」', '- - - -', '@张三 ', '和', '我', '13800000001', '好的', '3号楼', '🙂', '*', '服务'],
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 40 }), (pieces) => {
        const said = { text: `粘贴\n${pieces.join('')}`, mentionsBot: false, mentions: [] };
        const { intent, slots } = reader.read(said, context);
        if (intent !== 'paste.preview') return;
        for (const e of paste.slots.parse(slots).entries)
          if (e.why === undefined) {
            expect(members).toContain(e.who);
            expect([e.item, e.minutes, e.day]).not.toContain(undefined);
          }
      }),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) },
    );
  });
});
