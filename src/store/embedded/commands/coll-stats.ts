import { Long } from 'bson';
import { indexCount } from '../storage/catalogue.js';
import { type Command, int, collectionName } from './command.js';
import { scaleOf, sizes, sum } from './sizes.js';

/** https://www.mongodb.com/docs/manual/reference/command/collStats/ */
export const collStats: Command = {
  help: 'Figures of a collection.',
  fields: { scale: 'number' },
  async run(context) {
    const name = collectionName(context.command, 'collStats' in context.command ? 'collStats' : 'collstats');
    const c = context.engine.catalogue.find(context.db, name);
    const scale = scaleOf(context.command);
    const { objects, bytes, indexes } = await sizes(context, c);
    const indexBytes = sum(Object.values(indexes));
    const n = (v: number): Long => Long.fromNumber(Math.floor(v / scale));
    return {
      ns: `${context.db}.${name}`,
      size: n(bytes),
      count: Long.fromNumber(objects),
      ...(objects > 0 && { avgObjSize: Long.fromNumber(Math.round(bytes / objects)) }),
      storageSize: n(bytes),
      nindexes: int(c ? indexCount(c) : 0),
      capped: c?.options.capped !== undefined,
      totalIndexSize: n(indexBytes),
      totalSize: n(bytes + indexBytes),
      indexSizes: Object.fromEntries(Object.entries(indexes).map(([index, held]) => [index, n(held)])),
      scaleFactor: int(scale),
    };
  },
};
