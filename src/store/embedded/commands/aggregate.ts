import { Long } from 'bson';
import { compilePipeline } from '../aggregate/pipeline.js';
import type { PipelineEnv } from '../aggregate/stage.js';
import { depthOf, isDoc, isNumeric, toNumber, truthy } from '../bson/types.js';
import { type Doc, encode, MAX_DOCUMENT, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { readsMany, search, searchFields, textIndexOf } from '../query/execute.js';
import type { Transaction } from '../transactions/transactions.js';
import { cursorReply } from '../wire/message.js';
import { aboutCollection } from './about-collection.js';
import { collationFor } from './collation.js';
import { variablesOf, type Command, hintOf, collectionName, type Reading } from './command.js';
import { explained } from './explain.js';
import { store } from './output.js';
import { assertViewCollation, sourceOf } from './views.js';
import { batchSizeOf, DEFAULT_BATCH, decoded, openedIn, pause } from './reading.js';

/** So many documents or index entries take some milliseconds: a pipeline that begins with them goes to a reader. */
const MANY = 2000;

/** So many documents and arrays may lie in each other in what a request asks. */
const MOST_LEVELS = 200;

/** The results as they are sent. @throws {EngineError} 10334: a document of the result is larger than one may be */
async function* encoded(docsOf: AsyncIterable<Doc>): AsyncIterator<Uint8Array> {
  for await (const doc of docsOf) {
    const bytes = encode(doc);
    if (bytes.length > MAX_DOCUMENT)
      throw new EngineError('BSONObjectTooLarge', `a result of ${bytes.length} bytes, max size: ${MAX_DOCUMENT}`);
    yield bytes;
  }
}

/** What `aggregate: 1` has for the name of a collection. */
const NO_COLLECTION = '$cmd.aggregate';

/** The collection; undefined: `aggregate: 1`, which reads none. @throws {EngineError} 2, 73: neither */
function targetOf(command: Doc): string | undefined {
  const target = command['aggregate'];
  if (!isNumeric(target)) {
    const name = collectionName(command, 'aggregate');
    if (name === NO_COLLECTION) throw new EngineError('InvalidNamespace', `Invalid namespace specified '${name}'`);
    return name;
  }
  if (toNumber(target) === 1) return undefined;
  throw new EngineError(
    'BadValue',
    "Invalid command format: the 'aggregate' field must specify a collection name or 1",
  );
}

/** The pipeline as it was sent. @throws {EngineError} 9, 14, 73, 40414: none, or not as it must be; 9: explained with a write concern */
function stagesOf(command: Doc, name: string | undefined): readonly Value[] {
  const { cursor, pipeline } = command;
  if (cursor !== undefined && !isDoc(cursor))
    throw new EngineError('TypeMismatch', 'cursor field must be missing or an object');
  if (cursor === undefined && command['explain'] === undefined)
    throw new EngineError(
      'FailedToParse',
      "The 'cursor' option is required, except for aggregate with the explain argument",
    );
  if (truthy(command['explain']) && command['writeConcern'] !== undefined)
    throw new EngineError('FailedToParse', "Aggregation explain does not support the 'writeConcern' option");
  if (pipeline === undefined)
    throw new EngineError(40414, "BSON field 'aggregate.pipeline' is missing but a required field");
  if (!Array.isArray(pipeline))
    throw new EngineError('TypeMismatch', "'pipeline' option must be specified as an array");
  if (depthOf(pipeline) > MOST_LEVELS)
    throw new EngineError('Overflow', `the pipeline exceeds the maximum nested object depth: ${MOST_LEVELS}`);
  const [first] = pipeline;
  if (name !== undefined && isDoc(first) && '$documents' in first)
    throw new EngineError('InvalidNamespace', '$documents is only valid with {aggregate: 1}');
  return pipeline;
}

/** A request's pipeline over a snapshot, compiled; nothing is read yet. */
function prepare(reading: Reading, tx: Transaction) {
  const { engine, db, command } = reading;
  const name = targetOf(command);
  const own = stagesOf(command, name);
  const source = name === undefined ? undefined : sourceOf(engine.catalogue, db, name);
  const collection = source && engine.catalogue.find(db, source.name, tx);
  const collation = collationFor(command, name === undefined ? undefined : engine.catalogue.find(db, name, tx));
  if (name !== undefined) assertViewCollation(engine.catalogue, db, name, collation);
  const env: PipelineEnv = {
    variables: { now: new Date(), let: variablesOf(command) ?? {}, collation },
    collation,
    text: textIndexOf(collection),
    source(from) {
      assertViewCollation(engine.catalogue, db, from, collation);
      const inner = sourceOf(engine.catalogue, db, from);
      const text = textIndexOf(engine.catalogue.find(db, inner.name, tx));
      return { ...inner, of: { text, about: aboutCollection(reading, inner.name) } };
    },
    read(from, request) {
      return decoded(
        search(tx, engine.catalogue.find(db, from, tx), {
          ...request,
          filter: request.filter ?? {},
          memoryLimitBytes: engine.memoryLimitBytes,
        }),
      );
    },
    memoryLimitBytes: engine.memoryLimitBytes,
    pause() {
      tx.checkTime();
      return pause();
    },
    about: aboutCollection(reading, source?.name),
  };
  const pipeline = compilePipeline([...(source?.stages ?? []), ...own], env);
  if (name === undefined && !pipeline.startsWithoutCollection)
    throw new EngineError(73, "{aggregate: 1} is not valid for the pipeline's first stage; a collection is required");
  const request = {
    ...pipeline.leading,
    filter: pipeline.leading.filter ?? {},
    hint: hintOf(command['hint']),
    memoryLimitBytes: engine.memoryLimitBytes,
  };
  return {
    namespace: `${db}.${name ?? NO_COLLECTION}`,
    writes: pipeline.writes,
    long: (): boolean => !pipeline.startsWithoutCollection && readsMany(tx, collection, request, MANY),
    run: (): AsyncIterable<Doc> =>
      pipeline.run(name === undefined ? [] : searchFields(tx, collection, request, pipeline.fields)),
  };
}

/** What an aggregation that writes nothing finds, over a snapshot. */
export const documentsOf = (reading: Reading, tx: Transaction): AsyncIterable<Doc> => prepare(reading, tx).run();

/** The same as it is sent: what a reader does of the command. */
export const rowsOf = (reading: Reading, tx: Transaction): AsyncIterator<Uint8Array> =>
  encoded(documentsOf(reading, tx));

export const aggregate: Command = {
  help: 'Runs an aggregation pipeline.',
  fields: {
    pipeline: 'own',
    cursor: 'own',
    allowDiskUse: 'switch',
    hint: 'hint',
    let: 'object',
    bypassDocumentValidation: 'flag',
    explain: 'flag',
    collation: 'object',
    collectionUUID: 'own',
    fromMongos: 'flag',
    needsMerge: 'flag',
  },
  writes: true,
  reads: true,
  inTransaction: true,
  async run(context) {
    const { command, engine, db, session } = context;
    if (truthy(command['explain'])) {
      stagesOf(command, targetOf(command));
      return explained(context, { sent: command, inner: command }, 'queryPlanner');
    }
    const batchSize = batchSizeOf(command, 'aggregate') ?? DEFAULT_BATCH;
    const { tx, release } = context.snapshot();
    try {
      const { namespace, writes, long, run } = prepare(context, tx);
      if (writes) {
        const concern = command['readConcern'];
        if (isDoc(concern) && concern['level'] === 'linearizable')
          throw new EngineError(
            'InvalidOptions',
            `${writes.stage} cannot be used with a 'linearizable' read concern level`,
          );
        await store(context, writes, run());
        release();
        // A document, so that a write concern that was not met can be told.
        return { cursor: { firstBatch: [], id: Long.ZERO, ns: namespace } };
      }
      // What a transaction has written is known to this thread alone.
      const away =
        engine.readers && !session.inTransaction && long()
          ? engine.readers.run({ db, command, deadline: tx.deadline, address: engine.address() })
          : undefined;
      if (away) release();
      const { docs: batch, id } = await engine.cursors.open(
        away ?? { rows: encoded(run()), opened: openedIn(tx), release },
        { namespace, session: session.key, connection: context.connectionId, batchSize, single: false },
      );
      return cursorReply('firstBatch', batch, id, namespace);
    } catch (error) {
      release();
      throw error;
    }
  },
};
