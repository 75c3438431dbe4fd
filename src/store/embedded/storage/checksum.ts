import { crc32 } from 'node:zlib';

/** Bytes at the end of each stored value. */
export const CHECKSUM_BYTES = 4;
/** A call out of JavaScript costs more than a loop over so few bytes. */
const SHORT = 48;
const PRIME = 0x01000193;

function fold(hash: number, bytes: Uint8Array): number {
  let h = hash;
  for (let i = 0; i < bytes.length; i += 1) h = Math.imul(h ^ (bytes[i] as number), PRIME);
  return h;
}

/** Of a key and its value together: a value that lies under another's key does not fit. FNV-1a, and CRC-32 for long values. */
export function checksum(key: Uint8Array, value: Uint8Array): number {
  const start = fold(0x811c9dc5, key);
  return value.length < SHORT ? fold(start, value) >>> 0 : crc32(value, start >>> 0);
}
