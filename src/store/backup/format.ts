import { createHash } from 'node:crypto';
import { z } from 'zod';

/**
 * A backup file: a header of fixed length, then the store as a gzip stream.
 *
 *     GridMate backup, format 1\n
 *     <SHA-256 of the next line, hex>\n
 *     <the header as one line of JSON>\n
 *     spaces up to HEADER_BYTES
 *     gzip of records: one byte of kind, then a BSON document
 *
 * The header comes first, so that a look at the file tells what it is; it is written last, so that a file without one
 * was never finished.
 */
export const FORMAT = 1;
export const HEADER_BYTES = 64 * 1024;
export const RECORD = { collection: 1, document: 2 } as const;
/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-BSON-Document-Size, and a little for the server's own fields. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024 + 16 * 1024;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Header = z.object({
  createdAt: z.iso.datetime(),
  database: z.string(),
  /** The layout of the collections, see migrate.ts; 0: the store had none yet. */
  schemaVersion: z.int().min(0),
  /** Documents by collection, all of one moment. */
  collections: z.record(z.string(), z.int().min(0)),
  /** Length and SHA-256 of what follows the header. */
  bytes: z.int().min(0),
  sha256,
});
export type Header = z.output<typeof Header>;

/** A file that is no whole and unharmed backup; nothing was changed. */
export class BadBackup extends Error {
  override readonly name = 'BadBackup';
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

export function encodeHeader(header: Header): Buffer {
  const json = JSON.stringify(header);
  const text = Buffer.from(`GridMate backup, format ${FORMAT}\n${digest(json)}\n${json}\n`);
  if (text.length > HEADER_BYTES) throw new Error('the header of the backup has no room for so many collections');
  return Buffer.concat([text, Buffer.alloc(HEADER_BYTES - text.length, ' ')]);
}

/** @throws {BadBackup} not a backup, a newer format, or damaged */
export function decodeHeader(bytes: Buffer): Header {
  const text = bytes.toString('utf8');
  const format = /^GridMate backup, format (\d{1,9})\n/.exec(text)?.[1];
  if (format === undefined)
    throw new BadBackup('这不是备份文件，或开头已损坏 / not a backup file, or its beginning is damaged');
  if (Number(format) !== FORMAT)
    throw new BadBackup(
      `备份的格式是 ${format}，本程序只认识 ${FORMAT}：请用写这份备份的版本来恢复 / the backup has format ${format}, this program reads ${FORMAT}: restore with the version that wrote it`,
    );
  if (bytes.length < HEADER_BYTES) throw cutShort();
  const [, sum, json = '', rest = ''] = text.split('\n');
  if (sum !== digest(json) || rest.trim() !== '' || !/^ *$/.test(rest)) throw damaged();
  const parsed = Header.safeParse(JSON.parse(json));
  if (!parsed.success) throw damaged();
  return parsed.data;
}

export const cutShort = (): BadBackup =>
  new BadBackup('备份文件不完整，后面的部分缺失。请换一份备份 / the backup file is cut short: take another one');
export const damaged = (): BadBackup =>
  new BadBackup(
    '备份文件已损坏，校验和不符。请换一份备份 / the backup file is damaged, its checksum differs: take another one',
  );
