import { describe, expect, it } from '@jest/globals';
import { Decimal128, type Document, Double, Int32 } from 'bson';
import type { Operation } from './generate.js';
import { shown } from './perform.js';
import { verdictsOf } from './verdicts.js';

const n = (value: number): Int32 => new Int32(value);
/** What the verdicts say to two answers of one read. */
const judged = (operation: Operation, before: Document[], ours: unknown, theirs: unknown) =>
  verdictsOf({
    operation,
    ours: { result: shown(ours) },
    theirs: { result: shown(theirs) },
    before: shown(before),
    stateOurs: '',
    stateTheirs: '',
  });

/** Both had been explained by a verdict on something else in the same answer. */
describe('verdicts', () => {
  it('explain a group that a decimal splits, and no other group', () => {
    const pipeline = [{ $group: { _id: '$a', y: { $sum: n(1) } } }];
    const [whole, half] = [new Double(1.5), Decimal128.fromString('1.5')];
    const before = [whole, half, 'x'].map((a, i) => ({ _id: n(i), a }));
    const right = [
      { _id: whole, y: n(2) },
      { _id: 'x', y: n(1) },
    ];
    const split = [
      { _id: whole, y: n(1) },
      { _id: half, y: n(1) },
      { _id: 'x', y: n(1) },
    ];
    expect(judged({ kind: 'aggregate', pipeline }, before, right, split)).toEqual([
      'a decimal is another group than an equal double',
    ]);
    expect(judged({ kind: 'aggregate', pipeline }, before, [{ _id: null, y: n(3) }], split)).toBeUndefined();
  });

  it('explain a document that $bits… takes, and no other one', () => {
    const before = [1.5, 3, 4].map((value, i) => ({ _id: n(i), n: new Double(value) }));
    const find: Operation = { kind: 'find', filter: { n: { $bitsAnyClear: n(4) } } };
    const [odd, fits, not] = before;
    expect(judged(find, before, [fits], [odd, fits])).toEqual(['$bits… take a number that is not whole']);
    expect(judged(find, before, [fits, not], [fits])).toBeUndefined();
  });
});
