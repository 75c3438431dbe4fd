import { isDoc, isNumeric, typeName } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { checkName } from '../storage/catalogue.js';
import { assertSimpleCollation } from './collation.js';
import { type Command, ensureCollection, collectionName } from './command.js';
import { checked, type Fields } from './fields.js';

/** What the engine does not keep: null, false and an empty document ask for nothing. */
const REFUSED: Fields = {
  capped: 'flag',
  timeseries: 'object',
  viewOn: 'string',
  clusteredIndex: 'own',
  validator: 'object',
  collation: 'object',
  changeStreamPreAndPostImages: 'object',
  encryptedFields: 'object',
  expireAfterSeconds: 'own',
  pipeline: 'documents',
  size: 'number',
  max: 'number',
};

/** What may be said where there is no validator. https://www.mongodb.com/docs/manual/reference/command/create/ */
const VALIDATION: Readonly<Record<string, readonly string[]>> = {
  validationLevel: ['off', 'strict', 'moderate'],
  validationAction: ['error', 'warn', 'errorAndLog'],
};

/** @throws {EngineError} 2: no such level or action */
export function assertValidation(command: Doc): void {
  for (const [name, known] of Object.entries(VALIDATION)) {
    const v = command[name];
    if (typeof v === 'string' && !known.includes(v))
      throw new EngineError('BadValue', `Enumeration value '${v}' for field '${name}' is not a valid value.`);
  }
}

export const create: Command = {
  help: 'Makes a collection.',
  fields: {
    validationLevel: 'string',
    validationAction: 'string',
    storageEngine: 'object',
    indexOptionDefaults: 'object',
    autoIndexId: 'flag',
    idIndex: 'object',
    ...REFUSED,
  },
  writes: true,
  inTransaction: true,
  async run(context) {
    const { command, engine, db } = context;
    const name = collectionName(command, 'create');
    checkName(db, name);
    assertValidation(command);
    assertSimpleCollation(command);
    const { expireAfterSeconds, storageEngine, indexOptionDefaults } = command;
    if (
      expireAfterSeconds !== undefined &&
      expireAfterSeconds !== null &&
      typeof expireAfterSeconds !== 'string' &&
      !isNumeric(expireAfterSeconds)
    )
      throw new EngineError(
        'TypeMismatch',
        `BSON field 'create.expireAfterSeconds' is the wrong type '${typeName(expireAfterSeconds)}', expected types '[string, long, int, decimal, double]'`,
      );
    if (isDoc(storageEngine) && Object.keys(storageEngine).length > 0)
      throw new EngineError(
        'InvalidOptions',
        `${Object.keys(storageEngine)[0]} is not a registered storage engine for this server`,
      );
    if (isDoc(indexOptionDefaults))
      checked(indexOptionDefaults, 'create.indexOptionDefaults', { storageEngine: 'object' });
    const options = Object.keys(REFUSED).filter((option) => {
      const v = command[option];
      return (
        v !== undefined &&
        v !== null &&
        v !== false &&
        !(isDoc(v) && (Object.keys(v).length === 0 || option === 'collation'))
      );
    });
    if (options.length > 0 && engine.catalogue.find(db, name))
      throw new EngineError(
        'NamespaceExists',
        `namespace ${db}.${name} already exists, but with different options: {}`,
      );
    if (options.length > 0)
      throw new EngineError(
        'NotImplemented',
        `create with '${options.join(', ')}' is not supported by the embedded engine`,
      );
    // In a transaction the collection is made at once, by itself: nobody can tell, but that it stays after an abort.
    if (context.session.inTransaction) context.snapshot();
    await ensureCollection(engine, db, name);
    return {};
  },
};
