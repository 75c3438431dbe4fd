import { compilePipeline } from '../aggregate/pipeline.js';
import type { PipelineEnv } from '../aggregate/stage.js';
import { isDoc, isNumeric, toNumber, typeName } from '../bson/types.js';
import { type Doc, encode } from '../bson/value.js';
import { MAX_DOCUMENT } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { search, textIndexOf } from '../query/execute.js';
import { cursorReply } from '../wire/message.js';
import { aboutCollection } from './about-collection.js';
import { collationFor } from './collation.js';
import { variablesOf, type Command, hintOf, collectionName } from './command.js';
import { store } from './output.js';
import { assertNotView, sourceOf } from './views.js';
import { batchSizeOf, DEFAULT_BATCH, decoded, pause } from './reading.js';

/** @throws {EngineError} 10334: a document of the result is larger than one may be */
async function* encoded(docsOf: AsyncIterable<Doc>): AsyncIterator<Uint8Array> {
  for await (const doc of docsOf) {
    const bytes = encode(doc);
    if (bytes.length > MAX_DOCUMENT)
      throw new EngineError('BSONObjectTooLarge', `a result of ${bytes.length} bytes, max size: ${MAX_DOCUMENT}`);
    yield bytes;
  }
}

/** The collection; undefined: `aggregate: 1`, which reads none. @throws {EngineError} 9, 14, 73: neither */
function targetOf(command: Doc): string | undefined {
  const target = command['aggregate'];
  if (typeof target === 'string') return collectionName(command, 'aggregate');
  if (!isNumeric(target))
    throw new EngineError('TypeMismatch', `collection name has invalid type: ${typeName(target)}`);
  if (toNumber(target) === 1) return undefined;
  throw new EngineError(
    'FailedToParse',
    "Invalid command format: the 'aggregate' field must specify a collection name or 1",
  );
}

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
    fromMongos: 'flag',
    needsMerge: 'flag',
  },
  writes: true,
  reads: true,
  inTransaction: true,
  async run(context) {
    const { command, engine, db } = context;
    const name = targetOf(command);
    const { cursor } = command;
    if (cursor !== undefined && !isDoc(cursor))
      throw new EngineError('TypeMismatch', 'cursor field must be missing or an object');
    if (cursor === undefined && command['explain'] === undefined)
      throw new EngineError(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    const batchSize = batchSizeOf(command, 'aggregate');
    const own = command['pipeline'];
    if (own === undefined)
      throw new EngineError(40414, "BSON field 'aggregate.pipeline' is missing but a required field");
    if (!Array.isArray(own)) throw new EngineError('TypeMismatch', "'pipeline' option must be specified as an array");
    const [first] = own;
    if (name !== undefined && isDoc(first) && '$documents' in first)
      throw new EngineError('InvalidNamespace', '$documents is only valid with {aggregate: 1}');
    const source = name === undefined ? undefined : sourceOf(engine.catalogue, db, name);
    const stages = [...(source?.stages ?? []), ...own];
    const collection = source && engine.catalogue.find(db, source.name);
    const asked = name === undefined ? undefined : engine.catalogue.find(db, name);
    const about = aboutCollection(context, source?.name);
    const { tx, release } = context.snapshot();
    const env: PipelineEnv = {
      variables: { now: new Date(), let: variablesOf(command) ?? {} },
      collation: collationFor(command, asked),
      text: textIndexOf(collection),
      read(from, request) {
        assertNotView(engine.catalogue, db, '$lookup', from);
        return decoded(
          search(tx, engine.catalogue.find(db, from), {
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
      about,
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
      };
      running = pipeline.run(name === undefined ? [] : decoded(search(tx, collection, request), pipeline.fields));
      writes = pipeline.writes;
    } catch (error) {
      release();
      throw error;
    }
    const namespace = `${db}.${name ?? '$cmd.aggregate'}`;
    if (writes) {
      const concern = command['readConcern'];
      if (isDoc(concern) && concern['level'] === 'linearizable') {
        release();
        throw new EngineError(
          'InvalidOptions',
          `${writes.stage} cannot be used with a 'linearizable' read concern level`,
        );
      }
      try {
        await store(context, writes, running);
      } finally {
        release();
      }
      return cursorReply('firstBatch', [], 0n, namespace);
    }
    const { docs: batch, id } = await engine.cursors.open(encoded(running), {
      namespace,
      session: context.session.key,
      batchSize: batchSize ?? DEFAULT_BATCH,
      single: false,
      tx,
      release,
    });
    return cursorReply('firstBatch', batch, id, namespace);
  },
};
