import { compileWith } from '../aggregate/expression.js';
import { isDoc } from '../bson/types.js';
import { type Doc, encode } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { filterOptions, type FindRequest, search } from '../query/execute.js';
import { compileFilter, type Filter } from '../query/match.js';
import { compileProjection } from '../query/projection.js';
import type { Collection } from '../storage/catalogue.js';
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

/** @throws {EngineError} 238: it asks for what there is not; 2, 9: for what goes with a tailable cursor alone */
export function assertSearchable(command: Doc, collection: Collection | undefined): void {
  if (optionalBoolean(command, 'tailable'))
    throw collection?.options.capped
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
}

/** The search that a find asks for, and its projection, if it has one. @throws {EngineError} what they are refused with */
export function searchedBy(
  command: Doc,
  collection: Collection | undefined,
  memoryLimitBytes: number,
): { request: FindRequest; filter: Filter; project: ((doc: Doc) => Doc) | undefined } {
  const collation = collationFor(command, collection);
  const now = new Date();
  const request: FindRequest = {
    filter: optionalDoc(command, 'filter') ?? {},
    sort: optionalDoc(command, 'sort'),
    skip: nonNegative(command, 'skip'),
    limit: Math.abs(optionalNumber(command, 'limit') ?? 0),
    hint: hintOf(command['hint']),
    collation,
    let: variablesOf(command),
    now,
    memoryLimitBytes,
  };
  const projection = optionalDoc(command, 'projection');
  const filter = compileFilter(request.filter, filterOptions(request, collection));
  const variables = { now, let: request.let ?? {}, collation };
  const compiled =
    projection && Object.keys(projection).length > 0
      ? compileWith(variables, () => compileProjection(projection, { filter, collation }))
      : undefined;
  return { request, filter, project: compiled && ((doc) => compiled(doc, variables)) };
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
