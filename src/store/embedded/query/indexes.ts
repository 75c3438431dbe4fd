import { type Collation, foldValue } from '../bson/collation.js';
import { emptyArray, encodeKey } from '../bson/key.js';
import { isDoc, isNumeric, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { assertPlaces, type IndexKind, kindOf } from './index-kinds.js';
import { compileFilter, type Filter } from './match.js';
import { indexValues, type Part } from './index-values.js';
import { field, plainPath } from './path.js';
import { type TextIndex, textIndexOf } from './text/search.js';
import { isWildcard } from './wildcard.js';

/** An index as createIndexes describes it and listIndexes shows it. */
export interface IndexSpec {
  readonly name: string;
  readonly key: Doc;
  readonly unique?: boolean;
  readonly sparse?: boolean;
  readonly hidden?: boolean;
  /** Said and shown, and means nothing: every index is built at once. */
  readonly background?: boolean;
  readonly partialFilterExpression?: Doc;
  readonly expireAfterSeconds?: number;
  readonly collation?: Collation;
  /** Options that only its kind has. */
  readonly ofKind?: Doc;
}

export interface CompiledIndex {
  readonly spec: IndexSpec;
  readonly kind: IndexKind;
  /** Of a text index: what it says. */
  readonly text: TextIndex | undefined;
  /** The fields of a document that its entries are made of; undefined: it may be any. */
  readonly roots: readonly string[] | undefined;
  readonly fields: readonly { readonly path: string; readonly direction: 1 | -1 }[];
  /** Does the index hold an entry for this document (sparse, partial)? */
  covers(doc: Doc): boolean;
  /** @throws {EngineError} a document that is not for an index of its kind; one that lies there already can be removed */
  assertTakes(doc: Doc): void;
  /** The document's entries, without duplicates. @throws {EngineError} 171: two arrays on different paths */
  keys(doc: Doc): { readonly keys: Buffer[]; readonly multikey: boolean };
  /** What a duplicate key error names: the values by path. */
  keyValue(doc: Doc): Doc;
}

/** Is there an array at the end of a path, or on the way? */
function meetsArray(doc: Doc, parts: readonly string[]): boolean {
  let v: Value = doc;
  for (const part of parts) {
    if (!isDoc(v)) break;
    v = field(v, part);
  }
  return Array.isArray(v);
}

/** @throws {EngineError} 17261, 17262, 238: the language of a document of words; 201: an array beside the words */
function assertText(text: TextIndex, fields: readonly { parts: readonly string[] }[], doc: Doc): void {
  text.texts(doc);
  for (const { parts } of fields) {
    let v: Value = doc;
    for (const part of parts)
      v = Array.isArray(v) && /^\d+$/.test(part) ? v[Number(part)] : isDoc(v) ? field(v, part) : v;
    if (Array.isArray(v))
      throw new EngineError(
        'CannotBuildIndexKeys',
        `Field '${parts.join('.')}' of text index contains an array in document: ${JSON.stringify(doc)}`,
      );
  }
}

export function compileIndex(spec: IndexSpec): CompiledIndex {
  const fields = Object.entries(spec.key).map(([path, order]) => ({
    path,
    parts: path.split('.'),
    direction: (isNumeric(order) && toNumber(order) < 0 ? -1 : 1) as 1 | -1,
  }));
  const directions = fields.map((f) => f.direction);
  const { collation } = spec;
  const kind = kindOf(spec.key);
  const hashed = Object.values(spec.key).includes('hashed');
  const partial: Filter | undefined =
    spec.partialFilterExpression && compileFilter(spec.partialFilterExpression, { ...(collation && { collation }) });
  const text = kind === 'text' ? textIndexOf(spec.key, spec.ofKind ?? {}, spec.hidden) : undefined;
  const places = kind === 'geo' ? fields.filter((f) => typeof spec.key[f.path] === 'string') : undefined;
  const folded = (part: Part): Part => (collation && part !== emptyArray ? foldValue(part, collation) : part);
  const passes = (doc: Doc): boolean => !partial || partial.test(doc);
  // A geospatial index is sparse by itself: https://www.mongodb.com/docs/manual/core/indexes/index-types/geospatial/2dsphere/
  const covers = (doc: Doc): boolean =>
    passes(doc) &&
    (places
      ? places.some((f) => indexValues(doc, f.parts).values.some((v) => v !== undefined && v !== null))
      : !spec.sparse || fields.some((f) => indexValues(doc, f.parts).values.some((v) => v !== undefined)));
  return {
    spec,
    kind,
    text,
    roots: text ? undefined : [...new Set(fields.map((f) => f.parts[0] ?? f.path))],
    fields,
    covers,
    assertTakes(doc) {
      if (hashed && passes(doc) && fields.some((f) => meetsArray(doc, f.parts)))
        throw new EngineError(16766, 'hashed indexes do not currently support array values');
      if (kind === 'keys' || !covers(doc)) return;
      if (kind === 'geo') assertPlaces(fields, spec, doc);
      if (text) assertText(text, fields, doc);
      if (kind === 'wildcard' && fields.some((f) => !isWildcard(f.path) && indexValues(doc, f.parts).array))
        throw new EngineError(7246301, 'the regular fields of a compound wildcard index hold no arrays');
    },
    keys(doc) {
      if (kind !== 'keys') return { keys: [], multikey: false };
      const parts = fields.map((f) => {
        const { values, array } = indexValues(doc, f.parts);
        return { values: collation ? values.map(folded) : values, array, path: f.path };
      });
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
