import { encodeKey } from '../bson/key.js';
import { isNumeric, toNumber } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileFilter, type Filter } from './match.js';
import { indexValues, type Part } from './index-values.js';
import { plainPath } from './path.js';

/** An index as createIndexes describes it and listIndexes shows it. */
export interface IndexSpec {
  readonly name: string;
  readonly key: Doc;
  readonly unique?: boolean;
  readonly sparse?: boolean;
  readonly hidden?: boolean;
  readonly partialFilterExpression?: Doc;
  readonly expireAfterSeconds?: number;
}

export interface CompiledIndex {
  readonly spec: IndexSpec;
  /** The fields of a document that its entries are made of. */
  readonly roots: readonly string[];
  readonly fields: readonly { readonly path: string; readonly direction: 1 | -1 }[];
  /** Does the index hold an entry for this document (sparse, partial)? */
  covers(doc: Doc): boolean;
  /** The document's entries, without duplicates. @throws {EngineError} 171: two arrays on different paths */
  keys(doc: Doc): { readonly keys: Buffer[]; readonly multikey: boolean };
  /** What a duplicate key error names: the values by path. */
  keyValue(doc: Doc): Doc;
}

export function compileIndex(spec: IndexSpec): CompiledIndex {
  const fields = Object.entries(spec.key).map(([path, order]) => ({
    path,
    parts: path.split('.'),
    direction: (isNumeric(order) && toNumber(order) < 0 ? -1 : 1) as 1 | -1,
  }));
  const directions = fields.map((f) => f.direction);
  const partial: Filter | undefined = spec.partialFilterExpression && compileFilter(spec.partialFilterExpression);
  return {
    spec,
    roots: [...new Set(fields.map((f) => f.parts[0] ?? f.path))],
    fields,
    covers(doc) {
      if (partial && !partial.test(doc)) return false;
      return !spec.sparse || fields.some((f) => indexValues(doc, f.parts).values.some((v) => v !== undefined));
    },
    keys(doc) {
      const parts = fields.map((f) => ({ ...indexValues(doc, f.parts), path: f.path }));
      const arrays = parts.filter((p) => p.array);
      if (arrays.length === 0)
        return {
          keys: [
            encodeKey(
              parts.map((p) => p.values[0]),
              directions,
            ),
          ],
          multikey: false,
        };
      const roots = new Set(arrays.map((p) => p.path.split('.')[0]));
      if (roots.size > 1)
        throw new EngineError(
          'CannotIndexParallelArrays',
          `cannot index parallel arrays [${arrays.map((p) => p.path).join('] [')}]`,
        );
      let rows: Part[][] = [[]];
      const longest = Math.max(...arrays.map((p) => p.values.length));
      if (arrays.length === 1) for (const p of parts) rows = rows.flatMap((row) => p.values.map((v) => [...row, v]));
      else rows = Array.from({ length: longest }, (_, i) => parts.map((p) => (p.array ? p.values[i] : p.values[0])));
      const unique = new Map(rows.map((row) => [encodeKey(row, directions).toString('latin1'), row]));
      return { keys: [...unique.values()].map((row) => encodeKey(row, directions)), multikey: true };
    },
    keyValue: (doc) => Object.fromEntries(fields.map((f) => [f.path, plainPath(doc, f.path) ?? null])),
  };
}
