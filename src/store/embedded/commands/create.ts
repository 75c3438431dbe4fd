import { equals } from '../bson/compare.js';
import { isDoc, isNumeric, typeName } from '../bson/types.js';
import { EngineError } from '../errors.js';
import { checkName } from '../storage/catalogue.js';
import { readOptions } from '../storage/options.js';
import { collationFor } from './collation.js';
import { assertOptions, optionsIn } from './collection-options.js';
import { assertViewCollation } from './views.js';
import { type Command, ensureCollection, collectionName } from './command.js';
import { checked, type Fields } from './fields.js';

/** Options that the collection keeps. */
const KEPT: Fields = {
  capped: 'flag',
  size: 'number',
  max: 'number',
  timeseries: 'object',
  expireAfterSeconds: 'own',
  clusteredIndex: 'own',
  validator: 'object',
  validationLevel: 'string',
  validationAction: 'string',
  collation: 'object',
  viewOn: 'string',
  pipeline: 'documents',
  changeStreamPreAndPostImages: 'object',
};

/** What the engine does not keep: null, false and an empty document ask for nothing. */
const REFUSED: Fields = {
  encryptedFields: 'object',
};

/** https://www.mongodb.com/docs/manual/reference/command/create/ */
export const create: Command = {
  help: 'Makes a collection.',
  fields: {
    storageEngine: 'object',
    indexOptionDefaults: 'object',
    autoIndexId: 'flag',
    idIndex: 'object',
    ...KEPT,
    ...REFUSED,
  },
  writes: true,
  inTransaction: true,
  async run(context) {
    const { command, engine, db, own } = context;
    const name = collectionName(command, 'create');
    checkName(db, name);
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
    const refused = Object.keys(REFUSED).filter((option) => {
      const v = command[option];
      return v !== undefined && v !== null && !(isDoc(v) && Object.keys(v).length === 0);
    });
    if (refused.length > 0)
      throw new EngineError(
        'NotImplemented',
        `create with '${refused.join(', ')}' is not supported by the embedded engine`,
      );
    const given = optionsIn(command, Object.keys(KEPT));
    if (isDoc(given['collation'])) collationFor(given, undefined);
    const options = readOptions(given);
    assertOptions(engine.catalogue, db, name, options);
    if (own && (options.view || options.timeField !== undefined))
      throw new EngineError(
        'OperationNotSupportedInTransaction',
        `Cannot create a ${options.view ? 'view' : 'time-series collection'} in a multi-document transaction.`,
      );
    if (options.view) assertViewCollation(engine.catalogue, db, options.view.on, options.collation);
    const there = await ensureCollection(context, db, name, options);
    if (!equals(there.options.doc, options.doc))
      throw new EngineError(
        'NamespaceExists',
        `namespace ${db}.${name} already exists, but with different options: ${JSON.stringify(there.options.doc)}`,
      );
    return {};
  },
};
