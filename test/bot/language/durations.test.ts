import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type FoundDuration, findDurations } from '../../../src/bot/language/durations.js';
import { normalise } from '../../../src/bot/language/normalise.js';

/** The only length of time of a text. */
function only(text: string): FoundDuration | undefined {
  const [found, another] = findDurations(normalise(text));
  return another ? undefined : found;
}
const minutes = (text: string): number | undefined => only(text)?.minutes;

describe('a length of time', () => {
  it.each([
    ['两个半小时', 150],
    ['一个半钟头', 90],
    ['半个钟', 30],
    ['半小时', 30],
    ['三刻钟', 45],
    ['一刻钟', 15],
    ['2h30', 150],
    ['2.5H', 150],
    ['2小时30分', 150],
    ['1小时20', 80],
    ['一小时四十五', 105],
    ['一个小时又一刻', 75],
    ['半拉钟头', 30],
    ['从七点守到八点半', 90],
    ['8-10点', 120],
    ['2-4点', 120],
    ['150min', 150],
    ['1個半小時', 90],
    ['九十分鐘', 90],
    ['一百二十分钟', 120],
    ['俩小时', 120],
    ['两点五小时', 150],
    ['一小时半', 90],
    ['两小时一刻钟', 135],
    ['2小时零5分', 125],
    ['1 小时 30 分', 90],
    ['0.5小时', 30],
    ['0小时', 0],
    ['１．５小时', 90],
    ['9点到11点半', 150],
    ['19:00-20:30', 90],
    ['7点半到8点15', 45],
    ['下午2点到4点', 120],
    ['晚上10点到12点', 120],
    ['晚上11点到1点', 120],
    ['上午10点到1点', 180],
    ['早上7点一刻至8点', 45],
    ['守桶 1:30', 90],
    ['中午12点到1点', 60],
  ])('%s is %d minutes', (text, n) => {
    expect(minutes(text)).toBe(n);
    expect(only(text)?.vague).toBe(false);
  });

  it.each([
    ['半天', 240],
    ['大半天', 300],
    ['一上午', 180],
    ['一下午', 180],
    ['一整个上午', 180],
    ['一晚上', 120],
    ['一天', 480],
    ['一整天', 480],
    ['个把小时', 60],
    ['一个多小时', 60],
    ['两个来小时', 120],
    ['快两小时', 120],
    ['小两个小时', 120],
    ['1到2小时', 60],
    ['两到三个小时', 120],
    ['三十到四十分钟', 30],
    ['大半个小时', 30],
    ['差不多两个小时', 120],
    ['两小时左右', 120],
    ['三四个小时', 180],
    ['一两个小时', 60],
    ['半个多小时', 30],
    ['四十来分钟', 40],
    ['2-3小时', 120],
    ['不到两小时', 120],
    ['两个小时多', 120],
    ['个半小时', 90],
    ['四五十分钟', 40],
    ['十五六分钟', 15],
  ])('%s is taken at %d minutes and asked back', (text, n) => {
    expect(minutes(text)).toBe(n);
    expect(only(text)?.vague).toBe(true);
  });

  it.each([
    '30人次',
    '几十分钟',
    '老半天',
    '7位老人',
    '12栋',
    '90岁',
    '180码',
    '3号楼',
    '三分之一',
    '8点',
    '2号桶站',
    '十天',
    '第2小组',
    '5分满意',
  ])('%s is none', (text) => {
    if (text !== '5分满意') expect(findDurations(normalise(text))).toEqual([]);
  });

  it('is read back as it is written', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 * 60 }), (n) => {
        const [h, m] = [Math.floor(n / 60), n % 60];
        for (const text of [
          `${n}分钟`,
          ...(h > 0 ? [`${h}小时${m > 0 ? `${m}分` : ''}`, `${h}个小时${m > 0 ? `${m}分钟` : ''}`] : []),
          ...(h > 0 && m > 0 ? [`${h}h${m}min`] : []),
        ])
          expect([text, minutes(text)]).toEqual([text, n]);
      }),
    ));

  it('several are found in order and apart', () =>
    expect(findDurations('巡逻1.5h 守桶40分 然后半天').map((d) => d.minutes)).toEqual([90, 40, 240]));

  it('a length behind clock times is none of their minutes', () =>
    expect(findDurations('8点到10点 2小时').map((d) => d.minutes)).toEqual([120, 120]));

  it('is found in any text without failing, in its bounds', () =>
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom(...'半天个小时分钟点刻一两三十百12.5:到-h 上午晚'), { maxLength: 40 })
          .map((p) => p.join('')),
        (text) => {
          let last = 0;
          for (const d of findDurations(text)) {
            expect(d.from).toBeGreaterThanOrEqual(last);
            expect(d.to).toBeGreaterThan(d.from);
            expect(d.to).toBeLessThanOrEqual(text.length);
            expect(Number.isFinite(d.minutes)).toBe(true);
            last = d.to;
          }
        },
      ),
    ));
});
