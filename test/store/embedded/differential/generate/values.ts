import { Binary, Decimal128, type Document, Double, Int32, Long, ObjectId } from 'bson';
import fc from 'fast-check';

const { constantFrom, oneof, record, array, integer, constant } = fc;

export const number = oneof(
  { weight: 4, arbitrary: integer({ min: -2, max: 5 }).map((n) => new Int32(n)) },
  { weight: 2, arbitrary: constantFrom(0, 0.5, 1, 1.5, 2, 2.5, -1, 3).map((n) => new Double(n)) },
  { weight: 1, arbitrary: integer({ min: -1, max: 4 }).map((n) => Long.fromNumber(n)) },
  { weight: 1, arbitrary: constantFrom('0', '1', '1.5', '2', '-1', '2.50').map((t) => Decimal128.fromString(t)) },
);
const string = constantFrom('', 'a', 'b', 'ab', 'Abc', 'a b', '王', 'b1', '2');
const date = integer({ min: -2, max: 40 }).map((n) => new Date(Date.UTC(2024, 1, 27) + n * 40_123_000));
export const scalar = oneof(
  { weight: 5, arbitrary: number },
  { weight: 3, arbitrary: string },
  { weight: 2, arbitrary: constant(null) },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: date },
  {
    weight: 1,
    arbitrary: constantFrom('65f000000000000000000001', '65f000000000000000000002').map((h) => new ObjectId(h)),
  },
  { weight: 1, arbitrary: constantFrom(new Binary(Buffer.from([5])), new Binary(Buffer.from([1, 2]))) },
);
export const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; object: Document }>((tie) => ({
  value: oneof(
    { depthSize: 'xsmall', maxDepth: 2 },
    { weight: 8, arbitrary: scalar },
    { weight: 2, arbitrary: array(tie('value'), { maxLength: 3 }) },
    { weight: 1, arbitrary: tie('object') },
  ),
  object: fc.dictionary(constantFrom('x', 'y'), tie('value'), { maxKeys: 2, noNullPrototype: true }),
})).value;

/** Fields of one type beside those of any: expressions need operands that fit. */
export const typed = record(
  {
    a: value,
    b: value,
    c: oneof(array(scalar, { maxLength: 4 }), value),
    n: number,
    m: number,
    s: string,
    d: date,
    r: array(number, { maxLength: 4 }),
    q: array(record({ x: scalar, y: number }, { requiredKeys: [], noNullPrototype: true }), { maxLength: 3 }),
    o: record({ x: number, y: string }, { requiredKeys: [], noNullPrototype: true }),
  },
  { requiredKeys: ['n'], noNullPrototype: true },
);
export const path = constantFrom(
  'a',
  'b',
  'c',
  'a.x',
  'b.y',
  'c.0',
  'n',
  's',
  'r',
  'r.1',
  'q.x',
  'q.y',
  'q.0.x',
  'o',
  'o.x',
  'q',
  'd',
  'z',
);
