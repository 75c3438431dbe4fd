import type { RootDatabase } from 'lmdb';
import { EngineError } from '../errors.js';
import { CHECKSUM_BYTES, checksum, keySum, valueSum } from './checksum.js';

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
    if (!inPlace) return Buffer.from(target.subarray(start, end));
    keyInPlace.bytes = target;
    keyInPlace.start = start;
    keyInPlace.end = end;
    return NOTHING;
  },
};

const damaged = (key: Buffer): EngineError =>
  new EngineError(
    'InternalError',
    `A stored value is damaged (its checksum does not fit, key ${key.toString('hex', 0, 32)}). Restore a backup into an empty folder.`,
  );

function verify(key: Buffer, value: Buffer): Buffer {
  if (checksum(key, value) !== stored) throw damaged(key);
  return value;
}

export function snapshotOf(db: RootDatabase<Buffer, Buffer>): Snapshot {
  const transaction = db.useReadTransaction();
  const at = { transaction };
  /** A range that nobody reads to its end would keep lmdb's transaction open: it is closed with the snapshot. */
  const reading = new Set<Iterator<unknown>>();
  const begin = (options: object): Iterator<{ key: Buffer; value: Buffer }> => {
    const entries = db.getRange({ ...options, transaction })[Symbol.iterator]();
    reading.add(entries);
    return entries;
  };
  const end = (entries: Iterator<unknown>): void => {
    reading.delete(entries);
    entries.return?.();
  };
  return {
    get(key) {
      const value = db.get(key, at);
      return value && verify(key, value);
    },
    *range(from, to, reverse) {
      const entries = begin(
        reverse
          ? { start: to, end: from, reverse: true, exclusiveStart: true, inclusiveEnd: true }
          : { start: from, end: to },
      );
      try {
        for (let step = entries.next(); !step.done; step = entries.next()) {
          verify(step.value.key, step.value.value);
          yield step.value;
        }
      } finally {
        end(entries);
      }
    },
    *values<T>(from: Buffer, to: Buffer, read: Read<T>) {
      const entries = begin({ start: from, end: to });
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
        end(entries);
      }
    },
    hasMany(from, to, many) {
      for (const _key of db.getKeys({ start: from, end: to, offset: many - 1, limit: 1, transaction })) return true;
      return false;
    },
    close() {
      for (const entries of reading) end(entries);
      transaction.done();
    },
  };
}
