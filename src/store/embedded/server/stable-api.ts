import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';

/** Commands of the Stable API, version 1. https://www.mongodb.com/docs/manual/reference/stable-api/#stable-api-commands */
const VERSION_1: ReadonlySet<string> = new Set([
  'abortTransaction', 'aggregate', 'bulkWrite', 'collMod', 'commitTransaction', 'count', 'create', 'createIndexes', 'delete',
  'drop', 'dropDatabase', 'dropIndexes', 'endSessions', 'explain', 'find', 'findAndModify', 'findandmodify', 'getMore', 'hello',
  'insert', 'killCursors', 'listCollections', 'listDatabases', 'listIndexes', 'ping', 'refreshSessions', 'update',
]); // prettier-ignore

export const inVersion1 = (name: string): boolean => VERSION_1.has(name);

/** @throws {EngineError} 322: no such version; 323: the command is no part of it; 4886600: asked for without a version */
export function assertStableApi(name: string, { apiVersion, apiStrict, apiDeprecationErrors }: Doc): void {
  if (apiVersion === undefined) {
    if (apiStrict !== undefined || apiDeprecationErrors !== undefined)
      throw new EngineError(
        4886600,
        'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion, which is not allowed',
      );
    return;
  }
  if (apiVersion !== '1') throw new EngineError('APIVersionError', 'API version must be "1"');
  if (apiStrict === true && !inVersion1(name))
    throw new EngineError(
      'APIStrictError',
      `Provided apiStrict:true, but the command ${name} is not in API Version 1.`,
    );
}
