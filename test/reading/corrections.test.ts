import { describe, expect, it } from '@jest/globals';
import { readingOf } from './corpus.js';

const read = (text: string) => readingOf({ flow: 'service', text, intent: '', slots: {}, note: 'private' });

/** What a person takes back in the same breath is not recorded. */
describe('a correction within a report', () => {
  it.each([
    ['服务 巡逻1小时 不对 是2小时', { item: '治安巡逻', minutes: 120 }],
    ['服务 守桶1小时，更正：40分钟', { item: '垃圾分类', minutes: 40 }],
    ['服务 昨天 不对 前天 巡逻1小时', { item: '治安巡逻', minutes: 60, date: '2026-11-23' }],
    ['服务 巡逻2小时 说错了 是守桶2小时', { item: '垃圾分类', minutes: 120 }],
  ])('%s', (text, report) => expect(read(text)).toEqual({ intent: 'service.report', slots: { reports: [report] } }));

  it('counts for the last of its kind where several are reported', () =>
    expect(read('服务 巡逻2小时守桶1小时 不对 守桶2小时')).toMatchObject({
      intent: 'service.report',
      slots: {
        reports: [
          { item: '治安巡逻', minutes: 120 },
          { item: '垃圾分类', minutes: 120 },
        ],
      },
    }));

  it.each(['服务 巡逻1小时不是2小时', '不对，是2小时'])('%s records nothing', (text) =>
    expect(read(text).intent).not.toBe('service.report'),
  );
});

/** What others did, what was only seen or wished for, and what was suffered is nobody's report. */
describe('a sentence to the bot that names a service and a length', () => {
  it.each([
    '听老王说昨天扫雪两小时就扫完了',
    '老伴昨天守桶一小时',
    '昨天有个人来给我量血压 量了半小时',
    '我家水管修了两小时',
    '老张昨天巡逻3小时',
    '扫雪2小时是不是太长',
    '巡逻前两小时下雨了',
    '量血压两小时一次',
  ])('%s is no report', (text) => expect(read(text).intent).toBe('ignore'));

  it.each(['服务 刘建国 守桶1小时', '服务 帮刘建国报 守桶1小时'])('%s, who is no member, is asked back', (text) =>
    expect(read(text)).toMatchObject({ slots: { needsConfirm: true } }),
  );
});
