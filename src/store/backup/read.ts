import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { deserialize, type Document } from 'bson';
import { z } from 'zod';
import { cutShort, damaged, decodeHeader, HEADER_BYTES, type Header, MAX_DOCUMENT_BYTES, RECORD } from './format.js';

const CollectionRecord = z.object({ name: z.string().min(1), indexes: z.array(z.record(z.string(), z.unknown())) });

/** What a backup holds, in order: a collection, then its documents. */
export type BackedUp =
  | { readonly collection: string; readonly indexes: readonly Document[] }
  | { readonly document: Document };

/**
 * Reads a backup from end to end: header, length, checksum, every record, the counts.
 *
 * @throws {BadBackup} whatever is wrong with it
 * @throws Error there is no such file
 */
export async function verifyBackup(file: string): Promise<Header> {
  const header = await headerOf(file);
  const { size } = await stat(file);
  if (size < HEADER_BYTES + header.bytes) throw cutShort();
  if (size > HEADER_BYTES + header.bytes) throw damaged();
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file, { start: HEADER_BYTES })) hash.update(piece as Buffer);
  if (hash.digest('hex') !== header.sha256) throw damaged();
  const counts = new Map<string, number>();
  let name = '';
  for await (const one of readBackup(file)) {
    if ('collection' in one) name = one.collection;
    counts.set(name, (counts.get(name) ?? 0) + ('document' in one ? 1 : 0));
  }
  const told = Object.entries(header.collections);
  if (told.length !== counts.size || told.some(([n, count]) => counts.get(n) !== count)) throw damaged();
  return header;
}

async function headerOf(file: string): Promise<Header> {
  const handle = await open(file, 'r');
  try {
    const bytes = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await handle.read(bytes, 0, HEADER_BYTES, 0);
    return decodeHeader(bytes.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** The records of a backup that was verified. Numbers keep their BSON types, so that what is written again is the same. */
export async function* readBackup(file: string): AsyncGenerator<BackedUp> {
  const source = createReadStream(file, { start: HEADER_BYTES });
  const unpacked = source.pipe(createGunzip());
  source.once('error', (error) => unpacked.destroy(error));
  try {
    let held: Buffer = Buffer.alloc(0);
    for await (const piece of unpacked) {
      held = held.length === 0 ? (piece as Buffer) : Buffer.concat([held, piece as Buffer]);
      let at = 0;
      for (let end = recordEnd(held, at); end !== undefined; end = recordEnd(held, at)) {
        yield decode(held[at], held.subarray(at + 1, end));
        at = end;
      }
      held = held.subarray(at);
    }
    if (held.length > 0) throw cutShort();
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

/** Where the record at `at` ends, if all of it is there: a BSON document begins with its own length. */
function recordEnd(held: Buffer, at: number): number | undefined {
  if (held.length < at + 5) return undefined;
  const length = held.readInt32LE(at + 1);
  if (length < 5 || length > MAX_DOCUMENT_BYTES) throw damaged();
  return held.length < at + 1 + length ? undefined : at + 1 + length;
}

function decode(kind: number | undefined, bson: Buffer): BackedUp {
  if (kind === RECORD.document)
    return { document: deserialize(bson, { promoteValues: false, promoteBuffers: false, bsonRegExp: true }) };
  const parsed = CollectionRecord.safeParse(kind === RECORD.collection ? deserialize(bson) : undefined);
  if (!parsed.success) throw damaged();
  return { collection: parsed.data.name, indexes: parsed.data.indexes };
}
