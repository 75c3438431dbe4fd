const table = new Uint32Array(256).map((_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

/** CRC-32C (Castagnoli), the checksum of OP_MSG. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg */
export function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) c = ((c >>> 8) ^ (table[(c ^ b) & 0xff] ?? 0)) >>> 0;
  return (c ^ 0xffffffff) >>> 0;
}
