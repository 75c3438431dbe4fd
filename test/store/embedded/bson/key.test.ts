import { describe, expect, it } from '@jest/globals';
import { Code, Decimal128, Double, Int32, Long } from 'bson';
import fc from 'fast-check';
import { compare } from '../../../../src/store/embedded/bson/compare.js';
import { encodeKey, encodeValue } from '../../../../src/store/embedded/bson/key.js';
import { value } from './values.js';

describe('the order of values', () => {
  // https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
  it('numbers of all types are one: 1 is 1.0 is long 1 is decimal 1.0, and 2^53 + 1 is above 2^53', () => {
    const ones = [new Int32(1), new Double(1), Long.fromNumber(1), Decimal128.fromString('1.0')];
    for (const a of ones)
      for (const b of ones) expect([compare(a, b), encodeValue(a).equals(encodeValue(b))]).toEqual([0, true]);
    expect(compare(Long.fromBigInt(2n ** 53n + 1n), new Double(2 ** 53))).toBe(1);
    expect(compare(Decimal128.fromString('0.1'), new Double(0.1))).toBe(-1);
  });

  it('code goes by its text, then by its scope', () => {
    const [one, two, later] = [
      new Code('f', { x: new Int32(1) }),
      new Code('f', { x: new Int32(2) }),
      new Code('g', {}),
    ];
    for (const [a, b] of [
      [one, two],
      [two, later],
    ] as const)
      expect([compare(a, b), Buffer.compare(encodeValue(a), encodeValue(b))]).toEqual([-1, -1]);
  });

  it('is a total order', () => {
    fc.assert(
      fc.property(value, value, value, (a, b, c) => {
        expect(compare(a, b)).toBe(-compare(b, a) + 0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 3000 },
    );
  });

  it('the bytes of a key sort as the values do, up and down, and no key begins another', () => {
    fc.assert(
      fc.property(value, value, fc.constantFrom(1 as const, -1 as const), (a, b, direction) => {
        const [x, y] = [encodeValue(a, direction), encodeValue(b, direction)];
        expect(Math.sign(Buffer.compare(x, y))).toBe(compare(a, b) * direction + 0);
        if (compare(a, b) !== 0) expect(x.subarray(0, y.length).equals(y)).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });

  it('compound keys sort by their first difference', () => {
    fc.assert(
      fc.property(fc.tuple(value, value), fc.tuple(value, value), (a, b) => {
        const wanted = compare(a[0], b[0]) || -compare(a[1], b[1]);
        expect(Math.sign(Buffer.compare(encodeKey(a, [1, -1]), encodeKey(b, [1, -1])))).toBe(wanted + 0);
      }),
      { numRuns: 2000 },
    );
  });
});
