import { Int32 } from 'bson';
import type { Collation } from '../bson/collation.js';
import { equals } from '../bson/compare.js';
import { isDoc, isNumeric, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Catalogue } from '../storage/catalogue.js';

/** Commands that may be run on a view, besides those that name no collection. */
const ON_VIEWS = new Set(['aggregate', 'count', 'create', 'distinct', 'drop', 'find', 'getMore', 'killCursors']);
/** What MongoDB can do with views and the engine can not. */
const NOT_HERE = new Set(['collMod']);

/** @throws {EngineError} 166: the command is not for views; 238: it is, but not here */
export function assertNotView(catalogue: Catalogue, db: string, name: string, target: Value): void {
  if (typeof target !== 'string' || ON_VIEWS.has(name) || !catalogue.find(db, target)?.options.view) return;
  if (NOT_HERE.has(name))
    throw new EngineError('NotImplemented', `${name} of a view is not supported by the embedded engine`);
  throw new EngineError('CommandNotSupportedOnView', `Namespace ${db}.${target} is a view, not a collection`);
}

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Nested-Views */
const MAX_DEPTH = 20;

/**
 * The collection that is read under a name, and the stages before the request's own: those of a view, and of the views
 * that it is of. https://www.mongodb.com/docs/manual/core/views/
 *
 * @throws {EngineError} 165: of too many views, or of views that go round in a ring
 */
export function sourceOf(catalogue: Catalogue, db: string, name: string): { name: string; stages: readonly Value[] } {
  let source: { name: string; stages: readonly Value[] } = { name, stages: [] };
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const view = catalogue.find(db, source.name)?.options.view;
    if (!view) return source;
    source = { name: view.on, stages: [...view.pipeline, ...source.stages] };
  }
  throw new EngineError(165, `View depth too deep or view cycle detected; maximum depth is ${MAX_DEPTH}`);
}

/** @throws {EngineError} 167: a view compares texts as it was made to, and can not be asked to do it otherwise */
export function assertViewCollation(
  catalogue: Catalogue,
  db: string,
  name: string,
  collation: Collation | undefined,
): void {
  const options = catalogue.find(db, name)?.options;
  if (options?.view && !equals(options.collation?.doc, collation?.doc))
    throw new EngineError('OptionNotSupportedOnView', `Cannot override a view's default collation: ${db}.${name}`);
}

const filled = (v: Value): v is Doc => isDoc(v) && Object.keys(v).length > 0;

/** A search of a view as the aggregate that it stands for. @throws {EngineError} 2: a projection that only finds have */
export function findOnView(command: Doc): Doc {
  const {
    find,
    filter,
    sort,
    skip,
    limit,
    projection,
    batchSize,
    singleBatch: _single,
    ...rest
  } = command as Record<string, Value>;
  if (filled(projection))
    for (const [path, v] of Object.entries(projection))
      if (path.endsWith('.$') || (isDoc(v) && ('$elemMatch' in v || '$slice' in v)))
        throw new EngineError('BadValue', `a projection with $, $elemMatch or $slice can not be used on a view`);
  const number = (v: Value): boolean => v !== undefined && Number(v) !== 0;
  return {
    aggregate: find,
    ...rest,
    pipeline: [
      ...(filled(filter) ? [{ $match: filter }] : []),
      ...(filled(sort) ? [{ $sort: sort }] : []),
      ...(number(skip) ? [{ $skip: skip }] : []),
      ...(number(limit) ? [{ $limit: new Int32(Math.abs(Number(limit))) }] : []),
      ...(filled(projection) ? [{ $project: projection }] : []),
    ],
    cursor: batchSize === undefined ? {} : { batchSize },
  };
}

/** A count of a view as the aggregate that it stands for. @throws {EngineError} 15958: a limit of 0 */
export function countOnView({ count, query, skip, limit, fields: _fields, ...rest }: Doc): Doc {
  if (isNumeric(limit) && toNumber(limit) === 0) throw new EngineError(15958, 'the limit must be positive');
  const { pipeline, ...command } = findOnView({ find: count, filter: query, skip, limit, ...rest });
  return { ...command, pipeline: [...(Array.isArray(pipeline) ? pipeline : []), { $count: 'n' }] };
}

/** The search of a distinct on a view as the aggregate that it stands for. */
export const distinctOnView = ({ distinct, query, key: _key, ...rest }: Doc): Doc =>
  findOnView({ find: distinct, filter: query, ...rest });
