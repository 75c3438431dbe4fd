import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { EngineError } from '../errors.js';
import { CHECKSUM_BYTES, checksum, keySum, valueSum } from './checksum.js';
import { bringToFormat, isCurrent } from './format.js';
import { checkPages, DamagedFile } from './pages.js';
import { Room } from './room.js';

export const DATA_FILE = 'data.mdb';
/** Of a file up to this size every value is looked at when it is opened (some 0.3 s); of a larger one as they are read. */
const SUMMED_AT_OPEN = 64 * 1024 * 1024;

/** A steady view of the store. Closed once; a view held open keeps old pages from being used again. */
export interface Snapshot {
  /** @throws {EngineError} the value is damaged */
  get(key: Buffer): Buffer | undefined;
  /** Entries from `from` up to but without `to`. @throws {EngineError} a value is damaged */
  range(from: Buffer, to: Buffer, reverse: boolean): Iterable<{ key: Buffer; value: Buffer }>;
  /** What `read` makes of the values from `from` up to but without `to`. @throws {EngineError} a value is damaged */
  values<T>(from: Buffer, to: Buffer, read: Read<T>): Iterable<T>;
  close(): void;
}

/** Reads a value of `length` bytes where it lies: the bytes are lmdb's own and hold something else after the call. */
export type Read<T> = (bytes: Buffer, length: number) => T;

/** Keys as latin1 text, so that a Map can hold them; null removes. */
export type Writes = ReadonlyMap<string, Buffer | null>;

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

/** Copies a value out of lmdb's own memory, without its checksum. */
function decode(bytes: Uint8Array): Buffer {
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

const keys = {
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

const withSum = (key: Buffer, value: Buffer): Buffer => {
  const bytes = Buffer.allocUnsafe(value.length + CHECKSUM_BYTES);
  bytes.set(value);
  bytes.writeUInt32LE(checksum(key, value), value.length);
  return bytes;
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

/** The one file that knows lmdb. Keys and values are bytes; each value is stored with a checksum of itself and its key. */
export class Storage {
  readonly #db: RootDatabase<Buffer, Buffer>;
  readonly #room: Room;

  private constructor(db: RootDatabase<Buffer, Buffer>, path: string) {
    this.#db = db;
    this.#room = new Room(path);
  }

  /**
   * Opens a folder, made where it is missing. An older format is brought to this one, after a backup beside it.
   *
   * @throws Error the folder's format is a newer one, or its file is damaged: says what to do
   */
  static async open(folder: string): Promise<Storage> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    const path = join(folder, DATA_FILE);
    if (existsSync(path)) checkPages(path, isCurrent(folder) && statSync(path).size <= SUMMED_AT_OPEN);
    let db: RootDatabase<Buffer, Buffer>;
    try {
      await bringToFormat(folder, path);
      db = open<Buffer, Buffer>({
        path,
        noSubdir: true,
        keyEncoder: keys,
        encoder: { encode: (value: Buffer) => value, decode },
        // A put's promise must not come before its flush (measured: with overlapping sync it does).
        overlappingSync: false,
        maxReaders: 1000,
      });
    } catch (cause) {
      if (!(cause instanceof Error && cause.message.startsWith('MDB_'))) throw cause;
      throw new DamagedFile(`The data file ${path} can't be opened. Restore a backup into an empty folder.`, { cause });
    }
    chmodSync(path, 0o600);
    return new Storage(db, path);
  }

  snapshot(): Snapshot {
    const db = this.#db;
    const transaction = db.useReadTransaction();
    const at = { transaction };
    return {
      get(key) {
        const value = db.get(key, at);
        return value && verify(key, value);
      },
      *range(from, to, reverse) {
        const entries = reverse
          ? db.getRange({ start: to, end: from, reverse: true, exclusiveStart: true, inclusiveEnd: true, transaction })
          : db.getRange({ start: from, end: to, transaction });
        for (const entry of entries) {
          verify(entry.key, entry.value);
          yield entry;
        }
      },
      *values<T>(from: Buffer, to: Buffer, read: Read<T>) {
        const entries = db.getRange({ start: from, end: to, transaction })[Symbol.iterator]();
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
          entries.return?.();
        }
      },
      close: () => transaction.done(),
    };
  }

  /**
   * Writes everything in one lmdb transaction; it is on the disk when this returns.
   *
   * @throws {EngineError} OutOfDiskSpace: nothing was written
   */
  write(batches: readonly Writes[]): void {
    let [entries, size] = [0, 0];
    for (const writes of batches) {
      entries += writes.size;
      for (const value of writes.values()) size += value?.length ?? 0;
    }
    this.#room.ask(entries, size);
    try {
      this.#db.transactionSync(() => {
        for (const writes of batches)
          for (const [key, value] of writes) {
            const bytes = Buffer.from(key, 'latin1');
            if (value === null) this.#db.removeSync(bytes);
            else this.#db.putSync(bytes, withSum(bytes, value));
          }
      });
      // Without this, a snapshot taken in the same turn would still be the one from before the commit.
      this.#db.resetReadTxn();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (/ENOSPC|No space|MDB_MAP_FULL|disk quota/i.test(text))
        throw new EngineError('OutOfDiskSpace', `not written: ${text}`);
      throw error;
    }
  }

  /**
   * Copies the store into a folder while it goes on: what was committed when the copy began, and nothing else. The folder
   * can be opened as it is.
   *
   * @throws Error the folder holds a store already
   */
  async backup(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, DATA_FILE);
    if (existsSync(path)) throw new Error(`${folder} holds a store already: back up into an empty folder.`);
    const unfinished = `${path}.unfinished`;
    rmSync(unfinished, { force: true });
    await this.#db.backup(unfinished, true);
    chmodSync(unfinished, 0o600);
    renameSync(unfinished, path);
  }

  /** Bytes in use. */
  stats(): { readonly bytes: number; readonly entries: number } {
    const stats = this.#db.getStats() as Record<string, number>;
    const pages =
      (stats['treeBranchPageCount'] ?? 0) + (stats['treeLeafPageCount'] ?? 0) + (stats['overflowPages'] ?? 0);
    return { bytes: pages * (stats['pageSize'] ?? 4096), entries: stats['entryCount'] ?? 0 };
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
