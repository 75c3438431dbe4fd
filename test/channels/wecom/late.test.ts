import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { Handled } from '../../../src/bot/message.js';
import { Callbacks } from '../../../src/channels/wecom/callbacks.js';
import { Envelope } from '../../../src/channels/wecom/crypto.js';
import { answeredModel, Guard, Sources } from '../../../src/channels/wecom/guard.js';
import { createWecom } from '../../../src/channels/wecom/index.js';
import { Late, lateModel } from '../../../src/channels/wecom/late.js';
import { Ways } from '../../../src/channels/wecom/ways.js';
import { parseConfig } from '../../../src/config.js';
import type { Chat } from '../../conversations/community.js';
import type { WecomCallbackNetwork } from '../../conversations/networks/wecom.js';
import { byCallback } from './running.js';
import { openReply } from './simulator/cipher.js';

const LIMIT_MS = 60;

/** The callbacks with a bot that is done when the test says so. */
describe('a bot that takes longer than WeCom waits', () => {
  let chat: Chat<WecomCallbackNetwork>;
  let callbacks: Callbacks;
  let ways: Ways;
  let late: Late;
  let release: () => void;
  let failure: Error | undefined;
  let failLater: boolean;
  let received: string[];
  let insisted: string[];
  let n = 0;
  beforeAll(async () => {
    chat = await byCallback();
  });
  afterAll(() => chat.stop());

  beforeEach(() => {
    const { connection } = chat.app.store;
    const { clock } = chat.app;
    const { botKeys } = chat.network.simulator;
    ways = new Ways();
    const envelopes = { bot: new Envelope(botKeys) };
    late = new Late(lateModel(connection), clock, envelopes);
    failure = undefined;
    failLater = false;
    received = [];
    insisted = [];
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    callbacks = new Callbacks({
      envelopes,
      guard: new Guard({ answered: answeredModel(connection), clock, windowMs: 300_000 }),
      sources: new Sources(60),
      ways,
      late,
      clock,
      log: pino({ level: 'silent' }),
      limitMs: LIMIT_MS,
      async receive({ messageId }): Promise<Handled> {
        received.push(messageId);
        if (failure) throw failure;
        await released;
        if (failLater) throw new Error('the store went away meanwhile');
        return { messageId, outcome: 'handled', replies: [answer(messageId)], delivered: Promise.resolve() };
      },
      insist({ messageId }) {
        insisted.push(messageId);
        return Promise.resolve({ messageId, outcome: 'handled', replies: [] });
      },
      onEvent: () => Promise.resolve(undefined),
    });
  });

  const answer = (messageId: string) => ({
    id: `wecom:${messageId}:0`,
    interaction: `wecom:${messageId}`,
    to: { channel: 'wecom', room: 'g' },
    text: '好',
    mentions: [],
    attachments: [],
    choices: [],
    at: new Date(),
  });
  const message = (more: object = {}) => {
    n += 1;
    const base = { msgid: `l${n}`, chattype: 'group', chatid: 'g', from: { userid: '王秀兰' }, msgtype: 'text' };
    return { ...base, text: { content: '积分' }, response_url: 'http://127.0.0.1:9/late', ...more };
  };
  const post = async (payload: object) => {
    const { url, body, nonce } = chat.network.simulator.signed('bot', JSON.stringify(payload));
    const query = Object.fromEntries(new URL(url).searchParams);
    const given = await callbacks.post('bot', '127.0.0.1', query, Buffer.from(body));
    const reply = given.body === '' ? undefined : openReply(chat.network.simulator.botKeys, given.body, nonce);
    return { ...given, reply };
  };
  const kept = async (): Promise<string[]> => (await late.left()).map((l) => l.message.messageId);

  it('is acknowledged when the message is kept, and the keeping ends with the answer', async () => {
    const asked = message();
    const given = await post(asked);
    expect([given.status, given.body]).toEqual([200, '']);
    expect(await kept()).toEqual([asked.msgid]);
    expect(ways.of(answer(asked.msgid))).toMatchObject({ responseUrl: 'http://127.0.0.1:9/late' });
    expect(ways.of(answer(asked.msgid))?.slot?.isOpen).toBe(false);
    release();
    for (let i = 0; i < 100 && (await kept()).length > 0; i += 1) await new Promise((r) => setTimeout(r, 10));
    expect(await kept()).toEqual([]);
  });

  it('an answer that comes while the message is being kept is the callback’s answer, and is not left hanging', async () => {
    const keep = late.keep.bind(late);
    let offered: Promise<boolean> | undefined;
    late.keep = async (kept_, scene) => {
      offered = ways.of(answer(kept_.messageId))?.slot?.offer('好');
      await keep(kept_, scene);
    };
    const given = await post(message());
    expect(given.reply).toMatchObject({ stream: { finish: true, content: '好' } });
    given.settled(true);
    expect(await offered).toBe(true);
    release();
    for (let i = 0; i < 100 && (await kept()).length > 0; i += 1) await new Promise((r) => setTimeout(r, 10));
  });

  it('what was acknowledged and then not taken is insisted upon; it is kept encrypted', async () => {
    const asked = message({ text: { content: '报到 张无忌 13800000001' } });
    expect((await post(asked)).status).toBe(200);
    const stored = await chat.app.store.connection.collection('wecomLate').findOne({});
    expect(JSON.stringify(stored)).not.toMatch(/13800000001|报到/);
    failLater = true;
    release();
    for (let i = 0; i < 100 && (await kept()).length > 0; i += 1) await new Promise((r) => setTimeout(r, 10));
    expect(insisted).toEqual([asked.msgid]);
    expect(await kept()).toEqual([]);
  });

  it('begins a stream where no later address was given, and ends it when WeCom asks again', async () => {
    const asked = message({ response_url: undefined });
    const begun = await post(asked);
    begun.settled(true);
    expect(begun.reply).toMatchObject({ msgtype: 'stream', stream: { finish: false } });
    const { id } = (begun.reply as { stream: { id: string } }).stream;
    const refresh = () => post({ msgid: `r${(n += 1)}`, msgtype: 'stream', stream: { id } });
    expect((await refresh()).reply).toMatchObject({ stream: { id, finish: false } });
    const taken = ways.of(answer(asked.msgid))?.slot?.offer('好');
    const ended = await refresh();
    expect(ended.reply).toMatchObject({ stream: { id, finish: true, content: '好' } });
    ended.settled(true);
    expect(await taken).toBe(true);
    release();
    for (let i = 0; i < 100 && (await kept()).length > 0; i += 1) await new Promise((r) => setTimeout(r, 10));
  });

  it('what the store does not take is not acknowledged, and is new when it comes again', async () => {
    const asked = message();
    failure = new Error('the store is away');
    expect((await post(asked)).status).toBe(503);
    failure = undefined;
    release();
    const answering = post(asked);
    for (let i = 0; i < 100 && received.length < 2; i += 1) await new Promise((r) => setTimeout(r, 5));
    expect(received).toEqual([asked.msgid, asked.msgid]);
    expect((await answering).status).toBe(200);
  });

  it('an answer that did not arrive goes by another road; the same message again is then only acknowledged', async () => {
    const asked = message();
    release();
    const answering = post(asked);
    let offered: Promise<boolean> | undefined;
    for (let i = 0; i < 100 && !offered; i += 1) {
      await new Promise((r) => setTimeout(r, 1));
      offered = ways.of(answer(asked.msgid))?.slot?.offer('好');
    }
    const given = await answering;
    expect(given.reply).toMatchObject({ stream: { finish: true, content: '好' } });
    given.settled(false);
    expect(await offered).toBe(false);
    expect((await post(asked)).body).toBe('');
    expect(received).toEqual([asked.msgid]);
  });

  it('what an earlier run has acknowledged and not handled is handled at the start', async () => {
    const at = new Date('2026-11-25T02:00:00Z');
    await late.keep(
      { messageId: 'from-before', room: 'g', from: '王秀兰', text: '@网格小助手 积分', media: [], at },
      'bot',
    );
    const texts: string[] = [];
    const { botKeys } = chat.network.simulator;
    const config = parseConfig({ WECOM_BOT_TOKEN: botKeys.token, WECOM_BOT_AES_KEY: botKeys.aesKey });
    const again = createWecom(config, {
      connection: chat.app.store.connection,
      leaseOf: () => {
        throw new Error('nothing is leased here');
      },
      clock: chat.app.clock,
      log: pino({ level: 'silent' }),
      botNames: ['网格小助手'],
      attachments: chat.app.store.services.attachments,
      linkTo: () => undefined,
      onDirectory: () => Promise.resolve(),
      onAlert: () => undefined,
      onSent: () => undefined,
      onUp: () => undefined,
    });
    await again.start({
      receive({ messageId, text, at: saidAt }) {
        texts.push(text);
        expect(saidAt).toEqual(at);
        return Promise.resolve({ messageId, outcome: 'handled', replies: [] });
      },
      joined: () => Promise.resolve(),
    });
    await again.idle();
    for (let i = 0; i < 100 && (await kept()).length > 0; i += 1) await new Promise((r) => setTimeout(r, 10));
    expect(texts).toEqual(['积分']);
    expect(await kept()).toEqual([]);
    await again.stop();
  });
});
