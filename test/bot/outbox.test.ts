import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Model } from 'mongoose';
import { pino } from 'pino';
import { type Channel, NotNow, SendUnknown, Undeliverable } from '../../src/bot/channel.js';
import type { OutgoingMessage } from '../../src/bot/message.js';
import { Outbox, type OutboxMessage, outboxModel } from '../../src/bot/outbox.js';
import { systemClock } from '../../src/clock.js';
import { openStore, type Store } from '../../src/store/connect.js';
import { migrate } from '../../src/store/migrate.js';

type Behaviour = (message: OutgoingMessage, handsOver: () => Promise<void>) => Promise<void>;

describe('the outbox tells sent, not sent and unknown apart', () => {
  let folder: string;
  let store: Store;
  let messages: Model<OutboxMessage>;
  let outbox: Outbox;
  let calls: OutgoingMessage[];
  let settled: string[];
  let behaviours: Behaviour[];
  /** The processes that work on the store. */
  let living: string[] = ['this'];
  let elsewhere = false;
  /** The process that the next outbox is of. */
  let process = 'this';
  const sent: Behaviour = () => Promise.resolve();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-outbox-'));
    store = await openStore({ folder, thread: 'same' });
    messages = outboxModel(store.connection);
    await migrate(store.connection, { backUp: () => Promise.resolve() });
  });
  afterEach(async () => {
    await outbox.stop();
    await messages.deleteMany({});
    living = ['this'];
    elsewhere = false;
    process = 'this';
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** An outbox over a channel that does as it is told, one behaviour a call, the last for ever. */
  const over = (...told: Behaviour[]): void => {
    calls = [];
    settled = [];
    behaviours = told;
    const channel: Channel = {
      name: 'test',
      capabilities: {
        mentions: true,
        images: true,
        files: true,
        firstWord: true,
        maxText: 100,
        paceMs: 0,
        stableIds: true,
      },
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      healthy: () => true,
      isElsewhere: () => elsewhere,
      send(message, handsOver) {
        calls.push(message);
        const behaviour = behaviours.length > 1 ? behaviours.shift() : behaviours[0];
        return (behaviour ?? sent)(message, handsOver);
      },
    };
    outbox = new Outbox({
      messages,
      channels: new Map([['test', channel]]),
      presence: { id: process, living: () => Promise.resolve(living) },
      lookMs: 20,
      clock: systemClock,
      log: pino({ level: 'silent' }),
      onSettled: (result) => settled.push(result),
    });
  };
  const written = async (id: string, more: Partial<OutboxMessage> = {}): Promise<OutboxMessage> => {
    const at = new Date('2026-11-25T10:00:00Z');
    const message: OutboxMessage = {
      _id: id,
      channel: 'test',
      room: 'room',
      person: null,
      text: id,
      mentions: [],
      attachments: [],
      interaction: 'i',
      status: 'pending',
      holder: '',
      attempts: 0,
      notBefore: at,
      at,
      ...more,
    };
    await messages.create(message);
    return message;
  };
  const stored = async (id: string): Promise<Partial<OutboxMessage>> => {
    const { status, maybeSent, attempts } = (await messages.findById(id).lean<OutboxMessage>()) ?? {};
    return { status, maybeSent, attempts } as Partial<OutboxMessage>;
  };

  it('what was sent is sent, and nothing doubtful is left', async () => {
    over(async (_m, handsOver) => handsOver());
    await outbox.deliver([await written('a')]);
    await outbox.stop();
    expect(await stored('a')).toMatchObject({ status: 'sent', maybeSent: false });
    expect(settled).toEqual(['sent']);
  });

  it('before a message is handed over it is stored that it may have arrived: a crash then leaves it unknown, not unsent', async () => {
    let during: Partial<OutboxMessage> = {};
    over(async (_m, handsOver) => {
      await handsOver();
      during = await stored('a');
    });
    await outbox.deliver([await written('a')]);
    expect(during).toMatchObject({ status: 'pending', maybeSent: true });
  });

  it('what an earlier run may have sent is sent again and says so', async () => {
    over(sent);
    await written('a', { maybeSent: true });
    await written('b');
    expect(await outbox.start()).toBe(2);
    while (settled.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(calls.map((m) => [m.id, m.maybeSent ?? false])).toEqual([
      ['a', true],
      ['b', false],
    ]);
  });

  it('an unknown end is tried again as perhaps sent; a certain failure is not', async () => {
    over(
      () => Promise.reject(new Error('not connected')),
      () => Promise.reject(new SendUnknown('dropped')),
      sent,
    );
    await outbox.deliver([await written('a')]);
    expect(calls.map((m) => m.maybeSent ?? false)).toEqual([false, false, true]);
    expect(settled).toEqual(['retried', 'unknown', 'sent']);
  });

  it('after four unknown ends it is given up, and stays listed as perhaps sent', async () => {
    over(() => Promise.reject(new SendUnknown('no answer')));
    await outbox.deliver([await written('a')]);
    expect(calls).toHaveLength(4);
    expect(await stored('a')).toEqual({ status: 'dead', maybeSent: true, attempts: 4 });
  });

  it('while nothing can be sent no try is counted, and the order is kept', async () => {
    const notNow: Behaviour = () => Promise.reject(new NotNow('resting'));
    over(notNow, notNow, sent);
    await outbox.deliver([await written('a'), await written('b')]);
    await outbox.stop();
    expect(calls.map((m) => m.id)).toEqual(['a', 'a', 'a', 'b']);
    expect(await stored('a')).toEqual({ status: 'sent', maybeSent: false, attempts: 0 });
  });

  it('what turns out not to have been sent after all is not left as perhaps sent', async () => {
    let between: Partial<OutboxMessage> = {};
    over(
      async (_m, handsOver) => {
        await handsOver();
        throw new NotNow('too frequent');
      },
      async () => {
        between = await stored('a');
      },
    );
    await outbox.deliver([await written('a')]);
    expect(between).toMatchObject({ status: 'pending', maybeSent: false });
  });

  it('what the network took and refused afterwards is sent once more', async () => {
    over(sent);
    await outbox.deliver([await written('a')]);
    await outbox.refused('a');
    await outbox.stop();
    expect(calls.map((m) => [m.id, m.maybeSent ?? false])).toEqual([
      ['a', false],
      ['a', false],
    ]);
    expect(await stored('a')).toMatchObject({ status: 'sent' });
  });

  it('what another process sends is its own affair, until that one is gone', async () => {
    over(sent);
    living = ['this', 'other'];
    await written('theirs', { holder: 'other' });
    await written('ours', { holder: 'this' });
    expect(await outbox.start()).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(calls).toEqual([]);
    living = ['this'];
    while (settled.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await outbox.stop();
    expect(calls.map((m) => m.id)).toEqual(['theirs']);
    expect(await stored('theirs')).toMatchObject({ status: 'sent' });
  });

  it('what was left for a network that is off waits until it is on', async () => {
    over(sent);
    await written('a', { channel: 'off', holder: 'dead' });
    expect(await outbox.start()).toBe(0);
    expect(await stored('a')).toMatchObject({ status: 'pending' });
  });

  it('of two processes that find the same message left, one sends it', async () => {
    over(sent);
    const first = outbox;
    const all = calls;
    await written('a', { holder: 'dead' });
    living = ['this', 'that'];
    process = 'that';
    over((message) => Promise.resolve(void all.push(message)));
    await Promise.all([first.start(), outbox.start()]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await first.stop();
    expect(all.map((m) => m.id)).toEqual(['a']);
  });

  it('what only the connection of another process can send is left to that one, in order, and taken back with the connection', async () => {
    over(
      () => Promise.reject(new NotNow('standing by')),
      () => Promise.reject(new NotNow('standing by')),
      sent,
    );
    elsewhere = true;
    await outbox.start();
    await outbox.deliver([await written('a', { holder: 'this' }), await written('b', { holder: 'this' })]);
    expect((await messages.find({}).lean()).map((m) => [m.status, m.holder])).toEqual([
      ['pending', ''],
      ['pending', ''],
    ]);
    elsewhere = false;
    while (settled.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(calls.map((m) => m.id)).toEqual(['a', 'b', 'a', 'b']);
  });

  it('what can never be sent is dead at once', async () => {
    over(() => Promise.reject(new Undeliverable('gone')));
    await outbox.deliver([await written('a')]);
    expect(await stored('a')).toMatchObject({ status: 'dead', maybeSent: false });
    expect(calls).toHaveLength(1);
  });

  it('stops at once, however long a message has to wait', async () => {
    over(() => Promise.reject(new NotNow('resting', new Date(Date.now() + 3_600_000))));
    const delivered = outbox.deliver([await written('a')]);
    const begin = performance.now();
    await outbox.stop();
    await delivered;
    expect(performance.now() - begin).toBeLessThan(5_000);
    expect(await stored('a')).toMatchObject({ status: 'pending', maybeSent: false });
  });
});
