import { Int32 } from 'bson';
import { equals } from '../bson/compare.js';
import { isDoc, typeName } from '../bson/types.js';
import type { Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { indexCount, type StoredIndex } from '../storage/catalogue.js';
import { collectionOf } from './collection-of.js';
import { type Command, int, collectionName } from './command.js';

/** @throws {EngineError} 181: a key that several indexes have */
export function assertOne(found: readonly StoredIndex[], by: Value): void {
  if (found.length > 1)
    throw new EngineError(
      'AmbiguousIndexKeyPattern',
      `${found.length} indexes found with key: ${JSON.stringify(by)}: identify the index by name instead`,
    );
}

export const dropIndexes: Command = {
  help: 'Removes indexes.',
  fields: { index: 'own' },
  writes: true,
  async run(context) {
    const collection = collectionOf(context, collectionName(context.command, 'dropIndexes'));
    const { index } = context.command;
    const before = indexCount(collection);
    if (index === undefined || index === null)
      throw new EngineError(40414, "BSON field 'dropIndexes.index' is missing but a required field");
    const wanted = Array.isArray(index) ? index : [index];
    if (!isDoc(index) && wanted.some((w) => typeof w !== 'string'))
      throw new EngineError(
        'TypeMismatch',
        `BSON field 'dropIndexes.index' is the wrong type '${typeName(index)}', expected types '[string, array, object]'`,
      );
    const chosen = wanted.flatMap((w) => {
      if (w === '*') return [...collection.indexes];
      if (w === '_id_' || (isDoc(w) && equals(w, { _id: new Int32(1) })))
        throw new EngineError(
          collection.options.doc['clusteredIndex'] === undefined ? 'InvalidOptions' : 5979800,
          'cannot drop _id index',
        );
      const found = collection.indexes.filter((i) =>
        typeof w === 'string' ? i.index.spec.name === w : equals(i.index.spec.key, w),
      );
      if (found.length === 0)
        throw new EngineError(
          'IndexNotFound',
          typeof w === 'string'
            ? `index not found with name [${w}]`
            : `can't find index with key: ${JSON.stringify(w)}`,
        );
      assertOne(found, w);
      return found;
    });
    await context.engine.transactions.run(
      (tx) => {
        for (const i of chosen)
          if (collection.indexes.includes(i)) context.engine.catalogue.dropIndex(tx, collection, i);
      },
      { alone: [collection.id] },
    );
    return {
      nIndexesWas: int(before),
      ...(index === '*' && { msg: 'non-_id indexes dropped for collection' }),
    };
  },
};
