import { EngineError } from '../errors.js';
import { MAX_KEY } from '../storage/pages.js';
import type { Read, Snapshot } from '../storage/snapshot.js';
import type { Storage } from '../storage/storage.js';

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

/** The transaction that a read belongs to is over: its snapshot is closed and must not be touched. */
const over = (): EngineError =>
  new EngineError('Interrupted', 'the transaction or cursor that this read belongs to has ended');

/** The place of `key` in a sorted list: the first that is not below it. */
function placeOf(list: readonly string[], key: string): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** More new keys than this are sorted in together rather than one by one. */
const SORT_TOGETHER = 64;
/** Entries read between two looks at the clock. */
const LOOK_AT_CLOCK = 128;

/** A view of the store at one moment, with the transaction's own writes laid over it. */
export class Transaction {
  readonly writes = new Map<string, Buffer | null>();
  readonly started: number;
  readonly done: Promise<void>;
  /** Keys this transaction alone may write until it ends. */
  readonly locks = new Set<string>();
  /** The statement that runs fails at this time (maxTimeMS). */
  deadline: number | undefined;
  /** Its writes may not take more memory. */
  limitBytes = Number.POSITIVE_INFINITY;
  #bytes = 0;
  /** Ids of the collections it writes to: a change of their indexes waits for it. */
  readonly collections = new Set<number>();
  finish: () => void = () => undefined;
  /** Run when the writes are on the disk, with the version that holds them. */
  readonly afterCommit: ((version: number) => void)[] = [];
  /** Run when it ends without its writes on the disk: undoes what was changed in memory. */
  readonly afterAbort: (() => void)[] = [];
  /** Run as the snapshot closes: cursors that read it close with it. */
  readonly atEnd: (() => void)[] = [];
  /** Keys of `writes` in order, but for those in `#unsorted`. */
  #sorted: string[] = [];
  #unsorted: string[] = [];
  /** What to put back, newest last, to undo one statement. */
  #journal: { key: string; before: Buffer | null | undefined }[] | undefined;
  #ended = false;
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
    if (this.#ended) throw over();
    return this.#snapshot.get(key);
  }

