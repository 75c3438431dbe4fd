import { type Wechaty, WechatyBuilder } from 'wechaty';
import type { Clock } from '../../clock.js';
import { ConnectionEnded, type Down } from './down.js';
import { type BotErrorSort, sortBotError } from './errors.js';
import { abandon, type Puppet } from './puppet.js';

export interface ConnectionOptions {
  readonly puppet: Puppet;
  /** Where the login is kept; undefined: nowhere. */
  readonly memory: string | undefined;
  /** How often the far side is asked for a sign of life; 0: never, some puppets do not answer. Three unanswered: down. */
  readonly probeMs: number;
  readonly clock: Clock;
  /** A person must scan this code. */
  readonly onScan: (code: string) => void;
  readonly onError: (sort: BotErrorSort, error: unknown) => void;
}

const LOGIN_MS = 15_000;
/** A person needs time to find the telephone; each new code begins it again. */
const SCAN_MS = 5 * 60_000;
const MISSED_PROBES = 3;

/**
 * One connection of one bot, from start to its end; never used again. `start` of the framework resolves also when nothing
 * works, and nothing it says later can be relied on, so being up means: logged in, and heard from a moment ago.
 */
export class Connection {
  readonly bot: Wechaty;
  readonly puppet: Puppet;
  /** Resolves, once, when it no longer works. */
  readonly down: Promise<Down>;
  readonly #options: ConnectionOptions;
  #end: (down: Down) => void = () => undefined;
  #ended = false;
  #opened = false;
  #starting: Promise<void> = Promise.resolve();
  #heard = performance.now();
  #heardAt: Date;
  #heardOnce: (() => void) | undefined;
  #probing: NodeJS.Timeout | undefined;
  #waiting: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.down = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.puppet = options.puppet;
    this.bot = WechatyBuilder.build({
      puppet: options.puppet,
      ...(options.memory !== undefined && { name: options.memory }),
    });
    this.#listen();
  }

  /** The last sign of life. */
  get heardAt(): Date {
    return this.#heardAt;
  }

  /** The bot's own id. @throws Error nobody is logged in */
  get self(): string {
    return this.puppet.currentUserId;
  }

  /**
   * Resolves when somebody is logged in and the far side has answered a probe.
   *
   * @throws Error it went down before, with the reason
   */
  async open(): Promise<void> {
    const login = new Promise<void>((resolve) => this.puppet.once('login', () => resolve()));
    this.#limit(LOGIN_MS, 'no login');
    this.#starting = this.bot.start().catch((error: unknown) => this.#fail(error));
    await this.#orDown(login);
    clearTimeout(this.#waiting);
    const { probeMs } = this.#options;
    if (probeMs > 0) {
      const answered = new Promise<void>((resolve) => {
        this.#heardOnce = resolve;
      });
      this.#limit(probeMs * MISSED_PROBES, 'logged in, but no answer to a probe');
      this.#ding();
      await this.#orDown(answered);
      clearTimeout(this.#waiting);
      this.#probing = setInterval(() => this.#probe(), probeMs);
    }
    this.#opened = true;
  }

  /** Ends it; not waited for longer than the caller likes, since a frozen far side never answers. */
  async stop(): Promise<void> {
    this.#finish('stopped', false);
    // A start that is under way would be waited for, and takes many seconds to fail.
    if (!this.#opened) this.abandon();
    await this.bot.stop();
    await this.#starting;
  }

  /** The last of it, whether or not it stopped. */
  abandon(): void {
    abandon(this.puppet);
  }

  #listen(): void {
    const { bot, puppet } = this;
    // First of all: without it the first room event ends the process.
    bot.on('error', (error: unknown) => {
      const sort = sortBotError(error);
      this.#options.onError(sort, error);
      if (sort === 'token' || sort === 'connection') this.#fail(error);
    });
    bot.on('logout', (_user: unknown, reason?: string) => this.#finish(`logged out: ${reason ?? ''}`, false));
    puppet.on('scan', ({ qrcode }) => {
      if (qrcode === undefined || qrcode === '' || this.#ended) return;
      this.#limit(SCAN_MS, 'the code was not scanned');
      this.#options.onScan(qrcode);
    });
    const hear = (): void => {
      this.#heard = performance.now();
      this.#heardAt = this.#options.clock.now();
      this.#heardOnce?.();
    };
    for (const event of ['dong', 'heartbeat', 'message', 'room-join', 'room-leave', 'room-topic'] as const)
      puppet.on(event, hear);
  }

  #probe(): void {
    const silent = performance.now() - this.#heard;
    if (silent > this.#options.probeMs * MISSED_PROBES)
      this.#finish(`no sign of life for ${Math.round(silent / 1000)} s`, false);
    else this.#ding();
  }

  #ding(): void {
    try {
      this.bot.ding('gridmate');
    } catch (error) {
      this.#fail(error);
    }
  }

  #limit(ms: number, reason: string): void {
    clearTimeout(this.#waiting);
    if (!this.#ended) this.#waiting = setTimeout(() => this.#finish(reason, false), ms);
  }

  #fail(error: unknown): void {
    this.#finish(error instanceof Error ? error.message : String(error), sortBotError(error) === 'token');
  }

  #finish(reason: string, badToken: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#waiting);
    clearInterval(this.#probing);
    this.#end({ reason, badToken });
  }

  async #orDown(step: Promise<void>): Promise<void> {
    const down = await Promise.race([step.then(() => undefined), this.down]);
    if (down) throw new ConnectionEnded(down);
  }
}
