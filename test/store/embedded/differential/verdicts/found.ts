import type { Fact } from './facts.js';
import { isList, type Json, type JsonDoc, numberOf, plain, same, text, valuesAt } from './json.js';
import { idOf } from './made.js';
import { chosen } from './model/choice.js';
import { docOf, listOf } from './request.js';
import type { Seen } from './rule.js';
import { beforeOf } from './updates.js';

/** How many documents a write is to find, of so many that its filter finds. */
function written({ kind, operation }: Seen, found: number): number {
  if (found === 0 && operation['upsert'] === true) return 1;
  return kind === 'replace' || operation['multi'] === false ? Math.min(1, found) : found;
}
/** The different values of a field, an array's items for themselves. */
const distinctOf = (docs: readonly Json[], key: string): readonly string[] => {
  const values = docs.flatMap((doc) => valuesAt(doc, key.split('.')));
  return [...new Set(values.flatMap((v) => (isList(v) ? v : [v])).map(plain))].toSorted();
};

/**
 * Whether the engine gives, changes or counts the documents that it should, of those that the filter finds in a copy.
 * @param mayDiffer the documents in which the second server may find others
 */
export function isRightChoice(f: Fact, s: Seen, mayDiffer: (doc: JsonDoc) => boolean): boolean {
  const { operation, found, ours } = s;
  if (found === undefined) return false;
  const by = (ids: ReadonlySet<string>, doc: JsonDoc): boolean => ids.has(text(doc['_id']));
  if (!s.before.every((doc) => by(found.ours, doc) === by(found.theirs, doc) || mayDiffer(doc))) return false;
  const wanted = chosen(
    s.before.filter((doc) => by(found.ours, doc)),
    operation,
  );
  switch (s.kind) {
    case 'count':
      return text(ours) === String(wanted.length);
    case 'distinct': {
      const { key } = operation;
      return typeof key === 'string' && same(distinctOf(wanted, key), listOf(ours).map(plain).toSorted());
    }
    case 'find': {
      const [mine, right] = [listOf(ours).map(idOf), wanted.map(idOf)];
      if (mine.length !== right.length || mine.every((id) => id === undefined)) return mine.length === right.length;
      const listed = (ids: readonly (Json | undefined)[]): readonly string[] =>
        operation['sort'] === undefined ? ids.map(text).toSorted() : ids.map(text);
      return same(listed(mine), listed(right));
    }
    case 'findAndModify': {
      const [right] = wanted;
      if (f.where === 'stored') {
        const removed = f.kind === 'row' && f.ours === undefined;
        return same(idOf(f.row), idOf(right)) || (!removed && same(beforeOf(s, f.row), f.row));
      }
      const value = docOf(ours)['value'] ?? null;
      const id = idOf(value);
      return (value === null) === (right === undefined) && (id === undefined || same(id, idOf(right)));
    }
    default:
      return f.where === 'stored' || numberOf(docOf(ours)['n'])?.value === written(s, wanted.length);
  }
}
