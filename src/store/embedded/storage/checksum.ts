import { crc32 } from 'node:zlib';

/** Bytes at the end of each stored value. */
export const CHECKSUM_BYTES = 4;
/** A call out of JavaScript costs more than a loop over so few bytes: by FNV-1a up to here, */
const SHORT = 48;
/** by the tables below up to here, or to there where a view would have to be made for the call. */
const BY_TABLE = 128;
const BY_TABLE_WITHIN = 256;
const PRIME = 0x01000193;
const BASIS = 0x811c9dc5;

function fold(hash: number, bytes: Uint8Array, from: number, to: number): number {
  let h = hash;
  for (let i = from; i < to; i += 1) h = Math.imul(h ^ (bytes[i] as number), PRIME);
  return h;
}

/** Eight tables, one after the other: what a byte does to a CRC-32 when none, one, … seven bytes follow it. */
const tables = new Int32Array(8 * 256);
const after = (bytes: number, byte: number): number => tables[bytes * 256 + byte] as number;
for (let n = 0; n < 256; n += 1) {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  tables[n] = c;
}
for (let n = 256; n < tables.length; n += 1) {
  const c = tables[n - 256] as number;
  tables[n] = after(0, c & 0xff) ^ (c >>> 8);
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24);

/** zlib's CRC-32 of the first `length` bytes, eight at a time. */
function shortCrc32(bytes: Uint8Array, length: number, start: number): number {
  let c = ~start;
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    const [a, b] = [c ^ word(bytes, i), word(bytes, i + 4)];
    c =
      after(7, a & 0xff) ^
      after(6, (a >>> 8) & 0xff) ^
      after(5, (a >>> 16) & 0xff) ^
      after(4, a >>> 24) ^
      after(3, b & 0xff) ^
      after(2, (b >>> 8) & 0xff) ^
      after(1, (b >>> 16) & 0xff) ^
      after(0, b >>> 24);
  }
  for (; i < length; i += 1) c = after(0, (c ^ (bytes[i] as number)) & 0xff) ^ (c >>> 8);
  return ~c;
}

/** The part of a checksum that the key makes: of the bytes `from` up to but without `to`. */
export const keySum = (bytes: Uint8Array, from: number, to: number): number => fold(BASIS, bytes, from, to);

/** Goes on from `keySum` over the first `length` bytes of the value. */
export function valueSum(start: number, bytes: Uint8Array, length: number): number {
  if (length < SHORT) return fold(start, bytes, 0, length) >>> 0;
  const whole = length === bytes.length;
  if (length <= (whole ? BY_TABLE : BY_TABLE_WITHIN)) return shortCrc32(bytes, length, start) >>> 0;
  return crc32(whole ? bytes : bytes.subarray(0, length), start >>> 0);
}

/** Of a key and its value together: a value that lies under another's key does not fit. FNV-1a, and CRC-32 for long values. */
export const checksum = (key: Uint8Array, value: Uint8Array): number =>
  valueSum(keySum(key, 0, key.length), value, value.length);
