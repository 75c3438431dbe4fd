import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DATA_FILE } from './storage.js';

/**
 * Puts the data of one folder, which nobody serves, in the place of another's, in one step: a crash leaves the old or the
 * new. An engine that still serves the other folder keeps seeing the old data; it must only stop.
 */
export async function putInPlace(from: string, to: string): Promise<void> {
  await rename(join(from, DATA_FILE), join(to, DATA_FILE));
  const folder = await open(to, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