  *range(from: Buffer, to: Buffer, reverse = false): Iterable<{ key: Buffer; value: Buffer }> {
    if (this.#ended) throw over();
    const below = this.#snapshot.range(from, to, reverse);
    const mine = this.writes.size === 0 ? [] : this.#keysBetween(text(from), text(to));
    if (reverse) mine.reverse();
    let [at, read] = [0, 0];
    const own = (k: string): { key: Buffer; value: Buffer }[] => {
      const value = this.writes.get(k);
      return value ? [{ key: Buffer.from(k, 'latin1'), value }] : [];
    };
    for (const entry of below) {
      if (mine.length > 0) {
        const k = text(entry.key);
        for (let next = mine[at]; next !== undefined && (reverse ? next > k : next < k); next = mine[at]) {
          yield* own(next);
          at += 1;
        }
        if (mine[at] === k) {
          yield* own(k);
          at += 1;
        } else yield entry;
      } else yield entry;
      // A transaction may end (time-out, a closed cursor) while a slow reader stands here.
      if (this.#ended) throw over();
      read += 1;
      if (read % LOOK_AT_CLOCK === 0) this.checkTime();
    }
    for (; at < mine.length; at += 1) yield* own(mine[at] as string);
  }

  /** As `range`, of the values alone, which are read where they lie as far as they are not this transaction's own. */
  *values<T>(from: Buffer, to: Buffer, read: Read<T>): Iterable<T> {
    if (this.#ended) throw over();
    if (this.writes.size > 0) {
      for (const { value } of this.range(from, to)) yield read(value, value.length);
      return;
    }
    let n = 0;
    for (const value of this.#snapshot.values(from, to, read)) {
      yield value;
      if (this.#ended) throw over();
      n += 1;
      if (n % LOOK_AT_CLOCK === 0) this.checkTime();
    }
  }

  /** Whether there are `many` entries from `from` up to but without `to`, as the store has them. */
  hasMany(from: Buffer, to: Buffer, many: number): boolean {
    return this.#snapshot.hasMany(from, to, many);
  }

  /** @throws {EngineError} 50: the statement has had its time; 11601: the transaction is over */
  checkTime(): void {
    if (this.#ended) throw over();
    if (this.deadline !== undefined && Date.now() > this.deadline) throw tookTooLong();
  }

  #keysBetween(from: string, to: string): string[] {
    if (this.#unsorted.length > SORT_TOGETHER) {
      this.#sorted = [...this.#sorted, ...this.#unsorted].toSorted();
    } else for (const key of this.#unsorted) this.#sorted.splice(placeOf(this.#sorted, key), 0, key);
    this.#unsorted = [];
    return this.#sorted.slice(placeOf(this.#sorted, from), placeOf(this.#sorted, to));
  }

  /** @throws {Conflict} somebody else was first */
  lock(key: Buffer): void {
    this.#owner.lock(this, text(key));
  }

  put(key: Buffer, value: Buffer): void {
    if (key.length > MAX_KEY)
      throw new EngineError(17280, `key too large to index: ${key.length} bytes, at most ${MAX_KEY}`);
    this.#set(text(key), value);
  }

  remove(key: Buffer): void {
    this.#set(text(key), null);
  }

  #set(key: string, value: Buffer | null): void {
    const before = this.writes.get(key);
    if (before === undefined) this.#unsorted.push(key);
    this.#journal?.push({ key, before });
    this.#bytes += key.length + (value?.length ?? 0);
    if (this.#bytes > this.limitBytes)
      throw new EngineError(
        'TransactionTooLarge',
        `the writes of a transaction take at most ${this.limitBytes} bytes: split it`,
      );
    this.writes.set(key, value);
  }

  /** From here on, `undo` takes back what is written. */
  mark(): void {
    this.#journal = [];
  }

  /** Undoes one statement: everything written since the last `mark`. */
  undo(): void {
    for (const { key, before } of (this.#journal ?? []).toReversed()) {
      if (before !== undefined) {
        this.writes.set(key, before);
        continue;
      }
      this.writes.delete(key);
      const waiting = this.#unsorted.lastIndexOf(key);
      if (waiting >= 0) this.#unsorted.splice(waiting, 1);
      else this.#sorted.splice(placeOf(this.#sorted, key), 1);
    }
    this.#journal = [];
  }

  closeSnapshot(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const act of this.atEnd.splice(0)) act();
    this.#snapshot.close();
  }
}

const tookTooLong = (): EngineError => new EngineError('MaxTimeMSExpired', 'operation exceeded time limit');

/** Waits for somebody else's transaction, but no longer than the statement has. @throws {EngineError} 50 */
async function within(deadline: number | undefined, other: Promise<unknown> | undefined): Promise<void> {
  if (deadline === undefined) return void (await other);
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tookTooLong()), Math.max(deadline - Date.now(), 0));
  });
  try {
    await Promise.race([other, over]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Snapshot isolation: a transaction reads one moment and writes what nobody else has written since; the first writer of
 * a key holds it, a later one conflicts. What commits in the same turn of the event loop shares one flush to the disk.
 */
export class Transactions {
  readonly #storage: Storage;
  /** Counts the flushes. */
  version = 0;
  /** When a key was last written, as far as an open transaction may need to know. */
  readonly #written = new Map<string, number>();
  readonly #locks = new Map<string, Transaction>();
  readonly #open = new Set<Transaction>();
  #queue: { transaction: Transaction; resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  begin(): Transaction {
    const transaction = new Transaction(this, this.#storage.snapshot(), this.version);
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
      this.#end(transaction, true);
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
    transaction.writes.clear();
    this.#end(transaction, false);
  }

  /**
   * Runs one statement as a transaction of its own. A conflict is retried here: the client of a single command never
   * sees one. `alone`: it begins when nobody has writes under way in these collections, so that an index that is built
   * misses none and one that is dropped gets none.
   */
  async run<T>(
    work: (transaction: Transaction) => T,
    options: { alone?: readonly number[]; deadline?: number | undefined } = {},
  ): Promise<T> {
    for (;;) {
      const busy = [...this.#open].filter((t) => (options.alone ?? []).some((id) => t.collections.has(id)));
      if (busy.length > 0) {
        await within(options.deadline, Promise.all(busy.map((t) => t.done)));
        continue;
      }
      const transaction = this.begin();
      transaction.deadline = options.deadline;
      try {
        transaction.checkTime();
        const result = work(transaction);
        await this.commit(transaction);
        return result;
      } catch (error) {
        this.abort(transaction);
        if (!(error instanceof Conflict)) throw error;
        await within(options.deadline, error.other);
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

  /** Writes what still waits: nothing that was asked to commit is lost by a stop. */
  drain(): void {
    this.#flush();
  }

  #flush(): void {
    const batch = this.#queue;
    this.#queue = [];
    if (batch.length === 0) return;
    try {
      this.#storage.write(batch.map((b) => b.transaction.writes));
    } catch (error) {
      for (const { transaction, reject } of batch) {
        this.#end(transaction, false);
        reject(error);
      }
      return;
    }
    this.version += 1;
    for (const { transaction, resolve } of batch) {
      this.#open.delete(transaction);
      if (this.#open.size > 0) for (const key of transaction.locks) this.#written.set(key, this.version);
      for (const act of transaction.afterCommit) act(this.version);
      this.#end(transaction, true);
      resolve();
    }
  }

  #end(transaction: Transaction, committed: boolean): void {
    this.#open.delete(transaction);
    for (const key of transaction.locks) this.#locks.delete(key);
    if (!committed) for (const act of transaction.afterAbort.toReversed()) act();
    transaction.finish();
    // An empty Map is not cleared: that makes a new table, at every read.
    if (this.#written.size > 0 && this.#open.size === 0 && this.#queue.length === 0) this.#written.clear();
  }
}
