import { isDoc, isNumeric } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { IndexSpec } from './indexes.js';
import { plainPath } from './path.js';
import { compileProjection } from './projection.js';

const EVERYTHING = '$**';
export const isWildcard = (path: string): boolean => path === EVERYTHING || path.endsWith(`.${EVERYTHING}`);

const isPlain = (projection: Doc): boolean =>
  Object.entries(projection).every(
    ([name, v]) => !name.startsWith('$') && (typeof v === 'boolean' || isNumeric(v) || (isDoc(v) && isPlain(v))),
  );

/** `_id` is left out unless the projection names it. */
const projectionOf = (given: Doc): ReturnType<typeof compileProjection> => compileProjection({ _id: false, ...given });

function projected(projection: Doc, path: string): boolean {
  const project = projectionOf(projection);
  const doc = path.split('.').reduceRight<Value>((inner, part) => ({ [part]: inner }), true);
  return isDoc(doc) && plainPath(project(doc), path) !== undefined;
}

/**
 * https://www.mongodb.com/docs/manual/core/indexes/index-types/index-wildcard/reference/restrictions/
 *
 * @throws {EngineError} 7246201: two wildcards; 67: options that no wildcard index has; 7246209: a field of the key that it has once more; 9, 31253, 31254, 51271: a wrong projection
 */
export function assertWildcard({ key, sparse, expireAfterSeconds, ofKind }: IndexSpec, version: number): void {
  const cannot = (what: string): EngineError =>
    new EngineError('CannotCreateIndex', `Index type 'wildcard' does not support ${what}`);
  if (Object.keys(key).filter(isWildcard).length > 1)
    throw new EngineError(7246201, 'wildcard indexes do not allow more than one wildcard field');
  if (sparse) throw cannot('the sparse option');
  if (expireAfterSeconds !== undefined) throw cannot('the expireAfterSeconds option');
  if (version < 2) throw cannot(`index version v=${version}`);
  const projection = ofKind?.['wildcardProjection'];
  const beside = Object.hasOwn(key, EVERYTHING) ? Object.keys(key).filter((path) => !isWildcard(path)) : [];
  if (beside.length > 0 && projection === undefined)
    throw new EngineError('CannotCreateIndex', 'A compound wildcard index of all fields needs a wildcardProjection');
  if (!isDoc(projection)) return;
  if (!Object.hasOwn(key, EVERYTHING))
    throw new EngineError('FailedToParse', `The field 'wildcardProjection' is only allowed when 'key' has "$**"`);
  if (Object.keys(projection).length === 0)
    throw new EngineError('FailedToParse', "The 'wildcardProjection' field can't be an empty object");
  if (!isPlain(projection))
    throw new EngineError(51271, 'Bad projection specification, cannot use an expression in a wildcardProjection');
  projectionOf(projection);
  const twice = beside.find((path) => projected(projection, path));
  if (twice !== undefined)
    throw new EngineError(7246209, `wildcardProjection must exclude all regular index fields: ${twice}`);
}

/** Whether a wildcard index has what lies at a path: it is in its part of the document, and not held out by its projection. */
export function wildcardHolds({ key, ofKind }: IndexSpec, path: string): boolean {
  if (Object.hasOwn(key, path)) return true;
  if (!Object.hasOwn(key, EVERYTHING))
    return Object.keys(key).some((k) => isWildcard(k) && `${path}.`.startsWith(k.slice(0, -EVERYTHING.length)));
  const projection = ofKind?.['wildcardProjection'];
  return projected(isDoc(projection) ? projection : {}, path);
}
