import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encrypt, getSignature } from '@wecom/crypto';
import fc from 'fast-check';
import { encryptedOf, readAppXml } from '../../../src/channels/wecom/app-xml.js';
import { readBotPayload } from '../../../src/channels/wecom/received.js';
import type { Chat } from '../../conversations/community.js';
import type { WecomCallbackNetwork } from '../../conversations/networks/wecom.js';
import { byCallback } from './running.js';
import { CORP } from './simulator/api.js';
import { encryptedFile } from './simulator/cipher.js';

const FUZZ_RUNS = Number(process.env['FUZZ_RUNS'] ?? '150');
const FUZZ_TIMEOUT_MS = 60_000 + FUZZ_RUNS * 100;

interface Forged {
  readonly method?: string;
  readonly path?: string;
  readonly query?: Record<string, string | undefined>;
  readonly body?: string;
}
type Scene = 'bot' | 'app';

describe('callbacks that are not WeCom’s', () => {
  let chat: Chat<WecomCallbackNetwork>;
  beforeAll(async () => {
    chat = await byCallback({ WECOM_REFUSALS_PER_MINUTE: '100000' });
  });
  afterAll(() => chat.stop());

  const now = (): number => Math.floor(Date.now() / 1000);
  const json = {
    msgid: 'h1',
    chattype: 'single',
    from: { userid: '王秀兰' },
    msgtype: 'text',
    text: { content: '积分' },
  };
  const xml = `<xml><ToUserName>${CORP}</ToUserName><FromUserName>王秀兰</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><Content>积分</Content><MsgId>1</MsgId></xml>`;
  const keysOf = (scene: Scene) => (scene === 'bot' ? chat.network.simulator.botKeys : chat.network.simulator.appKeys);
  const wrap = (scene: Scene, cipher: string): string =>
    scene === 'bot'
      ? JSON.stringify({ encrypt: cipher })
      : `<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[${cipher}]]></Encrypt></xml>`;
  /** A request that is right in all but what is changed. */
  const made = (
    scene: Scene,
    {
      plain = scene === 'bot' ? JSON.stringify(json) : xml,
      receiveId = keysOf(scene).receiveId,
      at = now(),
      cipher = encrypt(keysOf(scene).aesKey, plain, receiveId),
      signedCipher = cipher,
      token = keysOf(scene).token,
      body = wrap(scene, cipher),
      nonce = randomBytes(6).toString('hex'),
    }: {
      plain?: string;
      receiveId?: string;
      at?: number | string;
      cipher?: string;
      signedCipher?: string;
      token?: string;
      body?: string;
      nonce?: string;
    } = {},
  ): Forged & { query: Record<string, string | undefined> } => ({
    path: scene,
    query: {
      msg_signature: getSignature(token, String(at), nonce, signedCipher),
      timestamp: String(at),
      nonce,
    },
    body,
  });
  const raw = (bytes: Buffer, scene: Scene = 'bot'): string =>
    encryptedFile(bytes, Buffer.from(`${keysOf(scene).aesKey}=`, 'base64')).toString('base64');
  const send = async ({ method = 'POST', path = 'bot', query = {}, body = '' }: Forged) => {
    const given = Object.entries(query).filter((e): e is [string, string] => e[1] !== undefined);
    const response = await fetch(`${chat.app.url}/callbacks/wecom/${path}?${new URLSearchParams(given)}`, {
      method,
      ...(method === 'POST' && { body }),
    });
    return { status: response.status, text: await response.text() };
  };
  const without = (forged: Forged, name: string): Forged => ({
    ...forged,
    query: { ...forged.query, [name]: undefined },
  });
  const withQuery = (forged: Forged, more: Record<string, string>): Forged => ({
    ...forged,
    query: { ...forged.query, ...more },
  });
  const stored = async (): Promise<number> => {
    const { connection } = chat.app.store;
    const counts = await Promise.all(
      ['interactions', 'outbox', 'wecomChats', 'wecomLate', 'wecomAnswered', 'attachments', 'dialogues'].map((c) =>
        connection.collection(c).countDocuments(),
      ),
    );
    return counts.reduce((a, b) => a + b, 0);
  };

  const hostile: [what: string, make: () => Forged][] = [
    ['nothing at all', () => ({})],
    ['an unencrypted message to the bot', () => ({ body: JSON.stringify(json) })],
    ['an unencrypted message to the app', () => ({ path: 'app', body: xml })],
    [
      'an unencrypted message that is signed',
      () => made('bot', { body: JSON.stringify(json), signedCipher: JSON.stringify(json) }),
    ],
    ['an unencrypted XML that is signed', () => made('app', { body: xml, signedCipher: xml })],
    ['no signature', () => without(made('bot'), 'msg_signature')],
    ['no time', () => without(made('bot'), 'timestamp')],
    ['no nonce', () => without(made('bot'), 'nonce')],
    ['no signature to the app', () => without(made('app'), 'msg_signature')],
    ['an empty signature', () => withQuery(made('bot'), { msg_signature: '' })],
    ['a signature of zeroes', () => withQuery(made('bot'), { msg_signature: '0'.repeat(40) })],
    [
      'a signature in capitals',
      () => {
        const forged = made('bot');
        return withQuery(forged, { msg_signature: (forged.query['msg_signature'] ?? '').toUpperCase() });
      },
    ],
    [
      'a signature with one wrong digit',
      () => {
        const forged = made('app');
        const right = forged.query['msg_signature'] ?? '';
        return withQuery(forged, { msg_signature: right.replace(/^./, (c) => (c === '0' ? '1' : '0')) });
      },
    ],
    [
      'a signature cut short',
      () => {
        const forged = made('bot');
        return withQuery(forged, { msg_signature: (forged.query['msg_signature'] ?? '').slice(0, 39) });
      },
    ],
    ['a signature of a megabyte', () => withQuery(made('bot'), { msg_signature: 'a'.repeat(10_000) })],
    ['a signature without the cipher', () => made('bot', { signedCipher: '' })],
    ['the token of somebody else', () => made('bot', { token: 'guess' })],
    ['an empty token', () => made('bot', { token: '' })],
    ['the token of the other callback', () => made('bot', { token: keysOf('app').token })],
    ['the app’s message at the bot’s address', () => ({ ...made('app'), path: 'bot' })],
    ['the bot’s message at the app’s address', () => ({ ...made('bot'), path: 'app' })],
    ['a time changed after signing', () => withQuery(made('bot'), { timestamp: String(now() + 1) })],
    ['a nonce changed after signing', () => withQuery(made('bot'), { nonce: 'other' })],
    ['a cipher changed after signing', () => made('bot', { body: wrap('bot', raw(randomBytes(64))) })],
    ['a time of an hour ago', () => made('bot', { at: now() - 3600 })],
    ['a time just outside the window', () => made('app', { at: now() - 310 })],
    ['a time in the future', () => made('bot', { at: now() + 3600 })],
    ['a time of 1970', () => made('bot', { at: 0 })],
    ['a negative time', () => made('bot', { at: -now() })],
    ['a time that is none', () => made('bot', { at: 'now' })],
    ['a time in milliseconds', () => made('bot', { at: Date.now() })],
    ['an empty nonce', () => made('bot', { nonce: '' })],
    ['a nonce with a line end', () => made('bot', { nonce: 'a\nb' })],
    ['the receiver of another organisation', () => made('app', { receiveId: 'ww-other' })],
    ['no receiver at the app', () => made('app', { receiveId: '' })],
    ['a receiver at the bot', () => made('bot', { receiveId: CORP })],
    ['a receiver with more behind it', () => made('app', { receiveId: `${CORP}x` })],
    [
      'a cipher under another key',
      () => made('bot', { cipher: encrypt(randomBytes(32).toString('base64').slice(0, 43), JSON.stringify(json), '') }),
    ],
    ['a cipher that is no base64', () => made('bot', { cipher: '<script>' })],
    ['an empty cipher', () => made('bot', { cipher: '' })],
    ['a cipher of half a block', () => made('bot', { cipher: randomBytes(16).toString('base64') })],
    ['random blocks', () => made('bot', { cipher: randomBytes(320).toString('base64') })],
    [
      'a message length beyond the end',
      () =>
        made('bot', {
          cipher: raw(Buffer.concat([randomBytes(16), Buffer.from('7fffffff', 'hex'), Buffer.from('{}')])),
        }),
    ],
    ['less than a header', () => made('bot', { cipher: raw(Buffer.from('short')) })],
    ['text that is no JSON', () => made('bot', { plain: 'not json' })],
    ['JSON that is no message', () => made('bot', { plain: '{"msgtype":"text"}' })],
    ['JSON of the wrong kinds', () => made('bot', { plain: JSON.stringify({ ...json, from: '王秀兰', msgid: 7 }) })],
    ['a group message without its group', () => made('bot', { plain: JSON.stringify({ ...json, chattype: 'group' }) })],
    [
      'a picture at an address of the file system',
      () => made('bot', { plain: JSON.stringify({ ...json, msgtype: 'image', image: { url: 'file:///etc/passwd' } }) }),
    ],
    ['a list instead of an object', () => made('bot', { plain: '[]' })],
    ['XML with a document type', () => made('app', { plain: `<!DOCTYPE x [<!ENTITY a "b">]>${xml}` })],
    ['XML with an outer file', () => made('app', { plain: `<!DOCTYPE x SYSTEM "file:///etc/passwd">${xml}` })],
    [
      'XML with entities that grow',
      () =>
        made('app', { plain: `<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${xml.replace('积分', '&b;')}` }),
    ],
    ['XML that is not closed', () => made('app', { plain: xml.replace('</xml>', '') })],
    ['XML without a sender', () => made('app', { plain: xml.replace(/<FromUserName>.*<\/FromUserName>/, '') })],
    [
      'two ciphers in one XML',
      () => {
        const forged = made('app');
        return { ...forged, body: `${forged.body}${forged.body}` };
      },
    ],
    [
      'the cipher in a field of another name',
      () => {
        const forged = made('bot');
        return { ...forged, body: (forged.body ?? '').replace('encrypt', 'Encrypt') };
      },
    ],
    ['a cipher that is a number', () => made('bot', { body: '{"encrypt":1}' })],
    ['a body of 300 kB', () => made('bot', { cipher: 'A'.repeat(300_000) })],
    [
      'an address check that is not signed',
      () => ({ method: 'GET', query: { echostr: 'x', nonce: '1', timestamp: String(now()) } }),
    ],
    [
      'an address check with an old time',
      () => {
        const forged = made('bot', { at: now() - 4000 });
        const { encrypt: echostr } = JSON.parse(forged.body ?? '{}');
        return { method: 'GET', path: 'bot', query: { ...forged.query, echostr } };
      },
    ],
    [
      'an address check whose cipher was decoded twice',
      () => {
        const cipher = encrypt(keysOf('bot').aesKey, 'x+y', '');
        const forged = made('bot', { cipher: cipher.replaceAll('+', ' '), signedCipher: `${cipher}+` });
        return { method: 'GET', path: 'bot', query: { ...forged.query, echostr: cipher } };
      },
    ],
    ['an address that is none', () => ({ ...made('bot'), path: 'hooks' })],
    ['an address made of the prototype', () => ({ ...made('bot'), path: '__proto__' })],
  ];

  it(`has a table of at least forty`, () => expect(hostile.length).toBeGreaterThanOrEqual(40));

  it.each(hostile)('%s: refused, with the one answer, and nothing is stored', async (_what, make) => {
    const before = await stored();
    const { status, text } = await send(make());
    expect([403, 413]).toContain(status);
    if (status === 403) expect(text).toBe('refused');
    expect(await stored()).toBe(before);
  });

  it('the same request again is refused, whichever the scene; the message was taken once', async () => {
    for (const scene of ['bot', 'app'] as const) {
      const once = made(scene);
      expect((await send(once)).status).toBe(200);
      const before = await stored();
      for (let i = 0; i < 3; i += 1) expect(await send(once)).toEqual({ status: 403, text: 'refused' });
      expect(await stored()).toBe(before);
    }
    expect(await chat.app.store.connection.collection('interactions').countDocuments()).toBe(2);
  });

  it('what one process has answered, another does not answer again', async () => {
    const { Guard, Rejected, answeredModel } = await import('../../../src/channels/wecom/guard.js');
    const { Envelope } = await import('../../../src/channels/wecom/crypto.js');
    const once = made('bot', { plain: JSON.stringify({ ...json, msgid: 'h4' }) });
    expect((await send(once)).status).toBe(200);
    const { clock, store } = chat.app;
    const other = new Guard({ answered: answeredModel(store.connection), clock, windowMs: 300_000 });
    const cipher = String(JSON.parse(once.body ?? '{}').encrypt);
    const opening = other.open(new Envelope(keysOf('bot')), 'bot', once.query, cipher);
    await expect(opening).rejects.toThrow(Rejected);
    await expect(opening).rejects.toThrow('replay');
  });

  it('shifting digits between time and nonce makes no new request of an old one', async () => {
    const cipher = encrypt(keysOf('bot').aesKey, JSON.stringify({ ...json, msgid: 'h2' }), '');
    const at = String(now());
    const once = made('bot', { cipher, nonce: '7', at });
    expect((await send(once)).status).toBe(200);
    expect((await send(withQuery(once, { timestamp: at.slice(0, 9), nonce: `${at.slice(9)}7` }))).status).toBe(403);
  });

  it('an address that goes on being wrong gets 429 for it; what is rightly signed is heard all the same', async () => {
    const strict = await byCallback({ WECOM_REFUSALS_PER_MINUTE: '3' });
    const { target } = strict.network.simulator;
    const wrong = async (): Promise<number> =>
      (await fetch(`${target}/callbacks/wecom/bot`, { method: 'POST', body: '{}' })).status;
    expect([await wrong(), await wrong(), await wrong(), await wrong()]).toEqual([403, 403, 403, 429]);
    expect(await strict.says('王秀兰', '积分')).toContain('积分：');
    await strict.stop();
  });

  it(
    'whatever comes after a right signature: no crash, one answer for every failure',
    async () => {
      const block = fc.uint8Array({ minLength: 0, maxLength: 96 });
      const text = fc.oneof(
        fc.string(),
        fc.json(),
        fc.string().map((s) => `<xml>${s}</xml>`),
        fc.constant('<xml/>'),
      );
      await fc.assert(
        fc.asyncProperty(fc.constantFrom<Scene>('bot', 'app'), fc.oneof(block, text), async (scene, content) => {
          const cipher =
            typeof content === 'string'
              ? encrypt(keysOf(scene).aesKey, content, keysOf(scene).receiveId)
              : Buffer.from(content).toString('base64');
          expect(await send(made(scene, { cipher }))).toEqual({ status: 403, text: 'refused' });
        }),
        { numRuns: FUZZ_RUNS },
      );
      process.stdout.write(`${FUZZ_RUNS} ciphers and texts under right signatures: every one refused alike\n`);
    },
    FUZZ_TIMEOUT_MS,
  );

  it('no padding oracle: each way to change the last block is answered alike, as is a wrong signature', async () => {
    const good = Buffer.from(encrypt(keysOf('bot').aesKey, JSON.stringify({ ...json, msgid: 'h3' }), ''), 'base64');
    const answers = new Set<string>();
    for (let value = 0; value < 64; value += 1) {
      const bad = Buffer.from(good);
      bad[bad.length - 17] = (bad[bad.length - 17] ?? 0) ^ (value + 1);
      answers.add(JSON.stringify(await send(made('bot', { cipher: bad.toString('base64') }))));
    }
    answers.add(JSON.stringify(await send(withQuery(made('bot'), { msg_signature: 'a'.repeat(40) }))));
    expect([...answers]).toEqual([JSON.stringify({ status: 403, text: 'refused' })]);
  });

  it(
    'readers of XML and JSON: any text gives a reading or none, never an exception',
    () => {
      fc.assert(
        fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
          encryptedOf(text);
          readAppXml(text);
          readAppXml(`<xml><MsgType><![CDATA[${text}]]></MsgType></xml>`);
          readBotPayload(text);
        }),
        { numRuns: FUZZ_RUNS * 5 },
      );
      fc.assert(
        fc.property(fc.anything(), (value) => {
          readBotPayload(value);
          readBotPayload({ ...json, event: value, quote: value, mixed: value });
        }),
        { numRuns: FUZZ_RUNS * 5 },
      );
    },
    FUZZ_TIMEOUT_MS,
  );
});
