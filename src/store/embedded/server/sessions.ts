import { Binary, Long } from 'bson';
import { isDoc, typeName } from '../bson/types.js';
import { decode, type Doc, type Value } from '../bson/value.js';
import { checked, type Fields } from '../commands/fields.js';
import { EngineError } from '../errors.js';
import { after } from '../bson/key.js';
import { RETRIES } from '../storage/keys.js';
import type { Transaction, Transactions } from '../transactions/transactions.js';
import { type Memory, numberOf, read, Retry, statementNumber, stored } from './retry.js';

const UUID_BYTES = 16;
/** Each open transaction holds a snapshot, of which lmdb has a bounded number. */
const MAX_TRANSACTIONS = 1000;
/** https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.localLogicalSessionTimeoutMinutes */
export const SESSION_MINUTES = 30;

/** What a request says of its session. */
export interface SessionFields {
  readonly key: string | undefined;
  readonly txnNumber: bigint | undefined;
  /** Part of a transaction of several statements. */
  readonly inTransaction: boolean;
  readonly startTransaction: boolean;
  /** The number of each statement of the command. */
  readonly statement: (index: number) => number;
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

const ID: Fields = { id: 'own', uid: 'own', txnNumber: 'long', txnUUID: 'own' };

/**
 * A session's key: the bytes of its UUID.
 *
 * @throws {EngineError} 14, 207: it is none; 40414: it is missing; 40415: another field
 */
export function sessionKey(lsid: Value): string | undefined {
  if (lsid === undefined) return undefined;
  if (!isDoc(lsid))
    throw new EngineError(
      'TypeMismatch',
      `BSON field 'lsid' is the wrong type '${typeName(lsid)}', expected type 'object'`,
    );
  const { id } = checked(lsid, 'lsid', ID);
  if (id === undefined || id === null)
    throw new EngineError(40414, "BSON field 'lsid.id' is missing but a required field");
  if (!(id instanceof Binary) || id.sub_type !== Binary.SUBTYPE_UUID)
    throw new EngineError('TypeMismatch', `BSON field 'lsid.id' is the wrong type '${typeName(id)}', expected a UUID`);
  if (id.position !== UUID_BYTES)
    throw new EngineError('InvalidUUID', `a UUID has ${UUID_BYTES} bytes, not ${id.position}`);
  return Buffer.from(id.value()).toString('latin1');
}

export function sessionFields(command: Doc): SessionFields {
  const { lsid, txnNumber, autocommit, startTransaction } = command;
  const key = sessionKey(lsid);
  const number = txnNumber instanceof Long ? txnNumber.toBigInt() : undefined;
  if (number !== undefined && number < 0n)
    throw new EngineError('InvalidOptions', `Transaction number cannot be negative. Value: ${number}`);
  if (autocommit !== undefined && autocommit !== false)
    throw new EngineError('InvalidOptions', "Field 'autocommit' may only be 'false'");
  if (startTransaction !== undefined && (startTransaction !== true || autocommit === undefined))
    throw new EngineError('InvalidOptions', "Field 'startTransaction' needs autocommit: false");
  if (number !== undefined && key === undefined)
    throw new EngineError('InvalidOptions', 'Transaction number requires a session ID to be specified');
  if (autocommit === false && number === undefined)
    throw new EngineError('InvalidOptions', "'autocommit' field requires a transaction number to also be specified");
  return {
    key,
    txnNumber: number,
    inTransaction: autocommit === false,
    startTransaction: startTransaction === true,
    statement: statementNumber(command),
  };
}

/** How the newest number of a session was used, as far as anybody may still ask. */
interface Newest {
  readonly txnNumber: bigint;
  readonly state: 'open' | 'aborted' | 'committed' | 'retryable';
}

/** Transactions of several statements by session, and the memory of what a repeated write was answered. */
export class Sessions {
  readonly #transactions: Transactions;
  readonly #lifetimeMs: number;
  readonly #limitBytes: number;
  readonly #open = new Map<string, Open>();
  readonly #committed = new Map<string, Committed>();

  constructor(transactions: Transactions, options: { lifetimeMs: number; limitBytes: number }) {
    this.#transactions = transactions;
    this.#lifetimeMs = options.lifetimeMs;
    this.#limitBytes = options.limitBytes;
  }

