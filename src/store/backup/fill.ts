import { calculateObjectSize, type Document } from 'bson';
import type { Db, IndexDescription } from 'mongodb';
import type { Connection } from 'mongoose';
import { RESTORE_STATE, STATES } from '../migrate.js';
import type { Header } from './format.js';
import { readBackup } from './read.js';

/** Sent at once: far below the 48 MB of a message, whatever the documents' size. */
const BATCH = 200;
const BATCH_BYTES = 12 * 1024 * 1024;

const dbOf = (connection: Connection): Db => connection.getClient().db(connection.name);

const namesIn = async (db: Db): Promise<string[]> =>
  (await db.listCollections({}, { nameOnly: true }).toArray())
    .filter((c) => c.type !== 'view' && !c.name.startsWith('system.'))
    .map((c) => c.name);

/** Nothing is in it but the store's own notes, and no restore was left half done. */
export async function isEmptyStore(connection: Connection): Promise<boolean> {
  const db = dbOf(connection);
  for (const name of await namesIn(db)) {
    const filter = name === STATES ? { _id: RESTORE_STATE } : {};
    if ((await db.collection<{ _id: string }>(name).findOne(filter)) !== null) return false;
  }
  return true;
}

/**
 * Makes the store what the backup holds. From the first change to the last the store bears a mark with which no program
 * starts: one that is killed here leaves a store that says so.
 *
 * @throws Error what was written is not what the backup counts
 */
export async function fillFrom(connection: Connection, file: string, header: Header): Promise<void> {
  const db = dbOf(connection);
  const states = db.collection<{ _id: string }>(STATES);
  await states.updateOne({ _id: RESTORE_STATE }, { $set: { version: header.schemaVersion } }, { upsert: true });
  for (const old of await namesIn(db)) if (old !== STATES) await db.dropCollection(old);
  const ownStates: Document[] = [];
  let name = '';
  let batch: Document[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await db.collection(name).insertMany(batch, { writeConcern: { w: 'majority' } });
    batch = [];
    bytes = 0;
  };
  for await (const one of readBackup(file)) {
    if ('collection' in one) {
      await flush();
      name = one.collection;
      if (name === STATES) continue;
      await db.createCollection(name);
      if (one.indexes.length > 0) await db.collection(name).createIndexes(one.indexes as IndexDescription[]);
    } else if (name === STATES) ownStates.push(one.document);
    else {
      batch.push(one.document);
      bytes += calculateObjectSize(one.document);
      if (batch.length >= BATCH || bytes >= BATCH_BYTES) await flush();
    }
  }
  await flush();
  for (const [collection, count] of Object.entries(header.collections)) {
    if (collection === STATES) continue;
    const found = await db.collection(collection).countDocuments({});
    if (found !== count) throw new Error(`${collection} has ${found} documents after the restore, not ${count}`);
  }
  await states.deleteMany({ _id: { $ne: RESTORE_STATE } });
  for (const state of ownStates.filter((s) => s['_id'] !== RESTORE_STATE))
    await states.insertOne(state as { _id: string });
  await states.deleteOne({ _id: RESTORE_STATE }, { writeConcern: { w: 'majority' } });
}
