import { describe, expect, it } from '@jest/globals';
import { Decimal128, type Document, Double, Int32, Long } from 'bson';
import { type Arrivals, asked } from './arrivals.js';
import type { Operation } from './generate.js';
import { shown } from './perform.js';
import { verdictsOf } from './verdicts.js';

const n = (value: number): Int32 => new Int32(value);
/** What the verdicts say to two answers of one read; `came` is what comes to each stage that looks at many documents. */
const judged = (
  operation: Operation,
  before: Document[],
  ours: unknown,
  theirs: unknown,
  ...came: readonly Document[][]
): readonly string[] | undefined =>
  verdictsOf({
    operation,
    ours: { result: shown(ours) },
    theirs: { result: shown(theirs) },
    before: shown(before),
    stateOurs: '',
    stateTheirs: '',
    further: {
      arrivals: (operation.kind === 'aggregate' ? asked(operation.pipeline) : []).map((stage, i): Arrivals => {
        const rows = { result: shown(came[i]) };
        return { ...stage, ours: rows, theirs: rows };
      }),
    },
  });

/** Both had been explained by a verdict on something else in the same answer. */
describe('verdicts', () => {
  it('explain a group that a decimal splits, and no other group', () => {
    const pipeline = [{ $group: { _id: '$a', y: { $sum: n(1) } } }];
    const [whole, half] = [new Double(1.5), Decimal128.fromString('1.5')];
    const before = [whole, half, 'x'].map((a, i) => ({ _id: n(i), a }));
    const came = before.map(({ _id, a }) => ({ _id, k: a, v: { y: n(1) }, by: { y: [] } }));
    const right = [
      { _id: whole, y: n(2) },
      { _id: 'x', y: n(1) },
    ];
    const split = [
      { _id: whole, y: n(1) },
      { _id: half, y: n(1) },
      { _id: 'x', y: n(1) },
    ];
    expect(judged({ kind: 'aggregate', pipeline }, before, right, split, came)).toEqual([
      'a decimal is another group than an equal double',
    ]);
    expect(judged({ kind: 'aggregate', pipeline }, before, [{ _id: null, y: n(3) }], split, came)).toBeUndefined();
    const wrong = [{ _id: whole, y: n(3) }, right[1]];
    expect(judged({ kind: 'aggregate', pipeline }, before, wrong, split, came)).toBeUndefined();
  });

  it('explain a document that $bits… takes, and no other one', () => {
    const before = [1.5, 3, 4].map((value, i) => ({ _id: n(i), n: new Double(value) }));
    const find: Operation = { kind: 'find', filter: { n: { $bitsAnyClear: n(4) } } };
    const [odd, fits, not] = before;
    expect(judged(find, before, [fits], [odd, fits])).toEqual(['$bits… take a number that is not whole']);
    expect(judged(find, before, [fits, not], [fits])).toBeUndefined();
  });
});

