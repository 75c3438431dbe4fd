import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asMarkdown, splitText, withoutMention } from '../../../src/channels/wecom/text.js';

describe('texts for WeCom', () => {
  it('pieces stay within the bytes, cut no sign in two, and lose nothing but the line end they are cut at', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '网', '😀', '\n', 'é'), maxLength: 400 }),
        fc.integer({ min: 4, max: 200 }),
        (text, bytes) => {
          const pieces = splitText(text, bytes);
          for (const piece of pieces) {
            expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(bytes);
            expect(piece).not.toMatch(/\p{Surrogate}/u);
          }
          expect(pieces.join('').replaceAll('\n', '')).toBe(text.replaceAll('\n', ''));
        },
      ),
    );
    expect(splitText('一二三\n四五六', 12)).toEqual(['一二三', '四五六']);
  });

  it('marks are shown as they stand, addresses can be tapped', () => {
    expect(asMarkdown('#12 王* 2小时\n# 标题\n> 引用 a_b https://a.example/x_y*z')).toBe(
      '#12 王＊ 2小时\n＃ 标题\n＞ 引用 a＿b https://a.example/x_y*z',
    );
  });

  it.each([
    ['@网格小助手 签到', '签到'],
    ['@网格小助手\u2005签到', '签到'],
    ['服务 扫地 @网格小助手 2小时', '服务 扫地 2小时'],
    ['@网格小助手', ''],
    ['@小格 @张三 服务', '@张三 服务'],
    ['@网格小助手们 好', '好'],
    ['签到', '签到'],
  ])('%j without the mention is %j', (text, rest) => {
    expect(withoutMention(text, ['网格小助手'])).toBe(rest);
  });
});
