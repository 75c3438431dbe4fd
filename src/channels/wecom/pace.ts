import { setTimeout as sleep } from 'node:timers/promises';

/** So many messages within so many milliseconds. */
export interface Limit {
  readonly count: number;
  readonly perMs: number;
}

/** Keys whose messages all lie back further than the longest limit are forgotten when there are more than this. */
const MAX_KEYS = 5000;

/** Keeps what is sent under one key within sliding limits, by waiting. */
export class Pace {
  readonly #limits: readonly Limit[];
  readonly #now: () => number;
  readonly #sent = new Map<string, number[]>();

  constructor(limits: readonly Limit[], now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Resolves when one more may be sent, and counts it. Rejects when `signal` is given. */
  async take(key: string, signal: AbortSignal): Promise<void> {
    for (let wait = this.#waitMs(key); wait > 0; wait = this.#waitMs(key))
      await sleep(Math.ceil(wait), undefined, { signal });
    this.#sent.get(key)?.push(this.#now());
  }

  /** Milliseconds until one more may be sent. */
  #waitMs(key: string): number {
    const now = this.#now();
    const longest = Math.max(...this.#limits.map((l) => l.perMs));
    const sent = (this.#sent.get(key) ?? []).filter((at) => now - at < longest);
    this.#sent.delete(key);
    if (this.#sent.size > MAX_KEYS)
      for (const [other, times] of this.#sent) if (now - (times.at(-1) ?? 0) >= longest) this.#sent.delete(other);
    this.#sent.set(key, sent);
    const waits = this.#limits.map(({ count, perMs }) => {
      const before = sent.at(-count);
      return before === undefined ? 0 : before + perMs - now;
    });
    return Math.max(0, ...waits);
  }
}
