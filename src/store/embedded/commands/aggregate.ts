import { compilePipeline } from '../aggregate/pipeline.js';
import type { PipelineEnv } from '../aggregate/stage.js';
import { isDoc, toInteger } from '../bson/types.js';
import { type Doc, encode } from '../bson/value.js';
import { MAX_DOCUMENT } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { search, textIndexOf } from '../query/execute.js';
import { cursorReply } from '../wire/message.js';
import { aboutCollection } from './about-collection.js';
import { collationFor, variablesOf, type Command, hintOf, optionalDoc, text } from './command.js';
import { store } from './output.js';
import { DEFAULT_BATCH, decoded, nonNegative, pause } from './reading.js';

/** @throws {EngineError} 10334: a document of the result is larger than one may be */
async function* encoded(docsOf: AsyncIterable<Doc>): AsyncIterator<Uint8Array> {
  for await (const doc of docsOf) {
    const bytes = encode(doc);
    if (bytes.length > MAX_DOCUMENT)
      throw new EngineError('BSONObjectTooLarge', `a result of ${bytes.length} bytes, max size: ${MAX_DOCUMENT}`);
    yield bytes;
  }
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
    const stages = command['pipeline'];
    if (!Array.isArray(stages))
      throw new EngineError('TypeMismatch', "'pipeline' option must be specified as an array");
    const collection = name === undefined ? undefined : engine.catalogue.find(db, name);
    const about = aboutCollection(context, name);
    const { tx, release } = context.snapshot();
    const env: PipelineEnv = {
      variables: { now: new Date(), let: variablesOf(command) ?? {} },
      collation: collationFor(command, collection),
      text: textIndexOf(collection),
      read: (collection, request) =>
        decoded(
          search(tx, engine.catalogue.find(db, collection), {
            ...request,
            filter: request.filter ?? {},
            memoryLimitBytes: engine.memoryLimitBytes,
          }),
        ),
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
