import type { Logger } from 'pino';
import type { ChannelLease } from '../../bot/channel.js';
import type { ChannelGap, Gaps } from '../../bot/gaps.js';
import type { Clock } from '../../clock.js';
import { ConnectionEnded, type Down } from './down.js';

/** What is supervised: one connection after another. */
export interface Link {
  readonly down: Promise<Down>;
  readonly heardAt: Date;
  open(): Promise<void>;
  stop(): Promise<void>;
  /** Lets go of what `stop` left, or did not come to. */
  abandon(): void;
}

export interface SupervisorOptions<L extends Link> {
  /** The channel's name, by which gaps are stored. */
  readonly channel: string;
  /** Resolves when it is worth connecting. @throws Error why not yet */
  readonly reach: () => Promise<void>;
  readonly connect: () => Promise<L>;
  readonly lease: ChannelLease;
  readonly gaps: Pick<Gaps, 'heard' | 'ended'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onUp: (link: L, gap: ChannelGap | undefined) => void;
  readonly onDown: (since: Date, reason: string) => void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;
/** A refused token does not become right by itself. */
const BAD_TOKEN_PAUSE_MS = 60_000;
const STOP_MS = 3_000;
const PULSE_MS = 10_000;

/** Whether the channel hears, since when, and why not. */
export interface ChannelState {
  readonly up: boolean;
  readonly since: Date;
  readonly reason: string;
}

/** Keeps one connection alive, a new one each time: nothing of a connection that went down can be trusted again. */
export class Supervisor<L extends Link> {
  readonly #options: SupervisorOptions<L>;
  #link: L | undefined;
  #state: ChannelState;
  #running: Promise<void> | undefined;
  #renewing: NodeJS.Timeout | undefined;
  #untilDown: Promise<Down> = Promise.resolve({ reason: 'not connected', badToken: false });
  #elsewhere = false;
  #stopping = false;
  #stop: () => void = () => undefined;
  readonly #stopped: Promise<void>;
  #lose: (down: Down) => void = () => undefined;

  constructor(options: SupervisorOptions<L>) {
    this.#options = options;
    this.#state = { up: false, since: options.clock.now(), reason: 'not connected yet' };
    this.#stopped = new Promise((resolve) => {
      this.#stop = resolve;
    });
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** The connection, while it is up. */
  get link(): L | undefined {
    return this.#state.up ? this.#link : undefined;
  }

  /** Another process holds the account. */
  get isElsewhere(): boolean {
    return this.#elsewhere;
  }

  start(): void {
    this.#renewing = setInterval(() => void this.#renew(), Math.min(PULSE_MS, this.#options.lease.lastsMs / 3));
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#renewing);
    this.#stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log, lease } = this.#options;
    let lastReason = '';
    for (let failures = 0; !this.#stopping;) {
      let down: Down;
      try {
        await this.#connect();
        failures = 0;
        down = await this.#untilDown;
      } catch (error) {
        down =
          error instanceof ConnectionEnded
            ? error.down
            : { reason: error instanceof Error ? error.message : String(error), badToken: false };
        failures += 1;
      }
      await this.#markDown(down);
      await this.#drop();
      if (this.#stopping) break;
      // A gateway can be away for days: a line for each new reason, and for the 1st, 2nd, 4th, 8th … failure.
      const news = down.reason !== lastReason || Number.isInteger(Math.log2(failures));
      lastReason = down.reason;
      log[news ? 'warn' : 'debug']({ reason: down.reason, failures }, 'channel down, will connect again');
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
      await this.#pause(down.badToken ? BAD_TOKEN_PAUSE_MS : pause * (0.75 + Math.random() / 2));
    }
    await lease.release().catch((err: unknown) => log.warn({ err }, 'lease not given back; it runs out by itself'));
  }

  async #connect(): Promise<void> {
    const { lease, reach, connect, gaps, channel, clock, onUp, log } = this.#options;
    this.#elsewhere = !(await lease.take());
    if (this.#elsewhere) throw new Error('another process holds the account');
    await reach();
    if (this.#stopping) throw new Error('stopping');
    const link = await connect();
    this.#link = link;
    const lost = new Promise<Down>((resolve) => {
      this.#lose = resolve;
    });
    const stopped = this.#stopped.then((): Down => ({ reason: 'stopping', badToken: false }));
    this.#untilDown = Promise.race([link.down, lost, stopped]);
    const down = await Promise.race([link.open().then(() => undefined), lost, stopped]);
    if (down) throw new ConnectionEnded(down);
    const { reason } = this.#state;
    const now = clock.now();
    const gap = await gaps.ended(channel, now, reason);
    this.#state = { up: true, since: now, reason: '' };
    if (gap)
      log.warn({ from: gap.from, to: gap.to, reason }, 'channel heard nothing; what was written then may be lost');
    onUp(link, gap);
  }

  /** Renews the lease and the pulse; a lease that another took, or that ran out, ends the connection. */
  async #renew(): Promise<void> {
    const { lease, gaps, channel, log } = this.#options;
    if (!this.#link) return;
    try {
      this.#elsewhere = !(await lease.take());
      if (this.#elsewhere) this.#lose({ reason: 'another process took the account', badToken: false });
      else if (this.link) await gaps.heard(channel, this.link.heardAt);
    } catch (err) {
      log.warn({ err }, 'lease not renewed');
      if (!lease.held) this.#lose({ reason: 'the lease ran out: the store does not answer', badToken: false });
    }
  }

  async #markDown({ reason }: Down): Promise<void> {
    const { gaps, channel, onDown, log } = this.#options;
    if (!this.#state.up) {
      this.#state = { ...this.#state, reason };
      return;
    }
    const since = this.#link?.heardAt ?? this.#state.since;
    this.#state = { up: false, since, reason };
    onDown(since, reason);
    await gaps
      .heard(channel, since)
      .catch((err: unknown) => log.warn({ err }, 'the beginning of a gap was not stored'));
  }

  /** A frozen far side never answers `stop`. */
  async #drop(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    if (!link) return;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS);
    });
    const stopped = link.stop().catch((err: unknown) => this.#options.log.warn({ err }, 'connection not stopped'));
    await Promise.race([stopped, limit]);
    clearTimeout(timer);
    link.abandon();
  }

  async #pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([over, this.#stopped]);
    clearTimeout(timer);
  }
}
