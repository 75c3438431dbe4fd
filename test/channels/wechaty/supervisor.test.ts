import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { type Down, ConnectionEnded } from '../../../src/channels/wechaty/down.js';
import { type Link, Supervisor, type SupervisorOptions } from '../../../src/channels/wechaty/supervisor.js';

/** A connection that does as it is told. */
class FakeLink implements Link {
  readonly heardAt = new Date('2026-11-25T10:00:00Z');
  readonly down: Promise<Down>;
  stopped = false;
  abandoned = false;
  end: (reason: string) => void = () => undefined;
  readonly #opens: Promise<void>;
  readonly #stops: Promise<void>;

  constructor(opens: Promise<void> = Promise.resolve(), stops: Promise<void> = Promise.resolve()) {
    this.#opens = opens;
    this.#stops = stops;
    this.down = new Promise((resolve) => {
      this.end = (reason) => resolve({ reason, badToken: false });
    });
  }

  open(): Promise<void> {
    return this.#opens;
  }

  stop(): Promise<void> {
    this.stopped = true;
    return this.#stops;
  }

  abandon(): void {
    this.abandoned = true;
  }
}

const badToken = (): FakeLink => new FakeLink(Promise.reject(new ConnectionEnded({ reason: '16', badToken: true })));
const never = new Promise<void>(() => undefined);

describe('the supervision of a connection', () => {
  let supervisor: Supervisor<FakeLink>;
  let made: FakeLink[];
  let next: (() => FakeLink)[];
  let reachable: boolean;
  let knocks: number;
  let leaseIs: 'free' | 'another’s' | 'unknown';
  let held: boolean;
  let released: number;
  let stored: { heard: Date[]; ended: string[] };
  const downs: string[] = [];

  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-11-25T10:00:00Z') });
    made = [];
    next = [];
    reachable = true;
    knocks = 0;
    leaseIs = 'free';
    held = true;
    released = 0;
    stored = { heard: [], ended: [] };
    downs.length = 0;
    const options: SupervisorOptions<FakeLink> = {
      channel: 'test',
      reach() {
        knocks += 1;
        return reachable ? Promise.resolve() : Promise.reject(new Error('ECONNREFUSED'));
      },
      connect() {
        const link = (next.shift() ?? (() => new FakeLink()))();
        made.push(link);
        return Promise.resolve(link);
      },
      lease: {
        lastsMs: 30_000,
        get held() {
          return held;
        },
        take: () =>
          leaseIs === 'unknown' ? Promise.reject(new Error('store away')) : Promise.resolve(leaseIs === 'free'),
        release() {
          released += 1;
          return Promise.resolve();
        },
      },
      gaps: {
        heard(_channel, at) {
          stored.heard.push(at);
          return Promise.resolve();
        },
        ended(_channel, _at, reason) {
          stored.ended.push(reason);
          return Promise.resolve(undefined);
        },
      },
      clock: { now: () => new Date() },
      log: pino({ level: 'silent' }),
      onUp: () => undefined,
      onDown: (_since, reason) => downs.push(reason),
    };
    supervisor = new Supervisor(options);
  });
  afterEach(async () => {
    const stopped = supervisor.stop();
    await jest.advanceTimersByTimeAsync(10_000);
    await stopped;
    jest.useRealTimers();
  });

  const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  it('is down until a connection is open, and makes a new one each time', async () => {
    expect(supervisor.state).toMatchObject({ up: false, reason: 'not connected yet' });
    supervisor.start();
    await pass(0);
    expect(supervisor.state.up).toBe(true);
    expect(supervisor.link).toBe(made[0]);
    made[0]?.end('14 UNAVAILABLE: Connection dropped');
    await pass(0);
    expect(supervisor.state).toMatchObject({
      up: false,
      since: made[0]?.heardAt,
      reason: expect.stringContaining('14'),
    });
    expect(supervisor.link).toBeUndefined();
    expect(made[0]?.stopped).toBe(true);
    await pass(1_000);
    expect(supervisor.link).toBe(made[1]);
    expect(downs).toHaveLength(1);
    expect(stored.ended[1]).toContain('Connection dropped');
  });

  it('while nobody listens it only knocks, ever more seldom, up to every four seconds or so', async () => {
    reachable = false;
    supervisor.start();
    await pass(2_000);
    expect(knocks).toBeGreaterThanOrEqual(3);
    await pass(58_000);
    expect(knocks).toBeLessThanOrEqual(4 + 60 / 3);
    expect(made).toHaveLength(0);
    expect(supervisor.state).toMatchObject({ up: false, reason: 'ECONNREFUSED' });
    reachable = true;
    await pass(5_000);
    expect(supervisor.state.up).toBe(true);
  });

  it('a refused token is tried again after a minute only', async () => {
    next = [badToken, badToken];
    supervisor.start();
    await pass(59_000);
    expect(made).toHaveLength(1);
    await pass(2_000);
    expect(made).toHaveLength(2);
  });

  it('a frozen connection that never stops is left after three seconds', async () => {
    next = [() => new FakeLink(Promise.resolve(), never)];
    supervisor.start();
    await pass(0);
    made[0]?.end('no sign of life');
    await pass(2_900);
    expect(made).toHaveLength(1);
    await pass(1_000);
    expect(made[0]?.abandoned).toBe(true);
    expect(supervisor.link).toBe(made[1]);
  });

  it('waits while another process holds the account, and ends when another takes it', async () => {
    leaseIs = 'another’s';
    supervisor.start();
    await pass(10_000);
    expect(made).toHaveLength(0);
    expect([supervisor.state.reason, supervisor.isElsewhere]).toEqual(['another process holds the account', true]);
    leaseIs = 'free';
    await pass(5_000);
    expect([supervisor.state.up, supervisor.isElsewhere]).toEqual([true, false]);
    leaseIs = 'another’s';
    await pass(10_000);
    expect(made[0]?.stopped).toBe(true);
    expect(supervisor.state.up).toBe(false);
  });

  it('goes on while the store is away, until the lease has run out', async () => {
    supervisor.start();
    await pass(0);
    leaseIs = 'unknown';
    await pass(20_000);
    expect(supervisor.state.up).toBe(true);
    held = false;
    await pass(10_000);
    expect(supervisor.state).toMatchObject({ up: false });
    expect(downs).toEqual([expect.stringContaining('lease ran out')]);
  });

  it('keeps the time of the last sign of life in the store', async () => {
    supervisor.start();
    await pass(35_000);
    expect(stored.heard.length).toBeGreaterThanOrEqual(3);
  });

  it('stops at once, also while it waits for somebody to log in, and gives the lease back', async () => {
    next = [() => new FakeLink(never)];
    supervisor.start();
    await pass(100);
    await supervisor.stop();
    expect(made[0]?.stopped).toBe(true);
    expect(released).toBe(1);
  });
});
