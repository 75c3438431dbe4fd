import { assertCollated } from '../aggregate/collated.js';
import { compileExpression, isOperator, type Variables } from '../aggregate/expression.js';
import type { Collation } from '../bson/collation.js';
import { isDoc, isNumeric, toNumber, truthy, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileFilter, type Filter } from './match.js';
import { assertPath, setField } from './path.js';

type Compute = (root: Doc, at: Value, variables: Variables) => Value;

/** A projection as a tree: what happens to each field. */
type Node =
  | { readonly kind: 'keep' | 'drop' }
  | { readonly kind: 'tree'; readonly fields: Map<string, Node> }
  /** The field's own value changed where it stands: $slice, the positional $. */
  | { readonly kind: 'change'; readonly of: Compute }
  /** A new value, after those that are kept. */
  | { readonly kind: 'computed'; readonly of: Compute };

export interface ProjectionOptions {
  /** The query, for the positional $. */
  readonly filter?: Filter;
  /** How texts are compared. */
  readonly collation?: Collation | undefined;
  /** A stage of a pipeline: $slice is an expression there, and the find-only forms are none. */
  readonly stage?: boolean;
}

const NONE: Variables = { now: new Date(0), let: {} };
const isFlag = (v: Value): boolean => typeof v === 'boolean' || (isNumeric(v) as boolean);

function put(tree: Map<string, Node>, path: string, node: Node): void {
  const parts = assertPath(path);
  let at = tree;
  for (const [i, part] of parts.entries()) {
    const there = at.get(part);
    if (i === parts.length - 1) {
      if (there) throw new EngineError(31250, `Path collision at ${path}`);
      at.set(part, node);
      return;
    }
    if (there && there.kind !== 'tree')
      throw new EngineError(31249, `Path collision at ${path} remaining portion ${parts.slice(i + 1).join('.')}`);
    const next = there ?? { kind: 'tree' as const, fields: new Map<string, Node>() };
    at.set(part, next);
    at = next.fields;
  }
}

function flatten(spec: Doc, prefix: string): [string, Value][] {
  return Object.entries(spec).flatMap(([key, v]): [string, Value][] => {
    const path = prefix + key;
    if (!isDoc(v)) return [[path, v]];
    const [first] = Object.keys(v);
    if (first === undefined)
      throw new EngineError(51270, `An empty sub-projection is not a valid value. Found empty object at path ${path}`);
    const whole = first.startsWith('$') || path.endsWith('.$');
    return whole ? [[path, v]] : flatten(v, `${path}.`);
  });
}

/** https://www.mongodb.com/docs/manual/reference/operator/projection/slice/ */
function sliceOf(argument: Value): Compute {
  const pair = Array.isArray(argument) ? argument : [argument];
  if (pair.length < 1 || (Array.isArray(argument) && pair.length !== 2))
    throw new EngineError(28667, 'Invalid $slice syntax. The given syntax did not match the find() syntax');
  // A number is cut to a whole one, NaN to 0.
  const [skip, limit] = pair.map((v) => (isNumeric(v) ? Math.trunc(toNumber(v)) || 0 : undefined));
  if (skip === undefined || pair.length > 2 || (pair.length === 2 && limit === undefined))
    throw new EngineError(28667, 'Invalid $slice syntax. The given syntax did not match the find() syntax');
  if (limit !== undefined && limit <= 0)
    throw new EngineError(28724, 'First argument to $slice must be an array, but is of type: int');
  return (_root, at) => {
    if (!Array.isArray(at)) return at;
    if (limit === undefined) return skip < 0 ? at.slice(skip) : at.slice(0, skip);
    const from = skip < 0 ? Math.max(at.length + skip, 0) : skip;
    return at.slice(from, from + limit);
  };
}

const positional =
  (filter: Filter | undefined): Compute =>
  (root, at) => {
    if (!Array.isArray(at)) return at;
    const index = filter?.positional(root);
    if (index === undefined || index >= at.length)
      throw new EngineError(
        51246,
        "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array",
      );
    return [at[index]];
  };

