import { equals } from '../bson/compare.js';
import { isDoc } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { checkName } from '../storage/catalogue.js';
import { readOptions } from '../storage/options.js';
import { type Command, ensureCollection, text } from './command.js';

const REFUSED_OPTIONS = ['viewOn', 'pipeline', 'changeStreamPreAndPostImages', 'encryptedFields'];

/** Options that the collection keeps. */
const KEPT = [
  'capped',
  'size',
  'max',
  'timeseries',
  'expireAfterSeconds',
  'clusteredIndex',
  'validator',
  'validationLevel',
  'validationAction',
  'collation',
];

/** https://www.mongodb.com/docs/manual/reference/command/create/ */
export const create: Command = {
  help: 'Makes a collection.',
  fields: [
    'create',
    'storageEngine',
    'indexOptionDefaults',
    'autoIndexId',
    'idIndex',
    'writeConcern',
    ...KEPT,
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
    const given: Doc = Object.fromEntries(KEPT.flatMap((k) => (command[k] === undefined ? [] : [[k, command[k]]])));
    const options = readOptions(given);
    // In a transaction the collection is made at once, by itself: nobody can tell, but that it stays after an abort.
    if (context.session.inTransaction) context.snapshot();
    const there = await ensureCollection(engine, db, name, options);
    if (!equals(there.options.doc, options.doc))
      throw new EngineError(
        'NamespaceExists',
        `namespace ${db}.${name} already exists, but with different options: ${JSON.stringify(there.options.doc)}`,
      );
    return {};
  },
};