  /** The transaction that a statement belongs to; the first statement opens it. */
  transactionOf(fields: SessionFields): Transaction {
    const { key, txnNumber } = numbered(fields);
    const there = this.#open.get(key);
    if (!fields.startTransaction) {
      if (there?.txnNumber === txnNumber && there.state === 'open') return there.transaction;
      throw this.#notOpen(key, txnNumber);
    }
    this.#assertRoom();
    const transaction = this.#transactions.begin();
    const newest = this.#isNew(key, txnNumber, transaction) ? undefined : this.#newest(key, transaction);
    if (newest && newest.txnNumber >= txnNumber) {
      this.#transactions.abort(transaction);
      if (newest.txnNumber > txnNumber) throw tooOld(txnNumber, newest.txnNumber);
      throw new EngineError(
        'ConflictingOperationInProgress',
        `Only servers in a sharded cluster can start a new transaction at the active transaction number: ${txnNumber} is in state ${newest.state}`,
      );
    }
    if (there) this.#drop(key, there);
    this.#committed.delete(key);
    transaction.limitBytes = this.#limitBytes;
    const timer = setTimeout(() => this.#expire(key, transaction), this.#lifetimeMs).unref();
    this.#open.set(key, { txnNumber, transaction, state: 'open', since: Date.now(), timer });
    return transaction;
  }

  /** Commits; asked again, also after a restart, it gives the same answer. @throws {EngineError} 251: there is none; 256, 225 */
  async commit(fields: SessionFields): Promise<void> {
    const { key, txnNumber } = numbered(fields);
    const there = this.#open.get(key);
    if (there?.txnNumber !== txnNumber || there.state !== 'open') {
      const before = this.#committed.get(key);
      if (before?.txnNumber === txnNumber) return before.result;
      const newest = this.#newest(key);
      if (newest?.txnNumber === txnNumber && newest.state === 'committed') return;
      throw this.#notOpen(key, txnNumber);
    }
    clearTimeout(there.timer);
    this.#open.delete(key);
    const writes = there.transaction.writes.size > 0;
    if (writes) this.remember(there.transaction, fields, { committed: true, runs: [] });
    const result = this.#transactions.commit(there.transaction);
    this.#committed.set(key, { txnNumber, result, since: Date.now() });
    try {
      await result;
    } finally {
      // What was written is remembered on the disk; what failed may not be answered as done.
      if (writes && this.#committed.get(key)?.txnNumber === txnNumber) this.#committed.delete(key);
    }
  }

  /** @throws {EngineError} 251: there is none; 256: it is committed */
  abort(fields: SessionFields): void {
    const { key, txnNumber } = numbered(fields);
    const there = this.#open.get(key);
    if (there?.txnNumber !== txnNumber || there.state !== 'open') throw this.#notOpen(key, txnNumber);
    this.fail(fields);
  }

  /** A statement failed: the whole transaction is over. */
  fail({ key, txnNumber }: SessionFields): void {
    const there = key === undefined ? undefined : this.#open.get(key);
    if (!there || there.txnNumber !== txnNumber) return;
    clearTimeout(there.timer);
    there.state = 'aborted';
    this.#transactions.abort(there.transaction);
  }

  end(key: string): void {
    const there = this.#open.get(key);
    if (there) this.#drop(key, there);
  }

  endAll(): void {
    for (const [key, open] of this.#open) this.#drop(key, open);
  }

  /**
   * What was done before under this write's number. A newer number ends the session's open transaction.
   *
   * @throws {EngineError} 225: a newer one came since; 72: the number is a transaction's
   */
  retry(tx: Transaction, fields: SessionFields): Retry | undefined {
    const { key, txnNumber, statement } = fields;
    if (key === undefined || txnNumber === undefined) return undefined;
    const open = this.#open.get(key);
    if (open && open.txnNumber < txnNumber) this.#drop(key, open);
    // A repeat that comes while the first is under way waits for it, and then finds its answers.
    tx.lock(memoryKey(key));
    if (this.#isNew(key, txnNumber, tx)) return new Retry([], statement);
    const newest = this.#newest(key, tx);
    if (!newest || newest.txnNumber < txnNumber) return new Retry([], statement);
    if (newest.txnNumber > txnNumber) throw tooOld(txnNumber, newest.txnNumber);
    if (newest.state !== 'retryable')
      throw new EngineError(
        'InvalidOptions',
        'Must specify autocommit=false on all operations of a multi-statement transaction.',
      );
    return new Retry(this.#memory(tx, key)?.runs ?? [], statement);
  }

  /** Kept in the same commit as the write itself, so that it holds after a crash as well. */
  remember(
    tx: Transaction,
    fields: SessionFields,
    { runs, committed = false }: { runs: Memory['runs']; committed?: boolean },
  ): void {
    const { key, txnNumber } = numbered(fields);
    tx.put(memoryKey(key), stored({ txnNumber, committed, runs }));
  }

  /** Forgets what was remembered for sessions that have ended long ago. */
  prune(tx: Transaction, now: Date): void {
    const old = now.getTime() - SESSION_MINUTES * 60_000;
    for (const [key, c] of this.#committed) if (c.since < old) this.#committed.delete(key);
    for (const [key, o] of this.#open) if (o.state === 'aborted' && o.since < old) this.#open.delete(key);
    for (const { key, value } of tx.range(RETRIES, after(RETRIES))) {
      const { at } = decode(value);
      if (!(at instanceof Date) || at.getTime() >= old) continue;
      // Whoever comes back at this very moment must find its memory, or be waited for.
      tx.lock(key);
      tx.remove(key);
    }
  }

  /** @throws {EngineError} 146: too many transactions are open */
  #assertRoom(): void {
    if (this.#open.size < MAX_TRANSACTIONS) return;
    if ([...this.#open.values()].filter(({ state }) => state === 'open').length < MAX_TRANSACTIONS) return;
    throw new EngineError('ExceededMemoryLimit', `${MAX_TRANSACTIONS} transactions are open: end some`, {
      labels: ['TransientTransactionError'],
    });
  }

  /** Newer than all that was seen of the session: the common case, which needs no decoding. */
  #isNew(key: string, txnNumber: bigint, tx: Transaction): boolean {
    const there = tx.get(memoryKey(key));
    return (
      (!there || numberOf(there) < txnNumber) &&
      (this.#committed.get(key)?.txnNumber ?? -1n) < txnNumber &&
      (this.#open.get(key)?.txnNumber ?? -1n) < txnNumber
    );
  }

  #newest(key: string, tx?: Transaction): Newest | undefined {
    const memory = tx ? this.#memory(tx, key) : this.#transactions.read((read) => this.#memory(read, key));
    const kept = memory && {
      txnNumber: memory.txnNumber,
      state: memory.committed ? ('committed' as const) : ('retryable' as const),
    };
    const committed = this.#committed.get(key);
    return [this.#open.get(key), kept, committed && { txnNumber: committed.txnNumber, state: 'committed' as const }]
      .filter((n) => n !== undefined)
      .toSorted((a, b) => Number(b.txnNumber - a.txnNumber))[0];
  }

  /** Why a statement finds no open transaction of its number. */
  #notOpen(key: string, txnNumber: bigint): EngineError {
    const newest = this.#newest(key);
    if (newest && newest.txnNumber > txnNumber) return tooOld(txnNumber, newest.txnNumber);
    if (newest?.txnNumber === txnNumber && newest.state === 'committed')
      return new EngineError(
        'TransactionCommitted',
        `Transaction with { txnNumber: ${txnNumber} } has been committed.`,
      );
    const message =
      newest?.txnNumber === txnNumber && newest.state === 'aborted'
        ? `Transaction with { txnNumber: ${txnNumber} } has been aborted.`
        : `Given transaction number ${txnNumber} does not match any in-progress transactions. The active transaction number is ${newest?.txnNumber ?? -1}`;
    return new EngineError('NoSuchTransaction', message, { labels: ['TransientTransactionError'] });
  }

  #memory(tx: Transaction, key: string): Memory | undefined {
    const there = tx.get(memoryKey(key));
    return there && read(there);
  }

  #drop(key: string, open: Open): void {
    clearTimeout(open.timer);
    if (open.state === 'open') this.#transactions.abort(open.transaction);
    this.#open.delete(key);
  }

  #expire(key: string, transaction: Transaction): void {
    const there = this.#open.get(key);
    if (there?.transaction !== transaction) return;
    there.state = 'aborted';
    this.#transactions.abort(transaction);
  }
}

const memoryKey = (key: string): Buffer => Buffer.concat([RETRIES, Buffer.from(key, 'latin1')]);

const tooOld = (asked: bigint, newest: bigint): EngineError =>
  new EngineError(
    'TransactionTooOld',
    `Transaction number ${asked} is too old: ${newest} has already started on this session.`,
  );

function numbered({ key, txnNumber }: SessionFields): { key: string; txnNumber: bigint } {
  if (key === undefined || txnNumber === undefined)
    throw new EngineError('InvalidOptions', 'a transaction needs a session and a number');
  return { key, txnNumber };
}
