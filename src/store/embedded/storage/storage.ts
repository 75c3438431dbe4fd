import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { EngineError } from '../errors.js';
import { CHECKSUM_BYTES, checksum } from './checksum.js';
import { bringToFormat, hasFormat, isCurrent } from './format.js';
import { checkPages, DamagedFile } from './pages.js';
import { Room } from './room.js';
import { decode, keys, LmdbSnapshot, type Snapshot } from './snapshot.js';

export const DATA_FILE = 'data.mdb';
/** Of a file up to this size every value is looked at when it is opened (some 0.3 s); of a larger one as they are read. */
const SUMMED_AT_OPEN = 64 * 1024 * 1024;

/** Keys as latin1 text, so that a Map can hold them; null removes. */
export type Writes = ReadonlyMap<string, Buffer | null>;

const withSum = (key: Buffer, value: Buffer): Buffer => {
  const bytes = Buffer.allocUnsafe(value.length + CHECKSUM_BYTES);
  bytes.set(value);
  bytes.writeUInt32LE(checksum(key, value), value.length);
  return bytes;
};

const opened = (path: string): RootDatabase<Buffer, Buffer> =>
  open<Buffer, Buffer>({
    path,
    noSubdir: true,
    keyEncoder: keys,
    encoder: { encode: (value: Buffer) => value, decode },
    // A put's promise must not come before its flush (measured: with overlapping sync it does).
    overlappingSync: false,
    // Open cursors, transactions and requests each hold a snapshot: each kind has its own limit, far below.
    maxReaders: 3000,
  });

/** The one file that knows lmdb. Keys and values are bytes; each value is stored with a checksum of itself and its key. */
export class Storage {
  readonly #db: RootDatabase<Buffer, Buffer>;
  readonly #room: Room;

  /** Another thread writes: nothing here knows when. */
  readonly #reader: boolean;

  private constructor(db: RootDatabase<Buffer, Buffer>, path: string, reader: boolean) {
    this.#db = db;
    this.#room = new Room(path);
    this.#reader = reader;
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
    if (!existsSync(path) && hasFormat(folder))
      throw new DamagedFile(
        `The data file ${path} is gone, but ${folder} was in use. Put it back, or restore a backup into an empty folder.`,
      );
    if (existsSync(path)) checkPages(path, isCurrent(folder) && statSync(path).size <= SUMMED_AT_OPEN);
    let db: RootDatabase<Buffer, Buffer>;
    try {
      await bringToFormat(folder, path);
      db = opened(path);
    } catch (cause) {
      if (!(cause instanceof Error && cause.message.startsWith('MDB_'))) throw cause;
      throw new DamagedFile(`The data file ${path} can't be opened. Restore a backup into an empty folder.`, { cause });
    }
    chmodSync(path, 0o600);
    return new Storage(db, path, false);
  }

  /** Another thread's view of a folder that is open in this process. Both share lmdb's environment; only one may write. */
  static reader(folder: string): Storage {
    const path = join(folder, DATA_FILE);
    return new Storage(opened(path), path, true);
  }

  /** What is committed before this is called is in it. */
  snapshot(): Snapshot {
    // A view that was opened earlier in this turn may be from before the last commit.
    if (this.#reader) this.#db.resetReadTxn();
    return new LmdbSnapshot(this.#db);
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
      // lmdb calls it an input/output error that the disk took a part only.
      if (/ENOSPC|No space|MDB_MAP_FULL|disk quota|File too large|Input\/output error/i.test(text))
        throw new EngineError('OutOfDiskSpace', `not written, the disk is full or fails: ${text}`);
      if (text.startsWith('MDB_'))
        throw new EngineError(
          'InternalError',
          `Not written, the data file may be damaged (${text}). Stop the program; if this comes again, restore a backup into an empty folder.`,
        );
      throw error;
    }
  }

  /** Bytes of the disk that the store lies on. */
  disk(): { total: number; used: number } {
    return this.#room.disk();
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
