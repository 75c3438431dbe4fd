import { Double, Int32 } from 'bson';
import { decode, type Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { crc32c } from './crc32c.js';

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Wire-Protocol-Message-Size */
export const MAX_MESSAGE = 48_000_000;
const HEADER = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;

export interface Request {
  readonly id: number;
  readonly command: Doc;
  /** The client waits for no answer. */
  readonly silent: boolean;
  /** The answer goes out as OP_REPLY: the handshake of old. */
  readonly legacy: boolean;
}

/** The bytes are no message: the connection is closed. */
export class BrokenFrame extends Error {
  override readonly name = 'BrokenFrame';
}

/** Cuts a stream of bytes into messages; keeps at most one unfinished message of bounded length. */
export class Framer {
  #chunks: Buffer[] = [];
  #length = 0;

  /** Bytes that are kept. */
  get length(): number {
    return this.#length;
  }

  /** @throws {BrokenFrame} a length that no message has: found before any of it is kept */
  *push(chunk: Buffer): Iterable<Buffer> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= 4) {
      const head = this.#chunks[0] as Buffer;
      const first = head.length >= 4 ? head : this.#join();
      const need = first.readInt32LE(0);
      if (need < HEADER || need > MAX_MESSAGE) throw new BrokenFrame(`a message of ${need} bytes`);
      if (this.#length < need) return;
      const all = this.#join();
      const rest = all.subarray(need);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#length = rest.length;
      yield all.subarray(0, need);
    }
  }

  #join(): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

const documentAt = (bytes: Buffer, at: number, end: number): { doc: Doc; next: number } => {
  if (at + 5 > end) throw new BrokenFrame('a document is cut off');
  const size = bytes.readInt32LE(at);
  if (size < 5 || at + size > end) throw new BrokenFrame(`a document of ${size} bytes`);
  try {
    return { doc: decode(bytes.subarray(at, at + size)), next: at + size };
  } catch (cause) {
    throw new BrokenFrame('a document that is no BSON', { cause });
  }
};

/** @throws {BrokenFrame} anything but a whole OP_MSG or OP_QUERY */
export function parse(bytes: Buffer): Request {
  const id = bytes.readInt32LE(4);
  const opcode = bytes.readInt32LE(12);
  if (opcode === OP_QUERY) return parseQuery(bytes, id);
  if (opcode !== OP_MSG || bytes.length < HEADER + 5) throw new BrokenFrame(`opcode ${opcode}`);
  const flags = bytes.readUInt32LE(HEADER);
  if (flags & 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME)) throw new BrokenFrame(`required flag bits ${flags}`);
  let end = bytes.length;
  if (flags & CHECKSUM_PRESENT) {
    end -= 4;
    if (crc32c(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) throw new BrokenFrame('the checksum does not fit');
  }
  let command: Doc | undefined;
  const sequences: [string, Doc[]][] = [];
  for (let at = HEADER + 4; at < end;) {
    const kind = bytes[at];
    at += 1;
    if (kind === 0) {
      if (command) throw new BrokenFrame('two bodies');
      ({ doc: command, next: at } = documentAt(bytes, at, end));
    } else if (kind === 1) {
      if (at + 4 > end) throw new BrokenFrame('a sequence is cut off');
      const stop = at + bytes.readInt32LE(at);
      const zero = bytes.indexOf(0, at + 4);
      if (stop > end || stop <= at || zero === -1 || zero >= stop)
        throw new BrokenFrame('a sequence of a wrong length');
      const name = bytes.toString('utf8', at + 4, zero);
      const docs: Doc[] = [];
      for (at = zero + 1; at < stop;) {
        const { doc, next } = documentAt(bytes, at, stop);
        docs.push(doc);
        at = next;
      }
      if (sequences.some(([n]) => n === name)) throw new BrokenFrame(`two sequences ${name}`);
      sequences.push([name, docs]);
    } else throw new BrokenFrame(`a section of kind ${kind ?? 'none'}`);
  }
  if (!command) throw new BrokenFrame('no body');
  for (const [name, docs] of sequences) {
    if (name === '__proto__' || Object.hasOwn(command, name)) throw new BrokenFrame(`${name} in body and sequence`);
    command[name] = docs;
  }
  return { id, command, silent: (flags & MORE_TO_COME) !== 0, legacy: false };
}

function parseQuery(bytes: Buffer, id: number): Request {
  const zero = bytes.indexOf(0, HEADER + 4);
  if (zero === -1) throw new BrokenFrame('OP_QUERY without a collection');
  const { doc } = documentAt(bytes, zero + 9, bytes.length);
  const inner = doc['$query'];
  const command = typeof inner === 'object' && inner !== null ? (inner as Doc) : doc;
  const namespace = bytes.toString('utf8', HEADER + 4, zero);
  return { id, command: { ...command, $db: namespace.split('.')[0] ?? 'admin' }, silent: false, legacy: true };
}

let answers = 0;

/** An answer on the wire. `body` is one document's bytes. */
export function answer(request: Request, body: Uint8Array): Buffer {
  const extra = request.legacy ? 20 : 5;
  const head = Buffer.alloc(HEADER + extra);
  answers = (answers + 1) | 0;
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(answers, 4);
  head.writeInt32LE(request.id, 8);
  head.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12);
  if (request.legacy) {
    head.writeInt32LE(8, HEADER);
    head.writeInt32LE(1, HEADER + 16);
  }
  return Buffer.concat([head, body]);
}

