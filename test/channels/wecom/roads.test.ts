import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { SendUnknown, Undeliverable } from '../../../src/bot/channel.js';
import type { Attachment, OutgoingMessage } from '../../../src/bot/message.js';
import { NoWay, NotSent, Refused } from '../../../src/channels/wecom/errors.js';
import { Pace } from '../../../src/channels/wecom/pace.js';
import type { Road } from '../../../src/channels/wecom/road/road.js';
import { Roads } from '../../../src/channels/wecom/roads.js';

const photo: Attachment = { id: 'p', name: '值日表.png', type: 'image/png', bytes: 4 };
const message = (more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  id: 'wecom:m:0',
  interaction: 'wecom:m',
  to: { channel: 'wecom', room: 'g' },
  text: '你好',
  mentions: [],
  attachments: [],
  choices: [],
  at: new Date(),
  ...more,
});

/** A road that notes what it carries and fails as told. */
function road(name: Road['name'], more: Partial<Road> = {}, failures: unknown[] = []) {
  const carried: string[] = [];
  const carry = (what: string): Promise<void> => {
    const failure = failures.shift();
    if (failure !== undefined) return Promise.reject(failure);
    carried.push(what);
    return Promise.resolve();
  };
  return {
    name,
    images: true,
    files: true,
    mentions: false,
    textBytes: 100,
    leads: () => true,
    text: (_m: OutgoingMessage, piece: string) => carry(piece),
    file: (_m: OutgoingMessage, a: Attachment) => carry(`[${a.name}]`),
    carried,
    ...more,
  };
}

const done = (): Promise<void> => Promise.resolve();
const stopping = new AbortController();
const over = (roads: Road[], restMs = 60_000, mayReopen = false): Roads =>
  new Roads({
    roads,
    pace: new Pace([{ count: 1000, perMs: 1000 }]),
    signal: stopping.signal,
    log: pino({ level: 'silent' }),
    linkTo: () => 'https://a.example/f',
    bytesOf: () => Promise.resolve(Buffer.from('png!')),
    mayReopen: () => mayReopen,
    alert: () => undefined,
    restMs,
  });

