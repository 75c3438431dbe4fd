import { find as findDocuments } from '../query/execute.js';
import { isDoc } from '../bson/types.js';
import { type Doc, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileUpdate } from '../update/apply.js';
import { type Context, ensureCollection } from './command.js';

/** $out and $merge: all of it in one commit. */
export async function store(
  context: Context,
  { stage, spec }: { stage: string; spec: Value },
  running: AsyncIterable<Doc>,
): Promise<void> {
  const { engine } = context;
  if (context.session.inTransaction)
    throw new EngineError('OperationNotSupportedInTransaction', `${stage} cannot be used in a transaction`);
  const options: Record<string, Value> = isDoc(spec) ? spec : stage === '$out' ? { coll: spec } : { into: spec };
  const into = stage === '$out' ? options['coll'] : options['into'];
  const db =
    isDoc(into) && typeof into['db'] === 'string'
      ? into['db']
      : typeof options['db'] === 'string'
        ? options['db']
        : context.db;
  const name = isDoc(into) ? into['coll'] : into;
  if (typeof name !== 'string') throw new EngineError('FailedToParse', `${stage} needs a collection`);
  const found: Doc[] = [];
  for await (const doc of running) found.push(doc);
  const collection = await ensureCollection(engine, db, name);
  const on = options['on'] ?? '_id';
  const keys = (Array.isArray(on) ? on : [on]).filter((k) => typeof k === 'string');
  const matched = options['whenMatched'] ?? 'merge';
  const missing = options['whenNotMatched'] ?? 'insert';
  await context.write((tx, writer) => {
    if (stage === '$out') {
      for (const { doc } of [...findDocuments(tx, collection, { filter: {} })]) writer.remove(collection, doc);
      for (const doc of found) writer.insert(collection, doc);
      return {};
    }
    for (const doc of found) {
      const [there] = [
        ...findDocuments(tx, collection, {
          filter: Object.fromEntries(keys.map((k) => [k, { $eq: doc[k] ?? null }])),
          limit: 1,
        }),
      ];
      if (!there) {
        if (missing === 'fail')
          throw new EngineError(
            13113,
            '$merge could not find a matching document in the target collection for at least one document in the source collection',
          );
        if (missing === 'insert') writer.insert(collection, doc);
      } else if (matched === 'fail') throw new EngineError('DuplicateKey', '$merge found a matching document');
      else if (matched === 'replace') writer.replace(collection, there.doc, { _id: there.doc['_id'], ...doc });
      else if (matched === 'merge')
        writer.replace(collection, there.doc, { ...there.doc, ...doc, _id: there.doc['_id'] });
      else if (Array.isArray(matched)) {
        const update = compileUpdate(matched, { multi: false, now: new Date(), let: { new: doc } });
        writer.replace(collection, there.doc, update.apply(there.doc));
      }
    }
    return {};
  });
}
