import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { decode, type Doc, encode } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Rows } from './cursors.js';

/** With two, one long aggregation does not hold up another. */
const MOST = Math.min(2, availableParallelism());

/** A reader with nothing to do ends: it holds some 25 MB. */
const IDLE_MS = 60_000;

/** It is told to leave, and ended where it is if it is in the midst of something long. */
const LEAVE_MS = 2000;

/** An aggregation, as a reader is asked for it. */
export interface Aggregation {
  readonly db: string;
  readonly command: Doc;
  /** When it must be done; undefined: whenever. */
  readonly deadline: number | undefined;
  /** The address the client used. */
  readonly address: string;
}

/** To a reader. `run` and `more` are answered with documents. */
export type Asked =
  | { readonly id: number; readonly run: Omit<Aggregation, 'command'> & { readonly command: Uint8Array } }
  | { readonly id: number; readonly act: 'more' | 'untimed' | 'end' }
  | { readonly stop: true };

/** From a reader: documents one after the other, or why there are none. */
export type Told =
  | { readonly id: number; readonly docs: Uint8Array; readonly done: boolean }
  | {
      readonly id: number;
      readonly failed: { code?: number; message: string; labels?: readonly string[]; extra?: Uint8Array };
    };

type Chunk = Extract<Told, { docs: Uint8Array }>;

const errorOf = ({ failed: { code, message, labels = [], extra } }: Extract<Told, { failed: object }>): Error =>
  code === undefined
    ? new Error(message)
    : new EngineError(code, message, { labels, ...(extra && { extra: decode(extra) }) });

function* documentsIn(bytes: Uint8Array): Iterable<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const end = at + view.getInt32(at, true);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** One reader's thread, seen from the thread that serves. */
class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (chunk: Chunk) => void; reject: (error: unknown) => void }>();
  readonly ended: Promise<void>;
  /** Aggregations that are open in it. */
  open = 0;
  /** It was told to stop. */
  leaving = false;
  #gone: EngineError | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: { folder: string; memoryLimitBytes: number }) {
    this.#worker = new Worker(new URL('../reader.js', import.meta.url), { workerData: options });
    this.#worker.on('message', (told: Told) => {
      const waiting = this.#waiting.get(told.id);
      this.#waiting.delete(told.id);
      if ('docs' in told) waiting?.resolve(told);
      else waiting?.reject(errorOf(told));
    });
    let cause: unknown = 'it was stopped';
    this.#worker.on('error', (error) => (cause = error));
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        // A defect, or its heap was full: what it was at fails, and the next aggregation gets another thread.
        this.#gone = new EngineError('Interrupted', `the thread of this aggregation has ended: ${String(cause)}`);
        for (const { reject } of this.#waiting.values()) reject(this.#gone);
        this.#waiting.clear();
        resolve();
      });
    });
  }

  begin(): void {
    clearTimeout(this.#idle);
    this.open += 1;
  }

  end(): void {
    this.open -= 1;
    if (this.open === 0) this.#idle = setTimeout(() => this.stop(), IDLE_MS).unref();
  }

  /** It leaves the store before it ends. */
  stop(): void {
    clearTimeout(this.#idle);
    this.leaving = true;
    this.post({ stop: true });
    const late = setTimeout(() => void this.#worker.terminate(), LEAVE_MS);
    void this.ended.then(() => clearTimeout(late));
  }

  post(asked: Asked): void {
    this.#worker.postMessage(asked);
  }

  ask(asked: Extract<Asked, { id: number }>): Promise<Chunk> {
    if (this.#gone) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      this.#waiting.set(asked.id, { resolve, reject });
      this.post(asked);
    });
  }
}

/**
 * Threads that open the same store for reading, and run long aggregations each on a snapshot of its own, taken after
 * the command came. Started when there is something for them to do.
 */
export class Readers {
  readonly #options: { readonly folder: string; readonly memoryLimitBytes: number };
  readonly #threads = new Set<Thread>();
  #ids = 0;

  constructor(options: { folder: string; memoryLimitBytes: number }) {
    this.#options = options;
  }

  run({ command, ...given }: Aggregation): Rows {
    const thread = this.#thread();
    this.#ids += 1;
    const id = this.#ids;
    let open = true;
    thread.begin();
    async function* rows(): AsyncIterator<Uint8Array> {
      let chunk = await thread.ask({ id, run: { ...given, command: encode(command) } });
      for (;;) {
        yield* documentsIn(chunk.docs);
        if (chunk.done) return;
        chunk = await thread.ask({ id, act: 'more' });
      }
    }
    return {
      rows: rows(),
      opened: () => thread.post({ id, act: 'untimed' }),
      release() {
        if (!open) return;
        open = false;
        thread.post({ id, act: 'end' });
        thread.end();
      },
    };
  }

  /** How many there are now. */
  get threads(): number {
    return this.#threads.size;
  }

  /** The one with the least to do; another one if all have something, as far as there may be another. */
  #thread(): Thread {
    const staying = [...this.#threads].filter((t) => !t.leaving).toSorted((a, b) => a.open - b.open);
    const [least] = staying;
    if (least && (least.open === 0 || staying.length >= MOST)) return least;
    const thread = new Thread(this.#options);
    this.#threads.add(thread);
    void thread.ended.then(() => this.#threads.delete(thread));
    return thread;
  }

  /** Resolves when all have left the store: it may be closed. */
  async stop(): Promise<void> {
    const threads = [...this.#threads];
    for (const thread of threads) thread.stop();
    await Promise.all(threads.map((thread) => thread.ended));
  }
}
