import { ObjectId } from 'bson';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { same } from './walk.js';

/** `_id` first, as it is stored. */
export const withId = (doc: Doc): Doc => {
  const { _id = new ObjectId(), ...rest } = doc;
  return { _id, ...rest };
};

/** @throws {EngineError} 66: the update changes `_id` */
export function assertSameId(before: Doc, after: Doc): void {
  if (before['_id'] !== undefined && !same(after['_id'], before['_id']))
    throw new EngineError(
      'ImmutableField',
      `Performing an update on the path '_id' would modify the immutable field '_id'`,
    );
}
