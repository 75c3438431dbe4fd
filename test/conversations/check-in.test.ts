import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Chat } from './community.js';
import { networks } from './networks/index.js';

describe.each(networks)('报到, 绑定, 我的, 积分, 帮助 (%s)', (_network, network) => {
  let chat: Chat;
  beforeAll(async () => {
    chat = await Chat.start(network());
  });
  afterAll(() => chat.stop());

  it('name and the right last four digits bind at once; a second time says when', async () => {
    expect(await chat.says('wx-sun', '报到 孙丽娟 5521')).toContain('孙丽娟 您好，已报到7号楼');
    chat.later(5);
    expect(await chat.says('wx-sun', '报到 孙丽娟 5521')).toBe('您已于 10:00 报到过了，孙丽娟');
    expect(await chat.says('wx-sun', '我的')).toContain('您是孙丽娟，直管党员，在7号楼');
  });

  it('one identity is one person, one person may have several identities', async () => {
    expect(await chat.says('wx-sun', '报到 李四 1102')).toContain('一个账号只能是一个人');
    expect(await chat.says('wecom-sun', '报到 孙丽娟 5521')).toContain('已报到7号楼');
  });

  it('several of one name: asked for the digits in private, never in the group', async () => {
    expect(await chat.inGroup('wx-li', '报到 孙丽')).toBe('为了保护您的号码，请私聊我发：报到 姓名 手机后四位');
    expect(await chat.says('wx-li', '报到 孙丽')).toContain('手机后四位');
    expect(await chat.says('wx-li', '2222')).toContain('已报到3号楼');
  });

  it('guessing ends after five wrong tries an hour', async () => {
    for (let left = 4; left >= 0; left -= 1)
      expect(await chat.says('wx-bad', '报到 王秀兰 0000')).toContain(`还可以试 ${left} 次`);
    expect(await chat.says('wx-bad', '报到 王秀兰 8821')).toContain('试错的次数太多了');
    chat.later(61);
    expect(await chat.says('wx-bad', '报到 王秀兰 8821')).toContain('已报到3号楼');
  });

  it('nobody of that name: a request that the leader settles with 同意 or 不同意', async () => {
    const no = Chat.number(await chat.inGroup('wx-new', '报到 钱多多 3344'));
    expect(await chat.inGroup('wx-new', '报到 钱多多 3344')).toBe(`您的报到申请 #${no} 还在等网格长审核`);
    expect(await chat.says('赵书记', `同意 #${no}`)).toBe(`#${no} 不在您负责的范围`);
    expect(await chat.says('李书记', '待办')).toContain(`#${no} 报到申请：钱多多 尾号3344`);
    expect(await chat.says('李书记', `同意 #${no}`)).toBe(`#${no} 已同意，钱多多报到成功`);
    expect((await chat.told('wx-new')).at(-1)).toContain('已通过，您在第三网格');
    const refused = Chat.number(await chat.says('wx-odd', '报到 郑某人 9999'));
    expect(await chat.says('周立新', `不同意 #${refused} 不住本社区`)).toBe(`#${refused} 已不同意，原因已私下告诉本人`);
    expect((await chat.told('wx-odd')).at(-1)).toContain('不住本社区');
  });

  it('for somebody else is refused politely; a question gets help', async () => {
    expect(await chat.says('王秀兰', '代张建军报到 7766')).toContain('报到要本人来发');
    expect(await chat.says('王秀兰', '怎么报到')).toContain('【报到】');
  });

  it('a group is bound by a one-time code and unbound with confirmation', async () => {
    const code = /绑定码：(\w{6})/.exec(await chat.says('赵书记', '绑定码 第一网格'))?.[1] ?? '';
    expect(await chat.says('赵书记', '绑定码 第三网格')).toContain('您不是第三网格的负责人');
    expect(await chat.says('赵书记', '绑定码 火星网格')).toContain('没有找到「火星网格」');
    expect(await chat.says('王秀兰', `绑定 ${code}`, { room: 'new' })).toContain('只有网格长');
    expect(await chat.says('赵书记', `绑定 ${code}`, { room: 'new' })).toContain('本群已绑定第一网格');
    expect(await chat.says('赵书记', `绑定 ${code}`, { room: 'other' })).toContain('已经用过了');
    expect(await chat.says('赵书记', '解绑', { room: 'new' })).toContain('要解除本群与第一网格的绑定吗');
    expect(await chat.says('赵书记', '确认', { room: 'new' })).toBe('已解除本群与第一网格的绑定');
    expect(await chat.says('王秀兰', '积分', { room: 'new' })).toContain('还没有绑定网格');
  });

  it('建群 makes a group where the network lets a program do so; elsewhere it is said how to come by one', async () => {
    const answer = await chat.says('李书记', '建群 7号楼');
    const makes = chat.network.name === 'wecom';
    expect(answer).toContain(makes ? '为7号楼建群' : '不能建群');
    expect(await chat.app.store.models.groups.countDocuments({ unit: 'b7' })).toBe(Number(makes));
    expect(await chat.inGroup('张三', '建群吧')).not.toContain('建群，共');
  });

  it('a bot that joined a group greets it once; where it hears of no joining, its first answer says how to bind', async () => {
    if (!chat.network.hearsJoins) {
      expect(await chat.says('王秀兰', '积分', { room: 'fresh' })).toContain('还没有绑定网格');
      return;
    }
    for (let i = 0; i < 2; i += 1) await chat.network.takeInto('fresh', '新群', chat.now);
    expect(await chat.network.shownIn('fresh')).toEqual([expect.stringContaining('绑定码')]);
  });

  it('help lists what this person may say here, one command in full by its word', async () => {
    expect(await chat.says('王秀兰', '帮助')).not.toContain('通过 #231');
    expect(await chat.says('李书记', '菜单')).toContain('通过 #231');
    expect(await chat.says('王秀兰', '帮助 服务')).toMatch(/^【服务】登记做了什么/);
    expect(await chat.says('王秀兰', '帮助 火箭')).toContain('没有「火箭」这个命令');
  });

  it('a near word gets a suggestion; an @mention nobody understands gets a short help', async () => {
    expect(await chat.says('王秀兰', '帮住')).toContain('您可以这样对我说');
    expect(await chat.says('王秀兰', '我的服')).toContain('您是不是想发：「我的');
    expect(await chat.inGroup('王秀兰', '@网格小助手 火星上有水吗')).toContain('没有听懂');
    expect(await chat.inGroup('王秀兰', '火星上有水吗', { mentionsBot: false })).toBe('');
  });

  it('thanks and greetings are answered politely, 取消 with nothing open says so', async () => {
    expect(await chat.says('王秀兰', '谢谢小助手🌹')).toBe('不客气');
    expect(await chat.says('王秀兰', '您好！')).toMatch(/^您好，我在/);
    expect(await chat.says('王秀兰', '取消')).toBe('没有等您回答的问题');
    expect(await chat.inGroup('王秀兰', '谢谢书记', { mentionsBot: false })).toBe('');
  });

  it('排行 shows my own place in private; names in a group only where it was turned on', async () => {
    expect(await chat.says('王秀兰', '排行')).toMatch(/^3号楼 2026年下半年：您 0 分，第 1 名（共 \d+ 人）/);
    expect(await chat.inGroup('王秀兰', '排行')).toContain('没有开启积分排行');
    const no = Chat.number(await chat.inGroup('王秀兰', '服务 扫地 2小时'));
    await chat.says('董兰', `通过 #${no}`);
    await chat.app.store.models.groups.updateOne({ unit: 'g3' }, { $set: { ranking: 'masked' } });
    const list = await chat.inGroup('张三', '排行');
    expect(list).toContain('1. 王* 4 分');
    expect(list).not.toContain('王秀兰');
  });

  it('积分 明细 in a group is sent in private; the rule of each entry is named', async () => {
    const [inGroup, inPrivate] = (await chat.inGroup('王秀兰', '积分 明细')).split('\n---\n');
    expect(inGroup).toBe('积分明细已私下发给您');
    expect(await chat.says('王秀兰', '积分明细 2020年')).toBe('还没有积分记录');
    expect(await chat.says('王秀兰', '积分明细 今年')).toContain('最近');
    expect(inPrivate).toContain('志愿服务（C01）');
    expect(await chat.says('王秀兰', '积分 李四')).toBe('只能查自己的积分');
  });

  it('a message that is too long is refused, not cut; signs and control characters do no harm', async () => {
    expect(await chat.says('王秀兰', `服务 扫地 1小时 ${'很'.repeat(3000)}`)).toContain('内容太长了');
    for (const text of ['\u0000\u0007', '服务 \u202E 扫地 １小时', '😀😀', '/', '＃', '\uD800'])
      expect(await chat.says('王秀兰', text)).not.toContain('告诉管理员');
  });
});
