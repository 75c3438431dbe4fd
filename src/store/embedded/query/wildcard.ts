import { isDoc, isNumeric, truthy } from '../bson/types.js';
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
 * @throws {EngineError} 7246201: two wildcards; 7246204: a field of the key within one; 67: options that no wildcard index has;
 *   9, 31253, 31254, 51271, 7246200 to 7246211: a wrong projection
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
  const regular = Object.keys(key).filter((path) => !isWildcard(path));
  const part = Object.keys(key)
    .find(isWildcard)
    ?.slice(0, -EVERYTHING.length - 1);
  const within = part && regular.find((path) => overlap(part, path));
  if (within) throw new EngineError(7246204, `a field of the key lies within the wildcard: ${within}`);
  const beside = Object.hasOwn(key, EVERYTHING) ? regular : [];
  if (beside.length > 0 && projection === undefined)
    throw new EngineError('CannotCreateIndex', 'A compound wildcard index of all fields needs a wildcardProjection');
  if (!isDoc(projection)) return;
  if (!Object.hasOwn(key, EVERYTHING))
    throw new EngineError('FailedToParse', `The field 'wildcardProjection' is only allowed when 'key' has "$**"`);
  if (Object.keys(projection).length === 0)
    throw new EngineError('FailedToParse', "The 'wildcardProjection' field can't be an empty object");
  if (!isPlain(projection))
    throw new EngineError(51271, 'Bad projection specification, cannot use an expression in a wildcardProjection');
  if (beside.length > 0) assertBeside(beside, projection);
  projectionOf(projection);
}

/** Does one of two paths lie within the other? */
const overlap = (a: string, b: string): boolean => `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`);

/** What a projection says of each path. */
const saidIn = (projection: Doc, above = ''): [path: string, included: boolean][] =>
  Object.entries(projection).flatMap(([name, v]): [string, boolean][] =>
    isDoc(v) ? saidIn(v, `${above}${name}.`) : [[above + name, truthy(v)]],
  );

/**
 * Holds a projection against the fields that stand beside the wildcard: it must have none of them.
 *
 * @throws {EngineError} 7246200: paths within each other; 7246211: in and out at once; 7246208: it has one; 7246209, 7246210: it leaves one in
 */
function assertBeside(beside: readonly string[], projection: Doc): void {
  const said = saidIn(projection);
  const others = said.filter(([path]) => path !== '_id');
  if (others.some(([a], i) => others.some(([b], j) => i < j && overlap(a, b))))
    throw new EngineError(7246200, 'wildcardProjection contains paths within each other');
  const [first = said[0]] = others;
  if (others.some(([, included]) => included !== first?.[1]))
    throw new EngineError(7246211, 'wildcardProjection mixes inclusion and exclusion');
  if (first?.[1]) {
    const twice = beside.find((path) => said.some(([of, included]) => included && overlap(of, path)));
    if (twice !== undefined) throw new EngineError(7246208, `wildcardProjection includes a regular field: ${twice}`);
    return;
  }
  const out = said.flatMap(([path, included]) => (included ? [] : [path])).toSorted();
  const holds = (path: string, of: string): boolean => `${path}.`.startsWith(`${of}.`);
  // As MongoDB goes through both in order: the code says whether another path stands where the field's should.
  for (const path of beside.toSorted()) {
    const at = out.find((of) => holds(path, of) || of > path);
    if (at === undefined || !holds(path, at))
      throw new EngineError(
        at === undefined ? 7246210 : 7246209,
        `wildcardProjection must exclude all regular index fields: ${path}`,
      );
  }
}

/** Whether a wildcard index has what lies at a path: it is in its part of the document, and not held out by its projection. */
export function wildcardHolds({ key, ofKind }: IndexSpec, path: string): boolean {
  if (Object.hasOwn(key, path)) return true;
  if (!Object.hasOwn(key, EVERYTHING))
    return Object.keys(key).some((k) => isWildcard(k) && `${path}.`.startsWith(k.slice(0, -EVERYTHING.length)));
  const projection = ofKind?.['wildcardProjection'];
  return projected(isDoc(projection) ? projection : {}, path);
}
