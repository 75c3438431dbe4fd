import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
// Before wechaty: it silences wechaty's log.
import { roomIdOf, WechatyNetwork } from '../../conversations/networks/wechaty.js';
import { types } from 'wechaty-puppet';
import { Chat, GROUP } from '../../conversations/community.js';

const ROOM = roomIdOf(GROUP);

/** As an operator runs it: with limits on the age of messages. */
class Strict extends WechatyNetwork {
  override async prepare(): Promise<Readonly<Record<string, string>>> {
    return { ...(await super.prepare()), WECHATY_LATE_MINUTES: '5', WECHATY_MAX_AGE_MINUTES: '60' };
  }
}

describe('WeChat through a gateway', () => {
  let chat: Chat<Strict>;
  let network: Strict;
  let count = 0;
  beforeAll(async () => {
    chat = await Chat.start(new Strict());
    ({ network } = chat);
    await chat.inGroup('王秀兰', '大家好');
    chat.at(new Date().toISOString());
  });
  afterAll(() => chat.stop());

  /** A message in the group, `minutes` old. */
  const bring = (text: string, minutes: number, more: { type?: number; talkerId?: string } = {}) => {
    count += 1;
    return network.bring({
      id: `b${count}`,
      type: types.Message.Text,
      talkerId: '张三',
      roomId: ROOM,
      text,
      timestamp: Date.now() - minutes * 60_000,
      ...more,
    });
  };
  const interactions = () => chat.app.store.connection.collection('interactions').countDocuments();

  it('an answer in a group mentions whom it answers, one in private does not', async () => {
    const answer = await chat.inGroup('王秀兰', '积分');
    const shown = network.shown.findLast((m) => m.room === ROOM);
    expect(shown).toMatchObject({ text: answer, mention: '王秀兰', mentions: ['王秀兰'] });
    await chat.says('王秀兰', '积分');
    expect(network.shown.at(-1)).toMatchObject({ person: '王秀兰', mention: undefined, mentions: [] });
  });

  it('a mention in the text is enough, since gateways may give an empty list of mentions', async () => {
    expect(await chat.inGroup('王秀兰', '＠网格小助手\u2005怎么报到')).toContain('【报到】');
    expect(await chat.inGroup('王秀兰', '@张三\u2005怎么报到')).toBe('');
  });

  it('own messages, system messages and other kinds do not act', async () => {
    const before = await interactions();
    expect(await bring('积分', 0, { talkerId: network.bot })).toBe('own');
    expect(await bring('积分', 0, { talkerId: 'gh_news' })).toBe('system');
    expect(await bring('积分', 0, { type: types.Message.Video })).toBe('kind');
    expect(await interactions()).toBe(before);
  });

  it('in private, who sends a video or a voice is told that it is not read', async () => {
    for (const [type, said] of [
      [types.Message.Video, '视频我看不了，没有登记。请用文字说，也可以发照片'],
      [types.Message.Audio, '语音我听不了，没有登记。请用文字说'],
    ] as const) {
      const handled = await network.bring({
        id: `private-${type}`,
        type,
        talkerId: '张三',
        listenerId: network.bot,
        timestamp: Date.now(),
        text: '',
      });
      expect(handled).toMatchObject({ outcome: 'refused', replies: [{ text: said }] });
    }
  });

  it('a recall is information: what was recorded stays', async () => {
    const handled = await bring('服务 扫地 1小时', 0);
    const before = await chat.app.store.models.serviceReports.countDocuments();
    expect(handled).toMatchObject({ outcome: 'handled' });
    expect(await bring('b4', 0, { type: types.Message.Recalled })).toBe('recall');
    expect(await chat.app.store.models.serviceReports.countDocuments()).toBe(before);
  });

  it('a late message is recorded at its own time and the answer says that it came late; a very old one does not act', async () => {
    expect(await bring('积分', 4)).toMatchObject({ replies: [{ text: expect.not.stringContaining('没有连上') }] });
    const sentAt = Date.now() - 20 * 60_000;
    expect(await bring('积分', 20)).toMatchObject({
      outcome: 'handled',
      replies: [{ text: expect.stringMatching(/^（前面没有连上，您这条消息现在才收到）\n/) }],
    });
    const [stored] = await chat.app.store.connection
      .collection('interactions')
      .find({ intent: { $exists: true } })
      .sort({ arrivedAt: -1 })
      .limit(1)
      .toArray();
    expect(Math.abs(new Date(String(stored?.['at'])).getTime() - sentAt)).toBeLessThan(60_000);
    expect(await bring('积分', 61)).toBe('old');
  });

  it('a message dated ahead counts as written now', async () => {
    expect(await bring('服务 扫地 1小时', -24 * 60)).toMatchObject({ outcome: 'handled' });
    const last = await chat.app.store.models.serviceReports.findOne().sort({ _id: -1 }).lean();
    expect(last?.at.getTime()).toBeLessThanOrEqual(chat.app.clock.now().getTime());
  });

  it('a picture of somebody unknown is not even fetched', async () => {
    const attachments = chat.app.store.connection.collection('attachments');
    const before = await attachments.countDocuments();
    expect(await chat.inGroup('路人', '', { attachments: ['stranger.png'] })).toBe('');
    expect(await attachments.countDocuments()).toBe(before);
    await chat.inGroup('王秀兰', '', { attachments: ['member.png'] });
    expect(await attachments.countDocuments()).toBe(before + 1);
  });

  it('groups are discovered without a greeting; names are kept up to date; where it was removed nothing is sent', async () => {
    await chat.network.takeInto('fourth', '四网格群', chat.now);
    const rooms = async () => (await network.channel().status()).rooms;
    expect((await rooms()).find((r) => r.id === roomIdOf('fourth'))?.topic).toBe('四网格群');
    network.puppet.emit('room-topic', {
      changerId: '李书记',
      newTopic: '第四网格',
      oldTopic: '四网格群',
      roomId: roomIdOf('fourth'),
      timestamp: Date.now(),
    });
    await network.untilStored(async () => (await rooms()).some((r) => r.topic === '第四网格'));
    network.puppet.emit('room-leave', {
      removeeIdList: [network.bot],
      removerId: '李书记',
      roomId: roomIdOf('fourth'),
      timestamp: Date.now(),
    });
    await network.untilStored(async () => !(await rooms()).some((r) => r.id === roomIdOf('fourth')));
    await expect(
      network.channel().send(
        {
          id: 'x',
          interaction: 'x',
          choices: [],
          to: { channel: 'wechaty', room: roomIdOf('fourth') },
          text: '',
          mentions: [],
          attachments: [],
          at: chat.now,
        },
        () => Promise.resolve(),
      ),
    ).rejects.toThrow('no longer in the group');
  });

  it('an invitation is accepted from a known leader only', async () => {
    const invite = async (id: string, inviterId: string): Promise<void> => {
      await network.puppet.roomInvitationPayload(id, {
        id,
        inviterId,
        topic: '五网格群',
        timestamp: Date.now(),
        avatar: '',
        invitation: '',
        memberCount: 3,
        memberIdList: [],
        receiverId: network.bot,
      });
      network.puppet.emit('room-invite', { roomInvitationId: id });
    };
    await invite('from a stranger', '路人');
    await invite('from a member', '张三');
    await invite('from a leader', '李书记');
    await network.until('the leader’s invitation is accepted', () => network.puppet.accepted.length > 0 || undefined);
    expect(network.puppet.accepted).toEqual(['from a leader']);
  });

  it('a gateway that freezes is noticed, and a new connection hears again; the gap is listed', async () => {
    network.puppet.frozen = true;
    await network.until('the channel is down', () => !network.channel().healthy() || undefined);
    expect(network.channel().problem?.()).toMatch(/^deaf since .*: no sign of life/);
    const ready = await fetch(`${chat.app.url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('no sign of life')]);
    network.puppet.frozen = false;
    await network.up();
    expect(await chat.inGroup('王秀兰', '积分')).toContain('积分：');
    const [gap] = (await network.channel().status()).gaps;
    expect(gap?.reason).toContain('no sign of life');
    const metrics = await (await fetch(`${chat.app.url}/metrics`)).text();
    expect(metrics).toContain('gridmate_channel_up{channel="wechaty"} 1');
    expect(metrics).toContain('gridmate_channel_deaf_since_seconds{channel="wechaty"} 0');
    expect(metrics).toMatch(/gridmate_channel_reconnects_total\{channel="wechaty"\} [1-9]/);
    expect(metrics).toMatch(/gridmate_channel_gaps_total\{channel="wechaty"\} [1-9]/);
  });

  it('“too frequent” stops all sending for an hour, and the message that it meant is not taken for sent', async () => {
    await chat.inGroup('张三', '积分');
    const outbox = chat.app.store.connection.collection('outbox');
    expect(await bring('操作过于频繁，可稍后再试。', 0, { type: types.Message.Unknown, talkerId: network.bot })).toBe(
      'refusal',
    );
    await network.untilStored(async () => (await outbox.countDocuments({ status: 'pending', maybeSent: false })) === 1);
    const shown = network.shown.length;
    await bring('积分', 0);
    const { restUntil } = await network.channel().status();
    expect((restUntil?.getTime() ?? 0) - Date.now()).toBeGreaterThan(59 * 60_000);
    expect(network.shown).toHaveLength(shown);
    expect(await outbox.countDocuments({ status: 'pending' })).toBe(2);
  });
});

describe('a puppet of the web protocol, whose ids change at each login', () => {
  let chat: Chat<WechatyNetwork>;
  beforeAll(async () => {
    chat = await Chat.start(new WechatyNetwork('@5f2d8c1e9b7a4f60'));
  });
  afterAll(() => chat.stop());

  it('nobody can check in and no group be bound, and the reason is said', async () => {
    const reason = expect.stringContaining('每次重新登录后账号都会变');
    expect(await chat.says('wx-sun', '报到 孙丽娟 5521')).toEqual(reason);
    expect(await chat.says('wx-sun', '服务 扫地 1小时')).toEqual(reason);
    expect(await chat.says('李书记', '绑定 7K3M9Q', { room: 'new' })).toEqual(reason);
    expect(await chat.app.store.models.identities.countDocuments({ userId: 'wx-sun' })).toBe(0);
  });
});

/** A gateway whose account somebody has to log in by a code. */
class LoggedOut extends WechatyNetwork {
  override onStart(): void {
    this.mocker.scan('https://login.weixin.qq.com/l/gridmate', types.ScanStatus.Waiting);
  }
  override async up(): Promise<void> {
    await this.untilStored(async () => (await this.channel().status()).code !== undefined);
  }
}

describe('an account that nobody is logged in to', () => {
  let chat: Chat<LoggedOut>;
  const printed: string[] = [];
  beforeAll(async () => {
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
    chat = await Chat.start(new LoggedOut());
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await chat.stop();
  });

  it('the code is shown in the terminal and on a page of this machine, and gone after the login', async () => {
    const { url } = chat.app;
    await chat.network.until('the code is printed', () => printed.some((text) => text.includes('▄')) || undefined);
    expect(printed.join('')).toContain('请用微信扫码登录');
    const page = await fetch(`${url}/wechaty`);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(await page.text()).toMatch(/请用微信扫码登录[\s\S]*<svg /);
    expect(await (await fetch(`${url}/api/wechaty`)).json()).toMatchObject({ up: false, needsScan: true });
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({
      problem: expect.stringContaining('must scan the login code'),
    });
    chat.network.puppet.login(chat.network.bot);
    await chat.network.until('the channel is up', () => chat.network.channel().healthy() || undefined);
    expect(await (await fetch(`${url}/wechaty`)).text()).not.toContain('<svg');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });
});

const openssl = (folder: string, ...words: string[]): void => {
  execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
};
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A gateway elsewhere, with a certificate of the operator's own authority. */
class Encrypted extends WechatyNetwork {
  readonly #folder: string;
  readonly #authority: string;

  constructor(folder: string, authority: string) {
    super();
    this.#folder = folder;
    this.#authority = authority;
  }

  override async prepare(): Promise<Readonly<Record<string, string>>> {
    this.tls = {
      serverCert: readFileSync(join(this.#folder, 'gateway.pem'), 'utf8'),
      serverKey: readFileSync(join(this.#folder, 'gateway.key'), 'utf8'),
    };
    const env = await super.prepare();
    return { ...env, WECHATY_GATEWAY_TLS: 'on', WECHATY_GATEWAY_CA_FILE: join(this.#folder, this.#authority) };
  }
}

(hasOpenssl ? describe : describe.skip)('a gateway on another machine, over TLS', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-tls-'));
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    for (const name of ['ours', 'other'])
      openssl(folder, 'req', '-x509', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
    openssl(
      folder,
      'req',
      ...key.slice(0, 5),
      '-subj',
      '/CN=gridmate',
      '-keyout',
      'gateway.key',
      '-out',
      'gateway.csr',
    );
    await writeFile(join(folder, 'san'), 'subjectAltName=DNS:gridmate');
    const signing = ['-CA', 'ours.pem', '-CAkey', 'ours.key', '-CAcreateserial', '-days', '2', '-extfile', 'san'];
    openssl(folder, 'x509', '-req', '-in', 'gateway.csr', ...signing, '-out', 'gateway.pem');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is spoken to when the authority that signed its certificate is the one given', async () => {
    const chat = await Chat.start(new Encrypted(folder, 'ours.pem'));
    expect(await chat.inGroup('王秀兰', '积分')).toContain('积分：');
    await chat.stop();
  });

  it('is not believed when another authority is given', async () => {
    const network = new Encrypted(folder, 'other.pem');
    network.up = () => network.untilStored(() => Promise.resolve(/14/.test(network.channel().problem?.() ?? '')));
    const chat = await Chat.start(network);
    expect(network.channel().healthy()).toBe(false);
    await chat.stop();
  });
});
