import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CHECKSUM_BYTES, checksum } from './checksum.js';

/**
 * lmdb trusts its pages: one that is damaged ends the process, or gives bytes from elsewhere. So every page that can be
 * reached is looked at before the file is opened. The layout is that of LMDB's `mdb.c`, data version 2:
 * https://github.com/kriszyp/lmdb-js/blob/master/dependencies/lmdb/libraries/liblmdb/mdb.c
 */
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const HEADER = 24;
const NODE_HEADER = 8;
export const MAX_KEY = 1978;
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const META = 8;
const BIG_DATA = 1;
/** What stands in a leaf for a value on pages of its own: the first page, the commit, the number of pages. */
const BIG_DATA_BYTES = 24;
/** Where a first page describes the two trees, and the bytes of each that never change: page size and flags. */
const TREES = [48, 96];
const KIND_BYTES = 6;
const MAIN_DEPTH = 102;
const MAIN_ROOT = 136;
const LAST_PAGE = 144;
const TXN_ID = 152;
/** Pages that a commit took and gave back may never have been written. */
const UNWRITTEN = 1024;
const NO_ROOT = 0xffffffffffffffffn;

/** The file is not as lmdb leaves it. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile';
}

interface Tree {
  readonly depth: number;
  readonly leaves: number;
  readonly entries: number;
  readonly root: bigint;
}

class Pages {
  readonly #file: number;
  readonly #size: number;
  readonly #count: number;
  /** The last page that is in use or free, as the trees have it. */
  #last = 1;
  /** The last commit: a page that names a later one would be taken for one that its writer may still change. */
  #commit = NO_ROOT;
  /** A bit for each page that is in use or free. */
  readonly #taken: Buffer;
  readonly #path: string;

  constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
    const { size } = fstatSync(file);
    const head = Buffer.alloc(4096);
    if (size < 2 * 4096) throw this.damaged(`it has ${size} bytes and no beginning`);
    readSync(file, head, 0, 4096, 0);
    this.#size = head.readUInt32LE(48);
    if (this.#size < 512 || this.#size > 65_536 || (this.#size & (this.#size - 1)) !== 0)
      throw this.damaged('its first page is none');
    this.#count = Math.floor(size / this.#size);
    this.#taken = Buffer.alloc(((this.#count + UNWRITTEN) >> 3) + 1);
  }

  damaged(what: string): DamagedFile {
    return new DamagedFile(`The data file ${this.#path} is damaged: ${what}. Restore a backup into an empty folder.`);
  }

  page(number: number | bigint, kind: number): Buffer {
    const at = Number(number);
    if (at >= this.#count) throw this.damaged(`it is cut off before page ${at}`);
    this.#last = Math.max(this.#last, at);
    const bytes = Buffer.allocUnsafe(this.#size);
    readSync(this.#file, bytes, 0, this.#size, at * this.#size);
    const later = kind !== META && bytes.readBigUInt64LE(8) > this.#commit;
    if (bytes.readBigUInt64LE(0) !== BigInt(at) || bytes.readUInt16LE(18) !== kind || later)
      throw this.damaged(`page ${at} is not what its place says`);
    return bytes;
  }

  /** The two trees of the newer of the two first pages, and the last page that it knows. */
  head(): { trees: Tree[]; lastPage: bigint } {
    const metas = [this.page(0, META), this.page(1, META)];
    for (const [at, meta] of metas.entries())
      if (meta.readUInt32LE(24) !== MAGIC || meta.readUInt32LE(28) !== DATA_VERSION)
        throw this.damaged(`page ${at} does not describe a store`);
    const [first, second] = metas as [Buffer, Buffer];
    // Commits write the two in turn: their numbers follow one another, even in the first and odd in the second.
    const [even, odd] = [first.readBigUInt64LE(TXN_ID), second.readBigUInt64LE(TXN_ID)];
    // A copy has an empty first page.
    const copied = even === 0n && first.readBigUInt64LE(MAIN_ROOT) === NO_ROOT;
    const follow = even % 2n === 0n && odd % 2n === 1n && (even - odd === 1n || odd - even === 1n);
    const alike = TREES.every((at) => first.compare(second, at, at + KIND_BYTES, at, at + KIND_BYTES) === 0);
    if (!(follow || copied) || !alike) throw this.damaged('its first two pages do not fit each other');
    const [meta, older] = odd > even ? [second, first] : [first, second];
    const root = older.readBigUInt64LE(MAIN_ROOT);
    // A first page that has lost its place in the row would bring back what was before the last commit.
    if (root !== NO_ROOT) {
      const page = this.page(root, older.readUInt16LE(MAIN_DEPTH) > 1 ? BRANCH : LEAF);
      if (page.readBigUInt64LE(8) > older.readBigUInt64LE(TXN_ID))
        throw this.damaged('its last commit is not its last');
    }
    this.#commit = meta.readBigUInt64LE(TXN_ID);
    const trees = TREES.map((at) => ({
      depth: meta.readUInt16LE(at + 6),
      leaves: Number(meta.readBigUInt64LE(at + 16)),
      entries: Number(meta.readBigUInt64LE(at + 32)),
      root: meta.readBigUInt64LE(at + 40),
    }));
    return { trees, lastPage: meta.readBigUInt64LE(LAST_PAGE) };
  }

  /** Walks a tree. `ordered`: its keys sort by their bytes. `summed`: its values bear checksums, which are looked at. */
  walk({ depth, leaves, entries, root }: Tree, { ordered, summed }: { ordered: boolean; summed: boolean }): void {
    if (root === NO_ROOT) return;
    const seen = { leaves: 0, entries: 0 };
    let last: Buffer | undefined;
    // `low`, `high`: what the page above says of this one's keys.
    const visit = (number: bigint, level: number, low?: Buffer, high?: Buffer): void => {
      const leaf = level >= depth;
      const bytes = this.page(number, leaf ? LEAF : BRANCH);
      this.#take(Number(number), 1);
      const [lower, upper] = [bytes.readUInt16LE(20), bytes.readUInt16LE(22)];
      if (lower % 2 !== 0 || lower > upper || upper > this.#size - HEADER || (lower === 0 && level > 1))
        throw this.damaged(`page ${number} has no true bounds`);
      const keys: Buffer[] = [];
      const children: bigint[] = [];
      let [lowest, filled] = [this.#size, 0];
      for (let i = 0; i < lower; i += 2) {
        const at = HEADER + bytes.readUInt16LE(HEADER + i);
        const keyEnd = at + NODE_HEADER + (at + NODE_HEADER <= this.#size ? bytes.readUInt16LE(at + 6) : MAX_KEY * 9);
        if (at < HEADER + lower || keyEnd > this.#size || keyEnd - at - NODE_HEADER > MAX_KEY)
          throw this.damaged(`page ${number} has an entry outside itself`);
        if (leaf && (bytes.readUInt16LE(at + 4) & ~BIG_DATA) !== 0)
          throw this.damaged(`page ${number} has an entry of a kind that is not used`);
        lowest = Math.min(lowest, at);
        filled += entryBytes(bytes, at, keyEnd, leaf);
        // In a large file the entries within a page are only held to its bounds.
        const within = leaf && ordered && !summed && i > 0 && i < lower - 2;
        if (within && ((bytes[at + 4] as number) & BIG_DATA) === 0) {
          if (keyEnd + bytes.readUInt32LE(at) > this.#size)
            throw this.damaged(`page ${number} has a value outside itself`);
          continue;
        }
        const key = bytes.subarray(at + NODE_HEADER, keyEnd);
        if (leaf) {
          if (ordered && last && Buffer.compare(last, key) >= 0)
            throw this.damaged(`the keys of page ${number} are out of order`);
          last = key;
          const value = this.#value(bytes, at, keyEnd, number);
          if (!ordered) this.#free(value);
          if (summed && !fits(key, value)) throw this.damaged(`the value under key ${key.toString('hex', 0, 32)}`);
        } else children.push(BigInt(bytes.readUInt32LE(at)) | (BigInt(bytes.readUInt16LE(at + 4)) << 32n));
        keys.push(key);
      }
      // The entries fill the end of the page without a gap: the next one is written in front of them.
      if (lower > 0 && (lowest !== HEADER + upper || filled !== this.#size - lowest))
        throw this.damaged(`the entries of page ${number} do not fill it`);
      const [first, end] = [keys[0], keys.at(-1)];
      if (ordered && leaf && first && end && ((low && low.compare(first) > 0) || (high && high.compare(end) <= 0)))
        throw this.damaged(`the keys of page ${number} are not those that the page above names`);
      for (const [i, child] of children.entries())
        visit(child, level + 1, i === 0 ? low : keys[i], keys[i + 1] ?? high);
      if (!leaf) return;
      seen.leaves += 1;
      seen.entries += lower / 2;
    };
    visit(root, 1);
    if (seen.leaves !== leaves || (ordered && seen.entries !== entries))
      throw this.damaged(`it has ${seen.entries} entries where ${entries} should be`);
  }

  /** Each page is in use once, or free once: a page that is both would be written over. @throws {DamagedFile} */
  #take(first: number, pages: number): void {
    this.#last = Math.max(this.#last, first + pages - 1);
    for (let at = first; at < first + pages; at += 1) {
      const [byte, bit] = [at >> 3, 1 << (at & 7)];
      const taken = this.#taken[byte];
      if (at < 2 || taken === undefined || (taken & bit) !== 0) throw this.damaged(`page ${at} has two uses`);
      this.#taken[byte] = taken | bit;
    }
  }

  /** A list of free pages: how many numbers follow; 0 for a gap, a page, or the length of a run, negative, and its first page. */
  #free(list: Buffer): void {
    const end = list.length >= 8 ? Number(list.readBigInt64LE(0)) : 0;
    if (end < 0 || (end + 1) * 8 > list.length) throw this.damaged('its list of free pages is cut off');
    const numbers = Array.from({ length: end }, (_, i) => Number(list.readBigInt64LE((i + 1) * 8)));
    for (let i = 0; i < end; i += 1) {
      const n = numbers[i] ?? 0;
      if (n > 0) this.#take(n, 1);
      else if (n < 0) this.#take(numbers[(i += 1)] ?? 0, -n);
    }
  }

  /** @throws {DamagedFile} the store would write over what it has, or far outside itself */
  checkLast(lastPage: bigint): void {
    if (lastPage < BigInt(this.#last) || lastPage > BigInt(this.#count + UNWRITTEN))
      throw this.damaged(`it says that page ${lastPage} is its last`);
  }

  #value(bytes: Buffer, at: number, from: number, number: bigint): Buffer {
    const size = bytes.readUInt32LE(at);
    if ((bytes.readUInt16LE(at + 4) & BIG_DATA) === 0) {
      if (from + size > this.#size) throw this.damaged(`page ${number} has a value outside itself`);
      return bytes.subarray(from, from + size);
    }
    if (from + BIG_DATA_BYTES > this.#size) throw this.damaged(`page ${number} has a value outside itself`);
    const first = bytes.readBigUInt64LE(from);
    const pages = this.page(first, OVERFLOW).readUInt32LE(20);
    const told = bytes.readBigUInt64LE(from + 16) === BigInt(pages);
    if (!told || pages * this.#size < size + HEADER || Number(first) + pages > this.#count)
      throw this.damaged(`a value of ${size} bytes on page ${first} is cut off`);
    this.#take(Number(first), pages);
    const value = Buffer.allocUnsafe(size);
    readSync(this.#file, value, 0, size, Number(first) * this.#size + HEADER);
    return value;
  }
}

/** What an entry takes in its page; lmdb's offsets are even. */
function entryBytes(bytes: Buffer, at: number, keyEnd: number, leaf: boolean): number {
  const value = !leaf ? 0 : ((bytes[at + 4] ?? 0) & BIG_DATA) !== 0 ? BIG_DATA_BYTES : bytes.readUInt32LE(at);
  return (keyEnd - at + value + 1) & ~1;
}

const isFormat = (key: Buffer): boolean => key.length === 2 && key.readUInt16BE() === 0;

function fits(key: Buffer, value: Buffer): boolean {
  const end = value.length - CHECKSUM_BYTES;
  return isFormat(key) || (end >= 0 && checksum(key, value.subarray(0, end)) === value.readUInt32LE(end));
}

/** Looks at every page that can be reached; with `summed` at every key and value as well. @throws {DamagedFile} one is not what it should be */
export function checkPages(path: string, summed: boolean): void {
  const file = openSync(path, 'r');
  try {
    const pages = new Pages(path, file);
    const { trees, lastPage } = pages.head();
    const [free, main] = trees as [Tree, Tree];
    pages.walk(free, { ordered: false, summed: false });
    pages.walk(main, { ordered: true, summed });
    pages.checkLast(lastPage);
  } finally {
    closeSync(file);
  }
}
