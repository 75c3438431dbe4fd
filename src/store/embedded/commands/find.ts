import { type Doc, encode } from '../bson/value.js';
import { search } from '../query/execute.js';
import { cursorReply } from '../wire/message.js';
import { aggregate } from './aggregate.js';
import { type Command, collectionName, optionalBoolean, optionalNumber } from './command.js';
import { DEFAULT_BATCH, nonNegative, openedIn } from './reading.js';
import { assertSearchable, searchedBy } from './requests.js';
import { findOnView } from './views.js';

function* bytesOf(
  found: Iterable<{ bytes: Uint8Array; doc: Doc } | undefined>,
  project: ((doc: Doc) => Doc) | undefined,
): Iterator<Uint8Array | undefined> {
  for (const f of found) yield f && project ? encode(project(f.doc)) : f?.bytes;
}

export const find: Command = {
  help: 'Finds documents.',
  fields: {
    filter: 'document',
    sort: 'document',
    projection: 'document',
    hint: 'hint',
    skip: 'size',
    limit: 'size',
    batchSize: 'size',
    singleBatch: 'switch',
    allowDiskUse: 'switch',
    noCursorTimeout: 'switch',
    let: 'object',
    allowPartialResults: 'switch',
    returnKey: 'switch',
    showRecordId: 'switch',
    tailable: 'switch',
    awaitData: 'switch',
    min: 'document',
    max: 'document',
    collation: 'document',
    oplogReplay: 'switch',
    collectionUUID: 'own',
  },
  reads: true,
  inTransaction: true,
  async run(context) {
    const { command, engine, db, own } = context;
    const name = collectionName(command, 'find');
    const givenLimit = optionalNumber(command, 'limit') ?? 0;
    const collection = engine.catalogue.find(db, name, own);
    assertSearchable(command, collection);
    if (collection?.options.view) return aggregate.run({ ...context, command: findOnView(command) });
    const { request, filter, project } = searchedBy(command, collection, engine.memoryLimitBytes);
    const { tx, release } = context.snapshot();
    const rows = bytesOf(search(tx, collection, request, filter), project);
    const namespace = `${db}.${name}`;
    const single = (optionalBoolean(command, 'singleBatch') ?? false) || givenLimit < 0;
    const { docs: batch, id } = await engine.cursors.open(
      { rows, opened: openedIn(tx), release },
      {
        namespace,
        session: context.session.key,
        connection: context.connectionId,
        batchSize: nonNegative(command, 'batchSize') ?? DEFAULT_BATCH,
        single,
        noCursorTimeout: optionalBoolean(command, 'noCursorTimeout'),
        ...(request.limit && { limit: request.limit }),
      },
    );
    return cursorReply('firstBatch', batch, id, namespace);
  },
};
