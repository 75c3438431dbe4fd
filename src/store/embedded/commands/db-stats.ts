import { Long } from 'bson';
import { toInteger } from '../bson/types.js';
import { EngineError } from '../errors.js';
import { type Command, int } from './command.js';
import { sizes } from './sizes.js';

export const dbStats: Command = {
  help: 'Figures of a database.',
  fields: { scale: 'number', freeStorage: 'number' },
  run(context) {
    const all = context.engine.catalogue.list(context.db);
    const { objects, bytes } = sizes(context, all);
    const scale = toInteger(context.command['scale']) ?? 1;
    if (scale < 1) throw new EngineError(51024, `BSON field 'scale' value must be >= 1, actual value '${scale}'`);
    const n = (v: number): Long => Long.fromNumber(Math.floor(v / scale));
    return {
      db: context.db,
      collections: int(all.length),
      views: int(0),
      objects: Long.fromNumber(objects),
      avgObjSize: Long.fromNumber(objects === 0 ? 0 : Math.round(bytes / objects)),
      dataSize: n(bytes),
      storageSize: n(bytes),
      indexes: int(all.reduce((sum, c) => sum + c.indexes.length + 1, 0)),
      indexSize: n(0),
      totalSize: n(bytes),
      scaleFactor: int(scale),
    };
  },
};
