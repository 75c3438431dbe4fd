import { type Collation, readCollation } from '../bson/collation.js';
import { equals } from '../bson/compare.js';
import { isDoc } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
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
 * How texts are compared: as the command says, or else as the collection was made; of a view, as the view alone says.
 * Undefined: by their bytes.
 *
 * @throws {EngineError} 14, 40415: a field of the wrong type, or not known; 167: not the view's; and what `readCollation` throws
 */
export function collationFor({ collation }: Doc, collection: StoredCollection | undefined): Collation | undefined {
  const own = collection?.options.collation;
  if (collation === undefined || collation === null) return own;
  if (isDoc(collation) && Object.keys(collation).length === 0) return own;
  const asked = readCollation(
    isDoc(collation) ? { locale: undefined, ...checked(collation, 'collation', FIELDS) } : collation,
  );
  if (collection?.options.view && !equals(asked?.doc ?? {}, own?.doc ?? {}))
    throw new EngineError('OptionNotSupportedOnView', 'Cannot override a view’s default collation');
  return asked;
}
