import { Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import { compute } from '../aggregate/arithmetic.js';
import { type Variables } from '../aggregate/expression.js';
import { oneToOne } from '../aggregate/stages/one-to-one.js';
import { compare, equals } from '../bson/compare.js';
import { isDoc, isNumeric, toInteger, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileFilter, type Filter } from '../query/match.js';
import { field } from '../query/path.js';
import { compileSort } from '../query/sort.js';

export interface UpdateOptions {
  readonly arrayFilters?: readonly Doc[];
  readonly let?: Doc;
  readonly multi: boolean;
  readonly now: Date;
}

export interface Update {
  readonly isReplacement: boolean;
  /** The new document; the same reference if nothing changed. `positional`: where the query matched in an array. */
  apply(doc: Doc, positional?: number): Doc;
  /** The document that an upsert inserts: what the filter says is equal, then the update. */
  insertFor(filter: Doc): Doc;
}

/** Removes the field when it is what an operator gives back. */
const REMOVE = Symbol('remove');
type Change = (before: Value, context: { inserting: boolean }) => Value | typeof REMOVE;

const bad = (message: string): EngineError => new EngineError('BadValue', message);
const failed = (message: string): EngineError => new EngineError('FailedToParse', message);
const mismatch = (message: string): EngineError => new EngineError('TypeMismatch', message);
const show = (v: Value): string => (isDoc(v) || Array.isArray(v) ? JSON.stringify(v) : String(v));

function arithmetic(operator: '$inc' | '$mul', operand: Value, path: string): Change {
  if (!isNumeric(operand))
    throw mismatch(
      `Cannot ${operator === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${path}: ${show(operand)}}`,
    );
  return (before) => {
    if (before === undefined) return operator === '$inc' ? operand : (compute(operand, new Int32(0), '*') ?? operand);
    if (!isNumeric(before))
      throw mismatch(
        `Cannot apply ${operator} to a value of non-numeric type. {_id: …} has the field '${path}' of non-numeric type ${typeName(before)}`,
      );
    const result = compute(before, operand, operator === '$inc' ? '+' : '*');
    if (!result)
      throw bad(
        `Failed to apply ${operator} operations to current value (${before.toString()}): it would overflow a 64-bit integer`,
      );
    return result;
  };
}

function each(operand: Value): { items: readonly Value[]; modifiers: Doc } {
  if (!isDoc(operand) || !('$each' in operand)) return { items: [operand], modifiers: {} };
  const items = operand['$each'];
  if (!Array.isArray(items))
    throw mismatch(`The argument to $each in $push must be an array but it was of type: ${typeName(items)}`);
  return { items, modifiers: operand };
}

function push(operand: Value, path: string): Change {
  const { items, modifiers } = each(operand);
  for (const key of Object.keys(modifiers))
    if (!['$each', '$position', '$slice', '$sort'].includes(key)) throw bad(`Unrecognized clause in $push: ${key}`);
  const whole = (name: string): number | undefined => {
    if (!(name in modifiers)) return undefined;
    const n = toInteger(modifiers[name]);
    if (n === undefined)
      throw bad(`The value for ${name} must be an integer value but was given type: ${typeName(modifiers[name])}`);
    return n;
  };
  const position = whole('$position');
  const slice = whole('$slice');
  const sort = modifiers['$sort'];
  const direction = toInteger(sort);
  if (sort !== undefined && !isDoc(sort) && direction !== 1 && direction !== -1)
    throw bad('The $sort element value must be either 1 or -1');
  return (before) => {
    if (before !== undefined && !Array.isArray(before))
      throw bad(`The field '${path}' must be an array but is of type ${typeName(before)} in document`);
    let list = [...(before ?? [])];
    const at =
      position === undefined
        ? list.length
        : position < 0
          ? Math.max(list.length + position, 0)
          : Math.min(position, list.length);
    list.splice(at, 0, ...items);
    if (isDoc(sort)) list = list.toSorted((a, b) => compileSort(sort)(isDoc(a) ? a : {}, isDoc(b) ? b : {}));
    else if (direction !== undefined) list = list.toSorted((a, b) => compare(a, b) * direction);
    if (slice !== undefined) list = slice === 0 ? [] : slice > 0 ? list.slice(0, slice) : list.slice(slice);
    return list;
  };
}

function addToSet(operand: Value, path: string): Change {
  const { items } = each(operand);
  return (before) => {
    if (before !== undefined && !Array.isArray(before))
      throw bad(
        `Cannot apply $addToSet to non-array field. Field named '${path}' has non-array type ${typeName(before)}`,
      );
    const list = [...(before ?? [])];
    for (const item of items) if (!list.some((there) => equals(there, item))) list.push(item);
    return list.length === before?.length ? before : list;
  };
}

function pull(operand: Value): Change {
  let matches: (v: Value) => boolean;
  if (isDoc(operand)) {
    const operators = Object.keys(operand)[0]?.startsWith('$') === true;
    const filter = compileFilter(operators ? { v: operand } : operand);
    matches = (v) => (operators ? filter.test({ v }) : isDoc(v) && filter.test(v));
  } else {
    const filter = compileFilter({ v: operand });
    matches = (v) => filter.test({ v: Array.isArray(v) ? [v] : v }) && (!Array.isArray(v) || equals(v, operand));
  }
  return (before) => {
    if (before === undefined) return REMOVE;
    if (!Array.isArray(before)) throw bad('Cannot apply $pull to a non-array value');
    const left = before.filter((v) => !matches(v));
    return left.length === before.length ? before : left;
  };
}

function pullAll(operand: Value): Change {
  if (!Array.isArray(operand)) throw bad(`$pullAll requires an array argument but was given a ${typeName(operand)}`);
  return (before) => {
    if (before === undefined) return REMOVE;
    if (!Array.isArray(before)) throw bad('Cannot apply $pull to a non-array value');
    const left = before.filter((v) => !operand.some((o) => equals(o, v)));
    return left.length === before.length ? before : left;
  };
}

function pop(operand: Value, path: string): Change {
  const way = toInteger(operand);
  if (way !== 1 && way !== -1) throw failed(`$pop expects 1 or -1, found: ${show(operand)}`);
  return (before) => {
    if (before === undefined) return REMOVE;
    if (!Array.isArray(before))
      throw mismatch(`Path '${path}' contains an element of non-array type '${typeName(before)}'`);
    return way === 1 ? before.slice(0, -1) : before.slice(1);
  };
}

function bit(operand: Value): Change {
  if (!isDoc(operand) || Object.keys(operand).length === 0)
    throw bad('The $bit modifier is not compatible with a non-object');
  return (before) => {
    let n: Value = before === undefined ? new Int32(0) : before;
    for (const [operator, v] of Object.entries(operand)) {
      if (!(v instanceof Int32 || v instanceof Long) || !(n instanceof Int32 || n instanceof Long))
        throw bad('Cannot apply $bit to a value of non-integral type');
      const a: bigint = BigInt(n.toString());
      const b: bigint = BigInt(v.toString());
      if (!['and', 'or', 'xor'].includes(operator))
        throw bad(`The $bit modifier only supports 'and', 'or', and 'xor', not '${operator}'`);
      const r: bigint = operator === 'and' ? a & b : operator === 'or' ? a | b : a ^ b;
      n = n instanceof Long || v instanceof Long ? Long.fromBigInt(r) : new Int32(Number(r));
    }
    return n;
  };
}

function currentDate(operand: Value, now: Date): Change {
  const type = isDoc(operand) ? operand['$type'] : operand;
  if (type === true || type === 'date') return () => now;
  if (type === 'timestamp') return () => new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 });
  throw bad("The '$type' string field is required to be 'date' or 'timestamp'");
}

