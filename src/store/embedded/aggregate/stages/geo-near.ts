import { Double } from 'bson';
import { isDoc, isNumeric, toNumber, truthy } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { distanceAt } from '../../query/geo/near.js';
import { nearOf } from '../../query/geo/operators.js';
import { compileFilter } from '../../query/match.js';
import { plainPath } from '../../query/path.js';
import { collect, type PipelineEnv, type Stage } from '../stage.js';
import { setPath } from './one-to-one.js';

/** The one field of the collection with a geospatial index. @throws {EngineError} 27, 2: there is none, or several */
function indexedPath({ about }: PipelineEnv): string {
  const paths = new Set(
    (about?.indexes() ?? []).flatMap(({ key }) =>
      isDoc(key) ? Object.keys(key).filter((path) => key[path] === '2dsphere' || key[path] === '2d') : [],
    ),
  );
  const [path] = paths;
  if (path === undefined)
    throw new EngineError('IndexNotFound', '$geoNear requires a 2d or 2dsphere index, but none were found');
  if (paths.size > 1)
    throw new EngineError(
      'BadValue',
      "There is more than one index on the collection; unsure which to use for $geoNear: say 'key'",
    );
  return path;
}

function set(doc: Doc, path: string, v: Value): Doc {
  const out = setPath(doc, path.split('.'), v);
  return isDoc(out) ? out : doc;
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/geoNear/ */
export function geoNear(spec: Value, env: PipelineEnv): Stage {
  if (!isDoc(spec)) throw new EngineError('TypeMismatch', '$geoNear must be an object');
  const {
    near,
    distanceField,
    spherical = false,
    minDistance,
    maxDistance,
    distanceMultiplier,
    query = {},
    includeLocs,
    key,
    ...rest
  } = spec as Record<string, Value>;
  const [odd] = Object.keys(rest);
  if (odd !== undefined) throw new EngineError('FailedToParse', `Unknown argument to $geoNear: ${odd}`);
  if (near === undefined) throw new EngineError(5860400, "$geoNear requires a 'near' argument");
  if (distanceField !== undefined && typeof distanceField !== 'string')
    throw new EngineError(16606, "$geoNear requires that the 'distanceField' option is a String");
  if (!isDoc(query)) throw new EngineError('TypeMismatch', "$geoNear's 'query' must be an object");
  const factor = isNumeric(distanceMultiplier) ? toNumber(distanceMultiplier) : 1;
  const search = nearOf(near, truthy(spherical) || (isDoc(near) && 'type' in near), {
    min: minDistance,
    max: maxDistance,
  });
  const filter = compileFilter(query, {
    now: env.variables.now,
    let: env.variables.let,
    near: 'refused',
    ...(env.collation && { collation: env.collation }),
  });
  return async function* (input) {
    const path = typeof key === 'string' ? key : indexedPath(env);
    const parts = path.split('.');
    const rows: { doc: Doc; distance: number }[] = [];
    for (const doc of await collect(input, env, '$geoNear')) {
      const distance = filter.test(doc) ? distanceAt(doc, parts, search) : undefined;
      if (distance !== undefined) rows.push({ doc, distance });
    }
    for (const { doc, distance } of rows.toSorted((a, b) => a.distance - b.distance)) {
      const out = typeof distanceField === 'string' ? set(doc, distanceField, new Double(distance * factor)) : doc;
      yield typeof includeLocs === 'string' ? set(out, includeLocs, plainPath(doc, path)) : out;
    }
  };
}
