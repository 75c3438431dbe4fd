import { createHash } from 'node:crypto';
import { Schema, type Connection, type Model } from 'mongoose';

/** A stored picture or file, named by the SHA-256 of its bytes: the same picture is stored once. */
export interface StoredAttachment {
  readonly _id: string;
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
  readonly at: Date;
}

const schema = new Schema<StoredAttachment>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    type: { type: String, required: true },
    bytes: { type: Buffer, required: true },
    at: { type: Date, required: true },
  } as Record<keyof StoredAttachment, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

export const attachmentModel = (c: Connection): Model<StoredAttachment> =>
  c.model<StoredAttachment>('Attachment', schema, 'attachments');

/** Drops a JPEG's APP1 segments: they hold EXIF, and with it the place where a photo was taken. */
export function withoutExif(bytes: Buffer): Buffer {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return bytes;
  const kept = [bytes.subarray(0, 2)];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const length = 2 + bytes.readUInt16BE(at + 2);
    if (bytes[at + 1] !== 0xe1) kept.push(bytes.subarray(at, at + length));
    at += length;
  }
  kept.push(bytes.subarray(at));
  return Buffer.concat(kept);
}

export function attachmentOperations(attachments: Model<StoredAttachment>) {
  return {
    /** Stores the bytes; their address is what a message carries. */
    async store(
      name: string,
      type: string,
      given: Buffer,
      at: Date,
    ): Promise<{ id: string; name: string; type: string; bytes: number }> {
      const bytes = type === 'image/jpeg' ? withoutExif(given) : given;
      const _id = createHash('sha256').update(bytes).digest('hex');
      await attachments.updateOne({ _id }, { $setOnInsert: { name, type, bytes, at } }, { upsert: true });
      return { id: _id, name, type, bytes: bytes.length };
    },
    /** What a message carries of these, without their bytes; one that is gone is missing. */
    async describe(ids: readonly string[]): Promise<{ id: string; name: string; type: string; bytes: number }[]> {
      const found = await attachments.find({ _id: { $in: [...ids] } }).exec();
      return found.map(({ _id, name, type, bytes }) => ({ id: _id, name, type, bytes: bytes.length }));
    },
    find: (id: string): Promise<StoredAttachment | null> => attachments.findById(id).exec(),
  };
}
