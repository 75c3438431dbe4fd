import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { Binary, deserialize, type Document, serialize } from 'bson';
import { type Db, MongoClient, MongoServerError } from 'mongodb';
import { type RunningEngine, start, type StartOptions } from '../../../src/store/embedded/index.js';

export interface Running {
  readonly engine: RunningEngine;
  readonly client: MongoClient;
  readonly db: Db;
  readonly folder: string;
  /** Another client of the same engine, closed with it. */
  another(): Promise<MongoClient>;
  /** Stops the engine and opens the same folder again. */
  reopen(): Promise<Running>;
}

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A folder that is removed after the test. */
export async function folderForTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gm-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An engine in this thread with a client; both are closed after the test. */
export async function running(options: Partial<StartOptions> = {}): Promise<Running> {
  const folder = options.folder ?? (await folderForTest());
  const engine = await start({ thread: 'same', ...options, folder });
  const client = await new MongoClient(engine.uri).connect();
  const clients = [client];
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    for (const c of clients) await c.close();
    await engine.stop();
  };
  closing.push(stop);
  return {
    engine,
    client,
    db: client.db('test'),
    folder,
    async another() {
      const c = await new MongoClient(engine.uri).connect();
      clients.push(c);
      return c;
    },
    async reopen() {
      await stop();
      return running({ ...options, folder });
    },
  };
}

/** One engine for all tests of a file, where they empty its database between them; `opened` is given its client. */
export function oneEngine(opened: (client: MongoClient) => void): void {
  let folder: string;
  let engine: RunningEngine;
  let client: MongoClient;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gm-'));
    engine = await start({ folder, thread: 'same' });
    client = await new MongoClient(engine.uri).connect();
    opened(client);
  });
  afterAll(async () => {
    await client.close();
    await engine.stop();
    await rm(folder, { recursive: true, force: true });
  });
}

/** The error that a promise is rejected with, if the server sent it. */
export async function refusal(work: Promise<unknown>): Promise<MongoServerError> {
  const error: unknown = await work.then(
    () => new Error('it was not refused'),
    (e: unknown) => e,
  );
  if (error instanceof MongoServerError) return error;
  throw error;
}

/** A bare connection, to send what the driver would not. */
export async function bareConnection(uri: string): Promise<{
  socket: Socket;
  closed: Promise<void>;
  /** The next whole message the server sends. */
  answer(): Promise<Buffer>;
}> {
  const path = decodeURIComponent(new URL(uri.replace(/^mongodb:/, 'http:').replace(/%2F/g, '/')).pathname);
  const socket = connect(uri.includes('%2F') ? decodeURIComponent(uri.slice(10, uri.indexOf('/?'))) : path);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  let bytes = Buffer.alloc(0);
  const waiting: ((message: Buffer) => void)[] = [];
  const ready: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 4 && bytes.length >= bytes.readInt32LE(0)) {
      const message = bytes.subarray(0, bytes.readInt32LE(0));
      bytes = bytes.subarray(message.length);
      const next = waiting.shift();
      if (next) next(message);
      else ready.push(message);
    }
  });
  closing.push(async () => socket.destroy());
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return {
    socket,
    closed,
    answer: () =>
      new Promise((resolve) => {
        const there = ready.shift();
        if (there) resolve(there);
        else waiting.push(resolve);
      }),
  };
}

/** An OP_MSG: a body and any document sequences. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg */
export function message(
  id: number,
  body: Document,
  { flags = 0, sequences = {} }: { flags?: number; sequences?: Record<string, Document[]> } = {},
): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0]), serialize(body)];
  for (const [name, docs] of Object.entries(sequences)) {
    const inner = Buffer.concat([Buffer.from(`${name}\0`), ...docs.map((d) => serialize(d))]);
    const size = Buffer.alloc(5);
    size[0] = 1;
    size.writeInt32LE(inner.length + 4, 1);
    parts.push(size, inner);
  }
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(20);
  head.writeInt32LE(20 + payload.length, 0);
  head.writeInt32LE(id, 4);
  head.writeInt32LE(2013, 12);
  head.writeUInt32LE(flags, 16);
  return Buffer.concat([head, payload]);
}

/** Sends commands by hand, with fields that the driver would set itself (lsid, txnNumber, stmtIds). */
export async function byHand(uri: string, db = 'test'): Promise<(command: Document) => Promise<Document>> {
  const connection = await bareConnection(uri);
  let id = 0;
  return async (command) => {
    connection.socket.write(message((id += 1), { ...command, $db: command['$db'] ?? db }));
    return bodyOf(await connection.answer());
  };
}

/** A session's id, as the wire has it. */
export const newSession = (): { id: Binary } => ({
  id: new Binary(Buffer.from(randomUUID().replaceAll('-', ''), 'hex'), 4),
});

/** The document of an OP_MSG answer. */
export const bodyOf = (answer: Buffer): Document => deserialize(answer.subarray(21));
