import { Long } from 'bson';
import { isDoc, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { assertPath, field } from '../../query/path.js';
import { setPath } from './one-to-one.js';

/** The path leads through documents alone; undefined ends it. */
function plain(doc: Doc, parts: readonly string[]): Value {
  let value: Value = doc;
  for (const part of parts) {
    if (!isDoc(value)) return undefined;
    value = field(value, part);
  }
  return value;
}

interface Spec {
  readonly path: string;
  readonly index: string | undefined;
  readonly keep: boolean;
}

/** The fields one by one, in their order: of several mistakes the first is told. @throws {EngineError} 28808 to 28812, 28822 */
function read(spec: Doc): Spec {
  let [path, index, keep]: [string, string | undefined, boolean] = ['', undefined, false];
  for (const [name, v] of Object.entries(spec))
    if (name === 'path') {
      if (typeof v !== 'string')
        throw new EngineError(28808, `expected a string as the path for $unwind stage, got ${typeName(v)}`);
      path = v;
    } else if (name === 'preserveNullAndEmptyArrays') {
      if (typeof v !== 'boolean')
        throw new EngineError(28809, 'expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage');
      keep = v;
    } else if (name === 'includeArrayIndex') {
      if (typeof v !== 'string' || v === '')
        throw new EngineError(28810, 'expected a non-empty string for the includeArrayIndex option to $unwind stage');
      if (v.startsWith('$'))
        throw new EngineError(
          28822,
          `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${v}`,
        );
      index = v;
    } else throw new EngineError(28811, `unrecognized option to $unwind stage: ${name}`);
  if (path === '') throw new EngineError(28812, 'no path specified to $unwind stage');
  return { path, index, keep };
}

/** One document for each element. https://www.mongodb.com/docs/manual/reference/operator/aggregation/unwind/ */
export function unwind(spec: Value): (doc: Doc) => Doc[] {
  if (typeof spec !== 'string' && !isDoc(spec))
    throw new EngineError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeName(spec)}`,
    );
  const { path, index, keep } = read(isDoc(spec) ? spec : { path: spec });
  if (!path.startsWith('$'))
    throw new EngineError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  if (path.includes('\0')) throw new EngineError(16419, 'field path must not contain embedded null characters');
  const place = index === undefined ? undefined : assertPath(index);
  const parts = assertPath(path.slice(1));
  const numbered = (doc: Doc, n: number | null): Doc =>
    place ? (setPath(doc, place, n === null ? null : Long.fromNumber(n)) as Doc) : doc;
  return (doc) => {
    const v = plain(doc, parts);
    if (Array.isArray(v) && v.length > 0) return v.map((item, n) => numbered(setPath(doc, parts, item) as Doc, n));
    if (Array.isArray(v)) return keep ? [numbered(setPath(doc, parts, undefined) as Doc, null)] : [];
    if (v === undefined || v === null) return keep ? [numbered(doc, null)] : [];
    return [numbered(doc, null)];
  };
}
