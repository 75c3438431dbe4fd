import { Double, Int32, Long } from 'bson';
import { decode, type Doc, type Value } from './value.js';

/** Bytes of a value by its type, where all values of the type have the same. https://bsonspec.org/spec.html */
const FIXED: Readonly<Record<number, number>> = {
  0x01: 8,
  0x06: 0,
  0x07: 12,
  0x08: 1,
  0x09: 8,
  0x0a: 0,
  0x10: 4,
  0x11: 8,
  0x12: 8,
  0x13: 16,
  0x7f: 0,
  0xff: 0,
};
const STRINGS = new Set([0x02, 0x0d, 0x0e]);
const DOCUMENTS = new Set([0x03, 0x04, 0x0f]);

/** Where the value that begins at `at` ends; undefined: a type that is rare enough to be left to the whole decoder. */
function endOf(bytes: Buffer, type: number, at: number): number | undefined {
  const fixed = FIXED[type];
  if (fixed !== undefined) return at + fixed;
  if (STRINGS.has(type)) return at + 4 + bytes.readInt32LE(at);
  if (DOCUMENTS.has(type)) return at + bytes.readInt32LE(at);
  return type === 0x05 ? at + 5 + bytes.readInt32LE(at) : undefined;
}

function valueAt(bytes: Buffer, type: number, start: number, at: number, end: number): Value {
  switch (type) {
    case 0x10:
      return new Int32(bytes.readInt32LE(at));
    case 0x01:
      return new Double(bytes.readDoubleLE(at));
    case 0x12:
      return Long.fromBits(bytes.readInt32LE(at), bytes.readInt32LE(at + 4));
    case 0x02:
      return bytes.toString('utf8', at + 4, end - 1);
    case 0x08:
      return bytes[at] === 1;
    case 0x0a:
      return null;
    default: {
      const size = end - start + 5;
      const alone = Buffer.alloc(size);
      alone.writeInt32LE(size);
      bytes.copy(alone, 4, start, end);
      return Object.values(decode(alone))[0];
    }
  }
}

/** Reads some fields of a document and passes over the others: what a group over many documents spends its time on. */
export class PartialDecoder {
  readonly #names: readonly { readonly name: string; readonly bytes: Buffer }[];

  constructor(names: Iterable<string>) {
    this.#names = [...names].map((name) => ({ name, bytes: Buffer.from(`${name}\0`) }));
  }

  /** `length`: how much of the bytes is the document. What it makes holds no reference to them. */
  decode(bytes: Buffer, length = bytes.length): Doc {
    const doc: Doc = {};
    let left = this.#names.length;
    for (let start = 4; left > 0 && bytes[start] !== 0;) {
      const type = bytes[start] as number;
      let at = start + 1;
      while (bytes[at] !== 0) at += 1;
      at += 1;
      const end = endOf(bytes, type, at);
      if (end === undefined || end > length) return decode(Buffer.from(bytes.subarray(0, length)));
      const name = this.#wanted(bytes, start + 1, at);
      if (name !== undefined) {
        doc[name] = valueAt(bytes, type, start, at, end);
        left -= 1;
      }
      start = end;
    }
    return doc;
  }

  #wanted(bytes: Buffer, from: number, to: number): string | undefined {
    for (const wanted of this.#names) {
      if (wanted.bytes.length !== to - from) continue;
      let i = 0;
      while (i < to - from && wanted.bytes[i] === bytes[from + i]) i += 1;
      if (i === to - from) return wanted.name;
    }
    return undefined;
  }
}
