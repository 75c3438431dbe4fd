import { Binary } from 'bson';
import { equals } from '../bson/compare.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Catalogue, Collection } from '../storage/catalogue.js';

/** The UUID of a collection: its number in the catalogue. */
export function uuidOf(c: Collection): Binary {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(c.id, 12);
  bytes[6] = 0x40;
  bytes[8] = 0x80;
  return new Binary(bytes, 4);
}

const isUuid = (v: Value): v is Binary => v instanceof Binary && v.sub_type === Binary.SUBTYPE_UUID;

/** @throws {EngineError} 207: not as long as a UUID is */
function assertLength(uuid: Binary): void {
  if (uuid.length() !== 16)
    throw new EngineError('InvalidUUID', `uuid must be a 16-byte binary field with UUID (4) subtype`);
}

const withUuid = (catalogue: Catalogue, db: string, uuid: Binary): Collection | undefined =>
  catalogue.list(db).find((c) => !c.options.view && equals(uuidOf(c), uuid));

/** Commands that take the UUID of a collection in place of its name. */
const BY_UUID = new Set(['find', 'count', 'distinct', 'listIndexes']);

/** The request with the collection's name in place of its UUID. @throws {EngineError} 26: there is none; 207 */
export function named(catalogue: Catalogue, db: string, name: string, command: Doc): Doc {
  const uuid = command[name];
  if (!isUuid(uuid) || !BY_UUID.has(name)) return command;
  assertLength(uuid);
  const collection = withUuid(catalogue, db, uuid);
  if (!collection)
    throw new EngineError('NamespaceNotFound', `Unable to resolve ${uuid.toString('hex')} in database ${db}`);
  return { ...command, [name]: collection.name };
}

/** @throws {EngineError} 361: the collection has another UUID; 14, 207: that is none; 4928901: the command reads no collection */
export function assertUuid(catalogue: Catalogue, db: string, name: string, command: Doc): void {
  const uuid = command['collectionUUID'];
  if (uuid === undefined || uuid === null) return;
  if (!isUuid(uuid))
    throw new EngineError('TypeMismatch', `BSON field '${name}.collectionUUID' must be binData of type UUID`);
  assertLength(uuid);
  const expected = command[name];
  if (typeof expected !== 'string') throw new EngineError(4928901, 'a collectionUUID needs a collection');
  const there = catalogue.find(db, expected);
  if (there && !there.options.view && equals(uuidOf(there), uuid)) return;
  throw new EngineError('CollectionUUIDMismatch', 'Collection UUID does not match that specified', {
    extra: {
      db,
      collectionUUID: uuid,
      expectedCollection: expected,
      actualCollection: withUuid(catalogue, db, uuid)?.name ?? null,
    },
  });
}
