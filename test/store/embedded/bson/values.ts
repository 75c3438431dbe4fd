import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import type { Doc, Value } from '../../../../src/store/embedded/bson/value.js';

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.constantFrom(0, 1, -1, 2, 3, 7, 100, -100).map((n) => new Int32(n)),
  fc
    .oneof(fc.double(), fc.constantFrom(0, -0, 0.1, 1, 2.5, 2 ** 53, 2 ** 63, Number.NaN, Infinity, -Infinity))
    .map((n) => new Double(n)),
  fc
    .oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n),
    )
    .map((n) => Long.fromBigInt(n)),
  fc
    .constantFrom('0', '0.1', '1', '1.0', '2.50', '9007199254740993', '1E+30', '-1E-7', 'NaN', 'Infinity', '-Infinity')
    .map((t) => Decimal128.fromString(t)),
  fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('', 'a', 'ab', '王', '𠮷', '\uFFFD', 'a\u0000b')),
  fc.date({ noInvalidDate: true, min: new Date(-1e12), max: new Date(4e12) }),
  fc.constantFrom('000000000000000000000001', 'ffffffffffffffffffffffff').map((h) => new ObjectId(h)),
  fc.uint8Array({ maxLength: 4 }).map((b) => new Binary(b)),
  fc.constantFrom(new Timestamp({ t: 1, i: 1 }), new Timestamp({ t: 4_000_000_000, i: 2 })),
  fc.constantFrom(new BSONRegExp('a'), new BSONRegExp('a', 'i')),
  fc.constantFrom(new MinKey(), new MaxKey()),
);

/** Any value, arrays and documents among them. */
export const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3, noNullPrototype: true })
      .map((d) => d as Doc),
  ),
})).value;

/** Small values that meet often. */
export const small: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom(0, 1, 2, 3).map((n) => new Int32(n)),
  fc.constantFrom(0, 1, 1.5, 2).map((n) => new Double(n)),
  fc.constantFrom('a', 'b', 'ab'),
  fc.constant(null),
  fc.constantFrom(new Date(0), new Date(1000)),
);
