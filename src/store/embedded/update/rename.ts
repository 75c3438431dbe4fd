import { isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { field } from '../query/path.js';
import { bad, show } from './change.js';
import { isPositional, partsOf } from './path.js';

/** The two paths of one field of `$rename`. @throws {EngineError} 2: not a path, or one on the other's way; 56 */
export function renamePaths(from: string, to: Value): { parts: string[]; to: string[] } {
  if (typeof to !== 'string') throw bad(`The 'to' field for $rename must be a string: ${from}: ${show(to)}`);
  const ends = { parts: partsOf(from), to: partsOf(to) };
  if (from === to) throw bad(`The source and target field for $rename must differ: ${from}: ${show(to)}`);
  if (to.startsWith(`${from}.`) || from.startsWith(`${to}.`))
    throw bad(`The source and target field for $rename must not be on the same path: ${from}: ${show(to)}`);
  if (ends.parts.some(isPositional)) throw bad(`The source field for $rename may not be dynamic: ${from}`);
  if (ends.to.some(isPositional)) throw bad(`The destination field for $rename may not be dynamic: ${to}`);
  return ends;
}

/** What a path names, for $rename. @throws {EngineError} 28: the path can't be; 2: it leads through an array */
export function renamed(doc: Doc, parts: readonly string[], which: 'source' | 'destination'): Value {
  let v: Value = doc;
  let array = false;
  for (const [i, part] of parts.entries()) {
    if (Array.isArray(v) && /^\d+$/.test(part)) {
      array = true;
      v = v[Number(part)];
    } else if (isDoc(v)) v = field(v, part);
    else if (v === undefined) break;
    else
      throw new EngineError(
        'PathNotViable',
        `Cannot create field '${part}' in element {${parts[i - 1] ?? ''}: ${show(v)}}`,
      );
  }
  if (array && (which === 'destination' || v !== undefined))
    throw bad(`The ${which} field cannot be an array element, '${parts.join('.')}'`);
  return v;
}
