import { isDoc } from '../bson/types.js';
import { EngineError } from '../errors.js';
import { checkName } from '../storage/catalogue.js';
import { type Command, ensureCollection, text } from './command.js';

const REFUSED_OPTIONS = [
  'capped',
  'timeseries',
  'viewOn',
  'clusteredIndex',
  'validator',
  'collation',
  'changeStreamPreAndPostImages',
  'encryptedFields',
  'expireAfterSeconds',
  'pipeline',
  'size',
  'max',
];

export const create: Command = {
  help: 'Makes a collection.',
  fields: [
    'create',
    'validationLevel',
    'validationAction',
    'storageEngine',
    'indexOptionDefaults',
    'autoIndexId',
    'idIndex',
    'writeConcern',
    ...REFUSED_OPTIONS,
  ],
  inTransaction: true,
  async run(context) {
    const { command, engine, db } = context;
    const name = text(command, 'create');
    checkName(db, name);
    for (const option of REFUSED_OPTIONS) {
      const v = command[option];
      if (v !== undefined && v !== false && !(isDoc(v) && Object.keys(v).length === 0))
        throw new EngineError('NotImplemented', `create with '${option}' is not supported by the embedded engine`);
    }
    // In a transaction the collection is made at once, by itself: nobody can tell, but that it stays after an abort.
    if (context.session.inTransaction) context.snapshot();
    await ensureCollection(engine, db, name);
    return {};
  },
};
