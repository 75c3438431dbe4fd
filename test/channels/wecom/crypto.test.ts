import { createCipheriv, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as official from '@wecom/crypto';
import fc from 'fast-check';
import { z } from 'zod';
import { Envelope, openFile } from '../../../src/channels/wecom/crypto.js';
import { root } from '../../../src/paths.js';

const { vectors } = z
  .object({
    vectors: z.array(
      z.object({
        id: z.string(),
        token: z.string(),
        encodingAESKey: z.string(),
        receiveid: z.string(),
        timestamp: z.string(),
        nonce: z.string(),
        signature: z.string(),
        encrypt: z.string(),
        message: z.string(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(root, 'test/data/wecom-vectors.json'), 'utf8')));

const token = 'QDG6eK';
const aesKey = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C';
const key = Buffer.from(`${aesKey}=`, 'base64');
/** Encrypts bytes as they stand, padding and all. */
const cipher = (plain: Buffer): string => {
  const c = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([c.update(plain), c.final()]).toString('base64');
};
const framed = (message: Buffer, receiveId: string, length = message.length): Buffer => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(length >>> 0);
  return Buffer.concat([randomBytes(16), size, message, Buffer.from(receiveId)]);
};
const padded = (plain: Buffer): Buffer => {
  const pad = 32 - (plain.length % 32);
  return Buffer.concat([plain, Buffer.alloc(pad, pad)]);
};

describe('the envelope of WeCom callbacks', () => {
  it.each(vectors.map((v) => [v.id, v] as const))('%s: signature and message as published', (_id, v) => {
    const envelope = new Envelope({ token: v.token, aesKey: v.encodingAESKey, receiveId: v.receiveid });
    expect(envelope.signature(v.timestamp, v.nonce, v.encrypt)).toBe(v.signature);
    expect(envelope.signed(v.signature, v.timestamp, v.nonce, v.encrypt)).toBe(true);
    expect(envelope.open(v.encrypt)).toBe(v.message);
    expect(official.getSignature(v.token, v.timestamp, v.nonce, v.encrypt)).toBe(v.signature);
    expect(official.decrypt(v.encodingAESKey, v.encrypt)).toMatchObject({ message: v.message, id: v.receiveid });
  });

  it('what it seals the vendor’s package opens, and the other way round, whatever the text and the receiver', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.string({ unit: fc.constantFrom(...'abcXYZ019'), maxLength: 40 }),
        fc.string({ unit: fc.constantFrom(...'abc-_0189'), minLength: 1, maxLength: 20 }),
        (message, receiveId, nonce) => {
          const envelope = new Envelope({ token, aesKey, receiveId });
          const sealed = envelope.seal(message, nonce, 1_700_000_000);
          expect(official.getSignature(token, sealed.timestamp, nonce, sealed.encrypt)).toBe(sealed.signature);
          expect(official.decrypt(aesKey, sealed.encrypt)).toMatchObject({ message, id: receiveId });
          expect(envelope.open(official.encrypt(aesKey, message, receiveId))).toBe(message);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['the receiver of another', padded(framed(Buffer.from('hi'), 'ww-other'))],
    ['no receiver', padded(framed(Buffer.from('hi'), ''))],
    ['a receiver with more behind it', padded(framed(Buffer.from('hi'), 'ww1x'))],
    ['a length beyond the end', padded(framed(Buffer.from('hi'), 'ww1', 4000))],
    ['a length of four billion', padded(framed(Buffer.from('hi'), 'ww1', 0xffffffff))],
    ['a length that takes the receiver in', padded(framed(Buffer.from('hi'), 'ww1', 5))],
    ['padding of zeroes', Buffer.concat([framed(Buffer.from('hi'), 'ww1'), Buffer.alloc(7)])],
    ['padding of 33', Buffer.concat([framed(Buffer.alloc(38), 'ww1'), Buffer.alloc(35, 33)])],
    [
      'one wrong byte of padding',
      Buffer.concat([framed(Buffer.from('hi'), 'ww1'), Buffer.from([9, 7, 7, 7, 7, 7, 7])]),
    ],
    ['a multiple of 16 only', Buffer.concat([framed(Buffer.alloc(9), ''), Buffer.alloc(19, 19)])],
    ['nothing but padding', Buffer.alloc(32, 32)],
    ['bytes that are no text', padded(framed(Buffer.from([0xc3, 0x28]), 'ww1'))],
  ])('%s is not opened', (_what, plain) => {
    expect(new Envelope({ token, aesKey, receiveId: 'ww1' }).open(cipher(plain))).toBeUndefined();
  });

  it.each(['', '=', 'AAAA', 'not base64!', 'A'.repeat(63), '5'.repeat(44).concat('\n'), `${'A'.repeat(86)}===`])(
    'the cipher %j is not opened',
    (encrypt) => {
      expect(new Envelope({ token, aesKey, receiveId: '' }).open(encrypt)).toBeUndefined();
    },
  );

  it('whatever stands for a signature or a cipher: no crash, no message', () => {
    const envelope = new Envelope({ token, aesKey, receiveId: 'ww1' });
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 200 }), (signature, bytes) => {
        expect(envelope.signed(signature, '1', 'n', 'e')).toBe(false);
        expect(envelope.open(Buffer.from(bytes).toString('base64'))).toBeUndefined();
        expect(envelope.open(signature)).toBeUndefined();
      }),
    );
  });

  it('a picture is opened by its own key, and not by another', () => {
    const picture = randomBytes(1000);
    expect(openFile(Buffer.from(cipher(padded(picture)), 'base64'), key)).toEqual(picture);
    for (const wrong of [randomBytes(16), Buffer.alloc(0)])
      expect(() => openFile(Buffer.from(cipher(padded(picture)), 'base64'), wrong)).toThrow('could not be decrypted');
  });
});
