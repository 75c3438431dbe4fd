import { EngineError } from '../errors.js';
import { bad } from './change.js';

/** `$`, `$[]` or `$[identifier]`: a place that is known only when a document comes. */
export const isPositional = (part: string): boolean => part === '$' || /^\$\[.*\]$/.test(part);

/**
 * The parts of a path that an update names.
 *
 * @throws {EngineError} 56: an empty name; 2: it begins with a positional part, or has `$` twice
 */
export function partsOf(path: string): string[] {
  const parts = path.split('.');
  if (path === '') throw new EngineError('EmptyFieldName', 'An empty update path is not valid.');
  if (parts.includes(''))
    throw new EngineError(
      'EmptyFieldName',
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  if (isPositional(parts[0] ?? ''))
    throw bad(`Cannot have positional (i.e. '$') element in the first position in path '${path}'`);
  if (parts.filter((p) => p === '$').length > 1)
    throw bad(`Too many positional (i.e. '$') elements found in path '${path}'`);
  return parts;
}

/** New fields come in this order: numbers by size, then names. */
export function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const [x, y] = [a[i] as string, b[i] as string];
    if (x === y) continue;
    if (/^\d+$/.test(x) && /^\d+$/.test(y)) return Number(x) - Number(y);
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

/**
 * @throws {EngineError} 40: two paths that touch: one is the other, or lies inside it; or of which one takes for a list,
 *   by `$[]` or `$[identifier]`, what the other takes for a document
 */
export function assertNoConflict(paths: readonly (readonly string[])[]): void {
  if (paths.length < 2) return;
  const all = new Set<string>();
  for (const path of paths.map((parts) => parts.join('.'))) {
    if (all.has(path)) throw conflict(path, path);
    all.add(path);
  }
  for (const path of all)
    for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1))
      if (all.has(path.slice(0, dot))) throw conflict(path, path.slice(0, dot));
  for (const [parent, children] of siblings(paths))
    if (new Set([...children].map((part) => part.startsWith('$['))).size > 1)
      throw conflict([parent, ...children].join('.'), parent);
}

/** Do two of the paths name elements of one list in ways that may come to the same element? */
export const mayMeet = (paths: readonly (readonly string[])[]): boolean =>
  paths.length > 1 && [...siblings(paths).values()].some((parts) => parts.size > 1 && [...parts].some(isPositional));

/** What follows each beginning that has a positional part after it in some path. */
function siblings(paths: readonly (readonly string[])[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const parts of paths)
    for (const [i, part] of parts.entries()) if (isPositional(part)) found.set(parts.slice(0, i).join('.'), new Set());
  if (found.size > 0)
    for (const parts of paths)
      for (const [i, part] of parts.entries()) found.get(parts.slice(0, i).join('.'))?.add(part);
  return found;
}

const conflict = (path: string, at: string): EngineError =>
  new EngineError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${at}'`);
