import { describe, expect, it } from '@jest/globals';
import { looksLikeName } from '../../../src/bot/language/names.js';
import { nearWords } from '../../../src/bot/language/near-words.js';
import { soundOf } from '../../../src/bot/language/pinyin.js';
import { findUnit } from '../../../src/bot/language/places.js';

describe('a name', () => {
  it.each(['王秀兰', '张三', '欧阳慧', '司马青', '买买提·艾力', '阿依古丽·买买提', '诸葛孔明'])(
    '%s could be one',
    (text) => expect(looksLikeName(text)).toBe(true),
  );
  it.each(['老伴', '李奶奶们好', '3号楼', '王', 'Tom', '', '你好', '巡逻'])('%j is none', (text) =>
    expect(looksLikeName(text)).toBe(false),
  );
});

describe('a unit', () => {
  it.each([
    ['3号楼2单元', '3号楼2单元'],
    ['三栋二单元', '3号楼2单元'],
    ['3幢', '3号楼'],
    ['住十二号楼', '12号楼'],
    ['三网格', '第三网格'],
    ['第3网格', '第三网格'],
    ['第十二网格', '第十二网格'],
    ['全社区', '本社区'],
    ['咱们社区', '本社区'],
    ['我们网格', '本网格'],
    ['本楼', '本楼'],
  ])('%s is %s', (text, unit) => expect(findUnit(text)?.name).toBe(unit));
  it.each(['3号', '网格员', '12月', '七楼', '多功能厅'])('%s is none', (text) =>
    expect(findUnit(text)).toBeUndefined(),
  );
});

describe('near words', () => {
  const words = ['服务', '报到', '积分', '排行', '通过', '帮助', '待办'];
  it('sound alike, whatever the character', () => {
    expect(soundOf('爆到')).toBe(soundOf('报到'));
    expect(soundOf('服物')).toBe(soundOf('服务'));
    expect(nearWords('暴到 张三', words)[0]).toBe('报到');
  });
  it('are three at most, and none for what is far', () => {
    expect(nearWords('服物', words).length).toBeLessThanOrEqual(3);
    expect(nearWords('今天天气真不错', words)).toEqual([]);
    expect(nearWords('', words)).toEqual([]);
  });
});
