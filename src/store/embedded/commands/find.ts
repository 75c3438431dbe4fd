import { compileWith } from '../aggregate/expression.js';
import { isDoc } from '../bson/types.js';
import { type Doc, encode } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { filterOptions, type FindRequest, search } from '../query/execute.js';
import { compileFilter } from '../query/match.js';
import { compileProjection } from '../query/projection.js';
import { cursorReply } from '../wire/message.js';
import { aggregate } from './aggregate.js';
import { collationFor } from './collation.js';
import {
  variablesOf,
  type Command,
  hintOf,
  optionalBoolean,
  optionalDoc,
  optionalNumber,
  collectionName,
} from './command.js';
import { findOnView } from './views.js';
import { DEFAULT_BATCH, nonNegative, openedIn } from './reading.js';

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
    if (optionalBoolean(command, 'tailable'))
      throw engine.catalogue.find(db, name)?.options.capped
        ? new EngineError('NotImplemented', 'a tailable cursor is not supported by the embedded engine')
        : new EngineError('BadValue', 'error processing query: tailable cursor requested on non capped collection');
    if (optionalBoolean(command, 'awaitData'))
      throw new EngineError('FailedToParse', "Cannot set 'awaitData' without also setting 'tailable'");
    for (const field of ['returnKey', 'showRecordId'])
      if (optionalBoolean(command, field))
        throw new EngineError('NotImplemented', `${field} is not supported by the embedded engine`);
    for (const field of ['min', 'max'])
      if (isDoc(command[field]) && Object.keys(command[field]).length > 0)
        throw new EngineError('NotImplemented', `${field} is not supported by the embedded engine`);
    const givenLimit = optionalNumber(command, 'limit') ?? 0;
    const collection = engine.catalogue.find(db, name, own);
    if (collection?.options.view) return aggregate.run({ ...context, command: findOnView(command) });
    const collation = collationFor(command, collection);
    const request: FindRequest = {
      filter: optionalDoc(command, 'filter') ?? {},
      sort: optionalDoc(command, 'sort'),
      skip: nonNegative(command, 'skip'),
      limit: Math.abs(givenLimit),
      hint: hintOf(command['hint']),
      collation,
      let: variablesOf(command),
      now: new Date(),
      memoryLimitBytes: engine.memoryLimitBytes,
    };
    const projection = optionalDoc(command, 'projection');
    const filter = compileFilter(request.filter, filterOptions(request, collection));
    const variables = { now: request.now ?? new Date(), let: request.let ?? {}, collation };
    const compiled =
      projection && Object.keys(projection).length > 0
        ? compileWith(variables, () => compileProjection(projection, { filter, collation }))
        : undefined;
    const project = compiled && ((doc: Doc): Doc => compiled(doc, variables));
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
