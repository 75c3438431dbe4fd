import { type Collation, readCollation } from '../bson/collation.js';
import { isDoc } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import type { Collection as StoredCollection } from '../storage/catalogue.js';

/**
 * How texts are compared: as the command says, or else as the collection was made. Undefined: by their bytes.
 *
 * @throws {EngineError} what `readCollation` throws
 */
export function collationFor({ collation }: Doc, collection: StoredCollection | undefined): Collation | undefined {
  if (collation === undefined || collation === null || (isDoc(collation) && Object.keys(collation).length === 0))
    return collection?.options.collation;
  return readCollation(collation);
}
