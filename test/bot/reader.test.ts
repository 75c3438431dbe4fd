import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import * as checkIn from '../../bot-scripts/lib/reading/check-in.js';
import * as review from '../../bot-scripts/lib/reading/review.js';
import { serviceReport } from '../../bot-scripts/lib/reading/service.js';
import type { Grammar, ReadContext } from '../../src/bot/grammar.js';
import { createReader } from '../../src/bot/reader.js';
import { root } from '../../src/paths.js';
import { grammars } from '../reading/corpus.js';

const reader = createReader(grammars, { botNames: ['网格小助手', '小格'] });
const roster = new Set(['王秀兰', '张三', '李四']);
const inGroup: ReadContext = {
  now: new Date('2026-11-25T10:00:00+08:00'),
  zone: 'Asia/Shanghai',
  place: 'group',
  addressed: false,
  role: 'member',
  names: {
    has: (name) => roster.has(name),
    prefixOf: (text) => [3, 2].map((n) => text.slice(0, n)).find((n) => roster.has(n)),
  },
  open: 'asWritten',
};
const inPrivate: ReadContext = { ...inGroup, place: 'private', addressed: true };
const said = (text: string, quote?: string) => ({ text, mentionsBot: false, mentions: [], quote });
const read = (text: string, context = inGroup) => reader.read(said(text), context);

