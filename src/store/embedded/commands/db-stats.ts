import { Long } from 'bson';
import { indexCount } from '../storage/catalogue.js';
import { type Command, int } from './command.js';
import { scaleOf, sizes } from './sizes.js';

export const dbStats: Command = {
  help: 'Figures of a database.',
  fields: { scale: 'number', freeStorage: 'number' },
  async run(context) {
    const all = context.engine.catalogue.list(context.db);
    const views = all.filter((c) => c.options.view).length;
    const { objects, bytes } = await sizes(context, all);
    const scale = scaleOf(context.command);
    const n = (v: number): Long => Long.fromNumber(Math.floor(v / scale));
    return {
      db: context.db,
      collections: int(all.length - views),
      views: int(views),
      objects: Long.fromNumber(objects),
      avgObjSize: Long.fromNumber(objects === 0 ? 0 : Math.round(bytes / objects)),
      dataSize: n(bytes),
      storageSize: n(bytes),
      indexes: int(all.reduce((sum, c) => sum + indexCount(c), 0)),
      indexSize: n(0),
      totalSize: n(bytes),
      scaleFactor: int(scale),
    };
  },
};
