import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../errors.js';

/** Pages that one entry may cost, where each level of the tree is copied, and what a commit costs by itself. */
const BYTES_PER_ENTRY = 5 * 4096;
const BYTES_PER_COMMIT = 128 * 1024;
/** From so many entries on, the whole file bounds what can be copied of it. */
const FEW = 64;
/** Somebody else may fill the disk meanwhile. */
const LOOK_AGAIN_MS = 1000;

/**
 * Asks for room before lmdb does: it takes a disk that fills up in the midst of a large commit badly (seen: the process
 * ended). What is asked for is the most that a commit may need, so the last megabyte of a disk stays empty.
 */
export class Room {
  readonly #file: string;
  readonly #folder: string;
  #left = 0;
  #looked = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.#file = file;
    this.#folder = dirname(file);
  }

  /** Bytes of the disk that the store lies on. */
  disk(): { total: number; used: number } {
    const { blocks, bfree, bsize } = statfsSync(this.#folder);
    return { total: blocks * bsize, used: (blocks - bfree) * bsize };
  }

  /** @throws {EngineError} OutOfDiskSpace: nothing was written */
  ask(entries: number, bytes: number): void {
    const copied = entries < FEW ? Number.POSITIVE_INFINITY : statSync(this.#file).size;
    const need = BYTES_PER_COMMIT + Math.min(entries * BYTES_PER_ENTRY, copied) + 2 * bytes;
    const now = performance.now();
    if (this.#left < need || now - this.#looked > LOOK_AGAIN_MS) {
      const { bavail, bsize } = statfsSync(this.#folder);
      this.#left = bavail * bsize;
      this.#looked = now;
    }
    if (this.#left < need)
      throw new EngineError(
        'OutOfDiskSpace',
        `not written: ${this.#folder} has ${this.#left} bytes left, ${need} may be needed`,
      );
    this.#left -= need;
  }
}
