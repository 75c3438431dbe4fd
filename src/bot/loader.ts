import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { LoadedScript } from './registry.js';
import type { Community, ScriptDefinition } from './script.js';

const Module = z.looseObject({
  default: z.object({
    title: z.string(),
    summary: z.string(),
    order: z.number(),
    define: z.custom<(on: never) => void>((value) => typeof value === 'function'),
  }),
  errors: z
    .record(
      z.string(),
      z.custom<(details: never) => string>((value) => typeof value === 'function'),
    )
    .default({}),
});

/**
 * Loads every script of a folder (not of its subfolders), in the order of their names.
 *
 * @throws an Error that names the file: a script that does not load stops the start
 */
export async function loadScripts<C extends Community>(folder: string): Promise<LoadedScript<C>[]> {
  const files = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && /^(?!.*\.d\.ts$).*\.(ts|js)$/.test(entry.name))
    .map((entry) => entry.name)
    .toSorted();
  const scripts: LoadedScript<C>[] = [];
  // One after the other: scripts share modules, and not every loader takes two requests for one at once.
  for (const file of files) {
    const module: unknown = await import(pathToFileURL(join(folder, file)).href).catch((cause: unknown) => {
      throw new Error(`bot-scripts/${file} does not load`, { cause });
    });
    const parsed = Module.safeParse(module);
    if (!parsed.success) throw new Error(`bot-scripts/${file} exports no script: ${z.prettifyError(parsed.error)}`);
    const { default: definition, errors } = parsed.data;
    scripts.push({ file: `bot-scripts/${file}`, definition: definition as ScriptDefinition<C>, errors });
  }
  return scripts;
}
