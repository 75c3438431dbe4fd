import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Padding goes to a multiple of 32 bytes, not of the cipher's 16: the library's own padding would refuse half of all messages. */
const BLOCK = 32;
const RANDOM_BYTES = 16;
const LENGTH_BYTES = 4;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The callback settings of a bot or an app. */
export interface EnvelopeOptions {
  readonly token: string;
  /** 43 characters of base64: a key of 32 bytes. */
  readonly aesKey: string;
  /** What stands behind the message inside the cipher: the corp's id, or '' for a bot. */
  readonly receiveId: string;
}

/** An encrypted message with its signature. */
export interface Sealed {
  readonly encrypt: string;
  readonly signature: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly nonce: string;
}

/**
 * Signs, encrypts and opens what WeCom posts and takes.
 *
 * Opening says only that it failed, never why: every failure after the signature is one answer.
 * Source: developer.work.weixin.qq.com/document/path/90968, 101033.
 */
export class Envelope {
  readonly #token: string;
  readonly #key: Buffer;
  readonly #receiveId: Buffer;

  constructor({ token, aesKey, receiveId }: EnvelopeOptions) {
    this.#token = token;
    this.#key = Buffer.from(`${aesKey}=`, 'base64');
    if (this.#key.length !== 32) throw new Error('an AES key has 43 characters');
    this.#receiveId = Buffer.from(receiveId);
  }

  /** SHA-1 over token, time, nonce and cipher in the order of their bytes, in hex. */
  signature(timestamp: string, nonce: string, encrypt: string): string {
    const parts = [this.#token, timestamp, nonce, encrypt].toSorted((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    return createHash('sha1').update(parts.join('')).digest('hex');
  }

  /** Compares in constant time. */
  signed(signature: string, timestamp: string, nonce: string, encrypt: string): boolean {
    const expected = Buffer.from(this.signature(timestamp, nonce, encrypt));
    const given = Buffer.from(signature);
    return timingSafeEqual(given.length === expected.length ? given : Buffer.alloc(expected.length), expected);
  }

  /** The message inside, or undefined: padding, length, receiver or characters are wrong. */
  open(encrypt: string): string | undefined {
    if (!BASE64.test(encrypt)) return undefined;
    const plain = decrypt(this.#key, Buffer.from(encrypt, 'base64'));
    if (!plain || plain.length < RANDOM_BYTES + LENGTH_BYTES) return undefined;
    const start = RANDOM_BYTES + LENGTH_BYTES;
    const length = plain.readUInt32BE(RANDOM_BYTES);
    if (length > plain.length - start) return undefined;
    if (!plain.subarray(start + length).equals(this.#receiveId)) return undefined;
    try {
      return strictUtf8.decode(plain.subarray(start, start + length));
    } catch {
      return undefined;
    }
  }

  seal(message: string, nonce: string, timestamp: number): Sealed {
    const body = Buffer.from(message);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(body.length);
    const plain = Buffer.concat([randomBytes(RANDOM_BYTES), length, body, this.#receiveId]);
    const pad = BLOCK - (plain.length % BLOCK);
    const cipher = createCipheriv('aes-256-cbc', this.#key, this.#key.subarray(0, 16)).setAutoPadding(false);
    const encrypt = Buffer.concat([
      cipher.update(Buffer.concat([plain, Buffer.alloc(pad, pad)])),
      cipher.final(),
    ]).toString('base64');
    return { encrypt, signature: this.signature(String(timestamp), nonce, encrypt), timestamp, nonce };
  }

  /** A picture or file of a callback bot is under the callback's own key. @throws Error it can't be opened */
  openFile(bytes: Buffer): Buffer {
    return openFile(bytes, this.#key);
  }
}

/**
 * Opens a picture or file that WeCom serves for five minutes: the same cipher, with neither random bytes nor length.
 *
 * @throws Error the key does not fit, or the bytes are damaged
 */
export function openFile(bytes: Buffer, key: Buffer): Buffer {
  const plain = key.length === 32 ? decrypt(key, bytes) : undefined;
  if (!plain) throw new Error('a picture or file could not be decrypted');
  return plain;
}

/** Every byte of the padding is looked at, whichever is wrong. */
function decrypt(key: Buffer, bytes: Buffer): Buffer | undefined {
  if (bytes.length === 0 || bytes.length % BLOCK !== 0) return undefined;
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(bytes), decipher.final()]);
  const pad = padded[padded.length - 1] ?? 0;
  let wrong = pad < 1 || pad > BLOCK ? 1 : 0;
  for (let i = 1; i <= BLOCK; i += 1) wrong |= i <= pad ? (padded[padded.length - i] ?? 0) ^ pad : 0;
  return wrong === 0 ? padded.subarray(0, padded.length - pad) : undefined;
}
