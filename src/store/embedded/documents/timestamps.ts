import { Timestamp } from 'bson';
import type { Doc } from '../bson/value.js';

const isEmpty = (v: unknown): boolean => v instanceof Timestamp && v.isZero();
let ordinal = 0;

/**
 * The document as it is stored: an empty timestamp at its top stands for now, but not in `_id`.
 * https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps
 */
export function withTimestamps(doc: Doc): Doc {
  if (!Object.values(doc).some(isEmpty)) return doc;
  return Object.fromEntries(
    Object.entries(doc).map(([name, v]) => {
      if (name === '_id' || !isEmpty(v)) return [name, v];
      ordinal += 1;
      return [name, new Timestamp({ t: Math.floor(Date.now() / 1000), i: ordinal })];
    }),
  );
}
