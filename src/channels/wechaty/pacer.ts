/** How fast an account may write before the network takes it for a machine: our choice, the networks publish none. */
export interface Pace {
  /** Between two messages of the account at least, and at most: the pause is drawn at random. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Between two messages to one destination. */
  readonly destinationMs: number;
  /** So many messages without a rest, then one of `restMs`. */
  readonly burst: number;
  readonly restMs: number;
}

/** When the next message may go. Pure: times are milliseconds of any clock. */
export class Pacer {
  readonly #pace: Pace;
  readonly #random: () => number;
  #last = Number.NEGATIVE_INFINITY;
  #next = Number.NEGATIVE_INFINITY;
  #inBurst = 0;
  readonly #destinations = new Map<string, number>();

  constructor(pace: Pace, random: () => number = Math.random) {
    this.#pace = pace;
    this.#random = random;
  }

  dueAt(destination: string): number {
    const last = this.#destinations.get(destination);
    return Math.max(this.#next, last === undefined ? Number.NEGATIVE_INFINITY : last + this.#pace.destinationMs);
  }

  sent(destination: string, now: number): void {
    const { minMs, maxMs, destinationMs, burst, restMs } = this.#pace;
    if (now - this.#last >= restMs) this.#inBurst = 0;
    this.#inBurst += 1;
    this.#last = now;
    this.#next = now + minMs + (maxMs - minMs) * this.#random();
    if (this.#inBurst >= burst) this.#next = Math.max(this.#next, now + restMs);
    for (const [other, at] of this.#destinations) if (now - at >= destinationMs) this.#destinations.delete(other);
    this.#destinations.set(destination, now);
  }
}
