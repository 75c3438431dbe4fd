import { EngineError } from '../errors.js';
import type { Snapshot, Storage } from '../storage/storage.js';

/** Another transaction has written, or is writing, what this one wants to write. */
export class Conflict extends EngineError {
  /** Resolves when the other one is done; undefined: it is already. */
  readonly other: Promise<void> | undefined;
  constructor(other: Promise<void> | undefined) {
    super(
      'WriteConflict',
      'Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.',
      {
        labels: ['TransientTransactionError'],
      },
    );
    this.other = other;
  }
}

const text = (key: Buffer): string => key.toString('latin1');

/** A view of the store at one moment, with the transaction's own writes laid over it. */
export class Transaction {
  readonly writes = new Map<string, Buffer | null>();
  readonly started: number;
  readonly done: Promise<void>;
  /** Keys this transaction alone may write until it ends. */
  readonly locks = new Set<string>();
  finish: () => void = () => undefined;
  /** Run when the writes are on the disk. */
  readonly afterCommit: (() => void)[] = [];
  #sorted: string[] | undefined;
  readonly #snapshot: Snapshot;
  readonly #owner: Transactions;

  constructor(owner: Transactions, snapshot: Snapshot, started: number) {
    this.#owner = owner;
    this.#snapshot = snapshot;
    this.started = started;
    this.done = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  get(key: Buffer): Buffer | undefined {
    if (this.writes.size > 0) {
      const own = this.writes.get(text(key));
      if (own !== undefined) return own ?? undefined;
    }
    return this.#snapshot.get(key);
  }

  *range(from: Buffer, to: Buffer, reverse = false): Iterable<{ key: Buffer; value: Buffer }> {
    const below = this.#snapshot.range(from, to, reverse);
    if (this.writes.size === 0) {
      yield* below;
      return;
    }
    this.#sorted ??= [...this.writes.keys()].toSorted();
    const [first, last] = [text(from), text(to)];
    const mine = this.#sorted.filter((k) => k >= first && k < last);
    if (reverse) mine.reverse();
    let at = 0;
    const own = (k: string): { key: Buffer; value: Buffer }[] => {
      const value = this.writes.get(k);
      return value ? [{ key: Buffer.from(k, 'latin1'), value }] : [];
    };
    for (const entry of below) {
      const k = text(entry.key);
      for (let next = mine[at]; next !== undefined && (reverse ? next > k : next < k); next = mine[at]) {
        yield* own(next);
        at += 1;
      }
      if (mine[at] === k) {
        yield* own(k);
        at += 1;
      } else yield entry;
    }
    for (; at < mine.length; at += 1) yield* own(mine[at] as string);
  }

  /** @throws {Conflict} somebody else was first */
  lock(key: Buffer): void {
    this.#owner.lock(this, text(key));
  }

  put(key: Buffer, value: Buffer): void {
    if (key.length > 1978) throw new EngineError(17280, `key too large to index: ${key.length} bytes, at most 1978`);
    this.#set(text(key), value);
  }

  remove(key: Buffer): void {
    this.#set(text(key), null);
  }

  #set(key: string, value: Buffer | null): void {
    if (!this.writes.has(key)) this.#sorted = undefined;
    this.writes.set(key, value);
  }

  /** Marks where the writes stand, so that one statement can be undone alone. */
  mark(): Map<string, Buffer | null> {
    return new Map(this.writes);
  }

  rollbackTo(mark: Map<string, Buffer | null>): void {
    this.writes.clear();
    for (const [k, v] of mark) this.writes.set(k, v);
    this.#sorted = undefined;
  }

  closeSnapshot(): void {
    this.#snapshot.close();
  }
}

/**
 * Snapshot isolation: a transaction reads one moment and writes what nobody else has written since; the first writer of
 * a key holds it, a later one conflicts. What commits in the same turn of the event loop shares one flush to the disk.
 */
export class Transactions {
  readonly #storage: Storage;
  /** Counts the flushes. */
  #version = 0;
  /** When a key was last written, as far as an open transaction may need to know. */
  readonly #written = new Map<string, number>();
  readonly #locks = new Map<string, Transaction>();
  readonly #open = new Set<Transaction>();
  #queue: { transaction: Transaction; resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  begin(): Transaction {
    const transaction = new Transaction(this, this.#storage.snapshot(), this.#version);
    this.#open.add(transaction);
    return transaction;
  }

  lock(transaction: Transaction, key: string): void {
    const holder = this.#locks.get(key);
    if (holder === transaction) return;
    if (holder) throw new Conflict(holder.done);
    if ((this.#written.get(key) ?? -1) > transaction.started) throw new Conflict(undefined);
    this.#locks.set(key, transaction);
    transaction.locks.add(key);
  }

  /** Resolves when it is on the disk. */
  commit(transaction: Transaction): Promise<void> {
    transaction.closeSnapshot();
    if (transaction.writes.size === 0) {
      this.#end(transaction);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ transaction, resolve, reject });
      if (this.#queue.length === 1) setImmediate(() => this.#flush());
    });
  }

  abort(transaction: Transaction): void {
    if (!this.#open.has(transaction)) return;
    transaction.closeSnapshot();
    this.#end(transaction);
  }

  /**
   * Runs one statement as a transaction of its own. A conflict is retried here: the client of a single command never
   * sees one.
   */
  async run<T>(work: (transaction: Transaction) => T): Promise<T> {
    for (;;) {
      const transaction = this.begin();
      try {
        const result = work(transaction);
        await this.commit(transaction);
        return result;
      } catch (error) {
        this.abort(transaction);
        if (!(error instanceof Conflict)) throw error;
        await error.other;
      }
    }
  }

  /** A read: the snapshot is closed when `work` returns. */
  read<T>(work: (transaction: Transaction) => T): T {
    const transaction = this.begin();
    try {
      return work(transaction);
    } finally {
      this.abort(transaction);
    }
  }

  #flush(): void {
    const batch = this.#queue;
    this.#queue = [];
    try {
      this.#storage.write(batch.map((b) => b.transaction.writes));
    } catch (error) {
      for (const { transaction, reject } of batch) {
        this.#end(transaction);
        reject(error);
      }
      return;
    }
    this.#version += 1;
    for (const { transaction, resolve } of batch) {
      this.#open.delete(transaction);
      if (this.#open.size > 0) for (const key of transaction.locks) this.#written.set(key, this.#version);
      for (const act of transaction.afterCommit) act();
      this.#end(transaction);
      resolve();
    }
    if (this.#open.size === 0) this.#written.clear();
  }

  #end(transaction: Transaction): void {
    this.#open.delete(transaction);
    for (const key of transaction.locks) this.#locks.delete(key);
    transaction.finish();
    if (this.#open.size === 0 && this.#queue.length === 0) this.#written.clear();
  }
}
