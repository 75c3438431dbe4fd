import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Collection } from '../storage/catalogue.js';

/**
 * Holds a document to its collection's validator, and to the time a time series needs. `before`: it is an update.
 * https://www.mongodb.com/docs/manual/core/schema-validation/
 *
 * @throws {EngineError} 121: the validator does not allow it; 2: it has no time; 238: a time series is not updated
 */
export function assertAllowed({ options }: Collection, doc: Doc, before?: Doc): void {
  const { validator, timeField } = options;
  if (timeField !== undefined) {
    if (before)
      throw new EngineError('NotImplemented', 'an update of a time series is not supported by the embedded engine');
    if (!(doc[timeField] instanceof Date))
      throw new EngineError('BadValue', `'${timeField}' must be present and contain a valid BSON UTC datetime value`);
  }
  if (!validator || validator.action === 'warn' || validator.level === 'off') return;
  // What was not valid before need not become so.
  if (before && validator.level === 'moderate' && !validator.filter.test(before)) return;
  if (validator.filter.test(doc)) return;
  throw new EngineError('DocumentValidationFailure', 'Document failed validation', {
    extra: { errInfo: { failingDocumentId: doc['_id'], details: { specifiedAs: options.doc['validator'] } } },
  });
}
