import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from 'mongoose';
import { openStore } from '../connect.js';
import { putInPlace } from '../embedded/index.js';
import { SCHEMA_VERSION } from '../migrate.js';
import { automaticBackup } from './automatic.js';
import { fillFrom, isEmptyStore } from './fill.js';
import { BadBackup, type Header } from './format.js';
import { verifyBackup } from './read.js';

export interface Restore {
  readonly file: string;
  /** As for `openStore`. */
  readonly uri?: string | undefined;
  readonly folder: string;
  readonly name: string;
  readonly thread?: 'worker' | 'same';
  /** Throw away what the store holds, after a backup of it. */
  readonly replace: boolean;
  readonly at: Date;
}

export interface Restored {
  readonly header: Header;
  /** The backup of what was replaced. */
  readonly before: string | undefined;
}

/** The store holds something, and nobody said to replace it. */
export class StoreNotEmpty extends Error {
  override readonly name = 'StoreNotEmpty';
}

/**
 * Makes the store what a backup holds, whichever store it was taken from.
 *
 * The whole file is verified first. The embedded store is filled in a folder of its own, whose data then takes the place
 * of the old in one step; in MongoDB the database is emptied and filled under a mark with which no program starts.
 *
 * @throws {BadBackup} the file is damaged, cut short, or of a newer version: nothing was changed
 * @throws {StoreNotEmpty} and `replace` is not set: nothing was changed
 * @throws {FolderInUse} a program serves the embedded store: nothing was changed
 */
export async function restore(wanted: Restore): Promise<Restored> {
  const { file, uri, folder, name, thread = 'worker', replace, at } = wanted;
  const header = await verifyBackup(file);
  if (header.schemaVersion > SCHEMA_VERSION)
    throw new BadBackup(
      `备份来自更新的版本（数据版本 ${header.schemaVersion}，本程序 ${SCHEMA_VERSION}），请用那个版本恢复 / the backup is of schema version ${header.schemaVersion}, this program knows ${SCHEMA_VERSION}: restore with the newer program`,
    );
  const store = await openStore({ uri, folder, name, thread });
  try {
    const empty = await isEmptyStore(store.connection);
    if (!empty && !replace)
      throw new StoreNotEmpty(
        `数据库 ${name} 不是空的，什么也没有改。要用备份替换它，请加 --replace --yes / the store is not empty, nothing was changed: add --replace --yes to put the backup in its place`,
      );
    const before = empty ? undefined : await automaticBackup(store.connection, { folder, why: 'before-restore', at });
    if (uri === undefined) await refill(folder, { name, thread, file, header });
    else await refillInPlace(store.connection, { file, header, empty });
    return { header, before };
  } finally {
    await store.close();
  }
}

/** The folder is served by us all the while, so no program can start on it before the new data is in place. */
async function refill(
  folder: string,
  { name, thread, file, header }: { name: string; thread: 'worker' | 'same'; file: string; header: Header },
): Promise<void> {
  const building = join(folder, 'restoring');
  await rm(building, { recursive: true, force: true });
  try {
    const fresh = await openStore({ folder: building, name, thread });
    try {
      await fillFrom(fresh.connection, file, header);
    } finally {
      await fresh.close();
    }
    await putInPlace(building, folder);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

async function refillInPlace(
  connection: Connection,
  { file, header, empty }: { file: string; header: Header; empty: boolean },
): Promise<void> {
  try {
    await fillFrom(connection, file, header);
  } catch (error) {
    // What was empty is empty again; what was not keeps the mark, and its backup is at hand.
    if (empty) await connection.dropDatabase().catch(() => undefined);
    throw error;
  }
}
