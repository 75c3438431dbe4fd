import { Decimal128, Double } from 'bson';
import { equals } from '../bson/compare.js';
import { isDoc, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Filter } from '../query/match.js';
import { field } from '../query/path.js';
import { bad, type Change, REMOVE, show } from './change.js';
import { isPositional } from './path.js';

export interface Walk {
  /** $unset leaves alone what can't be there; all others refuse such a path. */
  readonly lenient: boolean;
  readonly inserting: boolean;
  readonly filters: ReadonlyMap<string, Filter>;
  readonly path: string;
}

/**
 * The value with the change made at the path; the same reference if nothing changed. `was`: what stood here before the
 * update's first change, which is what array filters look at.
 */
export function changed(
  value: Value,
  parts: readonly string[],
  at: number,
  change: Change,
  walk: Walk,
  was: Value = value,
): Value | typeof REMOVE {
  const part = parts[at];
  if (part === undefined) return change(value, walk);
  if (Array.isArray(value)) {
    const list = Array.isArray(was) ? was : value;
    const places = elements(list, part, walk);
    let copy: Value[] | undefined;
    for (const i of places) {
      const before = value[i];
      const result = changed(before, parts, at + 1, change, walk, list[i]);
      if (
        result === REMOVE ? before === undefined : result === before || (result !== undefined && same(result, before))
      )
        continue;
      copy ??= [...value];
      if (i > copy.length + 1_500_000)
        throw new EngineError('CannotBackfillArray', `can't backfill more than 1500000 elements`);
      while (copy.length < i) copy.push(null);
      copy[i] = result === REMOVE ? null : result;
    }
    return copy ?? value;
  }
  if (isPositional(part)) {
    if (value === undefined)
      throw bad(`The path '${walk.path}' must exist in the document in order to apply array updates.`);
    throw bad(`Cannot apply array updates to non-array element ${parts.slice(0, at).join('.')}: ${show(value)}`);
  }
  if (value !== undefined && !isDoc(value)) {
    if (walk.lenient) return value;
    throw new EngineError(
      'PathNotViable',
      `Cannot create field '${part}' in element {${parts[at - 1] ?? ''}: ${show(value)}}`,
    );
  }
  if (part.startsWith('$') && !walk.lenient && !walk.inserting)
    throw new EngineError(
      'DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${part}' in '${walk.path}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
    );
  const doc = value ?? {};
  const before = field(doc, part);
  const result = changed(before, parts, at + 1, change, walk, was === value || !isDoc(was) ? before : field(was, part));
  if (result === REMOVE) {
    if (!Object.hasOwn(doc, part)) return value === undefined ? REMOVE : value;
    const { [part]: _gone, ...rest } = doc;
    return rest;
  }
  if (result === before || (result !== undefined && before !== undefined && same(result, before)))
    return value === undefined ? REMOVE : value;
  return { ...doc, [part]: result };
}

/** The paths that one with `$[]` or `$[identifier]` stands for in a document, as far as they lead through lists. */
export function placesOf(doc: Doc, parts: readonly string[], filters: Walk['filters']): string[][] {
  const walk = { lenient: true, inserting: false, filters, path: parts.join('.') };
  let places: { value: Value; path: string[] }[] = [{ value: doc, path: [] }];
  for (const part of parts)
    places = places.flatMap(({ value, path }) => {
      if (Array.isArray(value))
        return elements(value, part, walk).map((i) => ({ value: value[i], path: [...path, `${i}`] }));
      return [{ value: isDoc(value) ? field(value, part) : undefined, path: [...path, part] }];
    });
  return places.map(({ path }) => path);
}

/** Equal in value, type and digits: what a no-op leaves as it is. */
export function same(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeName(a) !== typeName(b)) return false;
  if (a instanceof Double && b instanceof Double) return Object.is(a.value, b.value);
  if (a instanceof Decimal128 && b instanceof Decimal128) return a.toString() === b.toString();
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => same(v, b[i]));
  if (isDoc(a) && isDoc(b)) {
    const [x, y] = [Object.entries(a), Object.entries(b)];
    return x.length === y.length && x.every(([k, v], i) => y[i]?.[0] === k && same(v, y[i]?.[1]));
  }
  return equals(a, b);
}

function elements(list: readonly Value[], part: string, walk: Walk): number[] {
  if (part === '$[]') return list.map((_, i) => i);
  const named = /^\$\[(.+)\]$/.exec(part);
  if (named?.[1] !== undefined) {
    const filter = walk.filters.get(named[1]);
    if (!filter) throw bad(`No array filter found for identifier '${named[1]}' in path '${walk.path}'`);
    const identifier = named[1];
    return list.flatMap((v, i) => (filter.test({ [identifier]: v }) ? [i] : []));
  }
  if (!/^\d+$/.test(part) && walk.lenient) return [];
  if (!/^\d+$/.test(part))
    throw new EngineError(
      'PathNotViable',
      `Cannot create field '${part}' in element {${walk.path}: ${show(list as Value[])}}`,
    );
  return [Number(part)];
}
