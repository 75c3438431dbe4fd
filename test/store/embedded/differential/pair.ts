import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { type Db, MongoClient, MongoServerError } from 'mongodb';
import { fellOver, OTHER } from './perform.js';

/** The second server stopped answering: what was under way is left, and it has to be brought up again. */
export class SecondServerFell extends Error {
  constructor(cause: unknown) {
    super('the second server fell over', { cause });
  }
}

const ATTEMPTS = 30;
/** A request that has no answer for this long counts as a fall. */
const SILENCE_MS = 60_000;

/** Runs a command that brings the second server up, until it works: it does not while the server is still recovering. */
export async function bringUp(command: string, check: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      execFileSync(command, { stdio: 'ignore' });
      await check();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await pause(1000);
    }
  }
}

/** The engine and the second server, asked the same. */
export class Pair {
  readonly #clients: readonly MongoClient[];
  readonly #databases: readonly [Db, Db];

  private constructor(clients: readonly MongoClient[], databases: readonly [Db, Db]) {
    this.#clients = clients;
    this.#databases = databases;
  }

  /** Connects to both; in each the lane has a database of its own, with the collection that `$lookup` reads. */
  static async connect(ours: string, theirs: string, lane: number): Promise<Pair> {
    const options = { serverSelectionTimeoutMS: 5000, retryReads: false, retryWrites: false } as const;
    const first = await new MongoClient(ours, options).connect();
    const second = await new MongoClient(theirs, { ...options, socketTimeoutMS: SILENCE_MS }).connect();
    const name = `differential_${process.pid}_${lane}`;
    const databases = [first.db(name), second.db(name)] as const;
    for (const db of databases) {
      await db.collection('other').insertMany(OTHER.map((d) => ({ ...d })));
      await db.createCollection('c');
    }
    return new Pair([first, second], databases);
  }

  /** The engine's database. */
  get ours(): Db {
    return this.#databases[0];
  }

  /** The second server's; @throws SecondServerFell when it does. */
  async theirs<T>(ask: (db: Db) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#databases[1]);
    } catch (error) {
      throw error instanceof MongoServerError && !fellOver(error) ? error : new SecondServerFell(error);
    }
  }

  /** Asks both at once and waits for both, whatever comes; @throws SecondServerFell. */
  async both<T>(ask: (db: Db, ours: boolean) => Promise<T>): Promise<[T, T]> {
    const [a, b] = await Promise.allSettled([ask(this.ours, true), this.theirs(async (db) => ask(db, false))]);
    if (a.status === 'rejected') throw a.reason;
    if (b.status === 'rejected') throw b.reason;
    return [a.value, b.value];
  }

  /** Runs a command that brings the second server up again, until several connections to it work. */
  async restart(command: string): Promise<void> {
    await bringUp(command, async () => {
      await Promise.all([1, 2, 3, 4].map(() => this.#databases[1].collection('c').countDocuments({})));
    });
  }

  /** Drops both databases and closes the connections. */
  async close(): Promise<void> {
    await Promise.all(this.#databases.map((db) => db.dropDatabase()));
    await Promise.all(this.#clients.map((c) => c.close()));
  }
}
