import type { Clock } from '../../clock.js';

type Kind = 'group' | 'single';

/** Only what was heard within this time before the connection came up is missed afterwards. */
const REMEMBERED_MS = 24 * 3_600_000;
/** So long a kind of chat may be silent on a new connection … */
const SILENT_MS = 3_600_000;
/** … while so many messages of the other kind come. */
const OTHERS = 5;

/**
 * Sees that a connection has come up half deaf: after a reconnection group messages have been known to stay away while
 * heartbeats and single chats go on (github.com/NousResearch/hermes-agent/issues/11554). WeCom answers no question about it, so
 * that only the silence of a kind of chat tells, where it was heard before.
 */
export class Watch {
  readonly #clock: Clock;
  readonly #last = new Map<Kind, number>();
  readonly #since = new Map<Kind, number>();
  #upAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  connected(): void {
    this.#upAt = this.#clock.now().getTime();
    this.#since.clear();
  }

  heard(kind: Kind): void {
    this.#last.set(kind, this.#clock.now().getTime());
    this.#since.set(kind, (this.#since.get(kind) ?? 0) + 1);
  }

  /** The kind of chat that seems cut off. */
  get missing(): Kind | undefined {
    if (this.#clock.now().getTime() - this.#upAt < SILENT_MS) return undefined;
    const isMissing = (kind: Kind, other: Kind): boolean =>
      !this.#since.has(kind) &&
      this.#upAt - (this.#last.get(kind) ?? Number.NEGATIVE_INFINITY) < REMEMBERED_MS &&
      (this.#since.get(other) ?? 0) >= OTHERS;
    if (isMissing('group', 'single')) return 'group';
    return isMissing('single', 'group') ? 'single' : undefined;
  }
}
