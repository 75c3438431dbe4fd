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

const cstring = (name: string): Buffer => Buffer.from(`${name}\0`, 'utf8');

function document(parts: readonly Uint8Array[]): Buffer {
  const length = 4 + parts.reduce((n, p) => n + p.length, 0) + 1;
  const size = Buffer.alloc(4);
  size.writeInt32LE(length);
  return Buffer.concat([size, ...parts, Buffer.from([0])]);
}

/** The answer of find, aggregate and getMore with documents as they lie in the store: none is decoded and encoded again. */
export function cursorReply(
  batch: 'firstBatch' | 'nextBatch',
  docs: readonly Uint8Array[],
  id: bigint,
  namespace: string,
): Buffer {
  const list = document(docs.flatMap((doc, i) => [Buffer.from([3]), cstring(String(i)), doc]));
  const number = Buffer.alloc(8);
  number.writeBigInt64LE(id);
  const ns = Buffer.from(`${namespace}\0`, 'utf8');
  const nsLength = Buffer.alloc(4);
  nsLength.writeInt32LE(ns.length);
  const cursor = document([
    Buffer.from([4]),
    cstring(batch),
    list,
    Buffer.from([18]),
    cstring('id'),
    number,
    Buffer.from([2]),
    cstring('ns'),
    nsLength,
    ns,
  ]);
  return document([Buffer.from([3]), cstring('cursor'), cursor, OK]);
}

const OK = Buffer.concat([Buffer.from([1]), cstring('ok'), Buffer.from(new Float64Array([1]).buffer)]);

/** What a command that failed is answered with. */
export function errorReply(error: unknown): Doc {
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