/** Each of these values of the engine had been explained without being looked at. */
describe('verdicts hold the engine to what it may give', () => {
  const before = [2, 5, 3].map((value, i) => ({ _id: n(i), g: 'a', n: n(value) }));
  const came = before.map(({ _id, g, n: value }) => ({ _id, k: g, v: { x: value }, by: { x: [] } }));
  const grouped = (made: Document, mine: unknown, other: unknown, rows = came): readonly string[] | undefined =>
    judged(
      { kind: 'aggregate', pipeline: [{ $sort: { _id: 1 } }, { $group: { _id: '$g', x: made } }] },
      before,
      [{ _id: 'a', x: mine }],
      [{ _id: 'a', x: other }],
      rows,
    );
  const NO_ORDER = ['documents come to a group in no order'];

  it.each<[accumulator: Document, right: unknown, theirs: unknown, wrong: unknown]>([
    [{ $push: '$n' }, [2, 5, 3].map(n), [3, 5, 2].map(n), [5, 2, 3].map(n)],
    [{ $first: '$n' }, n(2), n(3), n(5)],
    [{ $last: '$n' }, n(3), n(2), n(5)],
    [{ $firstN: { input: '$n', n: n(2) } }, [2, 5].map(n), [3, 5].map(n), [5, 3].map(n)],
  ])('the order of documents in a group: %j', (made, right, theirs, wrong) => {
    expect(grouped(made, right, theirs)).toEqual(NO_ORDER);
    expect(grouped(made, wrong, theirs)).toBeUndefined();
    const scrambled = [came[2], came[0], came[1]].filter((row) => row !== undefined);
    expect(grouped(made, right, theirs, scrambled)).toBeUndefined();
  });

  it('$top of documents that sort alike is one of them', () => {
    const by = [1, 0, 0].map((key, i) => ({ ...came[i], by: { x: [n(key), n(0)] } }));
    const made = { $top: { output: '$n', sortBy: { m: n(1), _id: n(1) } } };
    const pipeline = [{ $sort: { _id: 1 } }, { $unwind: '$q' }, { $group: { _id: '$g', x: made } }];
    const top = (mine: number, other: number): readonly string[] | undefined =>
      judged({ kind: 'aggregate', pipeline }, before, [{ _id: 'a', x: n(mine) }], [{ _id: 'a', x: n(other) }], by);
    expect(top(5, 3)).toEqual(['$top, $bottom take another of documents that sort alike']);
    expect(top(2, 3)).toBeUndefined();
  });

  it('a field that two windows set has what the last gives', () => {
    const window = { documents: ['unbounded', 'current'] };
    const pipeline = ['$sum', '$max'].map((operator) => ({
      $setWindowFields: { partitionBy: '$g', sortBy: { _id: n(1) }, output: { w: { [operator]: '$n', window } } },
    }));
    const rows = before.map(({ _id, g, n: value }) => ({ _id, k: g, v: { w: value }, by: [_id] }));
    const twice = (...w: readonly number[]): readonly string[] | undefined =>
      judged(
        { kind: 'aggregate', pipeline },
        before,
        before.map((doc, i) => ({ ...doc, w: n(w[i] ?? 0) })),
        before.map((doc, i) => ({ ...doc, w: n([2, 7, 10][i] ?? 0) })),
        rows,
        rows,
      );
    expect(twice(2, 5, 5)).toEqual(['a field that two $setWindowFields set keeps what the first gave']);
    expect(twice(2, 5, 3)).toBeUndefined();
  });

  it('groups of groups are counted as they came', () => {
    const pipeline = [
      { $group: { _id: { k: '$s', l: '$t' }, y: { $sum: n(1) } } },
      { $group: { _id: null, y: { $count: {} } } },
    ];
    const docs = [
      { _id: n(0), s: 'a' },
      { _id: n(1), s: 'a', t: null },
    ];
    const first = docs.map(({ _id, ...k }) => ({ _id, k, v: { y: n(1) }, by: { y: [] } }));
    const second = first.map(({ k }) => ({ _id: k, k: null, v: { y: {} }, by: { y: [] } }));
    const counted = (mine: number): readonly string[] | undefined =>
      judged(
        { kind: 'aggregate', pipeline },
        docs,
        [{ _id: null, y: n(mine) }],
        [{ _id: null, y: n(1) }],
        first,
        second,
      );
    expect(counted(2)).toEqual(['of groups of groups there are fewer where missing and null are one']);
    expect(counted(3)).toBeUndefined();
  });

  it('a search with a limit gives the first of what its filter finds', () => {
    const docs = [1.5, 3, 2].map((value, i) => ({ _id: n(i), n: new Double(value) }));
    const ids = (...places: readonly number[]): { result: string } => ({
      result: shown(places.map((i) => ({ _id: n(i) }))),
    });
    const limited = (mine: number, found: readonly number[]): readonly string[] | undefined =>
      verdictsOf({
        operation: { kind: 'find', filter: { n: { $bitsAnyClear: n(4) } }, sort: { n: 1, _id: 1 }, limit: 1 },
        ours: { result: shown([docs[mine]]) },
        theirs: { result: shown([docs[0]]) },
        before: shown(docs),
        stateOurs: '',
        stateTheirs: '',
        further: { arrivals: [], found: { ours: ids(...found), theirs: ids(0, 1, 2) } },
      });
    expect(limited(2, [1, 2])).toEqual(['$bits… take a number that is not whole']);
    expect(limited(1, [1, 2])).toBeUndefined();
    // Of a number that is whole both have to say the same.
    expect(limited(1, [1])).toBeUndefined();
  });

  it('a group has the name of the first document that falls into it', () => {
    const keys = [new Long(2), new Double(2)] as const;
    const docs = keys.map((g, i) => ({ _id: n(i), g }));
    const named = (mine: Long | Double, other: Long | Double): readonly string[] | undefined =>
      judged(
        { kind: 'aggregate', pipeline: [{ $group: { _id: '$g', y: { $sum: n(1) } } }] },
        docs,
        [{ _id: mine, y: n(2) }],
        [{ _id: other, y: n(2) }],
        docs.map(({ _id, g }) => ({ _id, k: g, v: { y: n(1) }, by: { y: [] } })),
      );
    expect(named(...keys)).toEqual(['of equal numbers of several types another one stands for them']);
    expect(named(keys[1], keys[0])).toBeUndefined();
  });

  it.each([
    ['after the scan', [], ['a division by 0 in a $group after the scan has the code of one elsewhere']],
    ['after another stage', [{ $unwind: '$q' }], undefined],
  ])('the code of a division by 0 in a $group %s', (_name, earlier, kinds) => {
    const group = { $group: { _id: null, x: { $sum: { $divide: [n(1), '$n'] } } } };
    const refused = verdictsOf({
      operation: { kind: 'aggregate', pipeline: [...earlier, group] },
      ours: { code: 4848401, message: "can't $divide by zero" },
      theirs: { code: 2, message: '$divide by zero is not allowed' },
      before: '[]',
      stateOurs: '',
      stateTheirs: '',
      further: { arrivals: [] },
    });
    expect(refused).toEqual(kinds);
  });

  it('what an update writes of dates is what the second server writes where they are reckoned by hand', () => {
    const $dateTrunc = { date: new Date('2024-02-29T23:30:00Z'), unit: 'day', binSize: n(1) };
    const operation: Operation = {
      kind: 'update',
      filter: {},
      update: [{ $set: { d: { $dayOfMonth: { $dateTrunc } } } }],
      multi: true,
      upsert: false,
    };
    const answer = { result: shown({ n: n(1), nModified: n(1) }) };
    const stored = (day: number): string => shown([{ _id: n(0), d: n(day) }]);
    const wrote = (mine: number): readonly string[] | undefined =>
      verdictsOf({
        operation,
        ours: answer,
        theirs: answer,
        before: shown([{ _id: n(0) }]),
        stateOurs: stored(mine),
        stateTheirs: stored(28),
        further: { arrivals: [], dated: { operation, theirs: answer, stored: stored(29), further: { arrivals: [] } } },
      });
    expect(wrote(29)).toEqual(['$dateTrunc to days and weeks gives other days']);
    expect(wrote(30)).toBeUndefined();
  });
});
