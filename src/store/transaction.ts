import {
  MongoClientBulkWriteError,
  MongoError,
  MongoServerError,
  type AnyClientBulkWriteModel,
  type Document,
} from 'mongodb';
import type { ClientSession, Connection, Model, QueryFilter, UpdateQuery } from 'mongoose';

declare const opened: unique symbol;

/**
 * An open transaction. Reads take `session`; writes are collected and sent as one bulkWrite over all collections just
 * before the commit, so a read does not see what was collected since the last `flush`.
 *
 * Only `transact` makes one: an operation that asks for a Tx cannot be run outside a transaction.
 */
export interface Tx {
  readonly [opened]: true;
  readonly session: ClientSession;
  /** Collects an insert; the document is held against its schema before it is sent. A natural key that is taken runs the whole transaction again. */
  insert<T>(model: Model<T>, document: T): void;
  /** Collects an update of at most one document. With `upsert` it is inserted where absent. */
  update<T>(model: Model<T>, filter: QueryFilter<T>, update: UpdateQuery<T>, options?: { upsert?: boolean }): void;
  /** Collects the removal of at most one document. */
  remove<T>(model: Model<T>, filter: QueryFilter<T>): void;
  /** Sends what was collected, so that later reads of this transaction see it. */
  flush(): Promise<void>;
  /** Forgets what was collected since the last flush. True if nothing had been flushed: the transaction is as new. */
  discard(): boolean;
}

/** How often a transaction is run again when a unique key was taken in the meantime: the next run reads the winner. */
const MAX_RUNS = 8;

class OpenTx implements Tx {
  declare readonly [opened]: true;
  readonly session: ClientSession;
  #collected: AnyClientBulkWriteModel<Document>[] = [];
  /** Inserts that were not yet held against their schemas. */
  #unchecked: { validate(): Promise<unknown> }[] = [];
  #flushed = false;
  readonly #connection: Connection;

  constructor(connection: Connection, session: ClientSession) {
    this.#connection = connection;
    this.session = session;
  }

  insert<T>(model: Model<T>, document: T): void {
    const checked = new model(document);
    this.#unchecked.push(checked);
    this.#collected.push({
      name: 'insertOne',
      namespace: this.#namespace(model),
      document: checked.toObject({ versionKey: false }) as Document,
    });
  }

  update<T>(model: Model<T>, filter: QueryFilter<T>, update: UpdateQuery<T>, options: { upsert?: boolean } = {}): void {
    this.#collected.push({
      name: 'updateOne',
      namespace: this.#namespace(model),
      filter: filter as Document,
      update: update as Document,
      ...(options.upsert && { upsert: true }),
    });
  }

  remove<T>(model: Model<T>, filter: QueryFilter<T>): void {
    this.#collected.push({ name: 'deleteOne', namespace: this.#namespace(model), filter: filter as Document });
  }

  async flush(): Promise<void> {
    if (this.#collected.length === 0) return;
    const models = this.#collected;
    const unchecked = this.#unchecked;
    this.#collected = [];
    this.#unchecked = [];
    await Promise.all(unchecked.map((document) => document.validate()));
    this.#flushed = true;
    await this.#connection.getClient().bulkWrite(models, { session: this.session, ordered: true });
  }

  discard(): boolean {
    this.#collected = [];
    this.#unchecked = [];
    return !this.#flushed;
  }

  #namespace<T>(model: Model<T>): string {
    return `${this.#connection.name}.${model.collection.collectionName}`;
  }
}

/** A unique index refused a write: somebody else was first. */
export function isDuplicateKey(error: unknown): boolean {
  if (error instanceof MongoClientBulkWriteError)
    return (
      [...error.writeErrors.values()].some((e) => e.code === 11000) ||
      (error.cause !== undefined && isDuplicateKey(error.cause))
    );
  return error instanceof MongoServerError && error.code === 11000;
}

/** The driver names a transaction's loser by this label; a bulkWrite wraps the error that bears it. */
function isTransient(error: unknown): boolean {
  if (error instanceof MongoClientBulkWriteError && error.cause !== undefined) return isTransient(error.cause);
  if (error instanceof MongoClientBulkWriteError && [...error.writeErrors.values()].some((e) => e.code === 112))
    return true;
  return error instanceof MongoError && (error.hasErrorLabel('TransientTransactionError') || error.code === 112);
}

/**
 * Runs `work` in one transaction and commits it with majority write concern; returns what the committed run returned.
 *
 * `work` may run several times (a conflict, a natural key that was taken): it must touch nothing but the transaction.
 * An error that `work` throws aborts the transaction and reaches the caller.
 */
export async function transact<T>(connection: Connection, work: (tx: Tx) => Promise<T>): Promise<T> {
  const session = connection.getClient().startSession();
  try {
    for (let run = 1; ; run += 1) {
      session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } });
      try {
        const tx = new OpenTx(connection, session);
        const result = await work(tx);
        await tx.flush();
        await commit(session);
        return result;
      } catch (error) {
        if (session.inTransaction()) await session.abortTransaction();
        if (run >= MAX_RUNS || !(isTransient(error) || isDuplicateKey(error))) throw error;
        await pause(run);
      }
    }
  } finally {
    await session.endSession();
  }
}

/** A commit whose answer was lost is asked for again: the server remembers it. */
async function commit(session: ClientSession): Promise<void> {
  for (let tries = 1; ; tries += 1)
    try {
      await session.commitTransaction();
      return;
    } catch (error) {
      if (tries >= 3 || !(error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult')))
        throw error;
    }
}

/** Two that met once must not meet in step again: a random pause of at most a few milliseconds, longer with each run. */
const pause = (run: number): Promise<void> =>
  new Promise((done) => setTimeout(done, Math.random() * 2 ** Math.min(run, 6)));
