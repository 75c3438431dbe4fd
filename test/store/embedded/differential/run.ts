import { Decimal128, Double, Int32, Long, MongoClient, type Db, type Document } from 'mongodb';
import { seeded } from '../../../../src/domain/demo/people.js';

/**
 * Random documents, queries, updates and pipelines to two servers; prints what differs.
 *
 *     npx tsx test/store/embedded/differential/run.ts URI_A URI_B [OPERATIONS] [SEED]
 */
const [uriA = '', uriB = '', operations = '2000', seed = '1'] = process.argv.slice(2);
const random = seeded(Number(seed));
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const many = <T>(most: number, make: () => T): T[] => Array.from({ length: Math.floor(random() * (most + 1)) }, make);

const scalar = (): unknown =>
  pick<() => unknown>([
    () => new Int32(Math.floor(random() * 6) - 1),
    () => new Double(pick([0, 0.5, 1, 2.5, -1])),
    () => Long.fromNumber(Math.floor(random() * 4)),
    () => Decimal128.fromString(pick(['0', '1.5', '2'])),
    () => pick(['', 'a', 'b', 'ab', '王']),
    () => null,
    () => random() < 0.5,
    () => new Date(Math.floor(random() * 3) * 1000),
  ])();
const value = (depth = 2): unknown => {
  const r = random();
  if (depth > 0 && r < 0.15) return many(3, () => value(depth - 1));
  if (depth > 0 && r < 0.25) return Object.fromEntries(many(2, () => [pick(['x', 'y']), value(depth - 1)]));
  return scalar();
};
const path = (): string => pick(['a', 'b', 'c', 'a.x', 'b.0', 'a.y', 'c.x']);
const doc = (): Document => Object.fromEntries(many(3, () => [pick(['a', 'b', 'c']), value()]));
const condition = (): unknown =>
  pick<() => unknown>([
    () => value(1),
    () => ({ [pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'])]: value(1) }),
    () => ({ [pick(['$in', '$nin'])]: many(3, () => scalar()) }),
    () => ({ $exists: random() < 0.5 }),
    () => ({ $type: pick(['int', 'double', 'string', 'array', 'null', 'number', 'object']) }),
    () => ({ $size: Math.floor(random() * 3) }),
    () => ({ $elemMatch: { [pick(['$gt', '$lt', '$eq'])]: scalar() } }),
    () => ({ $not: { $gt: scalar() } }),
    () => ({ $all: many(2, () => scalar()) }),
    () => ({ $mod: [2, 1] }),
  ])();
const filter = (): Document =>
  random() < 0.8
    ? Object.fromEntries(many(2, () => [path(), condition()]))
    : { [pick(['$or', '$and', '$nor'])]: [{ [path()]: condition() }, { [path()]: condition() }] };
const sort = (): Record<string, 1 | -1> => ({ [pick(['a', 'b', 'c'])]: pick([1, -1] as const), _id: 1 });
const update = (): Document =>
  pick<() => Document>([
    () => ({ $set: { [path()]: value() } }),
    () => ({ $unset: { [path()]: '' } }),
    () => ({ $inc: { [path()]: pick([new Int32(1), new Double(0.5), Long.fromNumber(2)]) } }),
    () => ({ $mul: { [path()]: pick([new Int32(2), new Double(1.5)]) } }),
    () => ({ $min: { [path()]: scalar() } }),
    () => ({ $max: { [path()]: scalar() } }),
    () => ({ $push: { [path()]: value(1) } }),
    () => ({ $push: { [path()]: { $each: many(3, () => scalar()), $slice: pick([-2, 2, 0]), $sort: pick([1, -1]) } } }),
    () => ({ $addToSet: { [path()]: value(1) } }),
    () => ({ $pull: { [path()]: pick([scalar(), { $gt: scalar() }]) } }),
    () => ({ $pullAll: { [path()]: many(2, () => scalar()) } }),
    () => ({ $pop: { [path()]: pick([1, -1]) } }),
    () => ({ $rename: { a: 'd' } }),
    () => ({ $set: { [path()]: scalar() }, $unset: { d: '' } }),
    () => ({ $bit: { [path()]: { and: new Int32(3) } } }),
  ])();
const pipeline = (): Document[] =>
  pick<() => Document[]>([
    () => [{ $match: filter() }, { $sort: sort() }, { $limit: 3 }],
    () => [
      {
        $group: {
          _id: `$${pick(['a', 'b'])}`,
          n: { $sum: 1 },
          s: { $sum: '$c' },
          lo: { $min: '$c' },
          hi: { $max: '$c' },
        },
      },
    ],
    () => [{ $match: filter() }, { $count: 'n' }],
    () => [{ $sort: sort() }, { $project: { a: 1, k: { $ifNull: ['$b', 'none'] }, e: { $eq: ['$a', '$b'] } } }],
    () => [
      { $sort: sort() },
      { $unwind: { path: `$${pick(['a', 'b'])}`, preserveNullAndEmptyArrays: random() < 0.5 } },
    ],
    () => [{ $sort: sort() }, { $addFields: { z: { $cond: [{ $gt: ['$a', '$b'] }, '$a', '$b'] } } }],
    () => [{ $sort: { _id: 1 } }, { $unset: [pick(['a', 'b.x'])] }],
  ])();

const shown = (v: unknown): string =>
  JSON.stringify(v, (_k, x: unknown) => {
    if (typeof x === 'object' && x !== null && '_bsontype' in x)
      return `${String((x as { _bsontype: string })._bsontype)}(${String(x)})`;
    return x;
  });
const raw = { promoteValues: false } as const;

async function attempt(work: () => Promise<unknown>): Promise<string> {
  try {
    return shown(await work());
  } catch (error) {
    return `error ${String((error as { code?: unknown }).code ?? (error as Error).message)}`;
  }
}

async function main(): Promise<void> {
  const clients = await Promise.all([uriA, uriB].map((uri) => new MongoClient(uri).connect()));
  const dbs = clients.map((c) => c.db(`differential_${process.pid}`));
  const both = (work: (db: Db) => Promise<unknown>): Promise<string[]> =>
    Promise.all(dbs.map((db) => attempt(() => work(db))));
  const state = (db: Db): Promise<unknown> => db.collection('c').find({}, raw).sort({ _id: 1 }).toArray();
  const kinds = new Map<string, { count: number; example: string }>();
  const total = Number(operations);
  let id = 0;
  for (let n = 0; n < total; n += 1) {
    if (n % 50 === 0) {
      await both((db) => db.collection('c').deleteMany({}));
      const docs = Array.from({ length: 12 }, () => ({ _id: (id += 1), ...doc() }));
      await both((db) => db.collection<{ _id: number }>('c').insertMany(docs));
    }
    const [kind, operation, work] = pick<() => [string, unknown, (db: Db) => Promise<unknown>]>([
      () => {
        const f = filter();
        const s = sort();
        return ['find', { f, s }, (db) => db.collection('c').find(f, raw).sort(s).toArray()];
      },
      () => {
        const f = filter();
        const u = update();
        const multi = random() < 0.3;
        return [
          `update ${Object.keys(u)[0] ?? ''}`,
          { f, u, multi },
          (db) =>
            multi
              ? db.collection('c').updateMany(f, u)
              : db.collection('c').findOneAndUpdate(f, u, { ...raw, sort: { _id: 1 }, returnDocument: 'after' }),
        ];
      },
      () => {
        const p = pipeline();
        return [
          `aggregate ${p.map((s) => Object.keys(s)[0]).join(' ')}`,
          p,
          async (db) => (await db.collection('c').aggregate(p, raw).toArray()).map(shown).toSorted(),
        ];
      },
    ])();
    const before = await attempt(() => state(dbs[0] as Db));
    const [a, b] = await both(work);
    const [after, afterB] = await both(state);
    if (a !== b || after !== afterB) {
      const key = `${kind}${a?.startsWith('error') ? ` | A ${a}` : ''}${b?.startsWith('error') ? ` | B ${b}` : ''}`;
      const known = kinds.get(key);
      kinds.set(key, {
        count: (known?.count ?? 0) + 1,
        example:
          known?.example ??
          `${shown(operation)}\n   before ${before.slice(0, 600)}\n   A ${a === b ? after : a}\n   B ${a === b ? afterB : b}`,
      });
      if (after !== afterB) {
        const docs = (await (dbs[0] as Db).collection('c').find({}, raw).toArray()) as Document[];
        await (dbs[1] as Db).collection('c').deleteMany({});
        if (docs.length > 0) await (dbs[1] as Db).collection('c').insertMany(docs);
      }
    }
  }
  for (const [key, { count, example }] of [...kinds].toSorted((x, y) => y[1].count - x[1].count))
    process.stdout.write(`${count} × ${key}\n   ${example}\n`);
  process.stdout.write(
    `${total} operations, ${[...kinds.values()].reduce((sum, k) => sum + k.count, 0)} differ in ${kinds.size} ways\n`,
  );
  await Promise.all(dbs.map((db) => db.dropDatabase()));
  await Promise.all(clients.map((c) => c.close()));
}
await main();
