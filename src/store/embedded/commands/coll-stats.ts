import { Long } from 'bson';
import { indexCount } from '../storage/catalogue.js';
import { type Command, int, collectionName } from './command.js';
import { scaleOf, sizes } from './sizes.js';

export const collStats: Command = {
  help: 'Figures of a collection.',
  fields: { scale: 'number' },
  async run(context) {
    const name = collectionName(context.command, 'collStats' in context.command ? 'collStats' : 'collstats');
    const c = context.engine.catalogue.find(context.db, name);
    const { objects, bytes } = await sizes(context, c ? [c] : []);
    const scale = scaleOf(context.command);
    return {
      ns: `${context.db}.${name}`,
      size: Long.fromNumber(Math.floor(bytes / scale)),
      count: Long.fromNumber(objects),
      ...(objects > 0 && { avgObjSize: Long.fromNumber(Math.round(bytes / objects)) }),
      storageSize: Long.fromNumber(Math.floor(bytes / scale)),
      nindexes: int(c ? indexCount(c) : 0),
      capped: c?.options.capped !== undefined,
      totalIndexSize: Long.fromNumber(0),
      scaleFactor: int(scale),
    };
  },
};