const DOCUMENT = 3;
const ARRAY = 4;
const INT64 = 18;
const STRING = 2;
const DOUBLE = 1;

/** Writes one BSON document after the other's fields into bytes of a size known before. */
class Writing {
  readonly bytes: Buffer;
  at = 0;
  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }
  int32(n: number): void {
    this.at = this.bytes.writeInt32LE(n, this.at);
  }
  name(type: number, name: string): void {
    this.at = this.bytes.writeUInt8(type, this.at);
    this.at += this.bytes.write(name, this.at, 'latin1');
    this.at = this.bytes.writeUInt8(0, this.at);
  }
  end(): void {
    this.at = this.bytes.writeUInt8(0, this.at);
  }
}

const digits = (n: number): number => (n < 10 ? 1 : n < 100 ? 2 : n < 1000 ? 3 : String(n).length);

/**
 * The answer of find, aggregate and getMore with documents as they lie in the store: `{ cursor: { firstBatch, id, ns }, ok: 1 }`,
 * written at once, none of them decoded and encoded again.
 */
export function cursorReply(
  batch: 'firstBatch' | 'nextBatch',
  docs: readonly Uint8Array[],
  id: bigint,
  namespace: string,
): Buffer {
  const ns = Buffer.from(namespace, 'utf8');
  let list = 5;
  for (let i = 0; i < docs.length; i += 1) list += 2 + digits(i) + (docs[i] as Uint8Array).length;
  const cursor = 5 + (2 + batch.length) + list + 4 + 8 + 4 + (4 + ns.length + 1);
  const whole = 5 + 8 + cursor + 4 + 8;
  const out = new Writing(whole);
  out.int32(whole);
  out.name(DOCUMENT, 'cursor');
  out.int32(cursor);
  out.name(ARRAY, batch);
  out.int32(list);
  for (let i = 0; i < docs.length; i += 1) {
    const doc = docs[i] as Uint8Array;
    out.name(DOCUMENT, String(i));
    out.bytes.set(doc, out.at);
    out.at += doc.length;
  }
  out.end();
  out.name(INT64, 'id');
  out.at = out.bytes.writeBigInt64LE(id, out.at);
  out.name(STRING, 'ns');
  out.int32(ns.length + 1);
  out.bytes.set(ns, out.at);
  out.at += ns.length;
  out.end();
  out.end();
  out.name(DOUBLE, 'ok');
  out.at = out.bytes.writeDoubleLE(1, out.at);
  out.end();
  return out.bytes;
}

/** What a command that failed is answered with. */
export function errorReply(error: unknown): Doc {
  // Only what is nested in what does recursion follow that far.
  if (error instanceof RangeError && error.message.startsWith('Maximum call stack'))
    return errorReply(new EngineError('Overflow', 'the request is nested too deeply'));
  if (error instanceof EngineError)
    return {
      ok: new Double(0),
      errmsg: error.message,
      code: new Int32(error.code),
      codeName: error.codeName,
      ...(error.labels.length > 0 && { errorLabels: [...error.labels] }),
      ...(error.extra as Doc),
    };
  const message = error instanceof Error ? error.message : String(error);
  return { ok: new Double(0), errmsg: message, code: new Int32(1), codeName: 'InternalError' };
}
