import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Chat } from './community.js';
import { networks } from './networks/index.js';

describe.each(networks)('审核: leaders settle what waits, inside their unit (%s)', (_network, network) => {
  let chat: Chat;
  const report = async (person: string, text = '服务 扫地 1小时'): Promise<number> =>
    Chat.number(await chat.inGroup(person, text));
  beforeAll(async () => {
    chat = await Chat.start(network());
  });
  afterAll(() => chat.stop());

  it('a leader of another grid cannot confirm, nor can a member', async () => {
    const no = await report('王秀兰');
    expect(await chat.says('赵书记', `通过 #${no}`)).toBe(`#${no} 不在您负责的范围`);
    expect(await chat.says('张三', `通过 #${no}`)).toContain('只有网格长、楼栋组长可以用');
    expect(await chat.points('王秀兰')).toBe(0);
  });

  it('a leader’s own report goes one level up', async () => {
    const answer = await chat.inGroup('董兰', '服务 扫地 1小时');
    expect(answer).toContain('待第三网格网格长李*审核');
    const no = Chat.number(answer);
    expect(await chat.says('董兰', `通过 #${no}`)).toBe(`#${no} 是您自己的，要由上一级审核`);
    expect(await chat.says('李书记', `通过 #${no}`)).toBe(`#${no} 董兰 已通过，+2分`);
  });

  it('two leaders confirm at once: one does it, the other is told who did', async () => {
    const no = await report('张三');
    const answers = await Promise.all([chat.says('董兰', `通过 ${no}`), chat.says('李书记', `${no}通过`)]);
    expect(answers.filter((a) => a === `#${no} 张三 已通过，+2分`)).toHaveLength(1);
    expect(answers.filter((a) => a.includes('处理过了（已通过）'))).toHaveLength(1);
    expect(await chat.points('张三')).toBe(2);
  });

  it('a rejection needs a reason, which only the member is told', async () => {
    const no = await report('李四');
    expect(await chat.inGroup('李书记', `驳回 #${no}`)).toBe(`为什么驳回 #${no}？请写原因，会私下告诉本人`);
    expect(await chat.inGroup('李书记', '照片不清楚')).toBe(`#${no} 已驳回，原因已私下告诉本人`);
    expect((await chat.told('李四')).at(-1)).toContain(`您的服务 #${no}`);
    expect((await chat.told('李四')).at(-1)).toContain('照片不清楚');
  });

  it('a whole command in place of the reason that was asked for is that command', async () => {
    const [a, b] = [await report('李四'), await report('李四')];
    expect(await chat.says('李书记', `驳回 #${a}`)).toContain('请写原因');
    expect(await chat.says('李书记', `通过 #${b}`)).toBe(`#${b} 李四 已通过，+2分`);
    expect(await chat.says('李书记', `驳回 #${a} 没有照片`)).toContain('已驳回');
  });

  it('通过 全部 asks once, then confirms', async () => {
    const [a, b] = [await report('李四'), await report('张三')];
    const asked = await chat.says('李书记', '通过 全部');
    expect(asked).toContain(`#${a}`);
    expect(asked).toContain('回复「确认」通过');
    const done = await chat.says('李书记', '确认');
    expect(done).toContain(`#${b} 张三 已通过`);
    expect(await chat.says('李书记', '待办')).toBe('没有等您审核的事');
  });

  it('撤销: the author withdraws what is not confirmed, the leader reverses what is, with a reason', async () => {
    const no = await report('王秀兰');
    expect(await chat.inGroup('王秀兰', `撤销 #${no}`)).toBe(`已撤销 #${no}，不再审核`);
    const other = await report('王秀兰');
    const before = await chat.points('王秀兰');
    await chat.says('董兰', `通过 #${other}`);
    expect(await chat.points('王秀兰')).toBe(before + 2);
    expect(await chat.inGroup('王秀兰', `撤销 #${other}`)).toContain('由上一级审核');
    expect(await chat.says('董兰', `撤销 #${other}`)).toBe(`为什么撤销 #${other}？请写原因，例如：重复登记`);
    expect(await chat.points('王秀兰')).toBe(before + 2);
    expect(await chat.says('董兰', '重复登记')).toBe(`#${other} 已撤销，原来的积分已冲销`);
    expect(await chat.points('王秀兰')).toBe(before);
    const entries = await chat.app.store.models.ledgerEntries
      .find({ source: `serviceReport:${other}` })
      .sort({ _id: 1 })
      .lean();
    expect(entries.map((e) => e.points)).toEqual([2, -2]);
    expect(entries[1]?.reverses).toBe(entries[0]?._id);
  });

  it('several confirmed reports of one member are reversed at once: each loses its own points', async () => {
    const before = await chat.points('李四');
    const [a, b] = [await report('李四', '服务 巡逻 1小时'), await report('李四', '服务 护学 30分钟')];
    await chat.says('李书记', `通过 #${a} #${b}`);
    expect(await chat.points('李四')).toBe(before + 3);
    expect(await chat.says('李书记', `撤销 #${a} #${b}`)).toContain('请写原因');
    expect(await chat.says('李书记', '重复登记')).toBe(
      `#${a} 已撤销，原来的积分已冲销\n#${b} 已撤销，原来的积分已冲销`,
    );
    expect(await chat.points('李四')).toBe(before);
  });

  it('撤回 takes back one’s own last command for two minutes, after that it says how else', async () => {
    const no = await report('王秀兰');
    chat.later(1);
    expect(await chat.inGroup('王秀兰', '撤回')).toBe(`已撤回 #${no}`);
    const again = await report('王秀兰');
    await chat.says('董兰', `通过 #${again}`);
    const points = await chat.points('王秀兰');
    expect(await chat.says('董兰', '撤回')).toBe(`已撤回，#${again} 恢复为待审核`);
    expect(await chat.points('王秀兰')).toBe(points - 2);
    await chat.says('董兰', `通过 #${again}`);
    chat.later(3);
    expect(await chat.says('董兰', '撤回')).toContain('已经超过2分钟');
    expect(await chat.points('王秀兰')).toBe(points);
  });

  it('a number that names nothing is said, and nothing changes', async () => {
    expect(await chat.says('李书记', '通过 #99999')).toBe('没有找到 #99999，发「待办」看看号码');
  });

  it('the stored totals are the sums of the entries', async () => {
    const { connection, services } = chat.app.store;
    const { transact } = await import('../../src/store/transaction.js');
    expect(await transact(connection, (tx) => services.ledger.differences(tx))).toEqual([]);
  });
});
