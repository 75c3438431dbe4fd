import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Chat, GROUP } from './community.js';
import { networks } from './networks/index.js';

describe.each(networks)('服务: a member reports, a leader confirms, points appear (%s)', (_network, network) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await Chat.start(network());
  });
  afterAll(() => chat.stop());

  it('a report in the group is answered with its number, what was understood and who confirms; the name is masked', async () => {
    const answer = await chat.inGroup('王秀兰', '服务 环境整治 2小时 清理三号楼楼道');
    expect(answer).toMatch(/^已登记，待3号楼组长董\*审核\n#\d+ 王\* 环境整治 2小时（11月25日 周三）/);
    const no = Chat.number(answer);
    expect(await chat.says('董兰', '待办')).toContain(`#${no} 王秀兰 环境整治 2小时`);
    expect(await chat.inGroup('董兰', `通过 #${no}`)).toBe(`#${no} 王* 已通过，+4分`);
    expect(await chat.says('王秀兰', '积分')).toMatch(
      /^积分：2026年下半年 4 分，累计 4 分\n最近几笔：\n\+4 志愿服务（C01）/,
    );
  });

  it('chatter is ignored and not stored', async () => {
    const before = await chat.app.store.connection.collection('interactions').countDocuments();
    for (const text of ['大家中午吃啥', '服务态度真好', '积分什么时候公布啊', '通过了驾照考试开心'])
      expect(await chat.inGroup('王秀兰', text, { mentionsBot: false })).toBe('');
    expect(await chat.app.store.connection.collection('interactions').countDocuments()).toBe(before);
  });

  it('the same message delivered three times, also at once, is one record and one answer', async () => {
    const send = (): Promise<string> => chat.inGroup('张三', '服务 巡逻 1小时', { messageId: 'thrice' });
    await Promise.all([send(), send()]);
    await send();
    const shown = await chat.network.shownIn(GROUP);
    expect(shown.filter((text) => text.includes('张* 治安巡逻 1小时'))).toHaveLength(1);
    expect(await chat.app.store.models.serviceReports.countDocuments({ member: '张三' })).toBe(1);
  });

  it('what is missing is asked for, and the answer completes the report', async () => {
    expect(await chat.inGroup('李四', '服务 护学')).toBe('做了多长时间？例如：2小时、40分钟');
    expect(await chat.inGroup('李四', '今天天气不错', { mentionsBot: false })).toBe('');
    expect(await chat.inGroup('李四', '40分钟')).toContain('李* 护学 40分钟');
  });

  it('a vague duration is asked back: 对 takes it, another length replaces it', async () => {
    chat.later(60 * 24);
    expect(await chat.says('李四', '服务 半天 清理河道')).toContain('环境整治 约4小时');
    expect(await chat.says('李四', '对')).toContain('环境整治 4小时');
    expect(await chat.says('李四', '服务 一上午 巡逻')).toContain('治安巡逻 约3小时');
    expect(await chat.says('李四', '2小时')).toContain('治安巡逻 2小时');
  });

  it('取消 ends a question, ten minutes without an answer end it politely', async () => {
    await chat.says('张三', '服务 护学');
    expect(await chat.says('张三', '取消')).toBe('好的，已取消');
    chat.at('2026-11-27T10:00:00+08:00');
    await chat.says('张三', '服务 护学');
    chat.later(11);
    expect(await chat.says('张三', '40分钟')).toContain('没有听懂');
  });

  it.each([
    ['服务 扫地 15小时', '时长不对（15小时）：一天在0到12小时之间，没有登记。请改一下再发'],
    ['服务 扫地 0小时', '时长不对（0分钟）：一天在0到12小时之间，没有登记。请改一下再发'],
    ['服务 明天 扫地 2小时', '还没到的日子不能登记，做完了再发给我'],
    ['服务 11月2日 扫地 2小时', '11月2日 周一是7天以前了，超过了自己登记的期限。请联系社区书记补登'],
  ])('%s is refused with the reason', async (text, answer) => {
    expect(await chat.says('王秀兰', text)).toBe(answer);
  });

  it('more than twelve hours on one day in sum are refused, also when they come at once', async () => {
    chat.at('2026-11-28T20:00:00+08:00');
    const answers = await Promise.all([
      chat.says('王秀兰', '服务 扫地 7小时'),
      chat.inGroup('王秀兰', '服务 巡逻 7小时'),
    ]);
    expect(answers.filter((a) => a.startsWith('已登记'))).toHaveLength(1);
    expect(answers.filter((a) => a.includes('就超过12小时了'))).toHaveLength(1);
  });

  it('several items in one message are several records, answered in one reply', async () => {
    chat.at('2026-11-30T09:00:00+08:00');
    const answer = await chat.inGroup('王秀兰', '服务 1、巡逻1小时 2、守桶半小时');
    expect(answer).toMatch(/^已登记 2 条/);
    expect(answer).toContain('治安巡逻 1小时');
    expect(answer).toContain('垃圾分类 30分钟');
  });

  it('a report for another member is told to that member in private', async () => {
    expect(await chat.inGroup('王秀兰', '服务 我和张三 清理绿化带 1小时')).toMatch(/已登记 2 条/);
    expect((await chat.told('张三')).at(-1)).toMatch(/^王秀兰替您登记了服务 #\d+：环境整治 1小时/);
    expect(await chat.inGroup('王秀兰', '服务 和钱多多一起 扫地 1小时')).not.toContain('钱多多');
  });

  it('a picture within ten minutes before or after is evidence of the report', async () => {
    chat.later(60);
    expect(await chat.inGroup('王秀兰', '', { attachments: ['before.png'] })).toBe('');
    chat.later(5);
    const answer = await chat.inGroup('王秀兰', '服务 护学 1小时');
    expect(answer).toContain('附照片 1 张');
    chat.later(9);
    expect(await chat.inGroup('王秀兰', '', { attachments: ['after.png'] })).toBe(`照片已附到 #${Chat.number(answer)}`);
    const report = await chat.app.store.models.serviceReports.findById(Chat.number(answer)).lean();
    expect(report?.evidence).toHaveLength(2);
    chat.later(30);
    expect(await chat.inGroup('王秀兰', '', { attachments: ['late.png'] })).toBe('');
  });

  it('a stranger is told how to check in, and nothing is recorded', async () => {
    expect(await chat.inGroup('路人', '服务 扫地 2小时')).toContain('请先报到');
    expect(await chat.says('王秀兰', '服务 扫地 2小时', { room: 'unbound' })).toContain('本群还没有绑定网格');
  });

  it('a whole phone number in a note is masked before the report is stored', async () => {
    chat.at('2026-12-01T09:00:00+08:00');
    const answer = await chat.says('张三', '服务 护学 30分钟 家长电话13800000001');
    expect(answer).not.toContain('13800000001');
    const report = await chat.app.store.models.serviceReports.findById(Chat.number(answer)).lean();
    expect(report?.note).toBe('家长电话*******0001');
  });

  it('whole phone numbers are masked before a message is stored', async () => {
    await chat.says('路人', '报到 张无忌 13800000001');
    const stored = await chat.app.store.connection
      .collection('interactions')
      .findOne({ person: '路人', intent: 'checkIn.request' });
    expect(stored?.['text']).toBe('报到 张无忌 *******0001');
    expect(JSON.stringify(stored)).not.toContain('13800000001');
  });
});
