import { equals } from '../bson/compare.js';
import { isDoc, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { changed } from './walk.js';

/** The one value of a list, if it is one to be equal to: no regular expression, no `$elemMatch`. */
function only(list: Value): Value {
  if (!Array.isArray(list)) return undefined;
  const [value] = list;
  if (typeName(value) === 'regex' || (isDoc(value) && '$elemMatch' in value)) return undefined;
  return list.every((v) => equals(v, value)) ? value : undefined;
}

/** What a filter says is equal: an upsert begins with it. https://www.mongodb.com/docs/manual/reference/method/db.collection.update/#upsert-behavior */
function equalities(filter: Doc, out: [string, Value][] = []): [string, Value][] {
  for (const [key, v] of Object.entries(filter)) {
    if (key === '$and' && Array.isArray(v)) for (const part of v.filter(isDoc)) equalities(part, out);
    else if (key === '$or' && Array.isArray(v) && v.length === 1 && isDoc(v[0])) equalities(v[0], out);
    else if (key.startsWith('$')) continue;
    else if (isDoc(v) && Object.keys(v)[0]?.startsWith('$')) {
      const value = '$eq' in v ? v['$eq'] : (only(v['$all']) ?? only(v['$in']));
      if (value !== undefined) out.push([key, value]);
    } else if (typeName(v) !== 'regex') out.push([key, v]);
  }
  return out;
}

/**
 * What an upsert begins with; `of`: all that is equal, or `_id` alone, for a replacement.
 *
 * @throws {EngineError} 54: two values for one path, or for one inside another; 111, of a replacement: a path into `_id`
 *   (https://www.mongodb.com/docs/manual/reference/method/db.collection.updateOne/#upsert-with-dotted-_id-query)
 */
export function base(filter: Doc, of: 'all' | '_id' = 'all'): Doc {
  let doc: Doc = {};
  // By path, as MongoDB adds them: https://github.com/mongodb/mongo/blob/r8.0.0/src/mongo/db/update/path_support.h
  const found = equalities(filter)
    .filter(([path]) => of === 'all' || path === '_id' || path.startsWith('_id.'))
    .toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
  const inId = of === '_id' ? found.find(([path]) => path.startsWith('_id.'))?.[0] : undefined;
  if (inId !== undefined)
    throw new EngineError(
      'NotExactValueField',
      `field at '_id' must be exactly specified, field at sub-path '${inId}'found`,
    );
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
      filters: new Map(),
      path,
    }) as Doc;
  }
  return doc;
}
