import { Int32 } from 'bson';
import { equals } from '../bson/compare.js';
import { isDoc, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { compileExpression } from '../aggregate/expression.js';
import type { Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import { find as findDocuments } from '../query/execute.js';
import { plainPath } from '../query/path.js';
import type { Collection } from '../storage/catalogue.js';
import type { Transaction } from '../transactions/transactions.js';
import { compileUpdate } from '../update/apply.js';
import { type Context, ensureCollection } from './command.js';

const MATCHED = ['replace', 'keepExisting', 'merge', 'fail'];
const NOT_MATCHED = ['insert', 'discard', 'fail'];

interface Merge {
  readonly on: readonly string[];
  readonly matched: string | readonly Value[];
  readonly missing: string;
  readonly bindings: readonly (readonly [string, ReturnType<typeof compileExpression>])[];
}

/** @throws {EngineError} 9, 40415: no such option, or one of the wrong kind */
function targetOf(stage: string, spec: Value, db: string): { db: string; name: string; options: Doc } {
  const options: Doc = isDoc(spec) ? spec : stage === '$out' ? { coll: spec } : { into: spec };
  const into = stage === '$out' ? options : options['into'];
  const known = stage === '$out' ? ['db', 'coll'] : ['into', 'on', 'let', 'whenMatched', 'whenNotMatched'];
  const odd = Object.keys(options).find((k) => !known.includes(k));
  if (odd !== undefined) throw new EngineError(40415, `BSON field '${stage}.${odd}' is an unknown field.`);
  const name = isDoc(into) ? into['coll'] : into;
  const inside = isDoc(into) ? into['db'] : undefined;
  if (typeof name !== 'string' || name === '')
    throw new EngineError(
      stage === '$out' ? 16990 : 51178,
      `${stage} only supports a string or object argument, not ${typeName(spec)}`,
    );
  return { db: typeof inside === 'string' ? inside : db, name, options };
}

function mergeOf(options: Doc): Merge {
  const { on = '_id', whenMatched = 'merge', whenNotMatched = 'insert' } = options as Record<string, Value>;
  const names = Array.isArray(on) ? on : [on];
  if (names.length === 0)
    throw new EngineError(51187, 'If explicitly specified, $merge on field cannot be an empty array');
  const fields = names.map((n) => {
    if (typeof n !== 'string') throw new EngineError(51134, `$merge 'on' array elements must be strings`);
    return n;
  });
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
  const variables = options['let'];
  if (variables !== undefined && !Array.isArray(whenMatched))
    throw new EngineError(51199, "Cannot use 'let' variables with a whenMatched mode other than a pipeline");
  const given = isDoc(variables) ? variables : { new: '$$ROOT' };
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

function mergeOne(tx: Transaction, writer: Writer, c: Collection, doc: Doc, merge: Merge, now: Date): void {
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
    return;
  }
  const before = there.doc;
  if (matched === 'fail')
    throw new EngineError(
      'DuplicateKey',
      `$merge failed due to a DuplicateKey error :: caused by :: E11000 duplicate key error collection: ${c.db}.${c.name}`,
      { extra: { keyPattern: Object.fromEntries(merge.on.map((k) => [k, new Int32(1)])), keyValue: filter } },
    );
  if (matched === 'keepExisting') return;
  const after = typeof matched === 'string' ? joined(before, doc, matched) : piped(before, doc, matched, merge, now);
  if (after !== before) writer.replace(c, before, after);
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
  const { engine } = context;
  if (context.session.inTransaction)
    throw new EngineError('OperationNotSupportedInTransaction', `${stage} cannot be used in a transaction`);
  const { db, name, options } = targetOf(stage, spec, context.db);
  const merge = stage === '$merge' ? mergeOf(options) : undefined;
  const found: Doc[] = [];
  for await (const doc of running) found.push(doc);
  const collection = await ensureCollection(engine, db, name);
  if (merge) assertUnique(collection, merge.on);
  await context.write((tx, writer) => {
    if (merge) for (const doc of found) mergeOne(tx, writer, collection, doc, merge, new Date());
    else {
      for (const { doc } of [...findDocuments(tx, collection, { filter: {} })]) writer.remove(collection, doc);
      for (const doc of found) writer.insert(collection, doc);
    }
    return {};
  });
}
