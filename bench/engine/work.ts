import {
  type AnyClientBulkWriteModel,
  type ClientSession,
  type Collection,
  type Db,
  type Document,
  MongoClient,
} from 'mongodb';

/** Rows that are read and updated; and those that are grouped. */
export const ROWS = 10_000;
export const GROUPED = 100_000;
/** Messages that one transaction handles, and the writes of each. */
const MESSAGES = 32;
const WRITES = 4;

interface Row extends Document {
  _id: number;
  k: string;
  n: number;
}

/** One piece of work, as it is measured. */
export interface Line {
  readonly name: string;
  /** What one call counts as. */
  readonly counts: number;
  /** Milliseconds of one measurement. */
  readonly time: number;
  run(i: number, caller: number): Promise<unknown>;
}

const text = 'x'.repeat(100);
export const row = (i: number): Row => ({ _id: i, k: `k${i}`, name: `name ${i % 100}`, text, n: i });

export async function fill(rows: Collection<Row>, count: number): Promise<void> {
  await rows.createIndexes([{ key: { k: 1 }, unique: true }, { key: { n: 1 } }]);
  for (let from = 0; from < count; from += 5000)
    await rows.insertMany(Array.from({ length: Math.min(5000, count - from) }, (_, i) => row(from + i)));
}

/** A client whose pool holds every caller: with fewer connections the group commit has less to share. */
export const connect = (uri: string): Promise<MongoClient> =>
  new MongoClient(uri, { maxPoolSize: 100, minPoolSize: 33 }).connect();

export async function prepare(db: Db): Promise<void> {
  await db.dropDatabase();
  await fill(db.collection<Row>('rows'), ROWS);
  const grouped = db.collection<Document>('grouped');
  for (let from = 0; from < GROUPED; from += 5000)
    await grouped.insertMany(Array.from({ length: 5000 }, (_, i) => ({ g: (from + i) % 100, v: i, text })));
  for (const name of ['inserted', 'a', 'b', 'c', 'd']) await db.createCollection(name);
}

let made = 0;
const fresh = (): Document => ({ k: `i${(made += 1)}`, text, n: made });
const at = (i: number, caller: number): number => (i * 7919 + caller * 311) % ROWS;

/** @param calls to one server, through the driver. */
export function lines(client: MongoClient, db: Db): Line[] {
  const rows = db.collection<Row>('rows');
  const names = ['a', 'b', 'c', 'd'];
  const insertInto = (name: string, document: Document): AnyClientBulkWriteModel<Document> => ({
    name: 'insertOne',
    namespace: `${db.databaseName}.${name}`,
    document,
  });
  const readTwo = async (i: number, c: number, session: ClientSession): Promise<void> => {
    await rows.findOne({ k: `k${at(i, c)}` }, { session });
    await rows.findOne({ k: `k${at(i + 1, c)}` }, { session });
  };
  const transaction = (work: (session: ClientSession) => Promise<unknown>): Promise<unknown> =>
    client.withSession((session) => session.withTransaction(() => work(session)));
  return [
    { name: 'ping', counts: 1, time: 400, run: () => db.command({ ping: 1 }) },
    { name: 'insertOne', counts: 1, time: 500, run: () => db.collection('inserted').insertOne(fresh()) },
    { name: 'findOne by unique key', counts: 1, time: 400, run: (i, c) => rows.findOne({ k: `k${at(i, c)}` }) },
    {
      name: 'updateOne by key',
      counts: 1,
      time: 500,
      run: (i, c) => rows.updateOne({ k: `k${at(i, c)}` }, { $inc: { v: 1 } }),
    },
    {
      name: 'transaction: 2 findOne + 4 inserts',
      counts: 1,
      time: 700,
      run: (i, c) =>
        transaction(async (session) => {
          await readTwo(i, c, session);
          for (const name of names) await db.collection(name).insertOne(fresh(), { session });
        }),
    },
    {
      name: 'transaction: 2 findOne + bulkWrite of 4',
      counts: 1,
      time: 700,
      run: (i, c) =>
        transaction(async (session) => {
          await readTwo(i, c, session);
          await client.bulkWrite(
            names.map((name) => insertInto(name, fresh())),
            { session },
          );
        }),
    },
    {
      name: '32 messages as one transaction',
      counts: MESSAGES,
      time: 900,
      run: (i, c) =>
        transaction(async (session) => {
          const keys = Array.from({ length: MESSAGES }, (_, m) => `k${at(i + m, c)}`);
          await rows.find({ k: { $in: keys } }, { session }).toArray();
          await client.bulkWrite(
            Array.from({ length: MESSAGES * WRITES }, (_, w) => insertInto(names[w % 4] ?? 'a', fresh())),
            { session },
          );
        }),
    },
    {
      name: 'indexed range of 100',
      counts: 1,
      time: 400,
      run: (i, c) => {
        const from = at(i, c) % (ROWS - 100);
        return rows.find({ n: { $gte: from, $lt: from + 100 } }).toArray();
      },
    },
    {
      name: `group over ${GROUPED}`,
      counts: 1,
      time: 1500,
      run: () =>
        db
          .collection('grouped')
          .aggregate([{ $group: { _id: '$g', n: { $sum: 1 }, v: { $sum: '$v' } } }])
          .toArray(),
    },
  ];
}
