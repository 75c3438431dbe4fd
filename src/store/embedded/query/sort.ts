import { Double } from 'bson';
import type { Collation } from '../bson/collation.js';
import { compare } from '../bson/compare.js';
import { emptyArray } from '../bson/key.js';
import { isDoc, isNumeric, orderOf, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { scoreOf } from './text/search.js';
import { indexValues, type Part } from './index-values.js';
import { field } from './path.js';

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Number-of-Indexed-Fields-in-a-Compound-Index */
const MOST_KEYS = 32;
/** Stands for a path that no document has. */
const TEXT_SCORE = '$textScore';

/** @throws {EngineError} 2, 15974, 15975: an order that is neither 1 nor −1; `stage`: with the codes of $sort */
export function sortFields(spec: Doc, stage?: '$sort'): [path: string, direction: 1 | -1][] {
  const fields = Object.entries(spec);
  if (fields.length > MOST_KEYS) throw new EngineError(13103, `too many compound keys: ${fields.length}`);
  return fields.map(([path, order]) => {
    if (isDoc(order) && '$meta' in order) {
      if (order['$meta'] === 'textScore') return [TEXT_SCORE, -1];
      throw new EngineError(
        'NotImplemented',
        `a sort by $meta '${String(order['$meta'])}' is not supported by the embedded engine`,
      );
    }
    if (!isNumeric(order))
      throw stage
        ? new EngineError(isDoc(order) ? 17312 : 15974, `Illegal key in $sort specification: ${path}`)
        : new EngineError(isDoc(order) ? 17312 : 15974, `Illegal key in $sort specification: ${path}`);
    const direction = Math.trunc(toNumber(order));
    if (direction !== 1 && direction !== -1)
      throw new EngineError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    if (path === '') throw new EngineError(40352, 'FieldPath cannot be constructed with empty string');
    if (path.split('.').some((p) => p === ''))
      throw new EngineError(path.endsWith('.') ? 40353 : 15998, 'FieldPath field names may not be empty strings.');
    if (path.split('.').some((p) => p.startsWith('$')) && path !== '$natural')
      throw new EngineError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
    return [path, direction];
  });
}

/** As `compare`; an empty array is below null. */
const comparePart = (a: Part, b: Part, collation?: Collation): number => {
  if (a !== emptyArray && b !== emptyArray) return compare(a, b, collation?.compare);
  if (a === b) return 0;
  // Only MinKey is below it.
  const other = a === emptyArray ? b : a;
  const below = other !== emptyArray && orderOf(other) === 0x01;
  return (a === emptyArray) === below ? 1 : -1;
};

/** What a document is sorted by: the least value of an array going up, the greatest going down. */
export function sortKey(doc: Doc, parts: readonly string[], direction: 1 | -1, collation?: Collation): Part {
  const { values } = indexValues(doc, parts);
  let [best] = values;
  for (const v of values) if (comparePart(v, best, collation) * direction < 0) best = v;
  return best;
}

/** What a document is sorted by, path for path. */
export type SortKeys = readonly Part[];

/** The sort in two steps, for many documents: each one's keys are made once. */
export function compileSortKeys(
  spec: Doc,
  stage?: '$sort',
  collation?: Collation,
): { keysOf(doc: Doc): SortKeys; compare(a: SortKeys, b: SortKeys): number } {
  const fields = sortFields(spec, stage).map(([path, direction]) => [path.split('.'), direction] as const);
  return {
    keysOf: (doc) =>
      fields.map(([parts, direction]) =>
        parts[0] === TEXT_SCORE ? new Double(scoreOf(doc)) : sortKey(doc, parts, direction, collation),
      ),
    compare(a, b) {
      for (const [i, [, direction]] of fields.entries()) {
        const order = comparePart(a[i], b[i], collation);
        if (order !== 0) return order * direction;
      }
      return 0;
    },
  };
}

/** Compares documents as `sort` does. https://www.mongodb.com/docs/manual/reference/method/cursor.sort/ */
export function compileSort(spec: Doc, collation?: Collation): (a: Doc, b: Doc) => number {
  const { keysOf, compare: compareKeys } = compileSortKeys(spec, undefined, collation);
  return (a, b) => compareKeys(keysOf(a), keysOf(b));
}

/**
 * The paths of a sort of an array's elements, as `$push` and `$sortArray` take them.
 *
 * @throws what `refuse` makes of the reason: no path, an empty name, an order that is neither 1 nor −1
 */
export function elementFields(
  spec: Doc,
  refuse: (reason: string) => EngineError,
): [path: string[], direction: number][] {
  const fields = Object.entries(spec);
  if (fields.length === 0) throw refuse('The sort pattern is empty when it should be a set of fields.');
  return fields.map(([path, order]) => {
    const direction = isNumeric(order) ? toNumber(order) : 0;
    if (direction !== 1 && direction !== -1) throw refuse('The sort element value must be either 1 or -1');
    const parts = path.split('.');
    if (path === '') throw refuse('The sort field cannot be empty');
    if (parts.includes('')) throw refuse(`The sort field is a dotted field but has an empty part: ${path}`);
    return [parts, direction];
  });
}

/**
 * Compares elements of an array by the values at paths in them: missing is null, and an array is one value and stands
 * for none of its own elements, unlike in a sort of documents.
 * https://github.com/mongodb/mongo/blob/r8.0.0/src/mongo/db/update/pattern_cmp.cpp
 */
export function compareElements(
  fields: readonly (readonly [path: readonly string[], direction: number])[],
  collation?: Collation,
): (a: Value, b: Value) => number {
  return (a, b) => {
    for (const [parts, direction] of fields) {
      const order = compare(valueAt(a, parts), valueAt(b, parts), collation?.compare);
      if (order !== 0) return order * direction;
    }
    return 0;
  };
}

/** What lies at a path, through an array by number only; null: nothing does. */
function valueAt(from: Value, parts: readonly string[]): Value {
  let value: Value = isDoc(from) ? from : null;
  for (const part of parts) {
    if (Array.isArray(value)) value = /^\d+$/.test(part) ? value[Number(part)] : null;
    else value = isDoc(value) ? field(value, part) : null;
  }
  return value ?? null;
}
