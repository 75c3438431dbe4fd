import { Long } from 'bson';
import { compilePipeline, type PipelineEnv } from '../aggregate/pipeline.js';
import { isDoc, toInteger } from '../bson/types.js';
import { type Doc, encode, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { distinctValues } from '../query/distinct.js';
import { countMatching, find as findDocuments, type FindRequest } from '../query/execute.js';
import { compileFilter } from '../query/match.js';
import { compileProjection } from '../query/projection.js';
import type { Transaction } from '../transactions/transactions.js';
import { compileUpdate } from '../update/apply.js';
import { cursorReply } from '../wire/message.js';
import {
  type Command,
  type Context,
  ensureCollection,
  hintOf,
  int,
  optionalBoolean,
  optionalDoc,
  optionalNumber,
  text,
} from './command.js';

const DEFAULT_BATCH = 101;

/** Other commands get their turn. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const nonNegative = (command: Doc, name: string): number | undefined => {
  const n = optionalNumber(command, name);
  if (n !== undefined && n < 0)
    throw new EngineError(
      name === 'batchSize' || name === 'skip' ? 51024 : 'BadValue',
      `BSON field '${name}' value must be >= 0, actual value '${n}'`,
    );
  return n;
};

export const find: Command = {
  help: 'Finds documents.',
  fields: [
    'find',
    'filter',
    'sort',
    'projection',
    'hint',
    'skip',
    'limit',
    'batchSize',
    'singleBatch',
    'allowDiskUse',
    'noCursorTimeout',
    'let',
    'allowPartialResults',
    'returnKey',
    'showRecordId',
    'tailable',
    'awaitData',
    'min',
    'max',
    'collation',
    'oplogReplay',
    'ntoreturn',
  ],
  inTransaction: true,
  async run(context) {
    const { command, engine, db } = context;
    const name = text(command, 'find');
    for (const field of ['returnKey', 'showRecordId', 'tailable', 'awaitData'])
      if (optionalBoolean(command, field))
        throw new EngineError('NotImplemented', `${field} is not supported by the embedded engine`);
    for (const field of ['min', 'max', 'collation'])
      if (isDoc(command[field]) && Object.keys(command[field]).length > 0)
        throw new EngineError('NotImplemented', `${field} is not supported by the embedded engine`);
    const givenLimit = optionalNumber(command, 'limit') ?? 0;
    const request: FindRequest = {
      filter: optionalDoc(command, 'filter') ?? {},
      sort: optionalDoc(command, 'sort'),
      skip: nonNegative(command, 'skip'),
      limit: Math.abs(givenLimit),
      hint: hintOf(command['hint']),
      let: optionalDoc(command, 'let'),
      now: new Date(),
      memoryLimitBytes: engine.memoryLimitBytes,
      ...(optionalBoolean(command, 'allowDiskUse') && { allowDiskUse: true }),
    };
    const projection = optionalDoc(command, 'projection');
    const filter = compileFilter(request.filter, { ...(request.let && { let: request.let }) });
    const project =
      projection && Object.keys(projection).length > 0
        ? compileProjection(projection, filter, { now: request.now ?? new Date(), let: request.let ?? {} })
        : undefined;
    const { tx, release } = context.snapshot();
    const source = bytesOf(findDocuments(tx, engine.catalogue.find(db, name), request, filter), project);
    const namespace = `${db}.${name}`;
    const single = (optionalBoolean(command, 'singleBatch') ?? false) || givenLimit < 0;
    const { docs: batch, id } = await engine.cursors.open(source, {
      namespace,
      batchSize: nonNegative(command, 'batchSize') ?? DEFAULT_BATCH,
      single,
      ...(request.limit && { limit: request.limit }),
      tx,
      release,
    });
    return cursorReply('firstBatch', batch, id, namespace);
  },
};

function* bytesOf(
  found: Iterable<{ bytes: Uint8Array; doc: Doc }>,
  project: ((doc: Doc) => Doc) | undefined,
): Iterator<Uint8Array> {
  for (const f of found) yield project ? encode(project(f.doc)) : f.bytes;
}

export const getMore: Command = {
  help: 'Gives the next documents of a cursor.',
  fields: ['getMore', 'collection', 'batchSize'],
  inTransaction: true,
  async run({ command, engine, db }) {
    const id = command['getMore'];
    if (!(id instanceof Long))
      throw new EngineError('TypeMismatch', "BSON field 'getMore.getMore' is the wrong type, expected type 'long'");
    const namespace = `${db}.${text(command, 'collection')}`;
    const batchSize = nonNegative(command, 'batchSize');
    const { docs: batch, id: next } = await engine.cursors.more(
      id.toBigInt(),
      namespace,
      batchSize === undefined || batchSize === 0 ? Number.MAX_SAFE_INTEGER : batchSize,
    );
    return cursorReply('nextBatch', batch, next, namespace);
  },
};

export const killCursors: Command = {
  help: 'Closes cursors.',
  fields: ['killCursors', 'cursors'],
  run({ command, engine }) {
    const ids = command['cursors'];
    if (!Array.isArray(ids))
      throw new EngineError(40414, "BSON field 'killCursors.cursors' is missing but a required field");
    const done = ids
      .filter((id): id is Long => id instanceof Long)
      .map((id) => ({ id, killed: engine.cursors.kill(id.toBigInt()) }));
    return {
      cursorsKilled: done.filter((d) => d.killed).map((d) => d.id),
      cursorsNotFound: done.filter((d) => !d.killed).map((d) => d.id),
      cursorsAlive: [],
      cursorsUnknown: [],
    };
  },
};

export const count: Command = {
  help: 'Counts documents.',
  fields: ['count', 'query', 'limit', 'skip', 'hint', 'fields', 'collation'],
  inTransaction: false,
  run(context) {
    const { command, engine, db } = context;
    const { tx, release } = context.snapshot();
    try {
      const request = {
        filter: optionalDoc(command, 'query') ?? {},
        limit: Math.abs(optionalNumber(command, 'limit') ?? 0),
        skip: nonNegative(command, 'skip'),
        hint: hintOf(command['hint']),
      };
      return { n: int(countMatching(tx, engine.catalogue.find(db, text(command, 'count')), request)) };
    } finally {
      release();
    }
  },
};

export const distinct: Command = {
  help: 'The different values of a field.',
  fields: ['distinct', 'key', 'query', 'hint', 'collation'],
  inTransaction: true,
  run(context) {
    const { command, engine, db } = context;
    const key = text(command, 'key');
    const { tx, release } = context.snapshot();
    try {
      const found = findDocuments(tx, engine.catalogue.find(db, text(command, 'distinct')), {
        filter: optionalDoc(command, 'query') ?? {},
        hint: hintOf(command['hint']),
      });
      return { values: distinctValues(documentsOf(found), key) };
    } finally {
      release();
    }
  },
};

function* documentsOf(found: Iterable<{ doc: Doc }>): Iterable<Doc> {
  for (const { doc } of found) yield doc;
}

export const aggregate: Command = {
  help: 'Runs an aggregation pipeline.',
  fields: [
    'aggregate',
    'pipeline',
    'cursor',
    'allowDiskUse',
    'hint',
    'let',
    'bypassDocumentValidation',
    'explain',
    'collation',
    'fromMongos',
    'needsMerge',
  ],
  inTransaction: true,
  async run(context) {
    const { command, engine, db } = context;
    const target = command['aggregate'];
    const name = typeof target === 'string' ? target : toInteger(target) === 1 ? undefined : text(command, 'aggregate');
    if (!isDoc(command['cursor']) && command['explain'] === undefined)
      throw new EngineError(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    if (command['collation'] !== undefined && Object.keys(command['collation'] as object).length > 0)
      throw new EngineError('NotImplemented', 'collation is not supported by the embedded engine');
    const stages = command['pipeline'];
    if (!Array.isArray(stages))
      throw new EngineError('TypeMismatch', "'pipeline' option must be specified as an array");
    const { tx, release } = context.snapshot();
    const letSpec = optionalDoc(command, 'let') ?? {};
    const env: PipelineEnv = {
      variables: { now: new Date(), let: letSpec },
      read: (collection, request) =>
        documentsOf(
          findDocuments(tx, engine.catalogue.find(db, collection), {
            ...request,
            filter: request.filter ?? {},
            memoryLimitBytes: engine.memoryLimitBytes,
          }),
        ),
      memoryLimitBytes: engine.memoryLimitBytes,
      allowDiskUse: optionalBoolean(command, 'allowDiskUse') ?? true,
      pause,
    };
    let running: AsyncIterable<Doc>;
    let writes: ReturnType<typeof compilePipeline>['writes'];
    try {
      const pipeline = compilePipeline(stages, env);
      if (name === undefined && !pipeline.startsWithoutCollection)
        throw new EngineError(
          73,
          "{aggregate: 1} is not valid for the pipeline's first stage; a collection is required",
        );
      const request = {
        ...pipeline.leading,
        filter: pipeline.leading.filter ?? {},
        hint: hintOf(command['hint']),
        memoryLimitBytes: engine.memoryLimitBytes,
        ...(env.allowDiskUse && { allowDiskUse: true }),
      };
      running = pipeline.run(
        name === undefined ? [] : documentsOf(findDocuments(tx, engine.catalogue.find(db, name), request)),
      );
      writes = pipeline.writes;
    } catch (error) {
      release();
      throw error;
    }
    const namespace = `${db}.${name ?? '$cmd.aggregate'}`;
    if (writes) {
      try {
        await store(context, writes, running);
      } finally {
        release();
      }
      return cursorReply('firstBatch', [], 0n, namespace);
    }
    const cursorOptions = optionalDoc(command, 'cursor') ?? {};
    const { docs: batch, id } = await engine.cursors.open(encoded(running), {
      namespace,
      batchSize: nonNegative(cursorOptions, 'batchSize') ?? DEFAULT_BATCH,
      single: false,
      tx,
      release,
    });
    return cursorReply('firstBatch', batch, id, namespace);
  },
};

async function* encoded(docsOf: AsyncIterable<Doc>): AsyncIterator<Uint8Array> {
  for await (const doc of docsOf) yield encode(doc);
}

/** $out and $merge: all of it in one commit. */
async function store(
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

export const explain: Command = {
  help: 'Tells how a command would find its documents.',
  fields: ['explain', 'verbosity'],
  async run(context) {
    const inner = optionalDoc(context.command, 'explain') ?? {};
    const name = [inner['find'], inner['aggregate'], inner['count'], inner['distinct']].find(
      (n) => typeof n === 'string',
    );
    if (typeof name !== 'string')
      throw new EngineError(
        'NotImplemented',
        `explain of ${Object.keys(inner)[0] ?? 'nothing'} is not supported by the embedded engine`,
      );
    const { explainFind } = await import('../query/explain.js');
    const { tx, release } = context.snapshot();
    try {
      const leading = Array.isArray(inner['pipeline']) ? leadingOf(context, inner['pipeline'], tx) : {};
      const request: FindRequest = {
        filter: optionalDoc(inner, 'filter') ?? optionalDoc(inner, 'query') ?? leading.filter ?? {},
        sort: optionalDoc(inner, 'sort') ?? leading.sort,
        limit: optionalNumber(inner, 'limit') ?? leading.limit,
        skip: optionalNumber(inner, 'skip'),
        hint: hintOf(inner['hint']),
      };
      return explainFind(
        tx,
        context.engine.catalogue.find(context.db, name),
        `${context.db}.${name}`,
        request,
        context.command['verbosity'] !== 'queryPlanner',
      );
    } finally {
      release();
    }
  },
};

function leadingOf(
  context: Context,
  stages: readonly Value[],
  tx: Transaction,
): { filter?: Doc; sort?: Doc; limit?: number } {
  void tx;
  return compilePipeline(stages, {
    variables: { now: new Date(), let: {} },
    read: () => [],
    memoryLimitBytes: context.engine.memoryLimitBytes,
    allowDiskUse: true,
    pause,
  }).leading;
}
