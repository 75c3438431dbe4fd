import { chmodSync, rmSync } from 'node:fs';
import type { Engine } from '../commands/command.js';
import { Writer } from '../documents/write.js';
import { find } from '../query/execute.js';
import { Catalogue, type Collection } from '../storage/catalogue.js';
import { sweep } from '../storage/leftovers.js';
import { Storage } from '../storage/storage.js';
import { Transactions } from '../transactions/transactions.js';
import { Cursors } from './cursors.js';
import { claim } from './folder.js';
import { listen } from './listener.js';
import { Readers } from './readers.js';
import { Sessions } from './sessions.js';

/** Expired documents are removed this often. */
const TTL_EVERY_MS = 30_000;
/** Removed in one transaction, so that other commands get their turn. */
const TTL_BATCH = 500;
/** https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.transactionLifetimeLimitSeconds */
const TRANSACTION_MS = 60_000;
/** https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.internalQueryMaxBlockingSortMemoryUsageBytes */
const MEMORY_LIMIT = 100 * 1024 * 1024;
/** Some twenty of the longest messages at once. */
const CONNECTION_BYTES = 1024 * 1024 * 1024;

export interface EngineOptions {
  readonly folder: string;
  /** A loopback port instead of the socket in the folder; 0 takes a free one. */
  readonly port?: number;
  readonly memoryLimitBytes?: number;
  /** What all connections together may hold of unfinished requests and of answers that are not taken. */
  readonly connectionBytes?: number;
  /** A transaction that has not ended by then is aborted. */
  readonly transactionLifetimeMs?: number;
  /** How often expired documents are removed. */
  readonly expireEveryMs?: number;
}

/** What failed in the background: nobody waits for it. */
export type Report = (error: Error) => void;

export interface RunningEngine {
  readonly uri: string;
  backup(folder: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Opens a data folder and serves it.
 *
 * @throws {FolderInUse} another process serves it: says which
 * @throws Error the folder's format is another, or its file is damaged
 */
export async function startEngine(options: EngineOptions, report: Report): Promise<RunningEngine> {
  const { path, release } = await claim(options.folder);
  try {
    return await serve(path, release, report, options);
  } catch (error) {
    release();
    throw error;
  }
}

async function serve(
  path: string,
  release: () => void,
  report: Report,
  {
    folder,
    port,
    memoryLimitBytes = MEMORY_LIMIT,
    connectionBytes = CONNECTION_BYTES,
    transactionLifetimeMs = TRANSACTION_MS,
    expireEveryMs = TTL_EVERY_MS,
  }: EngineOptions,
): Promise<RunningEngine> {
  const storage = await Storage.open(folder);
  const transactions = new Transactions(storage);
  const catalogue = new Catalogue();
  transactions.read((tx) => catalogue.load(tx));
  // A thread does not load TypeScript: run from source, everything runs in this one.
  const readers = import.meta.url.endsWith('.ts') ? undefined : new Readers({ folder, memoryLimitBytes });
  let address = path;
  const engine: Engine = {
    storage,
    transactions,
    catalogue,
    sessions: new Sessions(transactions, { lifetimeMs: transactionLifetimeMs, limitBytes: memoryLimitBytes }),
    cursors: new Cursors(),
    readers,
    address: () => address,
    memoryLimitBytes,
  };
  const local = await listen(engine, { path }, connectionBytes);
  chmodSync(path, 0o600);
  const remote = port === undefined ? undefined : await listen(engine, { port, host: '127.0.0.1' }, connectionBytes);
  const bound = remote?.server.address();
  if (bound && typeof bound === 'object') address = `127.0.0.1:${bound.port}`;
  const timer = setInterval(() => {
    expire(engine).catch((cause: unknown) => report(new Error('removing what has expired failed', { cause })));
  }, expireEveryMs).unref();
  return {
    // Direct: the driver writes the hosts of a replica set in small letters, and a socket's path may have capitals.
    uri: `mongodb://${remote ? address : encodeURIComponent(path)}/?directConnection=true`,
    backup: (to) => storage.backup(to),
    async stop() {
      clearInterval(timer);
      await remote?.stop();
      await local.stop();
      engine.cursors.closeAll();
      engine.sessions.endAll();
      transactions.drain();
      await readers?.stop();
      await storage.close();
      rmSync(path, { force: true });
      release();
    },
  };
}

/** What ends, and when: by TTL indexes, and in time series and clustered collections by their own option. */
function expiryOf({ indexes, options: { expireAfterSeconds, timeField = '_id' } }: Collection): {
  path: string;
  seconds: number;
}[] {
  const own = expireAfterSeconds === undefined ? [] : [{ path: timeField, seconds: expireAfterSeconds }];
  return [
    ...own,
    ...indexes.flatMap(({ index }) => {
      const [field] = index.fields;
      const seconds = index.spec.expireAfterSeconds;
      return seconds === undefined || !field || index.fields.length > 1 ? [] : [{ path: field.path, seconds }];
    }),
  ];
}

/** Removes what TTL indexes say is over and what drops have left, and forgets old sessions and cursors. */
export async function expire(engine: Engine, now = new Date()): Promise<void> {
  engine.cursors.expire(now.getTime());
  for (const collection of engine.catalogue.list())
    for (const { path, seconds } of expiryOf(collection)) {
      const filter = { [path]: { $lt: new Date(now.getTime() - seconds * 1000) } };
      for (let removed = TTL_BATCH; removed === TTL_BATCH;)
        removed = await engine.transactions.run((tx) => {
          const writer = new Writer(tx, engine.catalogue);
          const over = collection.gone ? [] : [...find(tx, collection, { filter, limit: TTL_BATCH })];
          for (const { doc } of over) writer.remove(collection, doc);
          return over.length;
        });
    }
  await sweep(engine.transactions, engine.catalogue);
  await engine.transactions.run((tx) => engine.sessions.prune(tx, now));
}
