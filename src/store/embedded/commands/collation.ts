import { isDoc, typeName } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
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

function isLocale(locale: string): boolean {
  try {
    return Intl.Collator.supportedLocalesOf(locale.replaceAll('_', '-')).length > 0;
  } catch {
    return false;
  }
}

/**
 * Text is compared byte by byte: the simple collation.
 * https://www.mongodb.com/docs/manual/reference/collation/
 *
 * @throws {EngineError} 40414: no locale; 2: no such locale; 238: any other than the simple collation
 */
export function assertSimpleCollation({ collation }: Doc): void {
  if (collation === undefined || collation === null) return;
  if (!isDoc(collation))
    throw new EngineError(
      'TypeMismatch',
      `BSON field 'collation' is the wrong type '${typeName(collation)}', expected type 'object'`,
    );
  if (Object.keys(collation).length === 0) return;
  const { locale } = checked(collation, 'collation', FIELDS);
  if (typeof locale !== 'string')
    throw new EngineError(40414, "BSON field 'collation.locale' is missing but a required field");
  if (locale === 'simple') return;
  if (!isLocale(locale)) throw new EngineError('BadValue', `Field 'locale' is invalid in: { locale: "${locale}" }`);
  throw new EngineError('NotImplemented', 'collation is not supported by the embedded engine');
}
