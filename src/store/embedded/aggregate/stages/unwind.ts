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

/** One document for each element. https://www.mongodb.com/docs/manual/reference/operator/aggregation/unwind/ */
export function unwind(spec: Value): (doc: Doc) => Doc[] {
  if (typeof spec !== 'string' && !isDoc(spec))
    throw new EngineError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeName(spec)}`,
    );
  const {
    path,
    includeArrayIndex: index,
    preserveNullAndEmptyArrays: keep = false,
    ...others
  } = isDoc(spec) ? (spec as Record<string, Value>) : ({ path: spec } as Record<string, Value>);
  const [odd] = Object.keys(others);
  if (odd !== undefined) throw new EngineError(28811, `unrecognized option to $unwind stage: ${odd}`);
  if (path === undefined || path === '') throw new EngineError(28812, 'no path specified to $unwind stage');
  if (typeof path !== 'string')
    throw new EngineError(28808, `expected a string as the path for $unwind stage, got ${typeName(path)}`);
  if (!path.startsWith('$'))
    throw new EngineError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  if (path.includes('\0')) throw new EngineError(16419, 'field path must not contain embedded null characters');
  const parts = assertPath(path.slice(1));
  if (index !== undefined && (typeof index !== 'string' || index === ''))
    throw new EngineError(28810, `expected a non-empty string for the includeArrayIndex option to $unwind stage`);
  if (typeof index === 'string' && index.startsWith('$'))
    throw new EngineError(
      28822,
      `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${index}`,
    );
  if (typeof keep !== 'boolean')
    throw new EngineError(28809, 'expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage');
  const place = typeof index === 'string' ? assertPath(index) : undefined;
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
