import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'rules'))) return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json above ${from}`);
  }
}

/** The folder that holds package.json, rules/ and dist/, whether the program runs from src/ or from dist/. */
export const root = findRoot(import.meta.dirname);
/** The rules are data, read at the start. */
export const rulesFile = (name: string): string => join(root, 'rules', name);
