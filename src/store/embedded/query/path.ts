import { isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';

/** As an array's places are named: without zeros before. */
const INDEX = /^(?:0|[1-9]\d*)$/;

/** Own fields only: `__proto__` and its like are no fields of a document. */
export const field = (doc: Doc, name: string): Value => (Object.hasOwn(doc, name) ? doc[name] : undefined);

/** Sets an own field, `__proto__` like any other. */
export function setField(doc: Doc, name: string, value: Value): void {
  if (name === '__proto__')
    Object.defineProperty(doc, name, { value, enumerable: true, writable: true, configurable: true });
  else doc[name] = value;
}

/**
 * Visits every value that a dotted path reaches, through arrays as queries do: an array in the middle stands for each of
 * its documents, and for its element at a numeric part. A missing end is visited as undefined, but not for the scalars
 * inside an array. Stops when `visit` returns true; says whether it did. `index` is the place in the outermost array.
 * https://www.mongodb.com/docs/manual/tutorial/query-array-of-documents/
 */
export function visitPath(
  value: Value,
  parts: readonly string[],
  visit: (v: Value, index: number | undefined) => boolean,
  at = 0,
  index?: number,
): boolean {
  const part = parts[at];
  if (part === undefined) return visit(value, index);
  if (isDoc(value)) return visitPath(field(value, part), parts, visit, at + 1, index);
  if (!Array.isArray(value)) return visit(undefined, index);
  if (INDEX.test(part) && Number(part) < value.length) {
    const item = value[Number(part)];
    const goesOn = at + 1 === parts.length || isDoc(item) || Array.isArray(item);
    if (goesOn && visitPath(item, parts, visit, at + 1, index ?? Number(part))) return true;
  }
  for (const [i, item] of value.entries())
    if (isDoc(item) && visitPath(field(item, part), parts, visit, at + 1, index ?? i)) return true;
  return false;
}

/** The value at a path without going through arrays, or undefined. */
export function plainPath(doc: Doc, path: string): Value {
  let value: Value = doc;
  for (const part of path.split('.')) {
    if (!isDoc(value)) return undefined;
    value = field(value, part);
  }
  return value;
}

/** Longer paths are refused. */
const MOST_PARTS = 200;

/** The parts of a path. @throws {EngineError} 15, 40352, 40353, 15998, 16410, 16411: no path can be so */
export function assertPath(text: string): string[] {
  const parts = text.split('.');
  if (parts.length > MOST_PARTS) throw new EngineError('Overflow', 'FieldPath is too long');
  if (text === '') throw new EngineError(40352, 'FieldPath cannot be constructed with empty string');
  if (text.endsWith('.')) throw new EngineError(40353, "FieldPath must not end with a '.'.");
  for (const p of parts) {
    if (p === '') throw new EngineError(15998, 'FieldPath field names may not be empty strings.');
    if (p.startsWith('$'))
      throw new EngineError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
    if (p.includes('\0')) throw new EngineError(16411, 'FieldPath field names may not contain a null byte');
  }
  return parts;
}
