import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { checksummed } from './migrations/checksummed.js';

/** The layout of keys and values. */
const FORMAT = 2;
/** The format lies in the store itself, so that it changes in the same commit as what it describes. */
const FORMAT_KEY = Buffer.from([0, 0]);

export type Raw = RootDatabase<Buffer, Buffer>;

/** Brings a store of format `from` to the next; runs inside one lmdb transaction, and may throw to leave all as it was. */
export interface Migration {
  readonly from: number;
  readonly what: string;
  run(db: Raw): void;
}

/** One for each format there ever was. */
const migrations: readonly Migration[] = [
  { from: 1, what: 'checksums on values; a unique index has its bare key', run: checksummed },
];

const numberIn = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text.trim());

const fileIn = (folder: string): string => join(folder, 'FORMAT');
const saidIn = (folder: string): number | undefined => {
  const file = fileIn(folder);
  return numberIn(existsSync(file) ? readFileSync(file, 'utf8') : undefined);
};

/** The folder says that it has data. */
export const hasFormat = (folder: string): boolean => existsSync(fileIn(folder));

/** The folder says that it has today's format. */
export const isCurrent = (folder: string): boolean => saidIn(folder) === FORMAT;

/**
 * Looks at the format of a data folder. A new one gets today's; an older one is backed up beside itself and brought up,
 * step by step, each step in one commit with the format's number.
 *
 * @throws Error a newer program wrote it, or no migration leads here: nothing was changed
 */
export async function bringToFormat(
  folder: string,
  path: string,
  steps: readonly Migration[] = migrations,
  target = FORMAT,
): Promise<void> {
  const refuse = (found: number): Error =>
    new Error(
      `The data in ${folder} has format ${found}, this program reads format ${target}: start the version that wrote it. Nothing was changed.`,
    );
  const said = saidIn(folder);
  if (said !== undefined && !(said <= target)) throw refuse(said);
  const db: Raw = open<Buffer, Buffer>({ path, noSubdir: true, keyEncoding: 'binary', encoding: 'binary' });
  try {
    chmodSync(path, 0o600);
    const empty = (db.getStats() as { entryCount?: number }).entryCount === 0;
    const found = numberIn(db.get(FORMAT_KEY)?.toString()) ?? (empty ? undefined : (said ?? 1));
    if (found === undefined)
      db.transactionSync(() => {
        db.putSync(FORMAT_KEY, Buffer.from(String(target)));
      });
    else if (!(found <= target)) throw refuse(found);
    else if (found < target) await migrate(db, join(folder, `data-of-format-${found}.mdb`), found, { steps, target });
    writeFileSync(fileIn(folder), `${target}\n`, { mode: 0o600 });
  } finally {
    await db.close();
  }
}

async function migrate(
  db: Raw,
  copy: string,
  found: number,
  { steps, target }: { steps: readonly Migration[]; target: number },
): Promise<void> {
  const way = Array.from({ length: target - found }, (_, i) => steps.find((s) => s.from === found + i));
  if (way.some((step) => step === undefined))
    throw new Error(`No migration leads from format ${found} of ${copy} to format ${target}. Nothing was changed.`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.unfinished`;
    rmSync(unfinished, { force: true });
    await db.backup(unfinished, true);
    chmodSync(unfinished, 0o600);
    renameSync(unfinished, copy);
  }
  for (const step of way)
    if (step)
      db.transactionSync(() => {
        step.run(db);
        db.putSync(FORMAT_KEY, Buffer.from(String(step.from + 1)));
      });
}
