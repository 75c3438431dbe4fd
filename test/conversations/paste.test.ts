import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Chat } from './community.js';
import { networks } from './networks/index.js';

const lines = (...all: string[]): string => all.join('\n');

describe.each(networks)('粘贴、入账: what a group without the bot said becomes records (%s)', (_network, network) => {
  let chat: Chat;
  let day = 1;
  beforeAll(async () => {
    chat = await Chat.start(network());
  });
  afterAll(() => chat.stop());
  // A day of its own for each: the limits of a day and earlier reports play no part.
  beforeEach(() => {
    day += 1;
    chat.at(`2026-12-${String(day).padStart(2, '0')}T10:00:00+08:00`);
  });
  const today = (): string => `12月${day}日`;
  const count = (): Promise<number> => chat.app.store.models.serviceReports.countDocuments();

  it('粘贴 asks for the excerpt, shows what it reads, and records nothing before 入账', async () => {
    const before = await count();
    expect(await chat.says('李书记', '粘贴')).toContain('请把群里的回复贴过来');
    const preview = await chat.says('李书记', lines('张三：服务 扫地 2小时', '李四：护学 40分钟', '王秀兰：好的收到'));
    expect(preview).toBe(
      lines(
        '读出 2 条，还没有登记，请核对：',
        `1. 张三 环境整治 2小时（${today()} 周三）`,
        `2. 李四 护学 40分钟（${today()} 周三）`,
        '另有 1 句不是服务登记',
        '都对就回复「入账」，不要的发「去掉 2」；24小时内有效',
      ),
    );
    expect(await count()).toBe(before);
    const entered = await chat.says('李书记', '入账');
    expect(entered).toMatch(/^已入账 2 条，待审核\n#\d+ 张三 环境整治 2小时（.*）\n#\d+ 李四 护学 40分钟（.*）\n/);
    expect(await count()).toBe(before + 2);
    expect((await chat.told('张三')).at(-1)).toMatch(/^李书记替您登记了服务 #\d+：环境整治 2小时/);
  });

  it('入账 twice records once and says when', async () => {
    await chat.says('李书记', lines('粘贴', '张三 巡逻1小时'));
    const first = Chat.number(await chat.says('李书记', '入账'));
    const before = await count();
    chat.later(3);
    expect(await chat.says('李书记', '入账')).toBe(`已于 ${today()} 周四 10:00 入账（#${first}），没有重复登记`);
    expect(await count()).toBe(before);
  });

  it('two 入账 at the same moment are one', async () => {
    await chat.says('李书记', lines('粘贴', '张三 巡逻1小时', '李四 巡逻1小时'));
    const before = await count();
    await Promise.all([
      chat.says('李书记', '入账', { messageId: `same-${day}` }),
      chat.says('李书记', '入账', { messageId: `same-${day}` }),
      chat.says('李书记', '入账'),
    ]);
    expect(await count()).toBe(before + 2);
  });

  it('messages as WeChat copies them, of today and of other days: 今天 is the day on which it was said', async () => {
    const preview = await chat.says(
      '李书记',
      lines(
        '粘贴',
        `张三 2026/12/${day - 1} 20:15`,
        '@网格小助手 服务 扫地 2小时',
        '清理了三号楼楼道',
        '',
        `李四 2026/12/${day - 1} 20:16:05`,
        '今天护学40分钟',
        '王秀兰 09:12',
        '昨天守桶一小时',
        '3号楼董兰 09:13',
        '谢谢大家',
      ),
    );
    expect(preview).toContain(`1. 张三 环境整治 2小时（12月${day - 1}日`);
    expect(preview).toContain(`2. 李四 护学 40分钟（12月${day - 1}日`);
    expect(preview).toContain(`3. 王秀兰 垃圾分类 1小时（12月${day - 1}日`);
    expect(preview).toContain('另有 1 句不是服务登记');
  });

  it('a 接龙 list, with the lines that others had copied before counted once', async () => {
    const list = ['#接龙', '周六大扫除', '1. 张三 扫地2小时', '2、李四 扫地2小时'];
    const preview = await chat.says(
      '李书记',
      lines('粘贴', '张三 09:01', ...list.slice(0, 3), '李四 09:05', ...list, '3. 王秀兰 扫地'),
    );
    expect(preview).toMatch(/1\. 张三 环境整治 2小时.*\n2\. 李四 环境整治 2小时/);
    expect(preview).toContain('张三 环境整治 2小时——和前面的一条重复');
    expect(preview).toContain('没写做了什么或多长时间');
    expect(await chat.says('李书记', lines('粘贴', ...list))).toMatch(/^读出 2 条/);
  });

  it.each([
    ['钱多多：扫地 2小时', '钱多多 环境整治 2小时——名册里没有这个人'],
    ['孙丽：扫地 2小时', '孙丽 环境整治 2小时——名册里有几位同名，分不清'],
    ['赵书记：扫地 2小时', '赵书记 环境整治 2小时——不在您负责的范围'],
    ['张三：扫地', '张三：扫地——没写做了什么或多长时间'],
    ['张三：扫地 半天', '张三：扫地 半天——时长或项目说得不确定'],
    ['张三：明天扫地 2小时', '张三：明天扫地 2小时——还没到的日子'],
    ['张三：扫地 15小时', '张三：扫地 15小时——时长不对，一天在0到12小时之间'],
    ['张三：11月3日扫地 2小时', '张三 环境整治 2小时——7天以前的，超过了登记期限'],
    ['扫地 2小时', '扫地 2小时——看不出是谁'],
  ])('never guesses: %j is left out with the reason', async (said, reason) => {
    const preview = await chat.says('李书记', lines('粘贴', said, '李四：护学 40分钟'));
    expect(preview).toContain(`・${reason}`);
    expect(preview).toMatch(/^读出 1 条/);
    const alone = await chat.says('李书记', lines('粘贴', said));
    expect(alone).toMatch(/^没有读出可以登记的服务/);
    expect(alone).toContain(`・${reason}`);
  });

  it('a time of day that is still to come tells no day', async () => {
    const preview = await chat.says('李书记', lines('粘贴', '张三 22:30', '扫地 2小时', '李四 09:30', '护学 40分钟'));
    expect(preview).toContain('・张三：扫地 2小时——看不出是哪一天');
    expect(preview).toMatch(/^读出 1 条.*\n1\. 李四 护学 40分钟/);
  });

  it('a quoted message is not its quoter’s, and a line of another in a message counts for whom it names', async () => {
    const quote = lines('张三 09:01', '「李四：谁扫过地2小时了」', '- - - - - - - - - - - - - - -', '我护学 1小时');
    const preview = await chat.says('李书记', lines('粘贴', quote, '王秀兰 09:02', '巡逻 1小时', '李四：护学 2小时'));
    expect(preview).toMatch(/^读出 3 条.*\n1\. 张三 护学 1小时.*\n2\. 王秀兰 治安巡逻 1小时.*\n3\. 李四 护学 2小时/);
  });

  it('a card name with building and door is the one member it names', async () => {
    const preview = await chat.says('李书记', lines('粘贴', '3号楼张三：扫地 1小时', '李四(7-201)：扫地 1小时'));
    expect(preview).toMatch(/1\. 张三 环境整治 1小时.*\n2\. 李四 环境整治 1小时/);
  });

  it('what is recorded already is shown and left out', async () => {
    const number = Chat.number(await chat.says('张三', '服务 扫地 2小时'));
    const preview = await chat.says('李书记', lines('粘贴', '张三：扫地 2小时', '张三：扫地 1小时'));
    expect(preview).toContain(`张三 环境整治 2小时——已经登记过（#${number}）`);
    expect(preview).toContain('1. 张三 环境整治 1小时');
  });

  it('a preview that no longer holds is shown anew, and nothing is recorded', async () => {
    await chat.says('李书记', lines('粘贴', '张三：扫地 2小时', '李四：护学 1小时'));
    const number = Chat.number(await chat.says('张三', '服务 扫地 2小时'));
    const before = await count();
    const answer = await chat.says('李书记', '入账');
    expect(answer).toMatch(/^刚才的预览之后情况有变化，什么也没有登记/);
    expect(answer).toContain(`已经登记过（#${number}）`);
    expect(await count()).toBe(before);
    expect(await chat.says('李书记', '入账')).toMatch(/^已入账 1 条/);
  });

  it('twelve hours a day hold for what is pasted as well', async () => {
    const preview = await chat.says('李书记', lines('粘贴', '张三：扫地 7小时', '张三：巡逻 6小时'));
    expect(preview).toContain('张三 治安巡逻 6小时——这一天合起来超过12小时（已有7小时）');
  });

  it('去掉 leaves lines out; the last one ends the preview', async () => {
    await chat.says('李书记', lines('粘贴', '张三：扫地 2小时', '李四：护学 1小时'));
    expect(await chat.says('李书记', '去掉 3')).toBe('预览里没有第 3 条（一共 2 条）');
    expect(await chat.says('李书记', '去掉 1')).toMatch(/^读出 1 条.*\n1\. 李四 护学 1小时/);
    expect(await chat.says('李书记', '去掉1')).toBe('一条也不剩了，预览已取消，什么也没有登记');
    expect(await chat.says('李书记', '入账')).toContain('没有等您入账的内容');
  });

  it('撤回 within two minutes takes all of it back, and the preview waits again', async () => {
    await chat.says('李书记', lines('粘贴', '张三：扫地 2小时', '李四：护学 1小时'));
    await chat.says('李书记', '入账');
    expect(await chat.says('李书记', '撤回')).toMatch(/^已撤回 #\d+、#\d+，预览还在/);
    expect(await chat.says('李书记', '入账')).toMatch(/^已入账 2 条/);
  });

  it('a preview is its leader’s, holds a day, and no one else may paste', async () => {
    await chat.says('李书记', lines('粘贴', '张三：扫地 2小时'));
    expect(await chat.says('董兰', '入账')).toContain('没有等您入账的内容');
    expect(await chat.says('张三', lines('粘贴', '张三：扫地 2小时'))).toContain('只有网格长、楼栋组长可以用');
    expect(await chat.says('董兰', lines('粘贴', '李四：扫地 2小时'))).toContain('不在您负责的范围');
    chat.later(24 * 60);
    expect(await chat.says('李书记', '入账')).toContain('预览超过24小时了');
  });

  it('marked lines need no word before them', async () => {
    expect(await chat.says('李书记', lines('张三：扫地 2小时', '李四：护学 1小时'))).toMatch(/^读出 2 条/);
    expect(await chat.says('李书记', lines('张三 09:10', '扫地 2小时'))).toMatch(/^读出 1 条/);
  });

  it('转发稿 gives text for the group: names masked, alone in its message, pictures with it', async () => {
    await chat.says('李书记', lines('粘贴', '张三：扫地 2小时 电话13800000001', '李四：护学 1小时'));
    await chat.says('李书记', '入账');
    const draft = await chat.says('李书记', '转发稿');
    expect(draft).toMatch(/^【志愿服务】\n#\d+ 张\* 环境整治 2小时（.*） 待审核\n#\d+ 李\* 护学 1小时（.*） 待审核$/);
    expect(draft).not.toMatch(/张三|李四|138/);
    const number = Chat.number(draft);
    await chat.says('李书记', `通过 #${number}`);
    expect(await chat.says('李书记', `转发稿 ${number}`)).toContain('已通过');
    expect(await chat.says('赵书记', `转发稿 #${number}`)).toContain('没有可以转发的内容');
    expect(await chat.says('李书记', `转发稿 #${number} #99999`)).toMatch(/已通过\n---\n#99999 没有可以转发的内容/);
    await chat.inGroup('王秀兰', '服务 护学 1小时', { attachments: ['gate.png'] });
    const withPicture = await chat.app.store.models.serviceReports
      .findOne({ member: '王秀兰' })
      .sort({ _id: -1 })
      .lean();
    await chat.says('李书记', `转发稿 #${withPicture?._id}`);
    const sent = await chat.app.store.connection.collection('outbox').findOne({ text: /^【志愿服务】\n#\d+ 王\*/ });
    expect(sent?.['attachments']).toHaveLength(1);
  });

  it('in a group the words of this script are silence, unless the bot is addressed', async () => {
    expect(await chat.inGroup('李书记', '入账', { mentionsBot: false })).toBe('');
    expect(await chat.inGroup('李书记', '粘贴', { mentionsBot: true })).toContain('请私聊我发');
  });
});
