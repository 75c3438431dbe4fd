import { after } from '../bson/key.js';
import { toInteger } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { type Collection, documentsOf } from '../storage/catalogue.js';
import { type Reading } from './command.js';

/** By how many bytes sizes are told. @throws {EngineError} 51024: less than 1 */
export function scaleOf(command: Doc): number {
  const scale = toInteger(command['scale']) ?? 1;
  if (scale < 1) throw new EngineError(51024, `BSON field 'scale' value must be >= 1, actual value '${scale}'`);
  return scale;
}

export function sizes(context: Reading, collections: readonly Collection[]): { objects: number; bytes: number } {
  const { tx, release } = context.snapshot();
  let objects = 0;
  let bytes = 0;
  try {
    for (const c of collections)
      for (const { value } of tx.range(documentsOf(c), after(documentsOf(c)))) {
        objects += 1;
        bytes += value.length;
      }
  } finally {
    release();
  }
  return { objects, bytes };
}
