import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Gaps } from '../../src/bot/gaps.js';
import { openStore, type Store } from '../../src/store/connect.js';
import { Lease, leaseModel } from '../../src/store/lease.js';
import { migrate } from '../../src/store/migrate.js';
import { Presence } from '../../src/store/presence.js';

describe('what processes share about a connection', () => {
  let folder: string;
  let store: Store;
  let gaps: Gaps;
  let now = new Date('2026-11-25T10:00:00Z');
  const clock = { now: () => now };
  const later = (seconds: number): void => {
    now = new Date(now.getTime() + seconds * 1000);
  };
  const lease = (holder: string, name = 'account'): Lease =>
    new Lease({ leases: leaseModel(store.connection), name, holder, lastsMs: 30_000, clock });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-lease-'));
    store = await openStore({ folder, thread: 'same' });
    leaseModel(store.connection);
    gaps = new Gaps(store.connection);
    await migrate(store.connection, { backUp: () => Promise.resolve() });
  });
  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('one holds a lease, renews it, and gives it back', async () => {
    const [a, b] = [lease('a'), lease('b')];
    expect(await a.take()).toBe(true);
    expect(await b.take()).toBe(false);
    later(20);
    expect(await a.take()).toBe(true);
    later(20);
    expect(a.held).toBe(true);
    expect(await b.take()).toBe(false);
    await a.release();
    expect(a.held).toBe(false);
    expect(await b.take()).toBe(true);
    expect(await lease('c', 'another account').take()).toBe(true);
  });

  it('a holder that is gone loses it when it runs out, and knows by itself', async () => {
    const [a, b] = [lease('a', 'gone'), lease('b', 'gone')];
    expect(await a.take()).toBe(true);
    later(31);
    expect(a.held).toBe(false);
    expect(await b.take()).toBe(true);
    expect(await a.take()).toBe(false);
    await a.release();
    expect(await a.take()).toBe(false);
  });

  it('of many that take it at once one gets it', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => lease(`holder ${i}`, 'race').take()));
    expect(all.filter(Boolean)).toHaveLength(1);
  });

  it('who works on the store is present until it stops or falls silent; alone, it is the only one', async () => {
    const present = (): Presence => new Presence(store.connection, { clock, onError: () => undefined });
    const [a, b] = [present(), present()];
    await a.start({ alone: false });
    await b.start({ alone: false });
    expect((await a.living()).toSorted()).toEqual([a.id, b.id].toSorted());
    await b.stop();
    expect(await a.living()).toEqual([a.id]);
    const c = present();
    await c.start({ alone: false });
    later(31);
    expect(await b.living()).toEqual([b.id]);
    await a.start({ alone: false });
    await c.start({ alone: true });
    expect(await c.living()).toEqual([c.id]);
    await Promise.all([a.stop(), c.stop()]);
  });

  it('a gap lasts from the last sign of life to the next, also over a restart', async () => {
    expect(await gaps.ended('wechaty', now, 'first start')).toBeUndefined();
    later(10);
    await gaps.heard('wechaty', now);
    const from = now;
    later(90);
    const gap = await gaps.ended('wechaty', now, 'the gateway died');
    expect(gap).toMatchObject({ channel: 'wechaty', from, to: now, reason: 'the gateway died' });
    expect(await gaps.ended('wechaty', now, 'again at once')).toBeUndefined();
    later(5);
    await gaps.ended('wechaty', now, 'short');
    expect((await gaps.list('wechaty', 10)).map((g) => g.reason)).toEqual(['short', 'the gateway died']);
    expect(await gaps.list('wecom', 10)).toEqual([]);
  });
});
