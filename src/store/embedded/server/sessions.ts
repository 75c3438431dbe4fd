import { Long } from 'bson';
import { isNumeric, toNumber } from '../bson/types.js';
import { decode, type Doc, encode, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { after } from '../bson/key.js';
import { RETRIES } from '../storage/catalogue.js';
import type { Transaction, Transactions } from '../transactions/transactions.js';

/** A transaction that has not ended by then is aborted, as in MongoDB (transactionLifetimeLimitSeconds). */
const TRANSACTION_SECONDS = 60;
/** https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.localLogicalSessionTimeoutMinutes */
export const SESSION_MINUTES = 30;

/** What a request says of its session. */
export interface SessionFields {
  readonly key: string | undefined;
  readonly txnNumber: bigint | undefined;
  /** Part of a transaction of several statements. */
  readonly inTransaction: boolean;
  readonly startTransaction: boolean;
}

interface Open {
  readonly txnNumber: bigint;
  readonly transaction: Transaction;
  readonly timer: NodeJS.Timeout;
  readonly since: number;
  state: 'open' | 'aborted';
}

/** A commit that is on its way, or one that had nothing to write and so nothing on the disk to remember it by. */
interface Committed {
  readonly txnNumber: bigint;
  readonly result: Promise<void>;
  readonly since: number;
}

const noSuch = (message: string): EngineError =>
  new EngineError('NoSuchTransaction', message, { labels: ['TransientTransactionError'] });

export function sessionFields(command: Doc): SessionFields {
  const { lsid, txnNumber, autocommit, startTransaction } = command as Record<string, Value>;
  const id = typeof lsid === 'object' && lsid !== null && 'id' in lsid ? (lsid as Doc)['id'] : undefined;
  const key = id === undefined ? undefined : Buffer.from(encode({ id })).toString('latin1');
  const number = isNumeric(txnNumber)
    ? txnNumber instanceof Long
      ? txnNumber.toBigInt()
      : BigInt(toNumber(txnNumber))
    : undefined;
  if (autocommit !== undefined && autocommit !== false)
    throw new EngineError('InvalidOptions', "Field 'autocommit' may only be 'false'");
  if (startTransaction !== undefined && (startTransaction !== true || autocommit === undefined))
    throw new EngineError('InvalidOptions', "Field 'startTransaction' needs autocommit: false");
  if (number !== undefined && key === undefined)
    throw new EngineError('InvalidOptions', 'Transaction number requires a session ID to be specified');
  if (autocommit === false && number === undefined)
    throw new EngineError('InvalidOptions', "'autocommit' field requires a transaction number to also be specified");
  return { key, txnNumber: number, inTransaction: autocommit === false, startTransaction: startTransaction === true };
}

/** Transactions of several statements by session, and the memory of what a repeated write was answered. */
export class Sessions {
  readonly #transactions: Transactions;
  readonly #open = new Map<string, Open>();
  readonly #committed = new Map<string, Committed>();

  constructor(transactions: Transactions) {
    this.#transactions = transactions;
  }

  /** The transaction that a statement belongs to; the first statement opens it. */
  transactionOf(fields: SessionFields): Transaction {
    const { key, txnNumber } = fields;
    if (key === undefined || txnNumber === undefined)
      throw new EngineError('InvalidOptions', 'a transaction needs a session');
    const there = this.#open.get(key);
    if (fields.startTransaction) {
      if (there && there.txnNumber > txnNumber)
        throw new EngineError(
          'TransactionTooOld',
          `Cannot start transaction ${txnNumber} because a newer transaction ${there.txnNumber} has already started.`,
        );
      if (there && there.txnNumber === txnNumber && there.state === 'open')
        throw new EngineError('IllegalOperation', 'the transaction is open already');
      const earlier = this.#transactions.read((tx) => this.#memory(tx, key));
      if (earlier && earlier.txnNumber > txnNumber)
        throw new EngineError(
          'TransactionTooOld',
          `Cannot start transaction ${txnNumber} on session because a newer one ${earlier.txnNumber} has already started.`,
        );
      if (there) this.#drop(key, there);
      this.#committed.delete(key);
      const transaction = this.#transactions.begin();
      const open: Open = {
        txnNumber,
        transaction,
        state: 'open',
        since: Date.now(),
        timer: setTimeout(() => this.#expire(key), TRANSACTION_SECONDS * 1000).unref(),
      };
      this.#open.set(key, open);
      return transaction;
    }
    if (!there || there.txnNumber !== txnNumber || there.state === 'aborted')
      throw noSuch(
        `Given transaction number ${txnNumber} does not match any in-progress transactions. The active transaction number is ${there?.txnNumber ?? -1}`,
      );
    return there.transaction;
  }

  /** Commits; asked again, also after a restart, it gives the same answer. */
  async commit(fields: SessionFields): Promise<void> {
    const { key, txnNumber } = fields;
    if (key === undefined || txnNumber === undefined)
      throw new EngineError('InvalidOptions', 'commitTransaction needs a transaction');
    const there = this.#open.get(key);
    if (!there || there.txnNumber !== txnNumber || there.state === 'aborted') {
      const before = this.#committed.get(key);
      if (before?.txnNumber === txnNumber) return before.result;
      const earlier = this.#transactions.read((tx) => this.#memory(tx, key));
      if (earlier && earlier.txnNumber === txnNumber && earlier.reply['committed'] === true) return;
      throw noSuch(`Transaction ${txnNumber} has been aborted.`);
    }
    clearTimeout(there.timer);
    this.#open.delete(key);
    const writes = there.transaction.writes.size > 0;
    if (writes) this.remember(there.transaction, key, txnNumber, { committed: true });
    const result = this.#transactions.commit(there.transaction);
    this.#committed.set(key, { txnNumber, result, since: Date.now() });
    try {
      await result;
    } finally {
      // What was written is remembered on the disk; what failed may not be answered as done.
      if (writes && this.#committed.get(key)?.txnNumber === txnNumber) this.#committed.delete(key);
    }
  }

  abort(fields: SessionFields): void {
    const there = fields.key === undefined ? undefined : this.#open.get(fields.key);
    if (!there || there.txnNumber !== fields.txnNumber || there.state === 'aborted')
      throw noSuch(`Transaction ${fields.txnNumber ?? ''} has been aborted.`);
    this.fail(fields);
  }

  /** A statement failed: the whole transaction is over. */
  fail(fields: SessionFields): void {
    const there = fields.key === undefined ? undefined : this.#open.get(fields.key);
    if (!there || there.txnNumber !== fields.txnNumber) return;
    clearTimeout(there.timer);
    there.state = 'aborted';
    this.#transactions.abort(there.transaction);
  }

  end(key: string): void {
    const there = this.#open.get(key);
    if (there) this.#drop(key, there);
  }

  /** What this write was answered the first time, if it was. @throws {EngineError} 225: a newer one came since */
  repeated(tx: Transaction, fields: SessionFields): Doc | undefined {
    if (fields.key === undefined || fields.txnNumber === undefined) return undefined;
    // A repeat that comes while the first is under way waits for it, and then finds its answer.
    tx.lock(this.#key(fields.key));
    const earlier = this.#memory(tx, fields.key);
    if (!earlier || earlier.txnNumber < fields.txnNumber) return undefined;
    if (earlier.txnNumber > fields.txnNumber)
      throw new EngineError(
        'TransactionTooOld',
        `Retryable write with txnNumber ${fields.txnNumber} is prohibited on session because a newer retryable write with txnNumber ${earlier.txnNumber} has already started on this session.`,
      );
    return earlier.reply;
  }

  /** Kept in the same commit as the write itself, so that it holds after a crash as well. */
  remember(tx: Transaction, key: string, txnNumber: bigint, reply: Doc): void {
    tx.put(this.#key(key), Buffer.from(encode({ txnNumber: Long.fromBigInt(txnNumber), reply, at: new Date() })));
  }

  /** Forgets what was remembered for sessions that have ended long ago. */
  prune(tx: Transaction, now: Date): void {
    const old = now.getTime() - SESSION_MINUTES * 60_000;
    for (const [key, c] of this.#committed) if (c.since < old) this.#committed.delete(key);
    for (const [key, o] of this.#open) if (o.state === 'aborted' && o.since < old) this.#open.delete(key);
    for (const { key, value } of tx.range(RETRIES, after(RETRIES))) {
      const { at } = decode(value);
      if (at instanceof Date && at.getTime() < old) tx.remove(key);
    }
  }

  close(): void {
    for (const [key, open] of this.#open) this.#drop(key, open);
  }

  #memory(tx: Transaction, key: string): { txnNumber: bigint; reply: Doc } | undefined {
    const stored = tx.get(this.#key(key));
    if (!stored) return undefined;
    const { txnNumber, reply } = decode(stored);
    return txnNumber instanceof Long ? { txnNumber: txnNumber.toBigInt(), reply: reply as Doc } : undefined;
  }

  #key(key: string): Buffer {
    return Buffer.concat([RETRIES, Buffer.from(key, 'latin1')]);
  }

  #drop(key: string, open: Open): void {
    clearTimeout(open.timer);
    if (open.state === 'open') this.#transactions.abort(open.transaction);
    this.#open.delete(key);
  }

  #expire(key: string): void {
    const there = this.#open.get(key);
    if (!there) return;
    there.state = 'aborted';
    this.#transactions.abort(there.transaction);
  }
}
