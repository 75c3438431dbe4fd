import { compileWith } from '../aggregate/expression.js';
import { isDoc } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { filterOptions, type FindRequest } from '../query/execute.js';
import { compileFilter, type Filter } from '../query/match.js';
import { compileProjection } from '../query/projection.js';
import type { Collection } from '../storage/catalogue.js';
import { collationFor } from './collation.js';
import { hintOf, optionalBoolean, optionalDoc, optionalNumber, text, variablesOf } from './command.js';
import { nonNegative } from './reading.js';

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

/** The search that a count asks for. @throws {EngineError} 51024: a skip below 0 */
export const countedBy = (command: Doc, collection: Collection | undefined): FindRequest => ({
  filter: optionalDoc(command, 'query') ?? {},
  limit: Math.abs(optionalNumber(command, 'limit') ?? 0),
  skip: nonNegative(command, 'skip'),
  hint: hintOf(command['hint']),
  collation: collationFor(command, collection),
});

/** @throws {EngineError} 40414, 14, 31032: no key, or none that can be */
export function keyOf(command: Doc): string {
  const key = text(command, 'key', 'distinct');
  if (key.includes('\0')) throw new EngineError(31032, 'Key field cannot contain an embedded null byte');
  return key;
}

/** The search whose values a distinct tells. */
export const distinguishedBy = (command: Doc, collection: Collection | undefined): FindRequest => ({
  filter: optionalDoc(command, 'query') ?? {},
  hint: hintOf(command['hint']),
  collation: collationFor(command, collection),
});
