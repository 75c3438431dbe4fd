import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NotNow } from '../../../src/bot/channel.js';
import { Echoes } from '../../../src/channels/wechaty/echoes.js';
import { Lane } from '../../../src/channels/wechaty/lane.js';
import { Pacer } from '../../../src/channels/wechaty/pacer.js';
import { seeded } from '../../../src/domain/demo/people.js';

const PACE = { minMs: 1000, maxMs: 3000, destinationMs: 5000, burst: 20, restMs: 60_000 };

describe('how fast an account writes', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('the first message goes at once, the next after one to three seconds, to the same place after five', () => {
    const pacer = new Pacer(PACE, () => 0.5);
    expect(pacer.dueAt('a')).toBe(Number.NEGATIVE_INFINITY);
    pacer.sent('a', 0);
    expect(pacer.dueAt('b')).toBe(2000);
    expect(pacer.dueAt('a')).toBe(5000);
  });

  it('the pause is drawn anew each time', () => {
    const pacer = new Pacer(PACE, seeded(1));
    const pauses = Array.from({ length: 10 }, (_, i) => {
      pacer.sent(`room ${i}`, i * 10_000);
      return pacer.dueAt('another') - i * 10_000;
    });
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(3000);
    expect(new Set(pauses).size).toBe(10);
  });

  it('after twenty messages it rests for a minute; a minute of silence is a rest too', () => {
    const pacer = new Pacer(PACE, () => 0);
    let now = 0;
    for (let i = 0; i < 20; i += 1) {
      now = i === 0 ? 0 : pacer.dueAt(`room ${i}`);
      pacer.sent(`room ${i}`, now);
    }
    expect(now).toBe(19_000);
    expect(pacer.dueAt('another')).toBe(79_000);
    pacer.sent('another', 79_000);
    expect(pacer.dueAt('one more')).toBe(80_000);
  });

  it('forty messages to forty groups: one at a time, in the order in which they came, with their pauses', async () => {
    const lane = new Lane(new Pacer(PACE, () => 1));
    const sent: { room: number; at: number }[] = [];
    let atOnce = 0;
    const begin = performance.now();
    const all = Promise.all(
      Array.from({ length: 40 }, (_, room) =>
        lane.run(`room ${room}`, async () => {
          atOnce += 1;
          expect(atOnce).toBe(1);
          await Promise.resolve();
          atOnce -= 1;
          sent.push({ room, at: performance.now() - begin });
        }),
      ),
    );
    await jest.advanceTimersByTimeAsync(10 * 60_000);
    await all;
    expect(sent.map((s) => s.room)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    const pauses = sent.slice(1).map((s, i) => Math.round(s.at - (sent[i]?.at ?? 0)));
    expect(pauses.filter((p) => p === 3000)).toHaveLength(38);
    expect(pauses[19]).toBe(60_000);
  });

  it('a group that must wait does not hold up another', async () => {
    const lane = new Lane(new Pacer({ ...PACE, minMs: 1000, maxMs: 1000 }));
    const order: string[] = [];
    const say = (room: string, what: string): Promise<void> =>
      lane.run(room, () => Promise.resolve(order.push(what)).then(() => undefined));
    const all = Promise.all([say('a', 'a1'), say('a', 'a2'), say('b', 'b1')]);
    await jest.advanceTimersByTimeAsync(10_000);
    await all;
    expect(order).toEqual(['a1', 'b1', 'a2']);
  });

  it('what waits is turned away when the network says that it is too much, and at the end', async () => {
    const lane = new Lane(new Pacer(PACE));
    await lane.run('a', () => Promise.resolve());
    const waiting = lane.run('a', () => Promise.reject(new Error('must not run')));
    const turnedAway = expect(waiting).rejects.toBeInstanceOf(NotNow);
    lane.clear(new NotNow('too frequent'));
    await turnedAway;
    await lane.stop();
    await expect(lane.run('b', () => Promise.resolve())).rejects.toBeInstanceOf(NotNow);
  });

  it('work that fails is its own affair', async () => {
    const lane = new Lane(new Pacer({ ...PACE, minMs: 0, maxMs: 0, destinationMs: 0 }));
    await expect(lane.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(lane.run('a', () => Promise.resolve())).resolves.toBeUndefined();
  });
});

describe('what a gateway shows of the bot’s own messages', () => {
  it('one that no successful call accounts for proves a call with an unknown end, once', () => {
    const echoes = new Echoes();
    expect(echoes.proves('room', '已登记')).toBe(false);
    echoes.shown('room', '已登记');
    expect(echoes.proves('other room', '已登记')).toBe(false);
    expect(echoes.proves('room', '已登记')).toBe(true);
    expect(echoes.proves('room', '已登记')).toBe(false);
  });

  it('the echo of an earlier message of the same words proves nothing, whichever comes first', () => {
    const echoes = new Echoes();
    echoes.said('room', '已取消');
    echoes.shown('room', '已取消');
    echoes.shown('room', '已取消');
    echoes.said('room', '已取消');
    expect(echoes.proves('room', '已取消')).toBe(false);
  });
});