const extreme =
  (operand: Value, sign: 1 | -1): Change =>
  (before) =>
    before === undefined || compare(operand, before) * sign > 0 ? operand : before;

function changeOf(operator: string, operand: Value, path: string, now: Date): Change {
  switch (operator) {
    case '$set':
      return () => operand;
    case '$setOnInsert':
      return (before, { inserting }) => (inserting ? operand : (before ?? REMOVE));
    case '$unset':
      return () => REMOVE;
    case '$inc':
    case '$mul':
      return arithmetic(operator, operand, path);
    case '$min':
      return extreme(operand, -1);
    case '$max':
      return extreme(operand, 1);
    case '$push':
      return push(operand, path);
    case '$addToSet':
      return addToSet(operand, path);
    case '$pull':
      return pull(operand);
    case '$pullAll':
      return pullAll(operand);
    case '$pop':
      return pop(operand, path);
    case '$bit':
      return bit(operand);
    case '$currentDate':
      return currentDate(operand, now);
    default:
      throw failed(
        `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
  }
}

interface Step {
  readonly operator: string;
  readonly path: string;
  readonly parts: readonly string[];
  readonly change: Change;
  /** $rename: where the value goes. */
  readonly to?: readonly string[];
}

/** Two paths that touch: one is the other, or lies inside it. */
function assertNoConflict(steps: readonly { path: string }[]): void {
  const paths = steps.map((s) => s.path).toSorted();
  for (const [i, a] of paths.entries()) {
    const b = paths[i + 1];
    if (b !== undefined && (a === b || b.startsWith(`${a}.`)))
      throw new EngineError('ConflictingUpdateOperators', `Updating the path '${b}' would create a conflict at '${a}'`);
  }
}

function stepsOf(update: Doc, now: Date): Step[] {
  const steps: Step[] = [];
  for (const [operator, operand] of Object.entries(update)) {
    if (!isDoc(operand))
      throw failed(
        `Modifiers operate on fields but we found type ${typeName(operand)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ${show(operand)}}`,
      );
    for (const [path, v] of Object.entries(operand)) {
      const parts = path.split('.');
      if (parts.some((p) => p === ''))
        throw new EngineError(
          'BadValue',
          `The update path '${path}' contains an empty field name, which is not allowed.`,
        );
      if (operator === '$rename') {
        if (typeof v !== 'string') throw bad(`The 'to' field for $rename must be a string: ${path}: ${show(v)}`);
        steps.push(
          { operator, path, parts, change: () => REMOVE, to: v.split('.') },
          { operator: '$renameTo', path: v, parts: v.split('.'), change: (b) => b },
        );
      } else steps.push({ operator, path, parts, change: changeOf(operator, v, path, now) });
    }
    if (Object.keys(operand).length === 0)
      changeOf(
        operator === '$rename' ? '$set' : operator,
        operator === '$pop' ? new Int32(1) : operator === '$inc' || operator === '$mul' ? new Int32(1) : true,
        '',
        now,
      );
  }
  assertNoConflict(steps);
  // $rename stands where its new field does.
  return steps.toSorted((a, b) => comparePaths(a.to ?? a.parts, b.to ?? b.parts));
}

/** New fields come in this order: numbers by size, then names. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const [x, y] = [a[i] as string, b[i] as string];
    if (x === y) continue;
    if (/^\d+$/.test(x) && /^\d+$/.test(y)) return Number(x) - Number(y);
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

interface Walk {
  /** $unset leaves alone what can't be there; all others refuse such a path. */
  readonly lenient: boolean;
  readonly inserting: boolean;
  readonly positional: number | undefined;
  readonly filters: ReadonlyMap<string, Filter>;
  readonly path: string;
}

/** The value with the change made at the path; the same reference if nothing changed. */
function changed(
  value: Value,
  parts: readonly string[],
  at: number,
  change: Change,
  walk: Walk,
): Value | typeof REMOVE {
  const part = parts[at];
  if (part === undefined) return change(value, walk);
  if (Array.isArray(value)) {
    const places = elements(value, part, walk);
    let copy: Value[] | undefined;
    for (const i of places) {
      const before = value[i];
      const result = changed(before, parts, at + 1, change, walk);
      if (
        result === REMOVE ? before === undefined : result === before || (result !== undefined && same(result, before))
      )
        continue;
      copy ??= [...value];
      if (i > copy.length + 1_500_000)
        throw new EngineError('CannotBackfillArray', `can't backfill more than 1500000 elements`);
      while (copy.length < i) copy.push(null);
      copy[i] = result === REMOVE ? null : result;
    }
    return copy ?? value;
  }
  if (part.startsWith('$')) {
    if (value === undefined)
      throw bad(`The path '${walk.path}' must exist in the document in order to apply array updates.`);
    throw bad(`Cannot apply array updates to non-array element ${parts.slice(0, at).join('.')}: ${show(value)}`);
  }
  if (value !== undefined && !isDoc(value)) {
    if (walk.lenient) return value;
    throw new EngineError(
      'PathNotViable',
      `Cannot create field '${part}' in element {${parts[at - 1] ?? ''}: ${show(value)}}`,
    );
  }
  const doc = value ?? {};
  const before = field(doc, part);
  const result = changed(before, parts, at + 1, change, walk);
  if (result === REMOVE) {
    if (!Object.hasOwn(doc, part)) return value === undefined ? REMOVE : value;
    const { [part]: _gone, ...rest } = doc;
    return rest;
  }
  if (result === before || (result !== undefined && before !== undefined && same(result, before)))
    return value === undefined ? REMOVE : value;
  return { ...doc, [part]: result };
}

