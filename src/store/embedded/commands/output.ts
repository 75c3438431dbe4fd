import { Int32 } from 'bson';
import { equals } from '../bson/compare.js';
import { isDoc, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { compileExpression } from '../aggregate/expression.js';
import { assertVariable } from '../aggregate/operators/arguments.js';
import type { Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import { find as findDocuments } from '../query/execute.js';
import { plainPath } from '../query/path.js';
import { checkName, type Collection, SYSTEM_DATABASES } from '../storage/catalogue.js';
import type { Transaction } from '../transactions/transactions.js';
import { compileUpdate } from '../update/apply.js';
import { type Context, ensureCollection } from './command.js';
import { checked } from './fields.js';
import { assertNotView } from './views.js';

const MATCHED = ['replace', 'keepExisting', 'merge', 'fail'];
const NOT_MATCHED = ['insert', 'discard', 'fail'];

/** Pairs of modes that MongoDB does not have. https://www.mongodb.com/docs/manual/reference/operator/aggregation/merge/ */
const UNSUPPORTED: readonly (readonly [matched: string, missing: string])[] = [
  ['keepExisting', 'discard'],
  ['keepExisting', 'fail'],
  ['fail', 'discard'],
  ['fail', 'fail'],
];

interface Merge {
  readonly on: readonly string[];
  readonly matched: string | readonly Value[];
  readonly missing: string;
  readonly bindings: readonly (readonly [string, ReturnType<typeof compileExpression>])[];
}

interface Target {
  readonly db: string;
  readonly name: string;
  readonly options: Doc;
}

/** @throws {EngineError} 14, 16990, 40414, 40415, 73, 17385, 31321: not a collection that can be put in another's place */
function outTarget(spec: Value, db: string): Target {
  if (typeof spec !== 'string' && !isDoc(spec))
    throw new EngineError(16990, `$out only supports a string or object argument, but found ${typeName(spec)}`);
  const given: Doc = isDoc(spec)
    ? checked(spec, '$out', { db: 'string', coll: 'string', timeseries: 'object' })
    : { db, coll: spec };
  for (const name of ['db', 'coll'])
    if (given[name] === undefined)
      throw new EngineError(40414, `BSON field '$out.${name}' is missing but a required field`);
  if (given['timeseries'] !== undefined)
    throw new EngineError('NotImplemented', '$out to a time series is not supported by the embedded engine');
  const [into, name] = [String(given['db']), String(given['coll'])];
  if (name.startsWith('system.')) throw new EngineError(17385, `Can't $out to special collection: ${name}`);
  checkName(into, name);
  if (SYSTEM_DATABASES.includes(into)) throw new EngineError(31321, `Can't $out to internal database: ${into}`);
  return { db: into, name, options: {} };
}

/** @throws {EngineError} 51182, 51178, 40414, 40415, 5786800, 31319, 31320: not a collection that can be merged into */
function mergeTarget(spec: Value, db: string): Target {
  if (typeof spec !== 'string' && !isDoc(spec))
    throw new EngineError(51182, `$merge only supports a string or object argument, not ${typeName(spec)}`);
  const options: Doc = isDoc(spec)
    ? checked(spec, '$merge', { into: 'own', on: 'own', let: 'object', whenMatched: 'own', whenNotMatched: 'string' })
    : { into: spec };
  const { into } = options;
  if (into === undefined || into === null)
    throw new EngineError(40414, "BSON field '$merge.into' is missing but a required field");
  if (typeof into !== 'string' && !isDoc(into))
    throw new EngineError(
      51178,
      `$merge 'into' field must be either a string or an object, but found ${typeName(into)}`,
    );
  const target: Doc = isDoc(into) ? checked(into, '$merge.into', { db: 'string', coll: 'string' }) : { coll: into };
  const [where, name] = [String(target['db'] ?? db), target['coll']];
  if (typeof name !== 'string' || name === '')
    throw new EngineError(5786800, "$merge 'into' field must specify a 'coll' that is not empty");
  if (name.startsWith('system.')) throw new EngineError(31319, `Cannot $merge to special collection: ${name}`);
  checkName(where, name);
  if (SYSTEM_DATABASES.includes(where)) throw new EngineError(31320, `Cannot $merge to internal database: ${where}`);
  return { db: where, name, options };
}

function mergeOf(options: Doc): Merge {
  const { on = '_id', whenMatched = 'merge', whenNotMatched = 'insert' } = options as Record<string, Value>;
  if (typeof on !== 'string' && !Array.isArray(on))
    throw new EngineError(
      51186,
      `$merge 'on' field must be either a string or an array of strings, but found ${typeName(on)}`,
    );
  const names = Array.isArray(on) ? on : [on];
  if (names.length === 0)
    throw new EngineError(51187, 'If explicitly specified, $merge on field cannot be an empty array');
  const fields = names.map((n) => {
    if (typeof n !== 'string') throw new EngineError(51134, `$merge 'on' array elements must be strings`);
    return n;
  });
  if (new Set(fields).size < fields.length)
    throw new EngineError(31465, `Found a duplicate field in the $merge.on list: '${fields.join(', ')}'`);
  if (!Array.isArray(whenMatched) && typeof whenMatched !== 'string')
    throw new EngineError(
      51191,
      `$merge 'whenMatched' field must be either a string or an array, but found ${typeName(whenMatched)}`,
    );
  if (!Array.isArray(whenMatched) && !(typeof whenMatched === 'string' && MATCHED.includes(whenMatched)))
    throw new EngineError(
      'BadValue',
      `Enumeration value '${String(whenMatched)}' for field 'whenMatched' is not a valid value.`,
    );
  if (typeof whenNotMatched !== 'string' || !NOT_MATCHED.includes(whenNotMatched))
    throw new EngineError(
      'BadValue',
      `Enumeration value '${String(whenNotMatched)}' for field 'whenNotMatched' is not a valid value.`,
    );
  if (UNSUPPORTED.some(([a, b]) => a === whenMatched && b === whenNotMatched))
    throw new EngineError(
      51181,
      `Combination of $merge modes whenMatched: ${String(whenMatched)} and whenNotMatched: ${whenNotMatched} is not supported`,
    );
  const variables = options['let'];
  if (variables !== undefined && !Array.isArray(whenMatched))
    throw new EngineError(51199, "Cannot use 'let' variables with a whenMatched mode other than a pipeline");
  if (isDoc(variables) && 'new' in variables)
    throw new EngineError(51273, "'let' may not define a value for the reserved 'new' variable other than '$$ROOT'");
  for (const name of Object.keys(variables ?? {})) assertVariable(name);
  const given = { new: '$$ROOT', ...(isDoc(variables) && variables) };
  return {
    on: fields,
    matched: whenMatched,
    missing: whenNotMatched,
    bindings: Object.entries(given).map(([k, v]) => [k, compileExpression(v)] as const),
  };
}

/** @throws {EngineError} 51183: nothing keeps the fields of `on` unique */
function assertUnique(collection: Collection, on: readonly string[]): void {
  if (on.length === 1 && on[0] === '_id') return;
  const unique = collection.indexes.some(
    ({ index: { spec } }) =>
      spec.unique === true &&
      !spec.partialFilterExpression &&
      equals(Object.keys(spec.key).toSorted(), [...on].toSorted()),
  );
  if (!unique) throw new EngineError(51183, `Cannot find index to verify that join fields will be unique`);
}

/** Writes one document. What `whenMatched: 'fail'` refuses is returned: MongoDB writes the others all the same. */
function mergeOne(
  tx: Transaction,
  writer: Writer,
  c: Collection,
  doc: Doc,
  merge: Merge,
  now: Date,
): EngineError | undefined {
  const filter: Doc = {};
  for (const field of merge.on) {
    const v = plainPath(doc, field);
    if (Array.isArray(v)) throw new EngineError(51185, `$merge write error: 'on' field '${field}' cannot be an array`);
    if (v === undefined || v === null)
      throw new EngineError(51132, `$merge write error: 'on' field cannot be missing, null, undefined or an array`);
    filter[field] = { $eq: v };
  }
  const [there] = [...findDocuments(tx, c, { filter, limit: 1 })];
  const { matched, missing } = merge;
  if (!there) {
    if (missing === 'fail')
      throw new EngineError(
        13113,
        '$merge could not find a matching document in the target collection for at least one document in the source collection',
      );
    if (missing === 'insert') writer.insert(c, doc);
    return undefined;
  }
  const before = there.doc;
  if (matched === 'fail')
    return new EngineError(
      'DuplicateKey',
      `$merge failed due to a DuplicateKey error :: caused by :: E11000 duplicate key error collection: ${c.db}.${c.name}`,
      { extra: { keyPattern: Object.fromEntries(merge.on.map((k) => [k, new Int32(1)])), keyValue: filter } },
    );
  if (matched === 'keepExisting') return undefined;
  const after = typeof matched === 'string' ? joined(before, doc, matched) : piped(before, doc, matched, merge, now);
  if (after !== before) writer.replace(c, before, after);
  return undefined;
}

/** @throws {EngineError} 66: another _id */
function joined(before: Doc, doc: Doc, matched: string): Doc {
  if (doc['_id'] !== undefined && !equals(doc['_id'], before['_id']))
    throw new EngineError(
      'ImmutableField',
      '$merge failed to update the matching document, did you attempt to modify the _id or the shard key?',
    );
  // `_id` stands first in both.
  return matched === 'merge' ? { ...before, ...doc, _id: before['_id'] } : { _id: before['_id'], ...doc };
}

function piped(before: Doc, doc: Doc, stages: readonly Value[], { bindings }: Merge, now: Date): Doc {
  const bound = Object.fromEntries(bindings.map(([k, evaluate]) => [k, evaluate(doc, { now, let: {} })]));
  return compileUpdate(stages, { multi: false, now, let: bound }).apply(before);
}

/**
 * $out and $merge: all of it in one commit.
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/merge/
 */
export async function store(
  context: Context,
  { stage, spec }: { stage: string; spec: Value },
  running: AsyncIterable<Doc>,
): Promise<void> {
  if (context.session.inTransaction)
    throw new EngineError('OperationNotSupportedInTransaction', `${stage} cannot be used in a transaction`);
  const { db, name, options } = (stage === '$out' ? outTarget : mergeTarget)(spec, context.db);
  const merge = stage === '$merge' ? mergeOf(options) : undefined;
  const found: Doc[] = [];
  for await (const doc of running) found.push(doc);
  assertNotView(context.engine.catalogue, db, stage, name);
  const collection = await ensureCollection(context, db, name);
  if (!merge && collection.options.capped !== undefined)
    throw new EngineError(17152, `namespace '${db}.${name}' is capped so it can't be used for $out`);
  if (merge) assertUnique(collection, merge.on);
  let refused: EngineError | undefined;
  await context.write((tx, writer) => {
    if (merge) for (const doc of found) refused = mergeOne(tx, writer, collection, doc, merge, new Date()) ?? refused;
    else {
      for (const { doc } of [...findDocuments(tx, collection, { filter: {} })]) writer.remove(collection, doc);
      for (const doc of found) writer.insert(collection, doc);
    }
    return {};
  });
  if (refused) throw refused;
}
