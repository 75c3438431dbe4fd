import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { maskNumbers, normalise, splitQuote, takeMentions } from '../../../src/bot/language/normalise.js';

describe('normalise', () => {
  it.each([
    ['報到　陳桂芳　４４０２', '报到 陈桂芳 4402'],
    ['签　　到', '签到'],
    ['报 到 王秀兰 8 8 2 1', '报到 王秀兰 8821'],
    ['①巡逻1.5h②守桶40分', '1、巡逻1.5h\n2、守桶40分'],
    ['1️⃣王秀兰 2️⃣张三', '1、王秀兰\n2、张三'],
    ['积分？？？', '积分?'],
    ['积分🌹👍🏻', '积分'],
    ['签到[玫瑰]', '签到'],
    ['[签到]', '签到'],
    ['[图片]', ''],
    ['服务\u2005义诊\u200b 1小时', '服务 义诊 1小时'],
    ['通过＃２３１', '通过#231'],
    ['7:00—8:30', '7:00-8:30'],
    ['义诊 1 小时 30 分', '义诊 1小时 30分'],
  ])('writes %j as %j', (raw, plain) => expect(normalise(raw)).toBe(plain));

  it('applied twice changes nothing more', () => {
    const parts = fc.constantFrom(
      ...'[]「」【】①②🌹👍\ud83d\u200d\u2005\u3000\n-—~,。;!?:.#@ 服务签到12個小時',
      '[玫瑰]',
      '小时',
      '\r\n',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(parts, { maxLength: 30 }).map((p) => p.join('')),
    );
    fc.assert(
      fc.property(text, (raw) => {
        const once = normalise(raw);
        expect(normalise(once)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a quoted answer', () => {
  it.each(['- - - - - - - - - -', '——————', '-----', '－－－－', '———————————————'])(
    'is split at the divider %j',
    (divider) =>
      expect(splitQuote(`「书记：明早9点开会\n别迟到」\n${divider}\n收到`)).toEqual({
        quote: '书记：明早9点开会\n别迟到',
        answer: '收到',
      }),
  );

  it('is none without a divider', () => expect(splitQuote('「书记」好').quote).toBeUndefined());
});

describe('mentions', () => {
  it('finds the bot anywhere and keeps the others', () =>
    expect(takeMentions('@张三 积分 @小格', ['网格小助手', '小格'])).toEqual({
      text: '@张三 积分',
      bot: true,
      others: ['张三'],
    }));
});

describe('maskNumbers', () => {
  it.each([
    ['报到 王秀兰 13800000001', '报到 王秀兰 *******0001'],
    ['电话138-0000-0001。', '电话*******0001。'],
    ['电话 138 0000 0001', '电话 *******0001'],
    ['+86 13800000001', '*******0001'],
    ['身份证110101199003078888', '身份证**************8888'],
    ['身份证11010119900307888X', '身份证**************888X'],
    ['报到 8821 服务 2026-11-25', '报到 8821 服务 2026-11-25'],
    ['手机１３８００００００１２', '手机*******0012'],
  ])('writes %j as %j', (text, masked) => expect(maskNumbers(text)).toBe(masked));

  it('leaves no run of eleven digits that begins like a mobile number', () =>
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^1[3-9]\d{9}$/), fc.string(), (before, mobile, after) => {
        fc.pre(!/\d$/.test(before) && !/^\d/.test(after));
        expect(maskNumbers(`${before}${mobile}${after}`)).not.toContain(mobile);
      }),
    ));
});
