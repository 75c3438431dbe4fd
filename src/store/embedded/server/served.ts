import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Served {
  /** What the official driver connects to. */
  readonly uri: string;
  /** The process that serves the folder. */
  readonly pid: number;
}

/** Where a folder is served, as its process wrote it down; undefined: nobody did. It may have been killed since. */
export async function servedAt(folder: string): Promise<Served | undefined> {
  const text = await readFile(join(folder, 'SOCKET'), 'utf8').catch(() => '');
  const [path = '', pid = ''] = text.split('\n');
  return path === ''
    ? undefined
    : { uri: `mongodb://${encodeURIComponent(path)}/?directConnection=true`, pid: Number(pid) };
}
