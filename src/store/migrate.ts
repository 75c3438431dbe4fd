import { Schema, type Connection, type Model } from 'mongoose';

/** The layout of the collections; raised with each change that older programs can't read. */
export const SCHEMA_VERSION = 1;
/** The collection that says what the store is, and its documents: the layout; a restore that is under way. */
export const STATES = 'storeState';
export const SCHEMA_STATE = 'schema';
export const RESTORE_STATE = 'restore';

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

/** Brings a store from the layout before `to` to it. Run again after a crash it comes to the same. */
export interface Migration {
  readonly to: number;
  run(connection: Connection): Promise<void>;
}

/** In order, one for each version after the first. */
const migrations: readonly Migration[] = [];

export interface MigrateOptions {
  /** Called once before the first migration touches the store; if it fails, nothing is changed. */
  readonly backUp: (from: number) => Promise<unknown>;
  /** Others than the program's own: for tests. */
  readonly migrations?: readonly Migration[];
}

/**
 * Brings the store to this program's layout, and makes the collections and their declared indexes where they are missing:
 * a transaction must not have to.
 *
 * @throws Error the store was written by a newer program, or a restore into it did not finish: it is left as it is
 */
export async function migrate(connection: Connection, options: MigrateOptions): Promise<void> {
  const { backUp, migrations: steps = migrations } = options;
  const version = Math.max(SCHEMA_VERSION, ...steps.map((m) => m.to));
  const states: Model<StoreState> =
    connection.models['StoreState'] ?? connection.model<StoreState>('StoreState', schema, STATES);
  if (await states.findById(RESTORE_STATE).lean<StoreState>())
    throw new Error(
      '恢复没有做完，请再恢复一次（--replace --yes）/ a restore did not finish: restore again with --replace --yes.',
    );
  const state = await states.findById(SCHEMA_STATE).lean<StoreState>();
  if (state && state.version > version)
    throw new Error(
      `数据由更新的版本写入，请启动那个版本 / The store has schema version ${state.version}, this program knows ${version}: start the newer program. Nothing was changed.`,
    );
  const due = state === null ? [] : steps.filter((m) => m.to > state.version);
  if (state && due.length > 0) await backUp(state.version);
  for (const step of due) {
    await step.run(connection);
    await states.updateOne({ _id: SCHEMA_STATE }, { $set: { version: step.to } });
  }
  const existing = new Set((await connection.listCollections()).map((c) => c.name));
  for (const model of Object.values(connection.models)) {
    if (!existing.has(model.collection.collectionName)) await model.createCollection();
    await model.createIndexes();
  }
  await states.updateOne({ _id: SCHEMA_STATE }, { $set: { version } }, { upsert: true });
}
