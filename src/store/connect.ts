import { createConnection, type Connection } from 'mongoose';
import { servedAt, start } from './embedded/index.js';

export interface Store {
  readonly connection: Connection;
  close(): Promise<void>;
}

/** The driver's pool must hold as many connections as writers wait at once: with fewer the group commit has less to share. */
const POOL = 100;

export interface StoreAddress {
  readonly uri?: string | undefined;
  readonly folder: string;
  readonly name?: string;
  readonly thread?: 'worker' | 'same';
  /** Is told what fails in the engine's background; without it the process is warned. */
  readonly report?: (error: Error) => void;
}

/** Opens the store: MongoDB where a URI is given, else the embedded engine in the data folder. */
export async function openStore(at: StoreAddress): Promise<Store> {
  const { folder, thread = 'worker', report } = at;
  const engine = at.uri === undefined ? await start({ folder, thread, ...(report && { report }) }) : undefined;
  try {
    const connection = await connectTo(at.uri ?? engine?.uri ?? '', at.name);
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

const connectTo = (uri: string, name: string | undefined): Promise<Connection> =>
  createConnection(uri, {
    maxPoolSize: POOL,
    serverSelectionTimeoutMS: 10_000,
    autoIndex: false,
    autoCreate: false,
    ...(name !== undefined && { dbName: name }),
  }).asPromise();

/** Opens the store for a tool: where a running program holds the folder, beside it, through its socket. */
export async function joinStore(at: StoreAddress): Promise<Store & { readonly heldBy: number | undefined }> {
  try {
    return { ...(await openStore(at)), heldBy: undefined };
  } catch (error) {
    const served = isFolderInUse(error) ? await servedAt(at.folder) : undefined;
    if (!served) throw error;
    const connection = await connectTo(served.uri, at.name);
    return { connection, close: () => connection.close(), heldBy: served.pid };
  }
}

/** By its name: from a worker or another module instance the class is not the same. */
const isFolderInUse = (error: unknown): boolean => error instanceof Error && error.name === 'FolderInUse';
