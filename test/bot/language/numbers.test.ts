import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_LISTED, leadingNumbers, parseNumberList } from '../../../src/bot/language/number-lists.js';
import { parseWhole, spelledDigits } from '../../../src/bot/language/numbers.js';

const HAN = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
/** A number below 10,000 as it is said. */
function spoken(n: number): string {
  let text = '';
  let gap = false;
  for (const [unit, name] of [
    [1000, '千'],
    [100, '百'],
    [10, '十'],
    [1, ''],
  ] as const) {
    const digit = Math.floor(n / unit) % 10;
    if (digit === 0) gap = text !== '';
    else {
      text += (gap ? '零' : '') + HAN[digit] + name;
      gap = false;
    }
  }
  return text === '' ? '零' : text.replace(/^一十/, '十');
}

describe('whole numbers', () => {
  it('are read as they are said', () =>
    fc.assert(fc.property(fc.nat(9999), (n) => expect([spoken(n), parseWhole(spoken(n))]).toEqual([spoken(n), n]))));

  it.each([
    ['廿八', 28],
    ['两百', 200],
    ['二三一', 231],
    ['231', 231],
    ['', undefined],
    ['两个', undefined],
  ])('%j is %j', (text, n) => expect(parseWhole(text)).toBe(n));

  it.each([
    ['二二零八', '2208'],
    ['幺幺三五', '1135'],
    ['88二一', '8821'],
    ['八八x', undefined],
  ])('digit by digit %j is %j', (text, digits) => expect(spelledDigits(text)).toBe(digits));
});

describe('lists of numbers', () => {
  it.each([
    ['231', [231]],
    ['#231 #232 #235', [231, 232, 235]],
    ['231、232,235', [231, 232, 235]],
    ['231-235', [231, 232, 233, 234, 235]],
    ['231到233', [231, 232, 233]],
    ['231号和232号', [231, 232]],
    ['#231-#233', [231, 232, 233]],
    ['231~232 235', [231, 232, 235]],
    ['231,231', [231]],
    ['231/232', [231, 232]],
    ['231.232', [231, 232]],
    ['11.20', undefined],
    ['二百三十一号、第232条', [231, 232]],
    ['235-231', undefined],
    ['231-99999', undefined],
    ['3号楼', undefined],
    ['', undefined],
  ])('%j is %j', (text, list) => expect(parseNumberList(text)).toEqual(list));

  it('are never longer than what a person means', () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(999_999).map(String), fc.constantFrom('-', '到', '、', ' ', '#'))),
        (parts) => {
          expect((parseNumberList(parts.join('')) ?? []).length).toBeLessThanOrEqual(MAX_LISTED);
          expect((leadingNumbers(parts.join(''))?.numbers ?? []).length).toBeLessThanOrEqual(MAX_LISTED);
        },
      ),
    ));

  it.each([
    ['231通过', { numbers: [231], rest: '通过' }],
    ['#231写错了 撤销', { numbers: [231], rest: '写错了 撤销' }],
    ['231 2小时太长', { numbers: [231], rest: ' 2小时太长' }],
    ['231 3号楼没去', { numbers: [231], rest: ' 3号楼没去' }],
    ['二百三十一号通过', { numbers: [231], rest: '通过' }],
    ['二百三十一通过', { numbers: [231], rest: '通过' }],
    ['231跟232都通过', { numbers: [231, 232], rest: '都通过' }],
    ['第231条 重复', { numbers: [231], rest: ' 重复' }],
    ['三号楼停水', undefined],
    ['231-233通过', { numbers: [231, 232, 233], rest: '通过' }],
    ['2小时了还没来电', undefined],
    ['3号楼停水', undefined],
    ['90岁了', undefined],
  ])('at the head of %j is %j', (text, found) => expect(leadingNumbers(text)).toEqual(found));
});
