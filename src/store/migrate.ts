import { Schema, type Connection, type Model } from 'mongoose';

/** The layout of the collections; raised with each change that older programs can't read. */
const SCHEMA_VERSION = 1;

interface StoreState {
  readonly _id: string;
  readonly version: number;
}
const schema = new Schema<StoreState>(
  { _id: { type: String, required: true }, version: { type: Number, required: true } } as Record<
    keyof StoreState,
    object
  >,
  { versionKey: false, autoIndex: false },
);

/**
 * Makes the collections and their declared indexes where they are missing: a transaction must not have to.
 *
 * @throws Error the store was written by a newer program: it is left as it is
 */
export async function migrate(connection: Connection): Promise<void> {
  const states: Model<StoreState> =
    connection.models['StoreState'] ?? connection.model<StoreState>('StoreState', schema, 'storeState');
  const state = await states.findById('schema').lean<StoreState>();
  if (state && state.version > SCHEMA_VERSION)
    throw new Error(
      `The store has schema version ${state.version}, this program knows ${SCHEMA_VERSION}: start the newer program. Nothing was changed.`,
    );
  const existing = new Set((await connection.listCollections()).map((c) => c.name));
  for (const model of Object.values(connection.models)) {
    if (!existing.has(model.collection.collectionName)) await model.createCollection();
    await model.createIndexes();
  }
  await states.updateOne({ _id: 'schema' }, { $set: { version: SCHEMA_VERSION } }, { upsert: true });
}
