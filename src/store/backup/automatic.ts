import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mongoose';
import { backUp } from './write.js';

/** What the program backs up by itself goes into `backups` in the data folder; nothing removes it. */
export async function automaticBackup(
  connection: Connection,
  { folder, why, at }: { folder: string; why: string; at: Date },
): Promise<string> {
  const stamp = at.toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
  const named = (n: number): string => join(folder, 'backups', `${why}-${stamp}Z${n === 1 ? '' : `-${n}`}.gmbackup`);
  let n = 1;
  while (existsSync(named(n))) n += 1;
  const file = named(n);
  await backUp(connection, file, at);
  return file;
}
