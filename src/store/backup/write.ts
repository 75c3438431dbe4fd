import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { deserialize, type Document, serialize } from 'bson';
import { type ClientSession, type Db, MongoError } from 'mongodb';
import type { Connection } from 'mongoose';
import { SCHEMA_STATE, STATES } from '../migrate.js';
import { BadBackup, encodeHeader, type Header, HEADER_BYTES, RECORD } from './format.js';

/** Given to gzip at once: each piece costs a trip to another thread. */
const PIECE_BYTES = 256 * 1024;
const BATCH = 500;
/** A snapshot that the server gave up is taken anew this often. */
const MAX_TRIES = 3;

/** What a backup keeps of an index, beside what the server adds. */
const INDEX_FIELDS = [
  'name',
  'key',
  'unique',
  'sparse',
  'expireAfterSeconds',
  'partialFilterExpression',
  'collation',
  'hidden',
] as const;

interface Collected {
  readonly collections: Record<string, number>;
  schemaVersion: number;
}

/**
 * Writes the whole database into one file: every collection as it was at one moment, while others go on writing.
 *
 * The reads are one transaction at snapshot isolation, so they have to end within the server's
 * [lifetime of a transaction](https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.transactionLifetimeLimitSeconds),
 * 60 seconds; a store that takes longer is backed up by its server's own means.
 *
 * @throws {BadBackup} the file is there already
 */
export async function backUp(connection: Connection, file: string, createdAt: Date): Promise<Header> {
  if (existsSync(file))
    throw new BadBackup(`${file} 已经有了，请换一个名字 / ${file} exists already: choose another name`);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  for (let tries = 1; ; tries += 1)
    try {
      return await attempt(connection, file, createdAt);
    } catch (error) {
      if (!(error instanceof MongoError && error.hasErrorLabel('TransientTransactionError')) || tries >= MAX_TRIES)
        throw error;
    }
}

async function attempt(connection: Connection, file: string, createdAt: Date): Promise<Header> {
  const client = connection.getClient();
  const db = client.db(connection.name);
  const part = `${file}.part`;
  const collected: Collected = { collections: {}, schemaVersion: 0 };
  const hash = createHash('sha256');
  let bytes = 0;
  const session = client.startSession();
  try {
    session.startTransaction({ readConcern: { level: 'snapshot' }, readPreference: 'primary' });
    await rm(part, { force: true });
    await pipeline(
      Readable.from(inPieces(recordsOf(db, session, collected))),
      createGzip(),
      async function* (compressed: AsyncIterable<Buffer>) {
        for await (const piece of compressed) {
          hash.update(piece);
          bytes += piece.length;
          yield piece;
        }
      },
      createWriteStream(part, { flags: 'wx', mode: 0o600, start: HEADER_BYTES }),
    );
    const header: Header = {
      createdAt: createdAt.toISOString(),
      database: connection.name,
      ...collected,
      bytes,
      sha256: hash.digest('hex'),
    };
    await finish(part, file, header);
    return header;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
    await session.endSession();
  }
}

/** On the disk before it has its name: a file of that name is whole, whatever happens. */
async function finish(part: string, file: string, header: Header): Promise<void> {
  const handle = await open(part, 'r+');
  try {
    await handle.write(encodeHeader(header), 0, HEADER_BYTES, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function* recordsOf(db: Db, session: ClientSession, collected: Collected): AsyncGenerator<Buffer> {
  const all = await db.listCollections({}, { nameOnly: true }).toArray();
  const names = all.filter((c) => c.type !== 'view' && !c.name.startsWith('system.')).map((c) => c.name);
  // Outside the transaction: the server tells of indexes only there. They change by a migration alone.
  const indexes = new Map<string, Document[]>();
  for (const name of names) indexes.set(name, (await db.collection(name).indexes()).map(specOf));
  for (const name of names.toSorted()) {
    yield record(
      RECORD.collection,
      serialize({ name, indexes: indexes.get(name)?.filter((i) => i['name'] !== '_id_') }),
    );
    let count = 0;
    const found = db.collection(name).find({}, { session, raw: true, batchSize: BATCH });
    for await (const document of found as AsyncIterable<unknown>) {
      if (!(document instanceof Uint8Array)) throw new Error('the driver gave a document that is not raw');
      count += 1;
      yield record(RECORD.document, document);
      if (name === STATES) noteVersion(deserialize(document), collected);
    }
    collected.collections[name] = count;
  }
}

function noteVersion({ _id, version }: Document, collected: Collected): void {
  if (_id === SCHEMA_STATE && typeof version === 'number') collected.schemaVersion = version;
}

const specOf = (index: Document): Document =>
  Object.fromEntries(INDEX_FIELDS.flatMap((field) => (index[field] === undefined ? [] : [[field, index[field]]])));

const record = (kind: number, bson: Uint8Array): Buffer => Buffer.concat([Buffer.from([kind]), bson]);

async function* inPieces(records: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let piece: Buffer[] = [];
  let bytes = 0;
  for await (const one of records) {
    piece.push(one);
    bytes += one.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(piece);
    piece = [];
    bytes = 0;
  }
  yield Buffer.concat(piece);
}
