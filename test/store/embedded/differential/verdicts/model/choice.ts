import { isDoc, isList, type Json, type JsonDoc, numberOf } from '../json.js';
import { docOf } from '../request.js';
import { order } from './order.js';

/** An empty array sorts as undefined, which lies below null (reference/bson-type-comparison-order/#arrays). */
type Key = Json | undefined;
const byKey = (a: Key, b: Key): number =>
  Number(a !== undefined) - Number(b !== undefined) || (a === undefined ? 0 : order(a, b));

/** The values at a path by which a document is sorted: null where there is none. */
function keysAt(v: Json | undefined, steps: readonly string[]): readonly Key[] {
  const [step, ...rest] = steps;
  if (step === undefined) return isList(v) ? (v.length === 0 ? [undefined] : v) : [v ?? null];
  if (isDoc(v)) return keysAt(v[step], rest);
  if (!isList(v) || v.length === 0) return [null];
  if (/^\d+$/.test(step)) return keysAt(v[Number(step)], rest);
  return v.flatMap((item) => (isDoc(item) ? keysAt(item, steps) : [null]));
}
/** Of several values the least counts for an ascending sort, the greatest for a descending one. */
const keyAt = (doc: Json, path: string, direction: number): Key =>
  keysAt(doc, path.split('.')).toSorted((a, b) => direction * byKey(a, b))[0];

/** Compares documents as a sort does (reference/method/cursor.sort/). */
export const inSort =
  (sort: Json | undefined) =>
  (a: Json, b: Json): number =>
    Object.entries(docOf(sort))
      .map(([path, by]) => {
        const direction = numberOf(by)?.value ?? 1;
        return direction * byKey(keyAt(a, path, direction), keyAt(b, path, direction));
      })
      .find((by) => by !== 0) ?? 0;

/** Whether documents lie in the order of a sort. */
export const isSorted = (docs: readonly Json[], sort: Json): boolean =>
  docs.every((doc, i) => i === 0 || inSort(sort)(docs[i - 1] ?? null, doc) <= 0);

/** The documents that a search gives of those that its filter finds, in order: all sorts here end with `_id`. */
export function chosen(found: readonly JsonDoc[], { sort, skip, limit }: JsonDoc): readonly JsonDoc[] {
  const from = numberOf(skip)?.value ?? 0;
  return found
    .toSorted(inSort(sort))
    .slice(from, limit === undefined ? undefined : from + (numberOf(limit)?.value ?? 0));
}
