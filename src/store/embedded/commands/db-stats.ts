import { Double, Long } from 'bson';
import { truthy } from '../bson/types.js';
import { indexCount } from '../storage/catalogue.js';
import type { Command } from './command.js';
import { scaleOf, type Sizes, sizes, sum } from './sizes.js';

const long = (n: number): Long => Long.fromNumber(n);

/** https://www.mongodb.com/docs/manual/reference/command/dbStats/ */
export const dbStats: Command = {
  help: 'Figures of a database.',
  fields: { scale: 'number', freeStorage: 'flag' },
  async run(context) {
    const { command, db, engine } = context;
    const scale = scaleOf(command, 'BadValue');
    const all = engine.catalogue.list(db);
    const collections = all.filter((c) => !c.options.view);
    const each: Sizes[] = [];
    for (const c of collections) each.push(await sizes(context, c));
    const [objects, bytes] = [sum(each.map((s) => s.objects)), sum(each.map((s) => s.bytes))];
    const indexBytes = sum(each.flatMap((s) => Object.values(s.indexes)));
    const n = (v: number): Double => new Double(v / scale);
    const disk = engine.storage.disk();
    // Free pages are the store's, not a database's.
    const free = { freeStorageSize: n(0), indexFreeStorageSize: n(0), totalFreeStorageSize: n(0) };
    return {
      db,
      collections: long(collections.length),
      views: long(all.length - collections.length),
      objects: long(objects),
      avgObjSize: new Double(objects === 0 ? 0 : bytes / objects),
      dataSize: n(bytes),
      storageSize: n(bytes),
      indexes: long(sum(collections.map(indexCount))),
      indexSize: n(indexBytes),
      totalSize: n(bytes + indexBytes),
      scaleFactor: long(scale),
      fsUsedSize: n(disk.used),
      fsTotalSize: n(disk.total),
      ...(truthy(command['freeStorage']) && free),
    };
  },
};
