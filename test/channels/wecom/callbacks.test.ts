import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { byCallback } from './running.js';
import { type Chat, GROUP } from '../../conversations/community.js';
import type { WecomCallbackNetwork } from '../../conversations/networks/wecom.js';
import { tokenModel, Tokens } from '../../../src/channels/wecom/tokens.js';
import { AGENT, APP_SECRET, CORP } from './simulator/api.js';
import { appMessageId, type Written } from './simulator/index.js';

/** The long form: STORM=30. */
const STORM = Number(process.env['STORM'] ?? '12');
const done = (): Promise<void> => Promise.resolve();
const PNG = Buffer.from('89504e470d0a1a0a0000', 'hex');
const streamOf = (id: string) => ({ msgid: id, msgtype: 'stream', stream: { id } });

describe('a bot and an app that WeCom calls back', () => {
  let chat: Chat<WecomCallbackNetwork>;
  let n = 0;
  beforeAll(async () => {
    const directory = {
      departments: [{ id: 7, name: '第三网格党支部' }],
      users: [{ userid: 'wx-qian', name: '钱多多', department: [7] }],
    };
    chat = await byCallback({ WECOM_WEBHOOKS: `${GROUP}=robot-key-1`, WECOM_DIRECTORY: 'on' }, directory);
    chat.network.simulator.api.robots.set('robot-key-1', GROUP);
  });
  afterAll(() => chat.stop());
  const sim = () => chat.network.simulator;
  const written = (more: Partial<Written>): Written => {
    n += 1;
    return { from: '王秀兰', room: GROUP, text: '积分', messageId: `c${n}`, at: chat.now, ...more };
  };
  const idle = async (): Promise<void> => chat.app.wecom?.idle();
  const shown = () => sim().phones.shown;
  it('the check of the address gets the bare text, within the second', async () => {
    for (const scene of ['bot', 'app'] as const) {
      const { url, body } = sim().signed(scene, '1616140317555161061');
      const encrypt = /<Encrypt><!\[CDATA\[(.*?)\]\]>/.exec(body)?.[1] ?? JSON.parse(body).encrypt;
      const from = performance.now();
      const answer = await fetch(`${url}&echostr=${encodeURIComponent(encrypt)}`);
      expect(await answer.text()).toBe('1616140317555161061');
      expect(performance.now() - from).toBeLessThan(1000);
      expect((await fetch(`${url}&echostr=${encodeURIComponent(encrypt)}`)).status).toBe(403);
    }
  });

  it('a retry storm: the same message three times at once and once more is one effect and one answer', async () => {
    const report = written({ from: '张三', text: '服务 巡逻 1小时' });
    const payload = sim().botMessage(report, 'callback');
    const post = () => sim().postBot(payload, { room: GROUP });
    expect(await Promise.all([post(), post(), post()])).toEqual([200, 200, 200]);
    expect(await post()).toBe(200);
    const one = written({ from: '李四', room: null, text: '服务 扫地 1小时' });
    expect(await Promise.all([1, 2, 3].map(() => sim().writeToApp(one)))).toEqual([200, 200, 200]);
    await idle();
    for (const member of ['张三', '李四'])
      expect(await chat.app.store.models.serviceReports.countDocuments({ member })).toBe(1);
    expect(shown().filter((s) => s.text.includes('张* 治安巡逻'))).toHaveLength(1);
    expect(shown().filter((s) => s.text.includes('环境整治 1小时'))).toHaveLength(1);
  });

  it('the answer is the callback’s own; a second one goes to the late address, a private one by the app', async () => {
    const from = shown().length;
    await sim().writeByCallback(written({ text: '积分 明细' }));
    await idle();
    expect(
      shown()
        .slice(from)
        .map((s) => s.via)
        .toSorted(),
    ).toEqual(['app', 'passive']);
  });

  it('an app’s 64-bit message id keeps all its digits', async () => {
    const message = written({ room: null });
    await sim().writeToApp(message);
    const id = `wecom:app:${appMessageId(message.messageId)}`;
    expect(await chat.app.store.connection.collection('interactions').countDocuments({ _id: id as never })).toBe(1);
  });

  it('whoever opens the chat is welcomed in the callback’s own answer; a pressed button is a command', async () => {
    const head = (msgid: string) => ({ msgid, msgtype: 'event', chattype: 'single', from: { userid: '李书记' } });
    const entered = { ...head('e1'), create_time: 1_700_000_000, event: { eventtype: 'enter_chat' } };
    await sim().postBot(entered, { person: '李书记' });
    expect(shown().at(-1)).toMatchObject({ via: 'welcome', text: expect.stringContaining('待办') });
    const card = { event_key: '积分', task_id: 'task-1' };
    const pressed = { ...head('e2'), event: { eventtype: 'template_card_event', template_card_event: card } };
    for (let i = 0; i < 2; i += 1) expect(await sim().postBot(pressed, { person: '李书记' })).toBe(200);
    await idle();
    expect((await chat.told('李书记')).filter((t) => t.startsWith('积分：'))).toHaveLength(1);
  });

  it('a picture sent to the app is fetched and stored', async () => {
    await sim().writeToApp(written({ room: null, text: '', pictures: [PNG] }));
    await idle();
    expect(await chat.app.store.models.attachments.countDocuments({ type: 'image/png' })).toBe(1);
  });

  it('a voice or a place sent to the app is answered that it is not read; its own events are not answered', async () => {
    const post = async (type: string, more: string): Promise<void> => {
      n += 1;
      const head = `<ToUserName>${CORP}</ToUserName><FromUserName>李四</FromUserName><CreateTime>${Math.floor(Date.now() / 1000)}</CreateTime>`;
      const { url, body } = sim().signed('app', `<xml>${head}<MsgType>${type}</MsgType>${more}</xml>`);
      expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
      await idle();
    };
    const before = (await chat.told('李四')).length;
    await post('voice', `<MediaId>m</MediaId><MsgId>77${n}</MsgId>`);
    await post('location', `<MsgId>78${n}</MsgId>`);
    await post('event', '<Event>enter_agent</Event>');
    expect((await chat.told('李四')).slice(before)).toEqual([
      '语音我听不了，没有登记。请用文字说',
      '位置我看不了，没有登记。请用文字说',
    ]);
  });

  it('the organisation’s directory is a hint for the leader, and binds nobody', async () => {
    const no = (await chat.says('wx-qian', '报到 钱多多 3344')).replace(/\D/g, '');
    for (let i = 0; i < 100 && (await chat.app.store.models.directory.countDocuments()) === 0; i += 1)
      await new Promise((r) => setTimeout(r, 20));
    expect(await chat.says('周立新', '待办')).toContain(
      `#${no} 报到申请：钱多多 尾号3344（通讯录：钱多多，第三网格党支部，请核对）`,
    );
    expect(await chat.app.store.models.identities.countDocuments({ userId: 'wx-qian' })).toBe(0);
  });

  it('a token that runs out in the middle of a conversation is renewed once, for all who wait', async () => {
    const before = sim().api.called('gettoken');
    sim().api.revokeToken();
    await Promise.all(
      ['王秀兰', '张三', '李四', '董兰'].map((from) => sim().writeToApp(written({ from, room: null }))),
    );
    await idle();
    expect(sim().api.called('gettoken')).toBe(before + 1);
    expect(
      shown()
        .slice(-4)
        .map((s) => s.via),
    ).toEqual(['app', 'app', 'app', 'app']);
    const stored = await chat.app.store.connection.collection('wecomTokens').findOne({});
    expect(String(stored?.['sealed']).length).toBeGreaterThan(40);
  });

  it('two processes share one token: whoever finds it refused first fetches the next', async () => {
    const { connection } = chat.app.store;
    const process = (): Tokens =>
      new Tokens({
        tokens: tokenModel(connection),
        clock: chat.app.clock,
        apiUrl: sim().api.url,
        corpId: CORP,
        agentId: AGENT,
        secret: APP_SECRET,
      });
    const [one, two] = [process(), process()];
    const old = await one.get();
    expect(await two.get()).toBe(old);
    const before = sim().api.called('gettoken');
    sim().api.revokeToken();
    const fresh = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : two).get(old)));
    expect(new Set(fresh).size).toBe(1);
    expect(fresh[0]).not.toBe(old);
    expect(sim().api.called('gettoken')).toBe(before + 1);
  });

  it('a person whom the app may not write to is given up at once', async () => {
    sim().api.unreachable.add('路人甲');
    await sim().writeToApp(written({ from: '路人甲', room: null }));
    await idle();
    const sent = await chat.app.store.connection.collection('outbox').findOne({ person: '路人甲' });
    expect(sent?.['status']).toBe('dead');
  });

  it('an answer of the API that is lost: the message is sent again, and says that it may be there already', async () => {
    sim().api.failNext('message/send', 'drop');
    await sim().writeToApp(written({ from: '赵书记', room: null }));
    await idle();
    const outbox = chat.app.store.connection.collection('outbox');
    for (let i = 0; i < 100 && (await outbox.countDocuments({ status: 'pending' })) > 0; i += 1)
      await new Promise((r) => setTimeout(r, 20));
    const sent = await outbox.findOne({ person: '赵书记' });
    expect(sent).toMatchObject({ status: 'sent', maybeSent: false });
    const [first, second, ...more] = await chat.told('赵书记');
    expect([second, more]).toEqual([`（可能重复）${first}`, []]);
  });

  it('a stream that nobody knows any more is ended', async () => {
    await sim().postBot(streamOf('no-such-stream'), { room: GROUP });
    expect(shown().at(-1)?.text).toContain('请再发一次');
  });

  it('建群 makes a group of the app’s own, once, and whatever is for the unit goes there by the app', async () => {
    const room = async (): Promise<string> =>
      (await chat.app.store.models.groups.findOne({ unit: 'b3' }).lean())?.room ?? '';
    expect(await chat.says('李书记', '建群 第一网格')).toContain('不是第一网格的负责人');
    sim().api.failNext('appchat/create', 'drop');
    expect(await chat.says('李书记', '建群 3号楼')).toContain('为3号楼建群，共4人');
    const outbox = chat.app.store.connection.collection('outbox');
    for (let i = 0; i < 200 && (await outbox.countDocuments({ status: 'pending' })) > 0; i += 1)
      await new Promise((r) => setTimeout(r, 20));
    const chatid = await room();
    expect(shown().filter((s) => s.via === 'appchat')).toMatchObject([
      { to: { room: chatid }, text: expect.stringContaining('本群是3号楼的群') },
    ]);
    expect(await chat.says('董兰', '建群 3号楼')).toContain('已经建过了');
    await chat.app.wecom?.send(
      {
        id: 'x:0',
        interaction: 'x',
        to: { channel: 'wecom', room: chatid },
        text: '今晚七点开会',
        mentions: ['董兰'],
        attachments: [],
        choices: [],
        at: new Date(),
      },
      done,
    );
    expect(shown().at(-1)).toMatchObject({ via: 'appchat', mentions: ['董兰'], to: { room: chatid } });
  });

  it('a robot carries texts with mentions, long texts, pictures and files; when it is gone an operator is told', async () => {
    const { attachments } = chat.app.store.services;
    const [photo, file] = [
      await attachments.store('表.png', 'image/png', PNG, new Date()),
      await attachments.store('表.xlsx', 'application/vnd.ms-excel', Buffer.from('a sheet'), new Date()),
    ];
    const push = (id: string, more: object): Promise<void> | undefined =>
      chat.app.wecom?.send(
        {
          id,
          interaction: id,
          to: { channel: 'wecom', room: GROUP },
          text: '周六大扫除',
          mentions: [],
          attachments: [],
          choices: [],
          at: new Date(0),
          ...more,
        },
        done,
      );
    const from = shown().length;
    await push('h1', { mentions: ['王秀兰'], attachments: [photo, file] });
    await push('h2', { text: '长'.repeat(1000) });
    const seen = shown().slice(from);
    expect(seen.every((s) => s.via === 'webhook')).toBe(true);
    expect(seen[0]?.mentions).toEqual(['王秀兰']);
    expect(seen.flatMap((s) => s.files)).toEqual([PNG, Buffer.from('a sheet')]);
    expect(
      seen
        .slice(3)
        .map((s) => s.text)
        .join(''),
    ).toBe('长'.repeat(1000));
    sim().api.robots.clear();
    await expect(push('h3', {})).rejects.toThrow();
    expect(await (await fetch(`${chat.app.url}/metrics`)).text()).toContain('what="webhookGone"} 1');
  });

  it('readiness and the sandbox: a real network is on, so nobody can be anyone', async () => {
    expect((await fetch(`${chat.app.url}/readyz`)).status).toBe(200);
    expect(chat.app.sandbox).toBeUndefined();
    expect((await fetch(`${chat.app.url}/api/sandbox/people`)).status).toBe(404);
  });
});