/** Equal in value, type and digits: what a no-op leaves as it is. */
function same(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeName(a) !== typeName(b)) return false;
  if (a instanceof Double && b instanceof Double) return Object.is(a.value, b.value);
  if (a instanceof Decimal128 && b instanceof Decimal128) return a.toString() === b.toString();
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => same(v, b[i]));
  if (isDoc(a) && isDoc(b)) {
    const [x, y] = [Object.entries(a), Object.entries(b)];
    return x.length === y.length && x.every(([k, v], i) => y[i]?.[0] === k && same(v, y[i]?.[1]));
  }
  return equals(a, b);
}

function elements(list: readonly Value[], part: string, walk: Walk): number[] {
  if (part === '$') {
    if (walk.positional === undefined)
      throw bad('The positional operator did not find the match needed from the query.');
    return [walk.positional];
  }
  if (part === '$[]') return list.map((_, i) => i);
  const named = /^\$\[(.+)\]$/.exec(part);
  if (named?.[1] !== undefined) {
    const filter = walk.filters.get(named[1]);
    if (!filter) throw bad(`No array filter found for identifier '${named[1]}' in path '${walk.path}'`);
    const identifier = named[1];
    return list.flatMap((v, i) => (filter.test({ [identifier]: v }) ? [i] : []));
  }
  if (!/^\d+$/.test(part) && walk.lenient) return [];
  if (!/^\d+$/.test(part))
    throw new EngineError(
      'PathNotViable',
      `Cannot create field '${part}' in element {${walk.path}: ${show(list as Value[])}}`,
    );
  return [Number(part)];
}

