import { describe, expect, it } from '@jest/globals';
import { Decimal128, Double, Int32, Long, serialize } from 'bson';
import fc from 'fast-check';
import { PartialDecoder } from '../../../../src/store/embedded/bson/partial.js';
import { decode } from '../../../../src/store/embedded/bson/value.js';
import { running } from '../running.js';
import { value } from './values.js';

const name = fc.constantFrom('a', 'b', 'ab', 'c', '');

describe('some fields of a document', () => {
  it('are what the whole decoder makes of them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), fc.uniqueArray(name), (fields, wanted) => {
        const bytes = Buffer.from(serialize(Object.fromEntries(fields), { ignoreUndefined: true }));
        const whole = decode(bytes);
        const names = new Set<string>(wanted);
        const picked = Object.fromEntries(Object.entries(whole).filter(([k]) => names.has(k)));
        expect(new PartialDecoder(wanted).decode(bytes)).toEqual(expect.objectContaining(picked));
      }),
      { numRuns: 1000 },
    );
  });

  // https://www.mongodb.com/docs/manual/reference/operator/aggregation/group/
  it('group as the values do: a number of any type is one, a text of the same digits is another', async () => {
    const { db } = await running();
    const same = [new Int32(1), new Double(1), Long.fromNumber(1), Decimal128.fromString('1.0')];
    const keys = [
      ...same,
      '1',
      new Double(0),
      new Double(-0),
      new Double(NaN),
      Decimal128.fromString('NaN'),
      null,
      true,
    ];
    await db.collection('c').insertMany(keys.map((k) => ({ k })));
    await db.collection('c').insertOne({ other: 1 });
    const groups = await db
      .collection('c')
      .aggregate([{ $group: { _id: '$k', n: { $sum: 1 } } }])
      .toArray();
    expect(groups.map((g) => Number(g['n'])).toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 2, 4]);
  });
});
