import { createConnection, type Connection } from 'mongoose';
import { start } from './embedded/index.js';

export interface Store {
  readonly connection: Connection;
  close(): Promise<void>;
}

/** The driver's pool must hold as many connections as writers wait at once: with fewer the group commit has less to share. */
const POOL = 100;

/** Opens the store: MongoDB where a URI is given, else the embedded engine in the data folder. */
export async function openStore(at: {
  uri?: string | undefined;
  folder: string;
  name?: string;
  thread?: 'worker' | 'same';
}): Promise<Store> {
  const engine = at.uri === undefined ? await start({ folder: at.folder, thread: at.thread ?? 'worker' }) : undefined;
  const uri = at.uri ?? engine?.uri ?? '';
  try {
    const options = { maxPoolSize: POOL, serverSelectionTimeoutMS: 10_000, autoIndex: false, autoCreate: false };
    const connection = await createConnection(uri, {
      ...options,
      ...(at.name !== undefined && { dbName: at.name }),
    }).asPromise();
    return {
      connection,
      async close() {
        await connection.close();
        await engine?.stop();
      },
    };
  } catch (error) {
    await engine?.stop();
    throw error;
  }
}