describe('a retry storm', () => {
  let chat: Chat<WecomCallbackNetwork>;
  beforeAll(async () => {
    chat = await byCallback();
  });
  afterAll(() => chat.stop());

  it(
    `${STORM} messages, each three times at once by either callback: as many effects, as many answers`,
    async () => {
      const { simulator } = chat.network;
      const people = ['王秀兰', '董兰', '张三', '李四', '李书记', '赵书记', '周立新'];
      const storm = Array.from({ length: STORM }, (_, i) => ({
        from: people[i % people.length] ?? '',
        text: '积分',
        room: i % 3 === 0 ? null : GROUP,
        messageId: `storm-${i}`,
        at: chat.now,
      }));
      // However slow the machine: what is looked at is that each has one effect.
      const patient = { timeoutMs: 30_000 };
      const began = performance.now();
      const statuses = await Promise.all(
        storm.flatMap((one) =>
          [1, 2, 3].map(() =>
            one.room === null ? simulator.writeToApp(one, patient) : simulator.writeByCallback(one, patient),
          ),
        ),
      );
      await chat.app.wecom?.idle();
      const ms = Math.round(performance.now() - began);
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(await chat.app.store.connection.collection('interactions').countDocuments()).toBe(STORM);
      expect(simulator.phones.shown).toHaveLength(STORM);
      process.stdout.write(
        `retry storm: ${STORM} messages, ${STORM * 3} deliveries at once: ${STORM} effects, ${STORM} answers, ${ms} ms\n`,
      );
    },
    60_000 + STORM * 1000,
  );
});
