import { randomInt } from 'node:crypto';
import { EngineError } from '../errors.js';
import { SESSION_MINUTES } from './sessions.js';

/** A cursor nobody asks for this long is closed, as in MongoDB. */
const IDLE_MS = 10 * 60_000;
/** With noCursorTimeout it lives as long as a session. https://www.mongodb.com/docs/manual/reference/method/cursor.noCursorTimeout/ */
const LONG_IDLE_MS = SESSION_MINUTES * 60_000;
/** Bytes of one batch; a reply has 48 MB at most, a document 16 MB. */
const BATCH_BYTES = 16 * 1024 * 1024;
/** Each open cursor holds a snapshot, of which lmdb has a bounded number. */
const MAX_CURSORS = 800;

/** Documents that a cursor hands out. */
export interface Rows {
  /** An undefined: others may have their turn. */
  readonly rows: Iterator<Uint8Array | undefined> | AsyncIterator<Uint8Array | undefined>;
  /** Told when the cursor stays open after the first batch, with what closes it. */
  opened(close: () => void): void;
  /** Closes the snapshot that they come from. */
  release(): void;
}

interface Cursor {
  readonly source: Rows;
  readonly namespace: string;
  /** The session that opened it: no other may read on. */
  readonly session: string | undefined;
  /** The document that did not fit into the last batch. */
  held: Uint8Array | undefined;
  left: number | undefined;
  used: number;
  readonly idleMs: number;
  /** A batch is being read. */
  busy: boolean;
}

interface MoreRequest {
  readonly namespace: string;
  readonly session: string | undefined;
  readonly batchSize: number;
  /** It bears a maxTimeMS. */
  readonly limited: boolean;
  readonly connection: number;
}

/** Open cursors: each sees the moment at which it was opened. */
export class Cursors {
  readonly #open = new Map<bigint, Cursor>();
  /** Those whose next batch is being read, by the connection that waits for it. */
  readonly #awaited = new Map<number, Cursor>();

  /** The first batch, and the id by which the rest is asked for; 0: that was all. */
  async open(
    source: Rows,
    options: {
      namespace: string;
      session?: string | undefined;
      connection: number;
      batchSize: number;
      single: boolean;
      limit?: number;
      noCursorTimeout?: boolean | undefined;
    },
  ): Promise<{ docs: Uint8Array[]; id: bigint }> {
    const cursor: Cursor = {
      source,
      namespace: options.namespace,
      session: options.session,
      held: undefined,
      left: options.limit,
      used: Date.now(),
      idleMs: options.noCursorTimeout ? LONG_IDLE_MS : IDLE_MS,
      busy: false,
    };
    try {
      const { docs, finished } = await this.#fill(cursor, options);
      if (finished || options.single) {
        source.release();
        return { docs, id: 0n };
      }
      if (this.#open.size >= MAX_CURSORS)
        throw new EngineError(
          'ExceededMemoryLimit',
          `${MAX_CURSORS} cursors are open: read them to the end or close them`,
        );
      const id = BigInt(randomInt(1, 2 ** 47));
      this.#open.set(id, cursor);
      source.opened(() => this.kill(id));
      return { docs, id };
    } catch (error) {
      source.release();
      throw error;
    }
  }

  /** @throws {EngineError} 43 CursorNotFound; 13: another collection's; 50736 to 50738: another session's; 2: with a time limit */
  async more(
    id: bigint,
    { namespace, session, limited, ...asked }: MoreRequest,
  ): Promise<{ docs: Uint8Array[]; id: bigint }> {
    const cursor = this.#open.get(id);
    if (!cursor) throw new EngineError('CursorNotFound', `cursor id ${id} not found`);
    if (cursor.session !== session)
      throw session === undefined
        ? new EngineError(50737, `Cannot run getMore on cursor ${id}, which was created in a session, without an lsid`)
        : new EngineError(
            cursor.session === undefined ? 50736 : 50738,
            `Cannot run getMore on cursor ${id}, which was not created in this session`,
          );
    if (cursor.namespace !== namespace)
      throw new EngineError(
        'Unauthorized',
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      );
    if (limited)
      throw new EngineError('BadValue', 'cannot set maxTimeMS on getMore command for a non-awaitData cursor');
    if (cursor.busy) throw new EngineError('CursorInUse', `cursor id ${id} is already in use`);
    cursor.used = Date.now();
    cursor.busy = true;
    try {
      const { docs, finished } = await this.#fill(cursor, asked);
      cursor.busy = false;
      if (!finished) return { docs, id };
      this.kill(id);
      return { docs, id: 0n };
    } catch (error) {
      this.kill(id);
      throw error;
    }
  }

  /** A connection is closed: what it waits for is given up. */
  left(connection: number): void {
    this.#awaited.get(connection)?.source.release();
  }

  /** Closes the cursors of a session, also those that are being read; without one, of all sessions. */
  end(session?: string): void {
    const ends = (cursor: Cursor): boolean =>
      cursor.session !== undefined && (session ?? cursor.session) === cursor.session;
    for (const cursor of this.#awaited.values()) if (ends(cursor)) cursor.source.release();
    for (const [id, cursor] of this.#open) if (ends(cursor)) this.kill(id);
  }

  kill(id: bigint): boolean {
    const cursor = this.#open.get(id);
    if (!cursor) return false;
    this.#open.delete(id);
    cursor.source.release();
    return true;
  }

  /** Closes those that nobody has asked for in their time. */
  expire(now: number): void {
    for (const [id, cursor] of this.#open) if (now - cursor.used > cursor.idleMs) this.kill(id);
  }

  closeAll(): void {
    for (const id of this.#open.keys()) this.kill(id);
  }

  async #fill(
    cursor: Cursor,
    { batchSize, connection }: { batchSize: number; connection: number },
  ): ReturnType<typeof fill> {
    this.#awaited.set(connection, cursor);
    try {
      return await fill(cursor, batchSize);
    } finally {
      this.#awaited.delete(connection);
    }
  }
}

async function fill(cursor: Cursor, batchSize: number): Promise<{ docs: Uint8Array[]; finished: boolean }> {
  const docs: Uint8Array[] = [];
  let bytes = 0;
  if (batchSize === 0) return { docs, finished: false };
  for (;;) {
    let next: Uint8Array | undefined = cursor.held;
    cursor.held = undefined;
    if (!next) {
      const result = cursor.source.rows.next();
      const settled = result instanceof Promise ? await result : result;
      if (settled.done) return { docs, finished: true };
      next = settled.value;
      if (!next) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
    }
    if (docs.length > 0 && bytes + next.length > BATCH_BYTES) {
      cursor.held = next;
      return { docs, finished: false };
    }
    docs.push(next);
    bytes += next.length;
    if (cursor.left !== undefined) {
      cursor.left -= 1;
      if (cursor.left <= 0) return { docs, finished: true };
    }
    if (docs.length >= batchSize) return { docs, finished: false };
  }
}
