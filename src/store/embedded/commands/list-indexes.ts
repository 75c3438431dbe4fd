import { isDoc } from '../bson/types.js';
import { collectionOf } from './collection-of.js';
import { idIndex, specDoc } from '../storage/catalogue.js';
import { type Command, collectionName } from './command.js';
import { listed } from './reading.js';

export const listIndexes: Command = {
  help: 'The indexes of a collection.',
  fields: { cursor: 'object', includeBuildUUIDs: 'flag', includeIndexBuildInfo: 'flag' },
  run(context) {
    const name = collectionName(context.command, 'listIndexes');
    const { indexes, options } = collectionOf(context, name);
    const { collation } = options;
    const clustered = options.doc['clusteredIndex'];
    const all = [
      isDoc(clustered)
        ? { ...clustered, clustered: true }
        : specDoc({ ...idIndex.spec, ...(collation && { collation }) }),
      ...indexes.map((i) => specDoc(i.index.spec)),
    ];
    return listed(context, 'listIndexes', all, `${context.db}.${name}`);
  },
};
