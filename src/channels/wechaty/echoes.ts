/** What was said and not seen, or seen and not known to be said, is forgotten after this. */
const KEPT_MS = 10 * 60_000;
const MAX_KEPT = 1000;

/**
 * What a gateway shows of the bot's own messages. There is no receipt, so one shown that no successful call accounts for
 * proves that a call with an unknown end had worked.
 */
export class Echoes {
  /** Shown minus said, by destination and text. */
  readonly #balance = new Map<string, { count: number; at: number }>();

  /** One of the bot's own messages was shown. */
  shown(destination: string, text: string): void {
    this.#add(destination, text, 1);
  }

  /** A call that sent this text succeeded. */
  said(destination: string, text: string): void {
    this.#add(destination, text, -1);
  }

  /** Was a call with an unknown end shown to have worked? Answers yes once. */
  proves(destination: string, text: string): boolean {
    if ((this.#balance.get(keyOf(destination, text))?.count ?? 0) <= 0) return false;
    this.#add(destination, text, -1);
    return true;
  }

  #add(destination: string, text: string, count: number): void {
    const now = performance.now();
    const key = keyOf(destination, text);
    const before = this.#balance.get(key);
    this.#balance.delete(key);
    const sum = (before && now - before.at < KEPT_MS ? before.count : 0) + count;
    if (sum !== 0) this.#balance.set(key, { count: sum, at: now });
    for (const [oldest, { at }] of this.#balance) {
      if (now - at < KEPT_MS && this.#balance.size <= MAX_KEPT) break;
      this.#balance.delete(oldest);
    }
  }
}

const keyOf = (destination: string, text: string): string => `${destination}\n${text.trim()}`;
