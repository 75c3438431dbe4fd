import { Int32 } from 'bson';
import { compare } from '../bson/compare.js';
import { type Doc } from '../bson/value.js';
import { compileFilter } from '../query/match.js';
import { type Collection } from '../storage/catalogue.js';
import { uuidOf } from './collection-uuid.js';
import { type Command, optionalBoolean, optionalDoc } from './command.js';
import { listed } from './reading.js';

const typeOf = ({ options }: Collection): string =>
  options.view ? 'view' : options.timeField === undefined ? 'collection' : 'timeseries';

const hasIdIndex = (c: Collection): boolean =>
  typeOf(c) === 'collection' && c.options.doc['clusteredIndex'] === undefined;

export const listCollections: Command = {
  help: 'The collections of a database.',
  fields: { filter: 'object', nameOnly: 'bool', authorizedCollections: 'flag', cursor: 'object' },
  run(context) {
    const { command, engine, db } = context;
    const filter = compileFilter(optionalDoc(command, 'filter') ?? {});
    const nameOnly = optionalBoolean(command, 'nameOnly') ?? false;
    const all = engine.catalogue
      .list(db)
      .toSorted((a, b) => compare(a.name, b.name))
      .map((c): Doc =>
        nameOnly
          ? { name: c.name, type: typeOf(c) }
          : {
              name: c.name,
              type: typeOf(c),
              options: c.options.doc,
              info: {
                readOnly: c.options.view !== undefined,
                ...(typeOf(c) === 'collection' && { uuid: uuidOf(c) }),
              },
              ...(hasIdIndex(c) && { idIndex: { v: new Int32(2), key: { _id: new Int32(1) }, name: '_id_' } }),
            },
      )
      .filter((doc) => filter.test(doc));
    return listed(context, 'listCollections', all, `${db}.$cmd.listCollections`);
  },
};
