import { compileExpression, type Variables } from '../aggregate/expression.js';
import { isDoc, isNumeric, toInteger } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileFilter, type Filter, truthy } from './match.js';

/** A projection as a tree: what happens to each field. */
type Node =
  | { readonly kind: 'keep' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'tree'; readonly fields: Map<string, Node> }
  | { readonly kind: 'value'; readonly of: (root: Doc, at: Value) => Value };

const isFlag = (v: Value): boolean => typeof v === 'boolean' || (isNumeric(v) as boolean);

function put(tree: Map<string, Node>, path: string, node: Node): void {
  const parts = path.split('.');
  let at = tree;
  for (const [i, part] of parts.entries()) {
    if (part === '') throw new EngineError(15998, 'FieldPath field names may not be empty strings.');
    const there = at.get(part);
    if (i === parts.length - 1) {
      if (there) throw new EngineError(there.kind === 'tree' ? 31249 : 31250, `Path collision at ${path}`);
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
    if (isDoc(v) && Object.keys(v).length > 0 && !Object.keys(v)[0]?.startsWith('$')) return flatten(v, `${path}.`);
    return [[path, v]];
  });
}

function sliceOf(argument: Value): (at: Value) => Value {
  const pair = Array.isArray(argument) ? argument : [argument];
  const [skip, limit] = pair.map((v) => (isNumeric(v) ? toInteger(v) : undefined));
  if (skip === undefined || (pair.length > 1 && (limit === undefined || limit <= 0)) || pair.length > 2)
    throw new EngineError(28724, 'First argument to $slice must be an array');
  return (at) => {
    if (!Array.isArray(at)) return at;
    if (limit === undefined) return skip < 0 ? at.slice(skip) : at.slice(0, skip);
    const from = skip < 0 ? Math.max(at.length + skip, 0) : skip;
    return at.slice(from, from + limit);
  };
}

/**
 * A find projection: inclusion or exclusion, with $slice, $elemMatch, the positional $ and expressions.
 * https://www.mongodb.com/docs/manual/reference/method/db.collection.find/#projection
 */
export function compileProjection(
  spec: Doc,
  filter?: Filter,
  variables: Variables = { now: new Date(), let: {} },
): (doc: Doc) => Doc {
  const entries = flatten(spec, '');
  if (entries.length === 0) return (doc) => doc;
  const tree = new Map<string, Node>();
  let including: boolean | undefined;
  let id: boolean | undefined;
  const mode = (include: boolean, path: string): void => {
    if (including !== undefined && including !== include)
      throw include
        ? new EngineError(31253, `Cannot do inclusion on field ${path} in exclusion projection`)
        : new EngineError(31254, `Cannot do exclusion on field ${path} in inclusion projection`);
    including = include;
  };
  for (const [path, v] of entries) {
    if (isFlag(v)) {
      const include = truthy(v);
      if (path === '_id') {
        id = include;
        continue;
      }
      if (path.endsWith('.$')) {
        mode(true, path);
        const array = path.slice(0, -2);
        put(tree, array, {
          kind: 'value',
          of: (root, at) => {
            const index = filter?.positional(root);
            if (!Array.isArray(at)) return at;
            if (index === undefined)
              throw new EngineError(
                51246,
                "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array",
              );
            return [at[index]];
          },
        });
        continue;
      }
      mode(include, path);
      put(tree, path, { kind: include ? 'keep' : 'drop' });
      continue;
    }
    if (isDoc(v) && '$slice' in v && !(Array.isArray(v['$slice']) && v['$slice'].length === 3)) {
      const slice = sliceOf(v['$slice']);
      put(tree, path, { kind: 'value', of: (_root, at) => slice(at) });
      continue;
    }
    if (isDoc(v) && '$elemMatch' in v) {
      mode(true, path);
      const wanted = compileFilter({ v: { $elemMatch: v['$elemMatch'] } });
      put(tree, path, {
        kind: 'value',
        of: (_root, at) => {
          const found = Array.isArray(at) ? at.find((item) => wanted.test({ v: [item] })) : undefined;
          return found === undefined ? undefined : [found];
        },
      });
      continue;
    }
    mode(true, path);
    const evaluate = compileExpression(v);
    put(tree, path, { kind: 'value', of: (root) => evaluate(root, variables) });
    if (path === '_id') id = true;
  }
  const inclusive = including ?? (id === true && !entries.some(([, v]) => isDoc(v)));
  if (id === false && !tree.has('_id')) tree.set('_id', { kind: 'drop' });
  else if (inclusive && !tree.has('_id')) tree.set('_id', { kind: 'keep' });
  return (doc) => project(doc, tree, inclusive, doc, true);
}

function project(doc: Doc, tree: ReadonlyMap<string, Node>, inclusive: boolean, root: Doc, top: boolean): Doc {
  const out: Doc = {};
  if (top && inclusive && tree.get('_id')?.kind === 'keep' && doc['_id'] !== undefined) out['_id'] = doc['_id'];
  for (const [key, v] of Object.entries(doc)) {
    const node = tree.get(key);
    const result = node ? applied(node, v, inclusive, root) : inclusive ? undefined : v;
    if (result !== undefined) out[key] = result;
  }
  for (const [key, node] of tree) {
    if (Object.hasOwn(doc, key)) continue;
    const result =
      node.kind === 'value'
        ? node.of(root, undefined)
        : node.kind === 'tree' && hasValue(node)
          ? project({}, node.fields, inclusive, root, false)
          : undefined;
    if (result !== undefined) out[key] = result;
  }
  return out;
}

const hasValue = (node: Node): boolean =>
  node.kind === 'value' || (node.kind === 'tree' && [...node.fields.values()].some(hasValue));

function applied(node: Node, v: Value, inclusive: boolean, root: Doc): Value {
  if (node.kind === 'keep') return v;
  if (node.kind === 'drop') return undefined;
  if (node.kind === 'value') return node.of(root, v);
  if (isDoc(v)) return project(v, node.fields, inclusive, root, false);
  if (Array.isArray(v))
    return v.flatMap((item): Value[] => {
      if (isDoc(item) || Array.isArray(item)) return [applied(node, item, inclusive, root)];
      return inclusive ? [] : [item];
    });
  return inclusive ? undefined : v;
}
