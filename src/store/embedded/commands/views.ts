import { Int32 } from 'bson';
import type { Collation } from '../bson/collation.js';
import { equals } from '../bson/compare.js';
import { isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Catalogue } from '../storage/catalogue.js';

/** Commands that may be run on a view, besides those that name no collection. */
const ON_VIEWS = new Set([
  'aggregate',
  'collMod',
  'count',
  'create',
  'distinct',
  'drop',
  'find',
  'getMore',
  'killCursors',
]);

/** @throws {EngineError} 166: the command is not for views */
export function assertNotView(catalogue: Catalogue, db: string, name: string, target: Value): void {
  if (typeof target !== 'string' || ON_VIEWS.has(name) || !catalogue.find(db, target)?.options.view) return;
  throw new EngineError('CommandNotSupportedOnView', `Namespace ${db}.${target} is a view, not a collection`);
}

/** A view of a view, and so on. https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-View-Depth */
const MAX_VIEWS = 20;

interface Source {
  readonly name: string;
  readonly stages: readonly Value[];
  /** The views on the way. */
  readonly by: readonly string[];
}

/**
 * The collection that is read under a name, and the stages before the request's own: those of a view, and of the views
 * that it is of. https://www.mongodb.com/docs/manual/core/views/
 *
 * @throws {EngineError} 5: views that go round in a ring; 165: too many of them
 */
export function sourceOf(catalogue: Catalogue, db: string, name: string): Source {
  let source: Source = { name, stages: [], by: [] };
  for (;;) {
    const view = catalogue.find(db, source.name)?.options.view;
    if (!view) return source;
    if (source.by.includes(source.name))
      throw new EngineError('GraphContainsCycle', `view cycle detected: ${db}.${name}`);
    source = { name: view.on, stages: [...view.pipeline, ...source.stages], by: [...source.by, source.name] };
    if (source.by.length >= MAX_VIEWS)
      throw new EngineError('ViewDepthLimitExceeded', `View depth too deep or view cycle detected: ${db}.${name}`);
  }
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
  const { pipeline, ...command } = findOnView({ find: count, filter: query, skip, ...rest });
  const stages: readonly Value[] = Array.isArray(pipeline) ? pipeline : [];
  // A limit of 0 is none of a collection, and no `$limit`.
  const limited = limit == null ? [] : [{ $limit: new Int32(Math.abs(Number(limit))) }];
  return { ...command, pipeline: [...stages, ...limited, { $count: 'n' }] };
}

/** The search of a distinct on a view as the aggregate that it stands for. */
export const distinctOnView = ({ distinct, query, key: _key, ...rest }: Doc): Doc =>
  findOnView({ find: distinct, filter: query, ...rest });
