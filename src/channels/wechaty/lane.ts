import { NotNow } from '../../bot/channel.js';
import type { Pacer } from './pacer.js';

interface Waiting {
  readonly destination: string;
  readonly work: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One account sends one message at a time, at the pacer's pace; whichever destination is due first goes first. */
export class Lane {
  readonly #pacer: Pacer;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(pacer: Pacer) {
    this.#pacer = pacer;
  }

  /** @throws {NotNow} the lane was stopped or cleared before it was this work's turn; otherwise as `work` does */
  run(destination: string, work: () => Promise<void>): Promise<void> {
    if (this.#stopped) return Promise.reject(new NotNow('the channel is stopping'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ destination, work, resolve, reject });
      this.#wake?.();
      this.#running ??= this.#loop().finally(() => {
        this.#running = undefined;
      });
    });
  }

  /** Turns away what waits; what is being sent goes on. */
  clear(error: NotNow): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.clear(new NotNow('the channel is stopping'));
    await this.#running;
  }

  async #loop(): Promise<void> {
    for (;;) {
      const [first] = this.#waiting.toSorted(
        (a, b) => this.#pacer.dueAt(a.destination) - this.#pacer.dueAt(b.destination),
      );
      if (!first) return;
      const wait = this.#pacer.dueAt(first.destination) - performance.now();
      if (wait > 0) {
        await this.#sleep(wait);
        continue;
      }
      this.#waiting.splice(this.#waiting.indexOf(first), 1);
      try {
        await first.work();
        first.resolve();
      } catch (error) {
        first.reject(error);
      }
      this.#pacer.sent(first.destination, performance.now());
    }
  }

  /** Ends early when something else comes to wait: it may be due before. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wake = wake;
    });
  }
}