function elemMatch(operand: Value, collation: Collation | undefined): Compute {
  if (!isDoc(operand))
    throw new EngineError(31274, `elemMatch: Invalid argument, object required, but got ${typeName(operand)}`);
  const wanted = compileFilter({ v: { $elemMatch: operand } }, { near: 'element', ...(collation && { collation }) });
  return (_root, at) => {
    const found = Array.isArray(at) ? at.findIndex((item) => wanted.test({ v: [item] })) : -1;
    return found === -1 || !Array.isArray(at) ? undefined : [at[found]];
  };
}

/** Inclusion or exclusion is settled by the first field that says so. */
class Mode {
  including: boolean | undefined;
  readonly #specials = new Set<string>();
  /** Fields of `$elemMatch`, with what it finds. */
  readonly elemMatches = new Map<string, Compute>();
  hasSlice = false;
  hasMeta = false;
  /** @throws {EngineError} 31276: two positional ones; 31255, 31256: one beside $elemMatch */
  special(kind: 'positional' | 'elemMatch'): void {
    if (kind === 'positional' && this.#specials.has(kind))
      throw new EngineError(31276, 'Cannot specify more than one positional projection per query.');
    this.#specials.add(kind);
    if (this.#specials.size > 1)
      throw new EngineError(
        kind === 'positional' ? 31255 : 31256,
        'Cannot specify positional operator and $elemMatch.',
      );
  }
  /**
   * What a projection is that no field settles, by what is said of `_id`.
   * https://www.mongodb.com/docs/manual/reference/operator/projection/slice/#path-collision-slice-of-an-array-and-embedded-fields
   */
  unsettled(id: boolean | undefined, stage: boolean): boolean {
    if (this.hasSlice) return id === true;
    return this.elemMatches.size > 0 || (stage && this.hasMeta) || id === true;
  }
  settle(include: boolean, path: string): void {
    if (this.including !== undefined && this.including !== include)
      throw include
        ? new EngineError(
            31253,
            `Invalid $project :: caused by :: Cannot do inclusion on field ${path} in exclusion projection`,
          )
        : new EngineError(
            31254,
            `Invalid $project :: caused by :: Cannot do exclusion on field ${path} in inclusion projection`,
          );
    this.including = include;
  }
}

function compileField(
  path: string,
  v: Value,
  mode: Mode,
  { filter, collation, stage }: ProjectionOptions,
): [string, Node] {
  if (stage && path.endsWith('.$'))
    throw new EngineError(31324, 'Cannot use positional projection in aggregation projection');
  if (path.includes('.$.') && !stage)
    throw new EngineError(31394, 'Positional projection may only be used at the end of a path');
  if (path.endsWith('.$') && !stage) {
    if (isDoc(v)) throw new EngineError(31271, 'positional projection cannot be used with an expression or sub object');
    if (!isFlag(v)) throw new EngineError(31308, 'positional projection cannot be used with a literal');
    if (!truthy(v)) throw new EngineError(31395, 'positional projection cannot be used with exclusion');
    if (mode.including === false) throw new EngineError(31395, 'positional projection cannot be used with exclusion');
    mode.settle(true, path);
    mode.special('positional');
    return [path.slice(0, -2), { kind: 'change', of: positional(filter) }];
  }
  if (isFlag(v)) {
    mode.settle(truthy(v), path);
    return [path, { kind: truthy(v) ? 'keep' : 'drop' }];
  }
  if (isDoc(v) && !stage && Object.keys(v).length === 1) {
    const slice = v['$slice'];
    if (
      '$slice' in v &&
      !(Array.isArray(slice) && (slice.length === 3 || (slice.length === 2 && !isNumeric(slice[0]))))
    ) {
      mode.hasSlice = true;
      return [path, { kind: 'change', of: sliceOf(slice) }];
    }
    if ('$elemMatch' in v) {
      if (path.includes('.')) throw new EngineError(31275, 'Cannot use $elemMatch projection on a nested field');
      mode.special('elemMatch');
      const of = elemMatch(v['$elemMatch'], collation);
      mode.elemMatches.set(path, of);
      return [path, { kind: 'computed', of }];
    }
  }
  const [operator = ''] = isDoc(v) ? Object.keys(v) : [];
  if (operator.startsWith('$') && !isOperator(operator))
    throw new EngineError(31325, `Invalid $project :: caused by :: Unknown expression ${operator}`);
  // A score is added to an inclusion and an exclusion alike.
  if (operator === '$meta') mode.hasMeta = true;
  else {
    if (mode.including === false)
      throw new EngineError(
        operator.startsWith('$') ? 31252 : 31310,
        `Invalid $project :: caused by :: Cannot use an expression ${path} in an exclusion projection`,
      );
    mode.settle(true, path);
  }
  if (collation) assertCollated(path, v);
  const evaluate = compileExpression(v);
  return [path, { kind: 'computed', of: (root, _at, variables) => evaluate(root, variables) }];
}

/**
 * A projection: inclusion or exclusion, with $slice, $elemMatch, the positional $ and expressions.
 * https://www.mongodb.com/docs/manual/reference/method/db.collection.find/#projection
 *
 * @throws {EngineError} 31249, 31250: two that touch; 31253, 31254: inclusion and exclusion together; 238: an expression
 *   that compares, with a collation
 */
export function compileProjection(
  spec: Doc,
  options: ProjectionOptions = {},
): (doc: Doc, variables?: Variables) => Doc {
  const entries = flatten(spec, '');
  if (entries.length === 0) return (doc) => doc;
  const tree = new Map<string, Node>();
  const mode = new Mode();
  let id: boolean | undefined;
  for (const [path, v] of entries) {
    if (path === '_id' && isFlag(v)) {
      id = truthy(v);
      put(tree, path, { kind: id ? 'keep' : 'drop' });
      continue;
    }
    put(tree, ...compileField(path, v, mode, options));
  }
  const inclusive = mode.including ?? mode.unsettled(id, options.stage === true);
  // Where fields are left out, $elemMatch changes its own where it stands.
  if (!inclusive) for (const [path, of] of mode.elemMatches) tree.set(path, { kind: 'change', of });
  if (inclusive && !tree.has('_id')) tree.set('_id', { kind: 'keep' });
  return (doc, variables = NONE) => project(doc, tree, { inclusive, root: doc, variables });
}

interface Walk {
  readonly inclusive: boolean;
  readonly root: Doc;
  readonly variables: Variables;
}

const computes = (node: Node): boolean =>
  node.kind === 'computed' || (node.kind === 'tree' && [...node.fields.values()].some(computes));

function project(doc: Doc, tree: ReadonlyMap<string, Node>, walk: Walk): Doc {
  const out: Doc = {};
  for (const [key, v] of Object.entries(doc)) {
    const node = tree.get(key);
    if (!node) {
      if (!walk.inclusive) setField(out, key, v);
      continue;
    }
    const result =
      node.kind === 'keep'
        ? v
        : node.kind === 'change'
          ? node.of(walk.root, v, walk.variables)
          : node.kind === 'tree'
            ? inside(node, v, walk)
            : undefined;
    if (result !== undefined) setField(out, key, result);
  }
  for (const [key, node] of tree) {
    if (node.kind === 'computed') {
      const result = node.of(walk.root, Object.hasOwn(doc, key) ? doc[key] : undefined, walk.variables);
      if (result !== undefined) setField(out, key, result);
    } else if (node.kind === 'tree' && !Object.hasOwn(out, key) && computes(node))
      setField(out, key, project({}, node.fields, walk));
  }
  return out;
}

function inside(node: Extract<Node, { kind: 'tree' }>, v: Value, walk: Walk): Value {
  if (isDoc(v)) return project(v, node.fields, walk);
  if (Array.isArray(v))
    return v.flatMap((item): Value[] => {
      if (isDoc(item) || Array.isArray(item)) return [inside(node, item, walk)];
      if (computes(node)) return [project({}, node.fields, walk)];
      return walk.inclusive ? [] : [item];
    });
  return walk.inclusive ? undefined : v;
}
