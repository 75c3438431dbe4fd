import type { RangeOptions, RootDatabase, Transaction } from 'lmdb';
import { EngineError } from '../errors.js';
import { CHECKSUM_BYTES, checksum, keySum, valueSum } from './checksum.js';
import { MAX_KEY } from './pages.js';

/** A steady view of the store. Closed once; a view held open keeps old pages from being used again. */
export interface Snapshot {
  /** @throws {EngineError} the value is damaged */
  get(key: Buffer): Buffer | undefined;
  /** Entries from `from` up to but without `to`. @throws {EngineError} a value is damaged */
  range(from: Buffer, to: Buffer, reverse: boolean): Iterable<{ key: Buffer; value: Buffer }>;
  /** What `read` makes of the values from `from` up to but without `to`. @throws {EngineError} a value is damaged */
  values<T>(from: Buffer, to: Buffer, read: Read<T>): Iterable<T>;
  /** Whether there are `many` entries from `from` up to but without `to`. */
  hasMany(from: Buffer, to: Buffer, many: number): boolean;
  close(): void;
}

/** Reads a value of `length` bytes where it lies: the bytes are lmdb's own and hold something else after the call. */
export type Read<T> = (bytes: Buffer, length: number) => T;

/** The checksum of the value that was copied last: lmdb reads one at a time, and each is looked at before the next. */
let stored = 0;
/** While set, keys and values are not copied: this is given the value where it lies, after its key. */
let inPlace: Read<void> | undefined;
const NOTHING = Buffer.alloc(0);
const keyInPlace: { bytes: Uint8Array; start: number; end: number } = { bytes: NOTHING, start: 0, end: 0 };

const sumAt = (bytes: Uint8Array, length: number): number => {
  const at = (i: number): number => bytes[length + i] ?? 0;
  return (at(0) | (at(1) << 8) | (at(2) << 16) | (at(3) << 24)) >>> 0;
};

/** lmdb's reader of values. Copies one out of lmdb's own memory, without its checksum. */
export function decode(bytes: Uint8Array): Buffer {
  const length = Math.max(bytes.length - CHECKSUM_BYTES, 0);
  if (inPlace) {
    const { bytes: key, start, end } = keyInPlace;
    if (valueSum(keySum(key, start, end), bytes, length) !== sumAt(bytes, length))
      throw damaged(Buffer.from(key.subarray(start, end)));
    inPlace(bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), length);
    return NOTHING;
  }
  stored = sumAt(bytes, length);
  const value = Buffer.allocUnsafe(length);
  value.set(bytes.subarray(0, length));
  return value;
}

/** lmdb's writer and reader of keys. */
export const keys = {
  writeKey(key: Buffer, target: Uint8Array, start: number): number {
    target.set(key, start);
    return start + key.length;
  },
  readKey(target: Uint8Array, start: number, end: number): Buffer {
    if (!inPlace) {
      const key = Buffer.allocUnsafe(end - start);
      // Few bytes: a loop is quicker than a view and a call.
      for (let i = start; i < end; i += 1) key[i - start] = target[i] as number;
      return key;
    }
    keyInPlace.bytes = target;
    keyInPlace.start = start;
    keyInPlace.end = end;
    return NOTHING;
  },
};

/** lmdb has no longer keys: none can be found, and a bound that is cut divides those there are as the whole one does. */
const cut = (bound: Buffer): Buffer => (bound.length > MAX_KEY ? bound.subarray(0, MAX_KEY) : bound);

const damaged = (key: Buffer): EngineError =>
  new EngineError(
    'InternalError',
    `A stored value is damaged (its checksum does not fit, key ${key.toString('hex', 0, 32)}). Restore a backup into an empty folder.`,
  );

function verify(key: Buffer, value: Buffer): Buffer {
  if (checksum(key, value) !== stored) throw damaged(key);
  return value;
}

/** A snapshot as lmdb has it. */
export class LmdbSnapshot implements Snapshot {
  readonly #db: RootDatabase<Buffer, Buffer>;
  readonly #at: { readonly transaction: Transaction };
  /** A range that nobody reads to its end would keep lmdb's transaction open: it is closed with the snapshot. */
  #reading: Set<Iterator<unknown>> | undefined;

  constructor(db: RootDatabase<Buffer, Buffer>) {
    this.#db = db;
    this.#at = { transaction: db.useReadTransaction() };
  }

  get(key: Buffer): Buffer | undefined {
    const value = key.length > MAX_KEY ? undefined : this.#db.get(key, this.#at);
    return value && verify(key, value);
  }

  *range(from: Buffer, to: Buffer, reverse: boolean): Iterable<{ key: Buffer; value: Buffer }> {
    const entries = this.#begin(
      reverse
        ? { start: cut(to), end: cut(from), reverse: true, exclusiveStart: true, inclusiveEnd: true }
        : { start: cut(from), end: cut(to) },
    );
    try {
      for (let step = entries.next(); !step.done; step = entries.next()) {
        verify(step.value.key, step.value.value);
        yield step.value;
      }
    } finally {
      this.#end(entries);
    }
  }

  *values<T>(from: Buffer, to: Buffer, read: Read<T>): Iterable<T> {
    const entries = this.#begin({ start: cut(from), end: cut(to) });
    let value: { of: T } | undefined;
    const take: Read<void> = (bytes, length) => void (value = { of: read(bytes, length) });
    try {
      for (;;) {
        inPlace = take;
        const { done } = entries.next();
        inPlace = undefined;
        if (done || !value) return;
        yield value.of;
      }
    } finally {
      inPlace = undefined;
      this.#end(entries);
    }
  }

  hasMany(from: Buffer, to: Buffer, many: number): boolean {
    const one = { start: cut(from), end: cut(to), offset: many - 1, limit: 1, ...this.#at };
    for (const _key of this.#db.getKeys(one)) return true;
    return false;
  }

  close(): void {
    for (const entries of this.#reading ?? []) this.#end(entries);
    this.#at.transaction.done();
  }

  #begin(options: RangeOptions): Iterator<{ key: Buffer; value: Buffer }> {
    const entries = this.#db.getRange({ ...options, ...this.#at })[Symbol.iterator]();
    this.#reading ??= new Set();
    this.#reading.add(entries);
    return entries;
  }

  #end(entries: Iterator<unknown>): void {
    this.#reading?.delete(entries);
    entries.return?.();
  }
}
