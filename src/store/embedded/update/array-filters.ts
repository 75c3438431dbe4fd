import type { Collation } from '../bson/collation.js';
import { isDoc } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { compileFilter, type Filter } from '../query/match.js';
import { bad, failed } from './change.js';

/**
 * The filters of `$[identifier]` by identifier; `paths`: those the update names.
 *
 * @throws {EngineError} 2: an identifier without a filter, or with another form; 9: a filter without an identifier
 */
export function arrayFilters(
  filters: readonly Doc[],
  paths: readonly (readonly string[])[],
  collation?: Collation,
): Map<string, Filter> {
  const used = new Set(paths.flat().flatMap((part) => /^\$\[(.+)\]$/.exec(part)?.[1] ?? []));
  const map = new Map<string, Filter>();
  for (const filter of filters) {
    const compiled = compileFilter(filter, { near: 'element', ...(collation && { collation }) });
    const names = new Set(identifiers(filter));
    const [name] = names;
    if (names.size !== 1 || name === undefined) throw failed('Expected a single top-level field name in array filter');
    if (!/^[a-z][a-zA-Z0-9]*$/.test(name))
      throw bad(
        `Error parsing array filter: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`,
      );
    if (map.has(name)) throw failed(`Found multiple array filters with the same top-level field name ${name}`);
    map.set(name, compiled);
  }
  const missing = [...used].find((name) => !map.has(name));
  if (missing !== undefined)
    throw bad(`No array filter found for identifier '${missing}' in path '${paths.flat().join('.')}'`);
  const idle = [...map.keys()].find((name) => !used.has(name));
  if (idle !== undefined) throw failed(`The array filter for identifier '${idle}' was not used in the update`);
  return map;
}

const identifiers = (filter: Doc): string[] =>
  Object.entries(filter).flatMap(([k, v]) =>
    k.startsWith('$') && Array.isArray(v) ? v.flatMap((f) => (isDoc(f) ? identifiers(f) : [])) : [k.split('.')[0] ?? k],
  );
