import { type Collation, readCollation } from '../bson/collation.js';
import { isDoc } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import type { Collection as StoredCollection } from '../storage/catalogue.js';
import { checked, type Fields } from './fields.js';

const FIELDS: Fields = {
  locale: 'string',
  strength: 'number',
  caseLevel: 'bool',
  caseFirst: 'string',
  numericOrdering: 'bool',
  alternate: 'string',
  maxVariable: 'string',
  normalization: 'bool',
  backwards: 'bool',
  version: 'string',
};

/**
 * How texts are compared: as the command says, or else as the collection was made. Undefined: by their bytes.
 *
 * @throws {EngineError} 14, 40415: a field of the wrong type, or not known; and what `readCollation` throws
 */
export function collationFor({ collation }: Doc, collection: StoredCollection | undefined): Collation | undefined {
  if (collation === undefined || collation === null || (isDoc(collation) && Object.keys(collation).length === 0))
    return collection?.options.collation;
  return readCollation(isDoc(collation) ? checked(collation, 'collation', FIELDS) : collation);
}
