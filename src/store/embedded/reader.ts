import { parentPort, workerData } from 'node:worker_threads';
import { decode, type Doc, encode } from './bson/value.js';
import { rowsOf } from './commands/aggregate.js';
import { EngineError } from './errors.js';
import type { Asked, Told } from './server/readers.js';
import { Catalogue } from './storage/catalogue.js';
import { Storage } from './storage/storage.js';
import { type Transaction, Transactions } from './transactions/transactions.js';

/** What is sent at once: then the next is waited for. */
const DOCUMENTS = 1000;
const BYTES = 1024 * 1024;

/** A reader's thread: started by server/readers.ts, which asks it for aggregations. */
const { folder, memoryLimitBytes } = workerData as { folder: string; memoryLimitBytes: number };
const storage = Storage.reader(folder);
const transactions = new Transactions(storage);
const open = new Map<number, { tx: Transaction; rows: AsyncIterator<Uint8Array> }>();

const tell = (told: Told): void => parentPort?.postMessage(told);

/** The catalogue is read from the same snapshot: it names just the indexes that are whole there. */
function begin(id: number, { db, command, deadline, address }: Extract<Asked, { run: object }>['run']): void {
  const tx = transactions.begin();
  tx.deadline = deadline;
  try {
    const catalogue = new Catalogue();
    catalogue.load(tx);
    const engine = { catalogue, memoryLimitBytes, address: () => address };
    const snapshot = (): { tx: Transaction; release: () => void } => ({ tx, release: () => undefined });
    open.set(id, { tx, rows: rowsOf({ engine, db, command: decode(command), snapshot }, tx) });
  } catch (error) {
    transactions.abort(tx);
    throw error;
  }
}

function end(id: number): void {
  const there = open.get(id);
  open.delete(id);
  if (there) transactions.abort(there.tx);
}

async function send(id: number): Promise<void> {
  const docs: Uint8Array[] = [];
  let bytes = 0;
  let done = false;
  while (docs.length < DOCUMENTS && bytes < BYTES) {
    const step = await open.get(id)?.rows.next();
    if (!step || step.done) {
      done = true;
      break;
    }
    docs.push(step.value);
    bytes += step.value.length;
  }
  tell({ id, docs: Buffer.concat(docs), done });
  if (done) end(id);
}

function failed(id: number, error: unknown): void {
  end(id);
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof EngineError)) return tell({ id, failed: { message } });
  const { code, labels, extra } = error;
  tell({ id, failed: { code, message, labels, extra: encode(extra as Doc) } });
}

async function answer(asked: Extract<Asked, { id: number }>): Promise<void> {
  try {
    if ('run' in asked) begin(asked.id, asked.run);
    await send(asked.id);
  } catch (error) {
    failed(asked.id, error);
  }
}

async function stop(): Promise<void> {
  for (const id of open.keys()) end(id);
  await storage.close();
  parentPort?.close();
}

parentPort?.on('message', (asked: Asked) => {
  if ('stop' in asked) void stop();
  else if ('run' in asked || asked.act === 'more') void answer(asked);
  else if (asked.act === 'end') end(asked.id);
  else {
    const there = open.get(asked.id);
    if (there) there.tx.deadline = undefined;
  }
});
