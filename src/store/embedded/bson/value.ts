import {
  type Binary,
  type BSONRegExp,
  type BSONSymbol,
  type Code,
  type Decimal128,
  type DeserializeOptions,
  type Double,
  type Int32,
  type Long,
  type MaxKey,
  type MinKey,
  type ObjectId,
  type Timestamp,
  DBRef,
  deserialize,
  serialize,
} from 'bson';
import { EngineError } from '../errors.js';

/**
 * A value as the engine holds it: numbers keep their BSON type (Int32, Double, Long, Decimal128), so that what was stored
 * comes back as it was. A plain JavaScript number never occurs inside the engine.
 */
export type Value =
  | null
  | undefined
  | boolean
  | string
  | Date
  | Int32
  | Double
  | Long
  | Decimal128
  | ObjectId
  | Binary
  | BSONRegExp
  | BSONSymbol
  | Code
  | Timestamp
  | MinKey
  | MaxKey
  | Value[]
  | Doc;

/** A document with its fields in order. */
export interface Doc {
  [field: string]: Value;
}

const options: DeserializeOptions = {
  promoteValues: false,
  promoteBuffers: false,
  promoteLongs: false,
  bsonRegExp: true,
  validation: { utf8: false },
};

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-BSON-Document-Size */
export const MAX_DOCUMENT = 16 * 1024 * 1024;

/** Reads one document without promoting any value. @throws BSONError the bytes are not a document */
export function decode(bytes: Uint8Array): Doc {
  const doc = deserialize(bytes, options) as Doc;
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return raw.includes('$ref\0') ? (withoutReferences(doc) as Doc) : doc;
}

/**
 * A reference is a document like any other; bson makes an object of its own of it, and takes a `$ref` with one dot apart
 * into `$db` and `$ref`, which is not undone.
 * https://www.mongodb.com/docs/manual/reference/database-references/
 */
function withoutReferences(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(withoutReferences);
  if (v instanceof DBRef) {
    const { collection, oid, db, fields } = v;
    return withoutReferences({ $ref: collection, $id: oid, ...(db !== undefined && { $db: db }), ...fields });
  }
  if (typeof v !== 'object' || v === null || Object.getPrototypeOf(v) !== Object.prototype) return v;
  return Object.fromEntries(Object.entries(v).map(([name, inner]) => [name, withoutReferences(inner)]));
}

/**
 * Writes one document. `undefined` is left out, as the driver does.
 *
 * @throws {EngineError} 10334: it is far beyond the largest that can be stored
 */
export function encode(doc: Doc): Uint8Array {
  try {
    return serialize(doc, { ignoreUndefined: true, checkKeys: false });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new EngineError('BSONObjectTooLarge', `a document larger than the largest of ${MAX_DOCUMENT} bytes`);
  }
}
