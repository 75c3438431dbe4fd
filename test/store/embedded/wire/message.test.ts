import { describe, expect, it } from '@jest/globals';
import { serialize } from 'bson';
import fc from 'fast-check';
import { crc32c } from '../../../../src/store/embedded/wire/crc32c.js';
import { BrokenFrame, Framer, MAX_MESSAGE, parse } from '../../../../src/store/embedded/wire/message.js';
import { message } from '../running.js';

const framed = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const framer = new Framer();
  const out: Buffer[] = [];
  const at = [...new Set(cuts.map((c) => c % (bytes.length + 1)))].toSorted((a, b) => a - b);
  for (const [i, from] of [0, ...at].entries()) out.push(...framer.push(bytes.subarray(from, at[i] ?? bytes.length)));
  return out;
};

const withChecksum = (bytes: Buffer): Buffer => {
  const flagged = Buffer.concat([bytes, Buffer.alloc(4)]);
  flagged.writeInt32LE(flagged.length, 0);
  flagged.writeUInt32LE(flagged.readUInt32LE(16) | 1, 16);
  flagged.writeUInt32LE(crc32c(flagged.subarray(0, -4)), flagged.length - 4);
  return flagged;
};

// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
describe('frames', () => {
  it('are the same however the bytes are cut on their way', () => {
    const messages = [message(1, { ping: 1 }), message(2, { find: 'a', filter: { x: 'y'.repeat(300) } })];
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 8 }), (cuts) => {
        expect(framed(Buffer.concat(messages), cuts).map((m) => m.toString('hex'))).toEqual(
          messages.map((m) => m.toString('hex')),
        );
      }),
    );
  });

  it('that claim a length no message has are refused before anything of them is kept', () => {
    for (const length of [0, 15, -1, MAX_MESSAGE + 1, 2 ** 31 - 1]) {
      const head = Buffer.alloc(4);
      head.writeInt32LE(length | 0);
      expect(() => [...new Framer().push(head)]).toThrow(BrokenFrame);
    }
  });
});

describe('OP_MSG', () => {
  it('joins a document sequence to the body under its name', () => {
    const { command } = parse(
      message(7, { insert: 'a', $db: 'x' }, { sequences: { documents: [{ a: 1 }, { a: 2 }] } }),
    );
    expect(command['documents']).toHaveLength(2);
  });

  it('with a checksum is taken if it fits and refused if it does not', () => {
    const good = withChecksum(message(1, { ping: 1, $db: 'x' }));
    expect(parse(good).command['$db']).toBe('x');
    const bad = Buffer.from(good);
    bad[25] = (bad[25] ?? 0) ^ 1;
    expect(() => parse(bad)).toThrow(BrokenFrame);
  });

  it('has the checksum of Castagnoli', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  it('with an unknown required flag bit is refused, with an unknown optional one is taken', () => {
    expect(() => parse(message(1, { ping: 1 }, { flags: 1 << 2 }))).toThrow(BrokenFrame);
    expect(parse(message(1, { ping: 1 }, { flags: 1 << 20 })).silent).toBe(false);
    expect(parse(message(1, { ping: 1 }, { flags: 2 })).silent).toBe(true);
  });

  it('that gives one field twice, in body and sequence, is refused', () => {
    expect(() => parse(message(1, { insert: 'a', documents: [] }, { sequences: { documents: [{}] } }))).toThrow(
      BrokenFrame,
    );
    expect(() => parse(message(1, { insert: 'a' }, { sequences: { ['__proto__']: [{}] } }))).not.toThrow(TypeError);
  });

  it('broken at any byte is parsed or refused as a broken frame, never anything else', () => {
    const whole = message(
      3,
      { insert: 'a', $db: 'x', n: { deep: [1, 'two', { three: 3 }] } },
      {
        sequences: { documents: [{ _id: 1, text: 'abc' }] },
      },
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 17), fc.integer({ min: 0, max: 255 }), fc.nat(40), (at, byte, cut) => {
        const bytes = Buffer.from(whole.subarray(0, Math.max(16, whole.length - cut)));
        if (16 + at < bytes.length) bytes[16 + at] = byte;
        try {
          parse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(BrokenFrame);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('of random bytes under a right header is parsed or refused as a broken frame', () => {
    fc.assert(
      fc.property(fc.constantFrom(2013, 2004, 2012, 1), fc.uint8Array({ maxLength: 200 }), (opcode, rest) => {
        const head = Buffer.alloc(16);
        head.writeInt32LE(16 + rest.length, 0);
        head.writeInt32LE(opcode, 12);
        try {
          parse(Buffer.concat([head, rest]));
        } catch (error) {
          expect(error).toBeInstanceOf(BrokenFrame);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('with a document nested a hundred thousand deep is refused, not followed', () => {
    const depth = 100_000;
    const bytes = Buffer.alloc(depth * 8 + 5);
    let at = 0;
    for (let i = 0; i < depth; i += 1) {
      bytes.writeInt32LE(bytes.length - i * 8, at);
      bytes[at + 4] = 3;
      bytes[at + 5] = 97;
      at += 7;
    }
    const head = Buffer.from(message(1, {})).subarray(0, 21);
    const all = Buffer.concat([head, bytes]);
    all.writeInt32LE(all.length, 0);
    expect(() => parse(all)).toThrow(BrokenFrame);
  });
});

describe('OP_QUERY', () => {
  it('is the handshake of old: its database is in its name', () => {
    const query = serialize({ isMaster: 1 });
    const head = Buffer.alloc(20);
    const space = Buffer.from('admin.$cmd\0');
    const counts = Buffer.alloc(8);
    const all = Buffer.concat([head, space, counts, query]);
    all.writeInt32LE(all.length, 0);
    all.writeInt32LE(2004, 12);
    const request = parse(all);
    expect(request.legacy).toBe(true);
    expect(request.command['$db']).toBe('admin');
  });
});
