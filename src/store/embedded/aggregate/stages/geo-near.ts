import { Double } from 'bson';
import { isDoc, isNumeric, toNumber, truthy } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { assertGeoIndex, distanceAt, type Keyed } from '../../query/geo/near.js';
import { type Near, nearOf } from '../../query/geo/operators.js';
import { compileFilter } from '../../query/match.js';
import { assertPath, plainPath } from '../../query/path.js';
import { constancyOf, readingOf } from '../constancy.js';
import { compileExpression } from '../expression.js';
import { collect, type PipelineEnv, type Stage } from '../stage.js';
import { setPath } from './one-to-one.js';

/** The collection's indexes that are not hidden. @throws {EngineError} 26: there is no such collection */
function visible({ about }: PipelineEnv): Keyed[] {
  const all = about?.indexes() ?? [];
  if (all.length === 0)
    throw new EngineError(
      'NamespaceNotFound',
      '$geoNear requires a geo index to run, but the collection does not exist',
    );
  return all.flatMap(({ key, spec }) =>
    isDoc(key) && !(isDoc(spec) && spec['hidden'] === true) ? [{ index: { spec: { key } } }] : [],
  );
}

/** The field of the one `2d` index, or else of the one `2dsphere`. @throws {EngineError} 27: there is none, or several */
function indexedPath(indexes: readonly Keyed[]): string {
  for (const kind of ['2d', '2dsphere']) {
    const paths = indexes.flatMap(
      ({ index: { spec } }) => Object.keys(spec.key).find((path) => spec.key[path] === kind) ?? [],
    );
    if (paths.length > 1)
      throw new EngineError(
        'IndexNotFound',
        `There is more than one ${kind} index on the collection; unsure which to use for $geoNear: say 'key'`,
      );
    const [path] = paths;
    if (path !== undefined) return path;
  }
  throw new EngineError('IndexNotFound', '$geoNear requires a 2d or 2dsphere index, but none were found');
}

interface Operand {
  value(): Value;
  /** It names no variables: inside a $lookup they have their values only when the stage runs. */
  readonly settled: boolean;
}

/** An expression that reads no document. @throws {EngineError} the code given: it does */
function operand(expression: Value, name: string, code: number, { variables }: PipelineEnv): Operand {
  const [[evaluate, reads], settled] = constancyOf(() => readingOf(() => compileExpression(expression)));
  if (reads) throw new EngineError(code, `$geoNear requires a constant ${name}`);
  return { value: () => evaluate({}, variables), settled };
}

/** @throws {EngineError} 14, 2: no number, or none from 0 on */
function notNegative(v: Value, name: string): number {
  if (!isNumeric(v)) throw new EngineError('TypeMismatch', `${name} must be a number`);
  if (!(toNumber(v) >= 0)) throw new EngineError('BadValue', `${name} must be nonnegative`);
  return toNumber(v);
}

/** A path that an option names. @throws {EngineError} the code given: no text; those of `assertPath` */
function pathOption(v: Value, name: string, code: number | 'TypeMismatch'): string | undefined {
  if (v === undefined) return undefined;
  if (typeof v !== 'string') throw new EngineError(code, `$geoNear requires that the '${name}' option is a String`);
  assertPath(v);
  return v;
}

function set(doc: Doc, path: string, v: Value): Doc {
  const out = setPath(doc, path.split('.'), v);
  return isDoc(out) ? out : doc;
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/geoNear/ */
export function geoNear(spec: Value, env: PipelineEnv): Stage {
  if (!isDoc(spec)) throw new EngineError(10065, 'invalid parameter: expected an object ($geoNear)');
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
  const place = operand(near, 'near argument', 5860402, env);
  const distanceAs = pathOption(distanceField, 'distanceField', 16606);
  const least = minDistance === undefined ? undefined : operand(minDistance, 'minDistance', 7555701, env);
  const most = maxDistance === undefined ? undefined : operand(maxDistance, 'maxDistance', 7555702, env);
  const searchOf = (): Near => {
    const point = place.value();
    if (!isDoc(point) && !Array.isArray(point))
      throw new EngineError('TypeMismatch', "$geoNear requires that 'near' is an object or an array");
    return nearOf(point, truthy(spherical) || (isDoc(point) && 'type' in point), {
      min: least && new Double(notNegative(least.value(), 'minDistance')),
      max: most && new Double(notNegative(most.value(), 'maxDistance')),
    });
  };
  // What is wrong without a variable is told before the stage runs.
  if ([place, least, most].every((o) => o?.settled ?? true)) searchOf();
  const factor = distanceMultiplier === undefined ? 1 : notNegative(distanceMultiplier, 'distanceMultiplier');
  if (!isDoc(query)) throw new EngineError('TypeMismatch', "$geoNear's 'query' must be an object");
  const placeAs = pathOption(includeLocs, 'includeLocs', 16607);
  if (key === '') throw new EngineError('BadValue', "$geoNear parameter 'key' cannot be the empty string");
  const named = pathOption(key, 'key', 'TypeMismatch');
  const filter = compileFilter(query, {
    now: env.variables.now,
    let: env.variables.let,
    near: 'refused',
    ...(env.collation && { collation: env.collation }),
  });
  return async function* (input) {
    const search = searchOf();
    const indexes = visible(env);
    const path = named ?? indexedPath(indexes);
    assertGeoIndex({ path, near: search }, indexes);
    const parts = path.split('.');
    const rows: { doc: Doc; distance: number }[] = [];
    for (const doc of await collect(input, env, '$geoNear')) {
      const distance = filter.test(doc) ? distanceAt(doc, parts, search) : undefined;
      if (distance !== undefined) rows.push({ doc, distance });
    }
    for (const { doc, distance } of rows.toSorted((a, b) => a.distance - b.distance)) {
      const out = distanceAs === undefined ? doc : set(doc, distanceAs, new Double(distance * factor));
      yield placeAs === undefined ? out : set(out, placeAs, plainPath(doc, path));
    }
  };
}
