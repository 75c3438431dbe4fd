import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ClientSession, type Collection, MongoServerError } from 'mongodb';
import { running } from '../running.js';
import { Model, type Outcome, type Row } from './model.js';

/** The long form: TRANSACTION_RUNS=2000. */
const RUNS = Number(process.env['TRANSACTION_RUNS'] ?? '60');

interface Stored {
  _id: string;
  n: number;
  u?: string;
}

const session = fc.nat(2);
const key = fc.constantFrom('a', 'b', 'c');
const name = fc.constantFrom(undefined, 'x', 'y');
const step = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), session, key, u: name }),
  fc.record({ kind: fc.constant('add' as const), session, key }),
  fc.record({ kind: fc.constant('add' as const), session, key }),
  fc.record({ kind: fc.constant('rename' as const), session, key, u: name }),
  fc.record({ kind: fc.constant('remove' as const), session, key }),
  fc.record({ kind: fc.constant('read' as const), session }),
  fc.record({ kind: fc.constant('commit' as const), session }),
  fc.record({ kind: fc.constant('commit' as const), session }),
  fc.record({ kind: fc.constant('abort' as const), session }),
  fc.record({ kind: fc.constant('outside' as const), session, key }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const codeOf = async (work: Promise<unknown>): Promise<Outcome> => {
  const error: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (error === undefined) return 'done';
  if (!(error instanceof MongoServerError)) throw error;
  const { code } = error;
  if (code !== 112 && code !== 11000 && code !== 251) throw error;
  // https://www.mongodb.com/docs/manual/core/transactions-in-applications/#transienttransactionerror
  expect(error.hasErrorLabel('TransientTransactionError')).toBe(code !== 11000);
  return code;
};

const named = (n: number, u: string | undefined): Row => (u === undefined ? { n } : { n, u });

async function run(model: Model, c: Collection<Stored>, s: ClientSession, { kind, ...step }: Step): Promise<void> {
  const at = step.session;
  if (kind === 'outside') {
    const { key: k } = step as { key: string };
    if (!model.free([k])) return;
    const before = model.rows.get(k);
    model.update(-1, k, (row) => ({ ...row, n: row.n + 100 }));
    expect(model.commit(-1)).toBe('done');
    expect((await c.updateOne({ _id: k }, { $inc: { n: 100 } })).matchedCount).toBe(before ? 1 : 0);
    return;
  }
  if (kind === 'commit' || kind === 'abort') {
    if (model.state(at) === 'none') return;
    if (kind === 'abort') {
      model.abort(at);
      return s.abortTransaction();
    }
    const expected = model.commit(at);
    expect(await codeOf(s.commitTransaction())).toBe(expected);
    // Asked again, the same answer. https://www.mongodb.com/docs/manual/reference/command/commitTransaction/
    expect(await codeOf(s.commitTransaction())).toBe(expected);
    return;
  }
  if (model.state(at) === 'none') s.startTransaction();
  const options = { session: s };
  if (kind === 'read') {
    const view = model.view(at);
    const all = c.find({}, options).sort({ _id: 1 }).toArray();
    if (!view) {
      expect(await codeOf(all)).toBe(251);
      return;
    }
    const rows = [...view].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([_id, row]) => ({ _id, ...row }));
    expect(await all).toEqual(rows);
    expect(await c.countDocuments({ n: { $gte: 0 } }, options)).toBe(view.size);
    const x = rows.find((r) => r.u === 'x');
    expect((await c.findOne({ u: 'x' }, options))?._id).toBe(x?._id);
    return;
  }
  const { key: k, u } = step as { key: string; u?: string };
  if (kind === 'insert') {
    const expected = model.insert(at, k, named(0, u));
    expect(await codeOf(c.insertOne({ _id: k, ...named(0, u) } as Stored, options))).toBe(expected);
  } else if (kind === 'remove') {
    const expected = model.remove(at, k);
    expect(await codeOf(c.deleteOne({ _id: k }, options))).toBe(expected);
  } else if (kind === 'add') {
    const expected = model.update(at, k, (row) => ({ ...row, n: row.n + 1 }));
    expect(await codeOf(c.updateOne({ _id: k }, { $inc: { n: 1 } }, options))).toBe(expected);
  } else {
    const expected = model.update(at, k, (row) => named(row.n, u));
    const change = u === undefined ? { $unset: { u: 1 as const } } : { $set: { u } };
    expect(await codeOf(c.updateOne({ _id: k }, change, options))).toBe(expected);
  }
}

// https://www.mongodb.com/docs/manual/core/transactions/
describe('transactions that run at once', () => {
  it(
    `are isolated as the model says, over ${RUNS} interleavings`,
    async () => {
      const { client, db } = await running();
      let made = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 40 }), async (steps) => {
          const c = db.collection<Stored>(`c${(made += 1)}`);
          await c.createIndex({ u: 1 }, { unique: true, sparse: true });
          const model = new Model();
          for (const [k, u] of [
            ['a', 'x'],
            ['b', undefined],
          ] as const) {
            model.insert(-1, k, named(0, u));
            model.commit(-1);
            await c.insertOne({ _id: k, ...named(0, u) } as Stored);
          }
          const sessions = [0, 1, 2].map(() => client.startSession());
          try {
            for (const s of steps) await run(model, c, sessions[s.session] as ClientSession, s);
          } finally {
            for (const s of sessions) await s.endSession();
          }
          const rows = [...model.rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([_id, row]) => ({ _id, ...row }));
          expect(await c.find().sort({ _id: 1 }).toArray()).toEqual(rows);
          for (const u of ['x', 'y']) expect(await c.countDocuments({ u })).toBe(rows.filter((r) => r.u === u).length);
          await c.drop();
        }),
        { numRuns: RUNS },
      );
    },
    60_000 + RUNS * 300,
  );
});
