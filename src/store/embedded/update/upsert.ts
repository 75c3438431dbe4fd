import { isDoc, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { changed } from './walk.js';

/** What a filter says is equal: an upsert begins with it. https://www.mongodb.com/docs/manual/reference/method/db.collection.update/#upsert-behavior */
export function equalities(filter: Doc, out: [string, Value][] = []): [string, Value][] {
  for (const [key, v] of Object.entries(filter)) {
    if (key === '$and' && Array.isArray(v)) for (const part of v.filter(isDoc)) equalities(part, out);
    else if (key === '$or' && Array.isArray(v) && v.length === 1 && isDoc(v[0])) equalities(v[0], out);
    else if (key.startsWith('$')) continue;
    else if (isDoc(v) && Object.keys(v)[0]?.startsWith('$')) {
      if ('$eq' in v) out.push([key, v['$eq']]);
      else if (Array.isArray(v['$all']) && v['$all'].length === 1) out.push([key, v['$all'][0]]);
      else if (Array.isArray(v['$in']) && v['$in'].length === 1 && !isDoc(v['$in'][0])) out.push([key, v['$in'][0]]);
    } else if (typeName(v) !== 'regex') out.push([key, v]);
  }
  return out;
}

/** @throws {EngineError} 54: two values for one path, or for one inside another */
export function base(filter: Doc): Doc {
  let doc: Doc = {};
  const found = equalities(filter);
  for (const [i, [path, v]] of found.entries()) {
    if (found.some(([other]) => other.startsWith(`${path}.`)))
      throw new EngineError(
        'NotSingleValueField',
        `cannot infer query fields to set, both paths '${path}' are matched`,
      );
    if (found.findIndex(([other]) => other === path) !== i)
      throw new EngineError('NotSingleValueField', `cannot infer query fields to set, path '${path}' is matched twice`);
    doc = changed(doc, path.split('.'), 0, () => v, {
      lenient: false,
      inserting: true,
      positional: undefined,
      filters: new Map(),
      path,
    }) as Doc;
  }
  return doc;
}
