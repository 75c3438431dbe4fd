/** A conversation has more unanswered messages than a person can mean. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/**
 * Runs work in order within a key, keys side by side.
 *
 * Bounded: at most `perKey` pieces wait for one key.
 */
export class Queues {
  readonly #tails = new Map<string, { waiting: number; tail: Promise<unknown> }>();
  readonly #perKey: number;

  constructor(perKey: number) {
    this.#perKey = perKey;
  }

  /** @throws {QueueFull} too many pieces wait for this key */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.#tails.get(key) ?? { waiting: 0, tail: Promise.resolve() };
    if (queue.waiting >= this.#perKey) return Promise.reject(new QueueFull(key));
    queue.waiting += 1;
    this.#tails.set(key, queue);
    const result = queue.tail.then(work, work);
    const settled = (): void => {
      queue.waiting -= 1;
      if (queue.waiting === 0) this.#tails.delete(key);
    };
    queue.tail = result.then(settled, settled);
    return result;
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.allSettled([...this.#tails.values()].map((q) => q.tail));
  }
}