function arrayFilters(filters: readonly Doc[], steps: readonly Step[]): Map<string, Filter> {
  const map = new Map<string, Filter>();
  for (const filter of filters) {
    const names = new Set(identifiers(filter));
    const [name] = names;
    if (names.size !== 1 || name === undefined) throw failed('Expected a single top-level field name in array filter');
    if (!/^[a-z][a-zA-Z0-9]*$/.test(name))
      throw bad(
        `Error parsing array filter: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`,
      );
    if (map.has(name)) throw failed(`Found multiple array filters with the same top-level field name ${name}`);
    if (!steps.some((s) => s.parts.includes(`$[${name}]`)))
      throw failed(`The array filter for identifier '${name}' was not used in the update`);
    map.set(name, compileFilter(filter));
  }
  return map;
}

const identifiers = (filter: Doc): string[] =>
  Object.entries(filter).flatMap(([k, v]) =>
    k.startsWith('$') && Array.isArray(v) ? v.flatMap((f) => (isDoc(f) ? identifiers(f) : [])) : [k.split('.')[0] ?? k],
  );

/** What a filter says is equal: an upsert begins with it. https://www.mongodb.com/docs/manual/reference/method/db.collection.update/#upsert-behavior */
function equalities(filter: Doc, out: [string, Value][] = []): [string, Value][] {
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

function base(filter: Doc): Doc {
  let doc: Doc = {};
  const found = equalities(filter);
  for (const [path, v] of found) {
    if (found.some(([other]) => other !== path && other.startsWith(`${path}.`)))
      throw new EngineError(54, `cannot infer query fields to set, both paths '${path}' are matched`);
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

/** `_id` first, as it is stored. */
const withId = (doc: Doc): Doc => {
  const { _id = new ObjectId(), ...rest } = doc;
  return { _id, ...rest };
};

function assertSameId(before: Doc, after: Doc): void {
  if (before['_id'] !== undefined && !same(after['_id'], before['_id']))
    throw new EngineError(
      'ImmutableField',
      `Performing an update on the path '_id' would modify the immutable field '_id'`,
    );
}

/**
 * Compiles an update: operators, a replacement or a pipeline.
 *
 * @throws {EngineError} 9: no such operator; 40: two operators on one path; 14, 2: an operand of the wrong kind
 */
export function compileUpdate(update: Doc | readonly Value[], options: UpdateOptions): Update {
  const variables: Variables = { now: options.now, let: options.let ?? {} };
  if (Array.isArray(update)) return pipelineUpdate(update, variables);
  const document = update as Doc;
  const keys = Object.keys(document);
  const modifying = keys[0]?.startsWith('$') === true;
  if (!modifying) return replacement(document, options);
  const odd = keys.find((k) => !k.startsWith('$'));
  if (odd !== undefined)
    throw failed(
      `Unknown modifier: ${odd}. Expected a valid update modifier or pipeline-style update specified as an array`,
    );
  const steps = stepsOf(document, options.now);
  const filters = arrayFilters(options.arrayFilters ?? [], steps);
  const run = (doc: Doc, inserting: boolean, positional: number | undefined): Doc => {
    let out = doc;
    for (const step of steps) {
      if (step.operator === '$renameTo') continue;
      if (step.operator === '$setOnInsert' && !inserting) continue;
      const walk = { lenient: step.operator === '$unset', inserting, positional, filters, path: step.path };
      if (step.to) {
        const value = renamed(out, step.parts, 'source');
        if (value === undefined) continue;
        renamed(out, step.to, 'destination');
        out = changed(out, step.parts, 0, () => REMOVE, walk) as Doc;
        out = changed(out, step.to, 0, () => value, walk) as Doc;
      } else {
        const result = changed(out, step.parts, 0, step.change, walk);
        if (result !== REMOVE) out = result as Doc;
      }
    }
    return out;
  };
  return {
    isReplacement: false,
    apply(doc, positional) {
      const after = run(doc, false, positional);
      assertSameId(doc, after);
      return after;
    },
    insertFor: (filter) => {
      const start = base(filter);
      const made = run(start, true, undefined);
      if (start['_id'] !== undefined) assertSameId(start, made);
      return withId(made);
    },
  };
}

/** What a path names, for $rename. @throws {EngineError} 28: the path can't be; 2: it leads through an array */
function renamed(doc: Doc, parts: readonly string[], which: 'source' | 'destination'): Value {
  let v: Value = doc;
  let array = false;
  for (const [i, part] of parts.entries()) {
    if (Array.isArray(v) && /^\d+$/.test(part)) {
      array = true;
      v = v[Number(part)];
    } else if (isDoc(v)) v = field(v, part);
    else if (v === undefined) break;
    else
      throw new EngineError(
        'PathNotViable',
        `Cannot create field '${part}' in element {${parts[i - 1] ?? ''}: ${show(v)}}`,
      );
  }
  if (array && (which === 'destination' || v !== undefined))
    throw bad(`The ${which} field cannot be an array element, '${parts.join('.')}'`);
  return v;
}

function replacement(document: Doc, options: UpdateOptions): Update {
  if (options.multi) throw failed('multi update is not supported for replacement-style update');
  const dollar = Object.keys(document).find((k) => k.startsWith('$'));
  if (dollar !== undefined)
    throw new EngineError(
      'DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${dollar}' in '${dollar}' is not allowed in the context of an update's replacement document.`,
    );
  return {
    isReplacement: true,
    apply(doc) {
      const after = { _id: document['_id'] ?? doc['_id'], ...withoutId(document) };
      assertSameId(doc, after);
      return same(after, doc) ? doc : after;
    },
    insertFor(filter) {
      const id = equalities(filter).find(([path]) => path === '_id')?.[1];
      if (id !== undefined && document['_id'] !== undefined) assertSameId({ _id: id }, document);
      return withId({ ...(id !== undefined && { _id: id }), ...document });
    },
  };
}

const withoutId = ({ _id, ...rest }: Doc): Doc => rest;

function pipelineUpdate(stages: readonly Value[], variables: Variables): Update {
  const allowed = ['$addFields', '$set', '$project', '$unset', '$replaceRoot', '$replaceWith'];
  const compiled = stages.map((stage) => {
    if (!isDoc(stage) || Object.keys(stage).length !== 1)
      throw new EngineError(40323, 'A pipeline stage specification object must contain exactly one field.');
    const [[name, spec]] = Object.entries(stage) as [[string, Value]];
    const run = allowed.includes(name) ? oneToOne(name, spec) : undefined;
    if (!run) throw new EngineError('InvalidOptions', `${name} is not allowed to be used within an update`);
    return run;
  });
  const run = (doc: Doc): Doc => compiled.reduce((d, stage) => stage(d, variables), doc);
  return {
    isReplacement: false,
    apply(doc) {
      const after = run(doc);
      const result = after['_id'] === undefined ? { _id: doc['_id'], ...after } : after;
      assertSameId(doc, result);
      return same(result, doc) ? doc : result;
    },
    insertFor: (filter) => withId(run(base(filter))),
  };
}
