import { collectionOf } from './collection-of.js';
import { encode } from '../bson/value.js';
import { idIndex, specDoc } from '../storage/catalogue.js';
import { cursorReply } from '../wire/message.js';
import { type Command, text } from './command.js';

export const listIndexes: Command = {
  help: 'The indexes of a collection.',
  fields: ['listIndexes', 'cursor', 'includeBuildUUIDs', 'includeIndexBuildInfo'],
  run(context) {
    const name = text(context.command, 'listIndexes');
    const { indexes, options } = collectionOf(context, name);
    const { collation } = options;
    const all = [{ ...idIndex.spec, ...(collation && { collation }) }, ...indexes.map((i) => i.index.spec)].map(
      specDoc,
    );
    return cursorReply('firstBatch', all.map(encode), 0n, `${context.db}.${name}`);
  },
};
