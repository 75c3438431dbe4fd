import { after } from '../bson/key.js';
import { isNumeric, toWhole } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { type CodeName, EngineError } from '../errors.js';
import { inSlices, Slice } from '../query/slices.js';
import type { Collection } from '../storage/catalogue.js';
import { documentsOf, entriesOf } from '../storage/keys.js';
import type { Reading } from './command.js';
import { pause } from './reading.js';

/** By how many bytes sizes are told; a fraction is cut off. @throws {EngineError} 51024, or `code`: less than 1 */
export function scaleOf({ scale: given }: Doc, code: CodeName | number = 51024): number {
  const scale = isNumeric(given) ? toWhole(given) : 1;
  if (scale < 1) throw new EngineError(code, `BSON field 'scale' value must be >= 1, actual value '${scale}'`);
  return scale;
}

export interface Sizes {
  readonly objects: number;
  readonly bytes: number;
  /** The bytes of the entries of each index, by its name: `_id_` has none, it is the documents' own order. */
  readonly indexes: Readonly<Record<string, number>>;
}

function* measured(context: Reading, c: Collection): Generator<undefined, Sizes> {
  const { tx, release } = context.snapshot();
  const slice = new Slice();
  try {
    let objects = 0;
    let bytes = 0;
    for (const length of tx.values(documentsOf(c), after(documentsOf(c)), (_value, n) => n)) {
      objects += 1;
      bytes += length;
      if (slice.over()) yield;
    }
    const indexes: Record<string, number> = c.options.doc['clusteredIndex'] === undefined ? { _id_: 0 } : {};
    for (const i of c.indexes) {
      let held = 0;
      for (const { key, value } of tx.range(entriesOf(c, i), after(entriesOf(c, i)))) {
        held += key.length + value.length;
        if (slice.over()) yield;
      }
      indexes[i.index.spec.name] = held;
    }
    return { objects, bytes, indexes };
  } finally {
    release();
  }
}

/** What a collection holds: all of it is looked at, in slices; undefined: one that is not there. */
export const sizes = async (context: Reading, c: Collection | undefined): Promise<Sizes> =>
  c ? inSlices(measured(context, c), pause) : { objects: 0, bytes: 0, indexes: {} };

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
