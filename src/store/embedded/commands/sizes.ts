import { after } from '../bson/key.js';
import { toInteger } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { inSlices, Slice } from '../query/slices.js';
import type { Collection } from '../storage/catalogue.js';
import { documentsOf } from '../storage/keys.js';
import { type Reading } from './command.js';
import { pause } from './reading.js';

/** By how many bytes sizes are told. @throws {EngineError} 51024: less than 1 */
export function scaleOf(command: Doc): number {
  const scale = toInteger(command['scale']) ?? 1;
  if (scale < 1) throw new EngineError(51024, `BSON field 'scale' value must be >= 1, actual value '${scale}'`);
  return scale;
}

interface Sizes {
  readonly objects: number;
  readonly bytes: number;
}

function* measured(context: Reading, collections: readonly Collection[]): Generator<undefined, Sizes> {
  const { tx, release } = context.snapshot();
  const slice = new Slice();
  let objects = 0;
  let bytes = 0;
  try {
    for (const c of collections)
      for (const length of tx.values(documentsOf(c), after(documentsOf(c)), (_value, n) => n)) {
        objects += 1;
        bytes += length;
        if (slice.over()) yield;
      }
  } finally {
    release();
  }
  return { objects, bytes };
}

/** How many documents collections hold, and their bytes: all are looked at, in slices. */
export const sizes = (context: Reading, collections: readonly Collection[]): Promise<Sizes> =>
  inSlices(measured(context, collections), pause);
