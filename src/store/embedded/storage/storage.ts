import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { EngineError } from '../errors.js';

/** The layout of keys and values; a folder of another format is not opened. */
const FORMAT = 1;
export const DATA_FILE = 'data.mdb';

/** A steady view of the store. Closed once; a view held open keeps old pages from being used again. */
export interface Snapshot {
  get(key: Buffer): Buffer | undefined;
  /** Entries from `from` up to but without `to`. */
  range(from: Buffer, to: Buffer, reverse: boolean): Iterable<{ key: Buffer; value: Buffer }>;
  close(): void;
}

/** Keys as latin1 text, so that a Map can hold them; null removes. */
export type Writes = ReadonlyMap<string, Buffer | null>;

/** The one file that knows lmdb. Keys and values are bytes. */
export class Storage {
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #db: Database<Buffer, Buffer>;

  private constructor(root: RootDatabase<Buffer, Buffer>) {
    this.#root = root;
    this.#db = root;
  }

  /** @throws Error the folder's format is another, or its file is damaged: says what to do */
  static open(folder: string): Storage {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    const formatFile = join(folder, 'FORMAT');
    if (existsSync(formatFile)) {
      const found = readFileSync(formatFile, 'utf8').trim();
      if (found !== String(FORMAT))
        throw new Error(
          `The data in ${folder} has format ${found}, this program reads format ${FORMAT}: start the version that wrote it, back up and restore.`,
        );
    }
    let root: RootDatabase<Buffer, Buffer>;
    try {
      root = open<Buffer, Buffer>({
        path: join(folder, DATA_FILE),
        noSubdir: true,
        keyEncoding: 'binary',
        encoding: 'binary',
        // A put's promise must not come before its flush (measured: with overlapping sync it does).
        overlappingSync: false,
        maxReaders: 1000,
      });
    } catch (cause) {
      throw new Error(
        `The data file in ${folder} can't be opened; it may be damaged. Restore a backup into an empty folder.`,
        { cause },
      );
    }
    chmodSync(join(folder, DATA_FILE), 0o600);
    writeFileSync(formatFile, `${FORMAT}\n`, { mode: 0o600 });
    return new Storage(root);
  }

  snapshot(): Snapshot {
    const transaction = this.#db.useReadTransaction();
    const db = this.#db;
    return {
      get: (key) => db.get(key, { transaction }),
      range: (from, to, reverse) =>
        reverse
          ? db.getRange({ start: to, end: from, reverse: true, exclusiveStart: true, inclusiveEnd: true, transaction })
          : db.getRange({ start: from, end: to, transaction }),
      close: () => transaction.done(),
    };
  }

  /**
   * Writes everything in one lmdb transaction; it is on the disk when this returns.
   *
   * @throws {EngineError} OutOfDiskSpace: nothing was written
   */
  write(batches: readonly Writes[]): void {
    try {
      this.#db.transactionSync(() => {
        for (const writes of batches)
          for (const [key, value] of writes) {
            const bytes = Buffer.from(key, 'latin1');
            if (value === null) this.#db.removeSync(bytes);
            else this.#db.putSync(bytes, value);
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

  /** Copies the store into a folder while it goes on. */
  async backup(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await this.#root.backup(folder, true);
  }

  /** Bytes in use. */
  stats(): { readonly bytes: number; readonly entries: number } {
    const stats = this.#root.getStats() as Record<string, number>;
    const pages =
      (stats['treeBranchPageCount'] ?? 0) + (stats['treeLeafPageCount'] ?? 0) + (stats['overflowPages'] ?? 0);
    return { bytes: pages * (stats['pageSize'] ?? 4096), entries: stats['entryCount'] ?? 0 };
  }

  close(): Promise<void> {
    return this.#root.close();
  }
}
