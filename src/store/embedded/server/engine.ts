import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../commands/command.js';
import { Writer } from '../documents/write.js';
import { find } from '../query/execute.js';
import { Catalogue } from '../storage/catalogue.js';
import { Storage } from '../storage/storage.js';
import { Transactions } from '../transactions/transactions.js';
import { Cursors } from './cursors.js';
import { listen } from './listener.js';
import { Sessions } from './sessions.js';

/** Expired documents are removed this often. */
const TTL_EVERY_MS = 30_000;
/** Removed in one transaction, so that other commands get their turn. */
const TTL_BATCH = 500;
/** https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.internalQueryMaxBlockingSortMemoryUsageBytes */
const MEMORY_LIMIT = 100 * 1024 * 1024;
/** A longer path is cut silently when it is bound. */
const MAX_SOCKET_PATH = 103;

export interface EngineOptions {
  readonly folder: string;
  /** A loopback port instead of the socket in the folder; 0 takes a free one. */
  readonly port?: number;
  readonly memoryLimitBytes?: number;
  /** How often expired documents are removed. */
  readonly expireEveryMs?: number;
}

export interface RunningEngine {
  readonly uri: string;
  backup(folder: string): Promise<void>;
  stop(): Promise<void>;
}

/** The folder is another process's. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** A socket that only the process that serves the folder listens on tells whether it lives; a killed one's answers no more. */
async function claim(folder: string): Promise<{ path: string; release: () => void }> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pointer = join(folder, 'SOCKET');
  const holder = existsSync(pointer) ? readFileSync(pointer, 'utf8').split('\n') : [];
  const [path = '', pid = ''] = holder;
  const inUse = (): FolderInUse =>
    new FolderInUse(
      `The data folder ${folder} is in use by ${pid === '' ? 'another process' : `process ${pid}`}: stop it first, or set DATA_DIR to another folder.`,
    );
  const lock = await lockFolder(folder);
  if (lock === 'taken') throw inUse();
  if (path !== '' && (await answers(path))) {
    lock?.close();
    throw inUse();
  }
  if (path !== '') rmSync(path, { force: true });
  const wanted = join(folder, 'store.sock');
  const fits = Buffer.byteLength(wanted) <= MAX_SOCKET_PATH && !wanted.includes('%');
  const socket = fits ? wanted : join(mkdtempSync(join(tmpdir(), 'gridmate-')), 'store.sock');
  rmSync(socket, { force: true });
  writeFileSync(pointer, `${socket}\n${process.pid}\n`, { mode: 0o600 });
  return {
    path: socket,
    release() {
      rmSync(pointer, { force: true });
      lock?.close();
    },
  };
}

/**
 * Where the system has sockets without a file (Linux), the name of one made from the folder is an exact lock: two that
 * start at the same moment can't both have it, and it ends with its process.
 */
function lockFolder(folder: string): Promise<Server | 'taken' | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(undefined);
  const { dev, ino } = statSync(folder);
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve('taken') : reject(error),
    );
    server.listen(`\0gridmate-store-${dev}-${ino}`, () => resolve(server.unref()));
  });
}

/**
 * Opens a data folder and serves it.
 *
 * @throws {FolderInUse} another process serves it: says which
 * @throws Error the folder's format is another, or its file is damaged
 */
export async function startEngine({
  folder,
  port,
  memoryLimitBytes = MEMORY_LIMIT,
  expireEveryMs = TTL_EVERY_MS,
}: EngineOptions): Promise<RunningEngine> {
  const { path, release } = await claim(folder);
  try {
    return await serve(path, release, { folder, port, memoryLimitBytes, expireEveryMs });
  } catch (error) {
    release();
    throw error;
  }
}

async function serve(
  path: string,
  release: () => void,
  {
    folder,
    port,
    memoryLimitBytes,
    expireEveryMs,
  }: { folder: string; port: number | undefined; memoryLimitBytes: number; expireEveryMs: number },
): Promise<RunningEngine> {
  const storage = Storage.open(folder);
  const transactions = new Transactions(storage);
  const catalogue = new Catalogue();
  transactions.read((tx) => catalogue.load(tx));
  let address = path;
  const engine: Engine = {
    storage,
    transactions,
    catalogue,
    sessions: new Sessions(transactions),
    cursors: new Cursors(),
    address: () => address,
    memoryLimitBytes,
  };
  const local = await listen(engine, { path });
  chmodSync(path, 0o600);
  const remote = port === undefined ? undefined : await listen(engine, { port, host: '127.0.0.1' });
  const bound = remote?.server.address();
  if (bound && typeof bound === 'object') address = `127.0.0.1:${bound.port}`;
  const timer = setInterval(() => void expire(engine).catch(() => undefined), expireEveryMs).unref();
  return {
    // Direct: the driver writes the hosts of a replica set in small letters, and a socket's path may have capitals.
    uri: `mongodb://${remote ? address : encodeURIComponent(path)}/?directConnection=true`,
    backup: (to) => storage.backup(to),
    async stop() {
      clearInterval(timer);
      await remote?.stop();
      await local.stop();
      engine.cursors.closeAll();
      engine.sessions.close();
      transactions.drain();
      await storage.close();
      rmSync(path, { force: true });
      release();
    },
  };
}

/** Removes what TTL indexes say is over, and forgets old sessions and cursors. */
export async function expire(engine: Engine, now = new Date()): Promise<void> {
  engine.cursors.expire(now.getTime());
  for (const collection of engine.catalogue.list())
    for (const { index } of collection.indexes) {
      const { expireAfterSeconds } = index.spec;
      const [field] = index.fields;
      if (expireAfterSeconds === undefined || !field || index.fields.length > 1) continue;
      const filter = { [field.path]: { $lt: new Date(now.getTime() - expireAfterSeconds * 1000) } };
      for (let removed = TTL_BATCH; removed === TTL_BATCH;)
        removed = await engine.transactions.run((tx) => {
          const writer = new Writer(tx, engine.catalogue);
          const over = collection.gone ? [] : [...find(tx, collection, { filter, limit: TTL_BATCH })];
          for (const { doc } of over) writer.remove(collection, doc);
          return over.length;
        });
    }
  await engine.transactions.run((tx) => engine.sessions.prune(tx, now));
}
