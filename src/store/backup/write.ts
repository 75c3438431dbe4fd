import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
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
/** The server's own limit of bytes ends most batches before. */
const BATCH = 1000;
const WRITTEN_ONCE_BATCH = 200;
/**
 * Collections whose documents are written once and neither changed nor removed afterwards: of them a moment's are read after
 * that moment as well. They hold nearly all bytes of a store.
 */
const WRITTEN_ONCE: ReadonlySet<string> = new Set(['attachments']);
/** A snapshot that the server gave up is taken anew this often. */
const MAX_TRIES = 3;
/** https://www.mongodb.com/docs/manual/reference/error-codes/: what a cursor gets whose transaction was given up. */
const CURSOR_NOT_FOUND = 43;

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
  /** The keys of what is still to be read, by collection. */
  readonly writtenOnce: Map<string, WrittenOnce>;
}

interface WrittenOnce {
  readonly record: Buffer;
  readonly keys: readonly string[];
}

/**
 * Writes the whole database into one file: every collection as it was at one moment, while others go on writing.
 *
 * The reads are one transaction at snapshot isolation, so they have to end within the server's
 * [lifetime of a transaction](https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.transactionLifetimeLimitSeconds),
 * 60 seconds. So nothing else is done in it: what was read is put aside as it is, and packed afterwards; and of pictures and
 * files only the names are read in it. A store whose records take longer is backed up by its server's own means.
 *
 * @throws {BadBackup} the file is there already, or the reads did not end in time
 */
export async function backUp(connection: Connection, file: string, createdAt: Date): Promise<Header> {
  if (existsSync(file))
    throw new BadBackup(`${file} 已经有了，请换一个名字 / ${file} exists already: choose another name`);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const part = `${file}.part`;
  const aside = `${file}.reads`;
  try {
    const collected = await readAside(connection, aside);
    const header = await pack(connection, collected, { aside, part, createdAt });
    await finish(part, file, header);
    return header;
  } finally {
    for (const left of [part, aside]) await rm(left, { force: true });
  }
}

async function readAside(connection: Connection, aside: string): Promise<Collected> {
  for (let tries = 1; ; tries += 1)
    try {
      return await attempt(connection, aside);
    } catch (error) {
      if (!(error instanceof MongoError)) throw error;
      if (error.code === CURSOR_NOT_FOUND || (isTransient(error) && tries >= MAX_TRIES))
        throw new BadBackup(
          '数据库没有在一次事务的时限（60秒）内读完。请在机器空闲时再备份一次；MongoDB 也可以用它自己的工具备份 / the store was not read within the lifetime of a transaction (60 s): back up when the machine is less busy; MongoDB has tools of its own',
          { cause: error },
        );
      if (!isTransient(error)) throw error;
    }
}

const isTransient = (error: MongoError): boolean => error.hasErrorLabel('TransientTransactionError');

async function attempt(connection: Connection, aside: string): Promise<Collected> {
  const client = connection.getClient();
  const collected: Collected = { collections: {}, schemaVersion: 0, writtenOnce: new Map() };
  const session = client.startSession();
  try {
    session.startTransaction({ readConcern: { level: 'snapshot' }, readPreference: 'primary' });
    await rm(aside, { force: true });
    await pipeline(
      Readable.from(inPieces(recordsOf(client.db(connection.name), session, collected))),
      createWriteStream(aside, { flags: 'wx', mode: 0o600 }),
    );
    return collected;
  } finally {
    if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
    await session.endSession();
  }
}

/** Packs what was put aside, and after it what is read now. */
async function pack(
  connection: Connection,
  { collections, schemaVersion, writtenOnce }: Collected,
  { aside, part, createdAt }: { aside: string; part: string; createdAt: Date },
): Promise<Header> {
  const db = connection.getClient().db(connection.name);
  const hash = createHash('sha256');
  let bytes = 0;
  await rm(part, { force: true });
  await pipeline(
    Readable.from(
      (async function* () {
        yield* createReadStream(aside, { highWaterMark: PIECE_BYTES });
        yield* inPieces(writtenOnceOf(db, writtenOnce));
      })(),
    ),
    createGzip({ chunkSize: PIECE_BYTES }),
    async function* (compressed: AsyncIterable<Buffer>) {
      for await (const piece of compressed) {
        hash.update(piece);
        bytes += piece.length;
        yield piece;
      }
    },
    createWriteStream(part, { flags: 'wx', mode: 0o600, start: HEADER_BYTES }),
  );
  return {
    createdAt: createdAt.toISOString(),
    database: connection.name,
    collections,
    schemaVersion,
    bytes,
    sha256: hash.digest('hex'),
  };
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
    const head = record(
      RECORD.collection,
      serialize({ name, indexes: indexes.get(name)?.filter((i) => i['name'] !== '_id_') }),
    );
    if (WRITTEN_ONCE.has(name)) {
      const keys = await db
        .collection<{ _id: string }>(name)
        .find({}, { session, projection: { _id: 1 }, batchSize: BATCH })
        .map(({ _id }) => _id)
        .toArray();
      collected.writtenOnce.set(name, { record: head, keys });
      collected.collections[name] = keys.length;
      continue;
    }
    yield head;
    let count = 0;
    for await (const document of raw(db.collection(name).find({}, { session, raw: true, batchSize: BATCH }))) {
      count += 1;
      yield record(RECORD.document, document);
      if (name === STATES) noteVersion(deserialize(document), collected);
    }
    collected.collections[name] = count;
  }
}

async function* writtenOnceOf(db: Db, left: Collected['writtenOnce']): AsyncGenerator<Buffer> {
  for (const [name, { record: head, keys }] of left) {
    yield head;
    for (let from = 0; from < keys.length; from += WRITTEN_ONCE_BATCH) {
      const some = keys.slice(from, from + WRITTEN_ONCE_BATCH);
      let count = 0;
      for await (const document of raw(
        db.collection<{ _id: string }>(name).find({ _id: { $in: some } }, { raw: true }),
      )) {
        count += 1;
        yield record(RECORD.document, document);
      }
      if (count !== some.length)
        throw new Error(`${some.length - count} documents of ${name} went while they were read`);
    }
  }
}

async function* raw(found: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const document of found) {
    if (!(document instanceof Uint8Array)) throw new Error('the driver gave a document that is not raw');
    yield document;
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
