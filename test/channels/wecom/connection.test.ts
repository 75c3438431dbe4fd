import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { byConnection } from './running.js';
import type { Chat } from '../../conversations/community.js';
import { GROUP } from '../../conversations/community.js';
import type { WecomConnectionNetwork } from '../../conversations/networks/wecom.js';
import { CORP } from './simulator/api.js';
import { makeKeys } from './simulator/cipher.js';
import { BOT, BOT_SECRET } from './simulator/socket.js';
import { pino } from 'pino';
import { LongConnection } from '../../../src/channels/wecom/connection.js';
import { Watch } from '../../../src/channels/wecom/watch.js';
import { Lease, leaseModel } from '../../../src/store/lease.js';

const PNG = Buffer.from('89504e470d0a1a0a0000', 'hex');
const KEYS = makeKeys(CORP);
const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 400 && !(await done()); i += 1) await new Promise((r) => setTimeout(r, 25));
  expect(await done()).toBe(true);
};

describe('a bot with a long connection', () => {
  let chat: Chat<WecomConnectionNetwork>;
  let before = 0;
  beforeAll(async () => {
    const { token, aesKey } = KEYS;
    chat = await byConnection({
      WECOM_WEBHOOKS: `${GROUP}=robot-key-1`,
      WECOM_APP_TOKEN: token,
      WECOM_APP_AES_KEY: aesKey,
    });
    sim().appKeys = KEYS;
    chat.network.simulator.api.robots.set('robot-key-1', GROUP);
  });
  afterAll(() => chat.stop());
  beforeEach(() => {
    before = sim().phones.shown.length;
  });
  const sim = () => chat.network.simulator;
  /** What was shown in this test. */
  const shown = () => sim().phones.shown.slice(before);
  const outbox = (filter: object) => chat.app.store.connection.collection('outbox').find(filter).toArray();

  it('hears text, voice, quotes and pictures, and answers where it was asked', async () => {
    const write = async (more: object): Promise<string | undefined> => {
      const base = { from: '王秀兰', room: null, text: '', messageId: `w${Math.random()}`, at: chat.now };
      await sim().writeByConnection({ ...base, ...more });
      await chat.app.wecom?.idle();
      return sim().phones.shown.at(-1)?.text;
    };
    const report = await write({ room: GROUP, text: '服务 扫地 1小时', pictures: [PNG] });
    expect(report).toContain('附照片 1 张');
    expect(sim().phones.shown.at(-1)).toMatchObject({ via: 'answer', to: { room: GROUP } });
    const stored = await chat.app.store.models.attachments.findOne({}).lean();
    expect(stored?.type).toBe('image/png');
    expect(await write({ text: '积分', voice: true })).toContain('积分：');
    expect(await write({ from: '董兰', text: '通过', quote: report })).toContain('已通过，+2分');
    await write({ pictures: [PNG] });
    expect(await write({ text: '服务 护学 1小时' })).toContain('附照片 1 张');
  });

  it('a picture that can’t be had is said to be missing; beside words it is left out', async () => {
    const image = { url: `${sim().api.url}/files/gone`, aeskey: Buffer.alloc(32).toString('base64') };
    const alone = { msgid: 'i1', chattype: 'single', from: { userid: '王秀兰' }, msgtype: 'image', image };
    await sim().socket.deliver('aibot_msg_callback', { person: '王秀兰' }, alone);
    await chat.app.wecom?.idle();
    expect(shown().map((s) => s.text)).toEqual(['图片没有收到，请再发一次']);
    const msg_item = [
      { msgtype: 'text', text: { content: '服务 扫地 1小时' } },
      { msgtype: 'image', image },
    ];
    const beside = { ...alone, msgid: 'i2', msgtype: 'mixed', mixed: { msg_item } };
    await sim().socket.deliver('aibot_msg_callback', { person: '王秀兰' }, beside);
    await chat.app.wecom?.idle();
    expect((await chat.told('王秀兰')).at(-1)).toContain('已登记');
  });

  it('who sends a video is told that it is not read, once; an open question stays open', async () => {
    expect(await chat.says('张三', '服务 扫地')).toContain('多长时间');
    const video = {
      msgid: 'v1',
      chattype: 'single',
      from: { userid: '张三' },
      msgtype: 'video',
      create_time: Math.floor(chat.now.getTime() / 1000),
      video: { url: 'https://files.example/v' },
    };
    for (let i = 0; i < 2; i += 1) await sim().socket.deliver('aibot_msg_callback', { person: '张三' }, video);
    await chat.app.wecom?.idle();
    expect((await chat.told('张三')).filter((t) => t.includes('视频'))).toEqual([
      '视频我看不了，没有登记。请用文字说，也可以发照片',
    ]);
    expect(await chat.says('张三', '1小时')).toContain('已登记');
  });

  it('what is said to the app is answered by the app, though the bot could write to that person too', async () => {
    const asked = { from: '王秀兰', room: null, text: '积分', at: chat.now };
    await sim().writeByConnection({ ...asked, messageId: 'to-bot' });
    await sim().writeToApp({ ...asked, messageId: 'to-app' });
    await chat.app.wecom?.idle();
    expect(shown().map((s) => s.via)).toEqual(['answer', 'app']);
  });

  it('whoever opens the chat is welcomed with what they can say here', async () => {
    const event = {
      msgid: 'e1',
      msgtype: 'event',
      from: { userid: '李书记' },
      create_time: 1,
      event: { eventtype: 'enter_chat' },
    };
    await sim().socket.deliver('aibot_event_callback', { person: '李书记' }, event);
    await chat.app.wecom?.idle();
    expect(shown()).toEqual([expect.objectContaining({ via: 'welcome', to: { person: '李书记' } })]);
    expect(shown()[0]?.text).toContain('待办');
  });

  it('a leader’s 待办 has buttons; pressing one, twice, is saying it once', async () => {
    await chat.inGroup('王秀兰', '服务 扫地 1小时');
    const points = await chat.points('王秀兰');
    await chat.says('董兰', '待办');
    const [card] = sim().phones.cards('董兰');
    expect(card?.buttons.slice(0, 2).map((b) => b.text)).toEqual([
      expect.stringMatching(/^通过 #\d+$/),
      expect.stringMatching(/^驳回 #/),
    ]);
    const pressed = {
      msgid: 'p1',
      msgtype: 'event',
      chattype: 'single',
      from: { userid: '董兰' },
      event: {
        eventtype: 'template_card_event',
        template_card_event: { event_key: card?.buttons[0]?.key, task_id: card?.task_id },
      },
    };
    for (let i = 0; i < 2; i += 1) await sim().socket.deliver('aibot_event_callback', { person: '董兰' }, pressed);
    await chat.app.wecom?.idle();
    expect(shown().filter((s) => s.text.includes('已通过，+2分'))).toHaveLength(1);
    expect(await chat.points('王秀兰')).toBe(points + 2);
    expect(sim().socket.updatedCards).toContain(card?.task_id);
  });

  it('an answer that is no longer taken goes as a push; 45009 goes by the robot in the group', async () => {
    sim().socket.failNext(846605);
    await chat.inGroup('王秀兰', '积分');
    sim().socket.failNext(45009);
    await chat.inGroup('张三', '积分');
    await chat.inGroup('李四', '积分');
    expect(shown().map((s) => s.via)).toEqual(['push', 'webhook', 'webhook']);
  });

  it('sent, not sent and unknown are told apart in the outbox', async () => {
    await chat.says('赵书记', '积分');
    sim().socket.failNext('drop');
    await chat.says('周立新', '积分');
    await until(async () => (await outbox({ status: 'pending' })).length === 0);
    expect(await outbox({ person: '赵书记' })).toEqual([expect.objectContaining({ status: 'sent', maybeSent: false })]);
    expect(await outbox({ person: '周立新' })).toEqual([expect.objectContaining({ status: 'sent', maybeSent: false })]);
    const [first, second, ...more] = await chat.told('周立新');
    expect([second, more]).toEqual([`（可能重复）${first}`, []]);
  });

  it('a connection that breaks comes back, and what was said meanwhile is sent then', async () => {
    await chat.says('王秀兰', '积分');
    const { subscriptions } = sim().socket;
    sim().socket.cut();
    await until(() => sim().socket.subscriptions > subscriptions);
    expect(await chat.says('王秀兰', '积分')).toContain('积分：');
  });

  it('another instance takes the connection: an operator is told, and this one does not fight for it', async () => {
    const other = new (await import('@wecom/aibot-node-sdk')).default.WSClient({
      botId: BOT,
      secret: BOT_SECRET,
      wsUrl: sim().wsUrl,
      maxReconnectAttempts: 0,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    const { subscriptions } = sim().socket;
    other.connect();
    await until(() => chat.app.wecom?.connectionState() === 'takenOver');
    expect(chat.app.wecom?.healthy()).toBe(false);
    const ready = await fetch(`${chat.app.url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('another program')]);
    expect(await (await fetch(`${chat.app.url}/metrics`)).text()).toContain(
      'gridmate_channel_alerts_total{channel="wecom",what="takenOver"} 1',
    );
    expect(await (await fetch(`${chat.app.url}/metrics`)).text()).toContain('gridmate_channel_up{channel="wecom"} 0');
    await new Promise((r) => setTimeout(r, 1500));
    expect(sim().socket.subscriptions).toBe(subscriptions + 1);
    other.disconnect();
  });
});

describe('the supervision of a long connection', () => {
  let chat: Chat<WecomConnectionNetwork>;
  beforeAll(async () => {
    chat = await byConnection();
  });
  afterAll(() => chat.stop());
  const lease = (name: string, lastsMs: number): Lease =>
    new Lease({ leases: leaseModel(chat.app.store.connection), name, holder: randomUUID(), lastsMs });
  const connection = (name: string, heartbeatMs = 50): LongConnection =>
    new LongConnection({
      botId: BOT,
      secret: BOT_SECRET,
      wsUrl: chat.network.simulator.wsUrl,
      lease: lease(name, 400),
      log: pino({ level: 'silent' }),
      onReceived: () => undefined,
      alert: () => undefined,
      turnMs: 100,
      heartbeatMs,
    });

  it('one of two processes holds it; when that one ends, the other takes it up', async () => {
    const [a, b] = [connection('pair'), connection('pair')];
    await a.start();
    await b.start();
    await until(() => a.state === 'up');
    expect(b.state).toBe('standby');
    await a.stop();
    await until(() => b.state === 'up');
    await b.stop();
  });

  it('a peer that has fallen silent is noticed by its missing heartbeats', async () => {
    const one = connection('silent');
    await one.start();
    await until(() => one.state === 'up');
    const before = chat.network.simulator.socket.subscriptions;
    chat.network.simulator.socket.deaf = true;
    await until(() => chat.network.simulator.socket.subscriptions > before);
    chat.network.simulator.socket.deaf = false;
    await one.stop();
  });

  it('one that comes back half deaf is made anew: groups were heard before, and only single chats since', async () => {
    let now = new Date('2026-11-25T10:00:00Z');
    const watch = new Watch({ now: () => now });
    const alerts: object[] = [];
    const { socket } = chat.network.simulator;
    const one = new LongConnection({
      botId: BOT,
      secret: BOT_SECRET,
      wsUrl: chat.network.simulator.wsUrl,
      lease: lease('half-deaf', 4000),
      log: pino({ level: 'silent' }),
      onReceived(received) {
        if (received.is === 'message') watch.heard(received.message.room === null ? 'single' : 'group');
      },
      alert: (what, fields) => alerts.push({ what, ...fields }),
      missing: () => watch.missing,
      onState: (state) => {
        if (state === 'up') watch.connected();
      },
      turnMs: 50,
      reconnectMs: 5,
    });
    const hear = async (room: string | null): Promise<void> => {
      const written = chat.said('王秀兰', '大家好', { room });
      await chat.network.simulator.writeByConnection({ ...written, pictures: [] });
    };
    await one.start();
    await until(() => one.state === 'up');
    await hear('g');
    await hear(null);
    const before = socket.subscriptions;
    socket.cut();
    await until(() => socket.subscriptions === before + 1 && one.state === 'up');
    for (let i = 0; i < 5; i += 1) await hear(null);
    await new Promise((r) => setTimeout(r, 150));
    expect(alerts).toEqual([]);
    now = new Date('2026-11-25T11:01:00Z');
    await until(() => socket.subscriptions === before + 2 && one.state === 'up');
    expect(alerts).toEqual([{ what: 'halfDeaf', missing: 'group' }]);
    await hear('g');
    for (let i = 0; i < 5; i += 1) await hear(null);
    now = new Date('2026-11-25T13:00:00Z');
    await new Promise((r) => setTimeout(r, 150));
    expect([alerts.length, socket.subscriptions]).toEqual([1, before + 2]);
    await one.stop();
  });

  it('a wrong secret is given up after five tries, and an operator is told', async () => {
    const alerts: string[] = [];
    const wrong = new LongConnection({
      botId: BOT,
      secret: 'wrong',
      wsUrl: chat.network.simulator.wsUrl,
      lease: lease('wrong', 4000),
      log: pino({ level: 'silent' }),
      onReceived: () => undefined,
      alert: (what) => alerts.push(what),
      turnMs: 1000,
      reconnectMs: 5,
    });
    await wrong.start();
    await until(() => wrong.state === 'refused');
    expect(alerts).toEqual(['credentials']);
    await expect(wrong.push('g', 'group', {})).rejects.toThrow('not up');
    await wrong.stop();
  });
});