const lines = ['utterances.jsonl', 'more-utterances.jsonl', 'everyday-messages.jsonl'].flatMap((file) =>
  readFileSync(join(root, 'test/data', file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => z.looseObject({ text: z.string() }).parse(JSON.parse(line)).text),
);

/** Texts as people, machines and attackers write them. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          ...'服务报到积分通过驳回撤销231#号 ,。、-~到至小时分钟半天个一两三十百点:@网格小助手张三李四王秀兰今昨明周月日和跟给帮我①②\n「」[]😀\u2005\ud800\udc00',
        ),
        fc.constantFrom(
          '服务',
          '报到',
          '小时',
          '半天',
          '@网格小助手',
          '通过',
          '巡逻',
          '积分',
          '\n- - -\n',
          '19:00-20:30',
        ),
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join('')),
  fc
    .tuple(fc.constantFrom(...lines), fc.nat(60), fc.string({ maxLength: 4 }))
    .map(([line, at, extra]) => line.slice(0, at) + extra + line.slice(at)),
);

describe('the quick ignore', () => {
  it('never drops a message of the corpus that reading it acts upon, whoever writes it', () => {
    const dropped = lines.filter(
      (text) =>
        !reader.isForUs({ text, place: 'group', mentionsBot: false, names: inGroup.names }) &&
        ['member', 'leader', 'secretary'].some((role) => read(text, { ...inGroup, role }).intent !== 'ignore'),
    );
    expect(dropped).toEqual([]);
  });

  it('never drops any other message that reading it acts upon at the moment that it supposes', () => {
    const then = { ...inGroup, now: new Date('2026-01-01T12:00:00Z') };
    fc.assert(
      fc.property(texts, (text) => {
        if (read(text, then).intent !== 'ignore')
          expect(reader.isForUs({ text, place: 'group', mentionsBot: false, names: inGroup.names })).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '早上好',
    '我到了你在哪',
    '服务器又崩了',
    '2小时了还没来电',
    '[图片]',
    '12月1号几点出太阳',
    '下雨了记得收衣服',
    '',
  ])('drops the chatter %j without asking the store', (text) =>
    expect(reader.isForUs({ text, place: 'group', mentionsBot: false, names: inGroup.names })).toBe(false),
  );

  it('takes everything that is said in private or mentions the bot', () => {
    expect(reader.isForUs({ text: '早上好', place: 'private', mentionsBot: false, names: inGroup.names })).toBe(true);
    expect(reader.isForUs({ text: '早上好', place: 'group', mentionsBot: true, names: inGroup.names })).toBe(true);
    expect(reader.isForUs({ text: '早上好＠小格', place: 'group', mentionsBot: false, names: inGroup.names })).toBe(
      true,
    );
  });

  it('takes a bare word that a quoted message completes', () => {
    expect(reader.isForUs({ text: '通过', place: 'group', mentionsBot: false, names: inGroup.names })).toBe(true);
    expect(reader.read(said('通过', '#231 王* 环境整治'), { ...inGroup, role: 'leader' })).toMatchObject({
      intent: 'review.approve',
      slots: { nos: [231] },
    });
  });
});

describe('reading', () => {
  it('never throws, on any string, in any place', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(inGroup, inPrivate, { ...inGroup, role: 'leader' }), (text, context) => {
        expect(typeof read(text, context).intent).toBe('string');
        expect(reader.phrase(said(text)).text).toBeDefined();
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['a long run of one character', '服'.repeat(100_000)],
    ['numbers without end', `通过 ${'1-'.repeat(50_000)}`],
    ['halves of surrogate pairs', '\ud83d'.repeat(100_000)],
    ['open quotes', '「'.repeat(100_000)],
    ['dashes', `「a」\n${'- '.repeat(50_000)}`],
    ['digits', '1'.repeat(100_000)],
    ['stickers', '[玫瑰]'.repeat(20_000)],
    ['durations', `服务 ${'扫地1小时'.repeat(390)}`],
  ])('answers %s in less than a second', (_, text) => {
    const started = performance.now();
    read(text);
    read(text, inPrivate);
    reader.isForUs({ text, place: 'group', mentionsBot: false, names: inGroup.names });
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('gives what it understood to the handler in a form that the handler takes', () => {
    const long = '很长'.repeat(400);
    const longer = [
      ...[
        '服务 扫地 1小时',
        '驳回 #231',
        '撤销 #231',
        '加分 张三 5分',
        '申诉 #388',
        '积分兑换',
        '报到 王秀兰',
        '绑定码',
      ].map((text) => `${text} ${long}`),
      `服务 ${Array.from({ length: 15 }, (_, i) => `${i + 1}、扫地10分钟`).join(' ')}`,
      `服务 ${'张三李四王秀兰'.repeat(9)} 扫地 1小时`,
      `通过 ${Array.from({ length: 60 }, (_, i) => 231 + i).join(' ')}`,
      `驳回 ${Array.from({ length: 60 }, (_, i) => 231 + i).join(' ')} 重复`,
    ];
    for (const text of [...lines, ...longer])
      for (const context of [inGroup, inPrivate, { ...inPrivate, role: 'leader' }]) {
        const { intent, slots, grammar } = read(text, context);
        if (!grammar || intent === 'ask' || intent.startsWith('reject.') || intent !== grammar.intent) continue;
        const { needsConfirm: _needsConfirm, missing: _missing, ...given } = slots;
        expect([text, grammar.slots.safeParse(given).success]).toEqual([text, true]);
      }
  });

  it.each([
    '@网格小助手 积分',
    '@网格小助手\u2005积分',
    '积分@网格小助手',
    '@网格小助手积分',
    '＠网格小助手：积分',
    '@小格 积分',
  ])('sees the mention in %j', (text) => expect(read(text)).toMatchObject({ intent: 'points.balance', slots: {} }));

  it('helps with near words where it is addressed and does not understand', () => {
    expect(read('@网格小助手 记分')).toMatchObject({ intent: 'points.balance' });
    const { intent, slots } = read('@网格小助手 排形榜单');
    expect(intent).toBe('unknown');
    expect(slots['suggestions']).toContain('排行');
    expect(read('排形榜单').intent).toBe('ignore');
  });

  it('a bare mention is a call for help, a picture with a mention is not', () => {
    expect(read('@网格小助手').intent).toBe('help');
    expect(read('[图片]').intent).toBe('ignore');
  });

  it('two grammars that claim one word are refused by name', () => {
    const other: Grammar = { intent: 'other.thing', words: ['积分'], slots: z.object({}), read: () => undefined };
    expect(() => createReader([...grammars, other], { botNames: [] })).toThrow(/积分.*points\.balance.*other\.thing/);
  });
});

describe('an answer to a question', () => {
  const answer = (grammar: Grammar, kept: Record<string, unknown>, text: string) =>
    grammar.answer?.(kept, reader.phrase(said(text)), inGroup);

  it('completes a report that had no length', () => {
    const kept = { reports: [{ item: '环境整治' }], missing: ['minutes'] };
    for (const text of ['2小时', '两小时', '2', '120分钟', '两个小时'])
      expect(answer(serviceReport, kept, text)).toEqual({
        intent: 'service.report',
        slots: { reports: [{ item: '环境整治', minutes: 120 }] },
      });
  });

  it('completes a report that had nothing', () => {
    expect(answer(serviceReport, { missing: ['item', 'minutes'] }, '扫地两小时')).toMatchObject({
      intent: 'service.report',
      slots: { reports: [{ item: '环境整治', minutes: 120 }] },
    });
  });

  it('goes on asking for what is still missing', () => {
    expect(answer(serviceReport, { missing: ['item', 'minutes'] }, '巡逻')).toMatchObject({
      intent: 'ask',
      slots: { reports: [{ item: '治安巡逻' }], missing: ['minutes'] },
    });
  });

  it('completes a report whose day was not told', () => {
    const asked = read('服务 上周末 扫地 2小时');
    expect(asked).toMatchObject({ intent: 'ask', slots: { missing: ['date'] } });
    expect(answer(serviceReport, asked.slots, '上周六')).toMatchObject({
      intent: 'service.report',
      slots: { reports: [{ item: '环境整治', minutes: 120, date: '2026-11-21' }] },
    });
    expect(answer(serviceReport, asked.slots, '你好')).toBeUndefined();
  });

  it('takes a sentence that says more than it understands only after a yes', () => {
    const asked = read('@网格小助手 3号楼的灯修了2小时');
    expect(asked).toMatchObject({ intent: 'ask', slots: { missing: ['confirm'] } });
    expect(answer(serviceReport, asked.slots, '对')).toMatchObject({
      intent: 'service.report',
      slots: { reports: [{ item: '义务维修', minutes: 120 }] },
    });
  });

  it('refuses what nobody can have done', () => {
    expect(answer(serviceReport, { reports: [{ item: '义诊' }], missing: ['minutes'] }, '20小时')?.intent).toBe(
      'reject.implausible',
    );
  });

  it('takes a yes, or another length, for a guess', () => {
    const kept = { reports: [{ item: '环境整治', minutes: 240 }], missing: ['confirm'] };
    for (const yes of ['对', '是的', '确认', '嗯', '好的'])
      expect(answer(serviceReport, kept, yes)).toEqual({ intent: 'service.report', slots: { reports: kept.reports } });
    expect(answer(serviceReport, kept, '三小时')).toMatchObject({ slots: { reports: [{ minutes: 180 }] } });
    expect(answer(serviceReport, kept, '今天天气不错')).toBeUndefined();
  });

  it('leaves chatter alone', () => {
    expect(answer(serviceReport, { reports: [{ item: '义诊' }], missing: ['minutes'] }, '大家吃了吗')).toBeUndefined();
    expect(answer(checkIn.checkIn, { missing: ['name'] }, '你们好呀')).toBeUndefined();
  });

  it('takes the name and the tail of a check-in', () => {
    expect(answer(checkIn.checkIn, { missing: ['name'] }, '王秀兰 8821')).toEqual({
      intent: 'checkIn.request',
      slots: { name: '王秀兰', phoneTail: '8821' },
    });
    expect(answer(checkIn.checkIn, { name: '王秀兰', missing: ['phoneTail'] }, '八八二一')).toEqual({
      intent: 'checkIn.request',
      slots: { name: '王秀兰', phoneTail: '8821' },
    });
  });

  it('takes the reason of a rejection', () => {
    expect(answer(review.reject, { no: 231, missing: ['reason'] }, '照片不清楚')).toEqual({
      intent: 'review.reject',
      slots: { no: 231, reason: '照片不清楚' },
    });
  });
});