describe('the roads to a reader in WeCom', () => {
  afterEach(() => expect(stopping.signal.aborted).toBe(false));

  it('the first that leads there is taken; where it fails before anything left, the next one is', async () => {
    const first = road('connection', {}, [new NotSent('down'), new NoWay('gone'), new Refused(40008, 'x')]);
    const second = road('webhook');
    for (let i = 0; i < 4; i += 1) await over([first, second]).send(message({ id: `m${i}` }), done);
    expect([first.carried, second.carried]).toEqual([['你好'], ['你好', '你好', '你好']]);
  });

  it('what may have arrived is not sent again by another road', async () => {
    const second = road('webhook');
    const lost = over([road('connection', {}, [new SendUnknown('no ack')]), second]).send(message(), done);
    await expect(lost).rejects.toThrow(SendUnknown);
    expect(second.carried).toEqual([]);
  });

  it('no road leads there: undeliverable; a road that may lead there later: again', async () => {
    await expect(over([]).send(message(), done)).rejects.toThrow(Undeliverable);
    await expect(over([], 0, true).send(message(), done)).rejects.toThrow(NotSent);
    const down = road('connection', {}, [new NotSent('down')]);
    const never = road('app', {}, [new Undeliverable('unknown person')]);
    await expect(over([down, never]).send(message(), done)).rejects.toThrow(NotSent);
    await expect(over([road('app', {}, [new Refused(81013, 'x')])]).send(message(), done)).rejects.toThrow(
      Undeliverable,
    );
  });

  it('after "too often" a road rests, and another carries on; alone it is waited for', async () => {
    const first = road('connection', {}, [new Refused(45009, 'x')]);
    const second = road('webhook');
    const both = over([first, second]);
    await both.send(message({ id: 'a' }), done);
    await both.send(message({ id: 'b' }), done);
    expect([first.carried.length, second.carried.length]).toEqual([0, 2]);
    const alone = road('connection', {}, [new Refused(45009, 'x')]);
    const only = over([alone], 150);
    await expect(only.send(message(), done)).rejects.toThrow('45009');
    const from = performance.now();
    await only.send(message(), done);
    expect(performance.now() - from).toBeGreaterThan(100);
    expect(alone.carried).toEqual(['你好']);
  });

  it('a long text goes in pieces; a try after a failure goes on where it stopped', async () => {
    const text = '一'.repeat(80);
    const long = road('connection', {}, [undefined, new NotSent('down')]);
    const roads = over([long]);
    await expect(roads.send(message({ text }), done)).rejects.toThrow(NotSent);
    await roads.send(message({ text }), done);
    expect(long.carried.map((p) => p.length)).toEqual([33, 33, 14]);
    expect(long.carried.join('')).toBe(text);
  });

  it('a text that one road has said half of is said to its end by another, whatever it takes at once', async () => {
    const text = `${'一'.repeat(20)}\n${'二'.repeat(20)}\n${'三'.repeat(20)}`;
    const short = road('app', {}, [undefined, new NotSent('down')]);
    const long = road('connection', { textBytes: 1000 });
    await over([short, long]).send(message({ text, attachments: [photo] }), done);
    expect(short.carried).toEqual(['一'.repeat(20)]);
    expect(long.carried).toEqual([`${'二'.repeat(20)}\n${'三'.repeat(20)}`, '[值日表.png]']);
  });

  it('what may have arrived before says so, within the length that the road takes', async () => {
    const only = road('app');
    let handed = 0;
    const noted = (): Promise<void> => {
      handed += 1;
      return Promise.resolve();
    };
    await over([only]).send(message({ text: '一'.repeat(40), maybeSent: true }), noted);
    expect(only.carried).toEqual([`（可能重复）${'一'.repeat(27)}`, '一'.repeat(13)]);
    expect(handed).toBe(1);
  });

  it('a picture goes by a road that carries pictures; where none does, its place is named with a link', async () => {
    const [texts, pictures] = [road('responseUrl', { images: false, files: false }), road('webhook')];
    await over([texts, pictures]).send(message({ attachments: [photo] }), done);
    expect([texts.carried, pictures.carried]).toEqual([[], ['你好', '[值日表.png]']]);
    await over([texts]).send(message({ attachments: [photo] }), done);
    expect(texts.carried).toEqual(['你好\n图片「值日表.png」：https://a.example/f']);
  });

  it('who is to be mentioned is mentioned by the road that can', async () => {
    const [first, second] = [road('connection'), road('webhook', { mentions: true })];
    await over([first, second]).send(message({ mentions: ['王秀兰'] }), done);
    expect([first.carried, second.carried]).toEqual([[], ['你好']]);
  });
});

describe('the pace of a conversation', () => {
  it('lets through what the limits allow in each window, and no more', async () => {
    let now = 0;
    const pace = new Pace(
      [
        { count: 3, perMs: 60_000 },
        { count: 4, perMs: 3_600_000 },
      ],
      () => now,
    );
    const goes = async (key: string): Promise<boolean> => {
      const giveUp = AbortSignal.timeout(5);
      return pace.take(key, giveUp).then(
        () => true,
        () => false,
      );
    };
    expect([await goes('a'), await goes('a'), await goes('a'), await goes('a')]).toEqual([true, true, true, false]);
    expect(await goes('b')).toBe(true);
    now += 60_000;
    expect([await goes('a'), await goes('a')]).toEqual([true, false]);
    now += 3_540_001;
    expect(await goes('a')).toBe(true);
  });

  it('below the limits nothing waits, at whatever fraction of a millisecond', async () => {
    const pace = new Pace([{ count: 3000, perMs: 60_000 }]);
    const given = new AbortController();
    given.abort();
    // A wait would be refused at once.
    for (let i = 0; i < 2000; i += 1) await pace.take('a', given.signal);
  });
});
