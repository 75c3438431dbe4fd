import { Int32, Long } from 'bson';
import type { PipelineEnv } from '../aggregate/stage.js';
import { type Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { idIndex, indexCount, specDoc } from '../storage/catalogue.js';
import type { Reading } from './command.js';
import { sizes, sum } from './sizes.js';

/** What $collStats and $indexStats tell of a collection. https://www.mongodb.com/docs/manual/reference/operator/aggregation/collStats/ */
export function aboutCollection(context: Reading, name: string | undefined): NonNullable<PipelineEnv['about']> {
  const { engine, db } = context;
  const collection = name === undefined ? undefined : engine.catalogue.find(db, name);
  const assertOutside = (stage: string): void => {
    if (context.own)
      throw new EngineError(
        'OperationNotSupportedInTransaction',
        `Stage not supported inside of a multi-document transaction: ${stage}`,
      );
  };
  return {
    async stats() {
      assertOutside('$collStats');
      const { objects, bytes, indexes } = await sizes(context, collection);
      const held = Object.entries(indexes).map(([index, n]) => [index, Long.fromNumber(n)]);
      const count = Long.fromNumber(objects);
      return {
        ns: `${db}.${name ?? ''}`,
        host: engine.address(),
        localTime: new Date(),
        count,
        storageStats: {
          size: Long.fromNumber(bytes),
          count,
          storageSize: Long.fromNumber(bytes),
          capped: collection?.options.capped !== undefined,
          nindexes: new Int32(collection ? indexCount(collection) : 0),
          totalIndexSize: Long.fromNumber(sum(Object.values(indexes))),
          indexSizes: Object.fromEntries(held),
        },
      };
    },
    indexes() {
      assertOutside('$indexStats');
      return (collection ? [{ index: idIndex, uses: collection.uses }, ...collection.indexes] : []).map(
        ({ index: { spec }, uses }): Doc => ({
          name: spec.name,
          key: spec.key,
          host: engine.address(),
          accesses: { ops: Long.fromNumber(uses.ops), since: uses.since },
          spec: specDoc(spec),
        }),
      );
    },
  };
}
