import { createCipheriv, createHash, randomBytes, randomInt } from 'node:crypto';
import { decrypt, encrypt, getSignature } from '@wecom/crypto';
import { z } from 'zod';

/** Credentials of one callback, as WeCom's console shows them. */
export interface CallbackKeys {
  readonly token: string;
  readonly aesKey: string;
  readonly receiveId: string;
}

export const makeKeys = (receiveId: string): CallbackKeys => ({
  token: randomBytes(12).toString('hex'),
  aesKey: randomBytes(32).toString('base64').slice(0, 43),
  receiveId,
});

/** Signs and encrypts with the vendor's package: none of the program's own code. */
export function sealed(
  keys: CallbackKeys,
  message: string,
  at: Date = new Date(),
): { encrypt: string; query: URLSearchParams; nonce: string } {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const nonce = String(randomInt(1e9, 9e9));
  const cipher = encrypt(keys.aesKey, message, keys.receiveId);
  const signature = getSignature(keys.token, timestamp, nonce, cipher);
  return { encrypt: cipher, nonce, query: new URLSearchParams({ msg_signature: signature, timestamp, nonce }) };
}

const Reply = z.strictObject({
  encrypt: z.string(),
  msgsignature: z.string(),
  timestamp: z.number().int(),
  nonce: z.string(),
});

/** The bot's passive reply; throws unless it is signed rightly, for this request. */
export function openReply(keys: CallbackKeys, text: string, nonce: string): unknown {
  const reply = Reply.parse(JSON.parse(text));
  if (reply.nonce !== nonce) throw new Error('the reply has a nonce of its own');
  if (getSignature(keys.token, reply.timestamp, reply.nonce, reply.encrypt) !== reply.msgsignature)
    throw new Error('the reply is signed wrongly');
  const { message, id } = decrypt(keys.aesKey, reply.encrypt);
  if (id !== keys.receiveId) throw new Error('the reply is for another receiver');
  return JSON.parse(message);
}

/** A file as WeCom serves it: padded to 32, under the given key. */
export function encryptedFile(bytes: Buffer, key: Buffer): Buffer {
  const pad = 32 - (bytes.length % 32);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(Buffer.concat([bytes, Buffer.alloc(pad, pad)])), cipher.final()]);
}

export const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
