import { compilePipeline } from '../aggregate/pipeline.js';
import type { PipelineEnv } from '../aggregate/stage.js';
import { isDoc, toInteger } from '../bson/types.js';
import { type Doc, encode } from '../bson/value.js';
import { MAX_DOCUMENT } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { readsMany, search, searchFields } from '../query/execute.js';
import type { Transaction } from '../transactions/transactions.js';
import { cursorReply } from '../wire/message.js';
import { aboutCollection } from './about-collection.js';
import {
  assertSimpleCollation,
  variablesOf,
  type Command,
  hintOf,
  optionalDoc,
  type Reading,
  text,
} from './command.js';
import { store } from './output.js';
import { DEFAULT_BATCH, decoded, nonNegative, openedIn, pause } from './reading.js';

/** So many documents or index entries take some milliseconds: a pipeline that begins with them goes to a reader. */
const MANY = 2000;

/** The results as they are sent. @throws {EngineError} 10334: a document of the result is larger than one may be */
async function* encoded(docsOf: AsyncIterable<Doc>): AsyncIterator<Uint8Array> {
  for await (const doc of docsOf) {
    const bytes = encode(doc);
    if (bytes.length > MAX_DOCUMENT)
      throw new EngineError('BSONObjectTooLarge', `a result of ${bytes.length} bytes, max size: ${MAX_DOCUMENT}`);
    yield bytes;
  }
}

/** A request's pipeline over a snapshot, compiled; nothing is read yet. */
function prepare(reading: Reading, tx: Transaction) {
  const { engine, db, command } = reading;
  const target = command['aggregate'];
  const name = typeof target === 'string' ? target : toInteger(target) === 1 ? undefined : text(command, 'aggregate');
  if (!isDoc(command['cursor']) && command['explain'] === undefined)
    throw new EngineError(
      'FailedToParse',
      "The 'cursor' option is required, except for aggregate with the explain argument",
    );
  assertSimpleCollation(command);
  const stages = command['pipeline'];
  if (!Array.isArray(stages)) throw new EngineError('TypeMismatch', "'pipeline' option must be specified as an array");
  const env: PipelineEnv = {
    variables: { now: new Date(), let: variablesOf(command) ?? {} },
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
    about: aboutCollection(reading, name),
  };
  const pipeline = compilePipeline(stages, env);
  if (name === undefined && !pipeline.startsWithoutCollection)
    throw new EngineError(73, "{aggregate: 1} is not valid for the pipeline's first stage; a collection is required");
  const request = {
    ...pipeline.leading,
    filter: pipeline.leading.filter ?? {},
    hint: hintOf(command['hint']),
    memoryLimitBytes: engine.memoryLimitBytes,
  };
  const collection = name === undefined ? undefined : engine.catalogue.find(db, name);
  return {
    namespace: `${db}.${name ?? '$cmd.aggregate'}`,
    writes: pipeline.writes,
    long: (): boolean => !pipeline.startsWithoutCollection && readsMany(tx, collection, request, MANY),
    run: (): AsyncIterable<Doc> =>
      pipeline.run(name === undefined ? [] : searchFields(tx, collection, request, pipeline.fields)),
  };
}

/** What an aggregation that writes nothing finds, over a snapshot: what a reader does of the command. */
export const rowsOf = (reading: Reading, tx: Transaction): AsyncIterator<Uint8Array> =>
  encoded(prepare(reading, tx).run());

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
    const { command, engine, db, session } = context;
    const { tx, release } = context.snapshot();
    try {
      const { namespace, writes, long, run } = prepare(context, tx);
      const batchSize = nonNegative(optionalDoc(command, 'cursor') ?? {}, 'batchSize') ?? DEFAULT_BATCH;
      if (writes) {
        await store(context, writes, run());
        release();
        return cursorReply('firstBatch', [], 0n, namespace);
      }
      // What a transaction has written is known to this thread alone.
      const away =
        engine.readers && !session.inTransaction && long()
          ? engine.readers.run({ db, command, deadline: tx.deadline, address: engine.address() })
          : undefined;
      if (away) release();
      const { docs: batch, id } = await engine.cursors.open(
        away ?? { rows: encoded(run()), opened: openedIn(tx), release },
        { namespace, batchSize, single: false },
      );
      return cursorReply('firstBatch', batch, id, namespace);
    } catch (error) {
      release();
      throw error;
    }
  },
};
