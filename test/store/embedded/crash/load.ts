import { type Binary, type Document, Long } from 'bson';
import { type Db, MongoClient, type MongoServerError } from 'mongodb';
import { bareConnection, bodyOf, message, newSession } from '../running.js';

const SUM: Document = { _id: 'pairs' };
/** So many that an index of them is built, and dropped, in pieces. */
const BUILT = 1100;

/** What may be in the store for one key: what was acknowledged, and what an unanswered write would have made of it. */
interface Known<T> {
  sure: T;
  perhaps?: { readonly value: T };
}

/** A session whose commands are sent by hand. */
interface ByHand {
  readonly id: string;
  readonly lsid: { id: Binary };
  number: number;
  counted: number;
  /** The command that has no answer yet: it is sent again after the restart. */
  waiting: Document | undefined;
}

interface Count {
  _id: string;
  n: number;
}

interface Single {
  readonly u: string;
  readonly tags: readonly string[];
  readonly v: number;
}

const isServerError = (error: unknown): error is MongoServerError =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && error.name !== 'MongoNetworkError';

/** An answer without the mark that it is a repeat: the first one bears it as well if it was sent before a kill. */
const unmarked = ({ retriedStmtIds: _repeated, ...rest }: Document): Document => rest;

/**
 * A mixed load whose right outcome is known: each worker has keys of its own and has one write under way at a time, so
 * that after a kill at most one write of each is in doubt.
 */
export class Load {
  readonly #singles = new Map<string, Known<Single | undefined>>();
  readonly #pairs = new Map<string, Known<boolean>>();
  readonly #random: () => number;
  #next = 0;
  readonly #sessions: readonly ByHand[];
  acknowledged = 0;
  repeated = 0;
  inDoubt = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#sessions = Array.from({ length: 2 }, (_, i) => ({
      id: `session-${i}`,
      lsid: newSession(),
      number: 0,
      counted: 0,
      waiting: undefined,
    }));
  }

  /** Before the first kill: the collections and their indexes. */
  async prepare(uri: string): Promise<void> {
    const client = await new MongoClient(uri).connect();
    const db = client.db('crash');
    await db.collection('single').createIndexes([{ key: { u: 1 }, unique: true }, { key: { tags: 1, v: -1 } }]);
    await db.collection('left').createIndex({ k: 1 }, { unique: true });
    await db.collection('right').createIndex({ k: -1 }, { sparse: true });
    await db.collection<Count>('sum').insertOne({ _id: 'pairs', n: 0 });
    await db.collection('built').insertMany(Array.from({ length: BUILT }, (_, i) => ({ n: i, tags: [i % 7, i % 5] })));
    await client.close();
  }

  /** Runs until the connection breaks. */
  async run(uri: string): Promise<void> {
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: 50, retryWrites: false });
    const db = client.db('crash');
    await Promise.all([
      this.#until(() => this.#writeSingle(db)),
      this.#until(() => this.#writeSingle(db)),
      this.#until(() => this.#transact(client, db)),
      this.#until(() => this.#transact(client, db)),
      this.#until(() => this.#bulk(client)),
      this.#until(() => this.#build(db)),
      ...this.#sessions.map((session) => this.#retryable(uri, session)),
    ]);
    await client.close();
  }

  async #until(step: () => Promise<void>): Promise<void> {
    for (;;)
      try {
        await step();
        this.acknowledged += 1;
      } catch (error) {
        if (isServerError(error) && error.code !== 11600) throw error;
        return;
      }
  }

  async #writeSingle(db: Db): Promise<void> {
    const c = db.collection<Document & { _id: string }>('single');
    const mine = [...this.#singles].filter(([, k]) => k.sure && !k.perhaps);
    const [key, known] = mine[Math.floor(this.#random() * mine.length)] ?? [];
    const tags = ['a', 'b', 'c'].filter(() => this.#random() < 0.5);
    const dice = this.#random();
    if (key === undefined || !known?.sure || dice < 0.5) {
      this.#next += 1;
      const id = `s${this.#next}`;
      const value = { u: id, tags, v: 0 };
      const made: Known<Single | undefined> = { sure: undefined, perhaps: { value } };
      this.#singles.set(id, made);
      await c.insertOne({ _id: id, ...value });
      settle(made);
    } else if (dice < 0.85) {
      const value = { u: `${known.sure.u}.`, tags, v: known.sure.v + 1 };
      known.perhaps = { value };
      await c.updateOne({ _id: key }, { $set: { u: value.u, tags }, $inc: { v: 1 } });
      settle(known);
    } else {
      known.perhaps = { value: undefined };
      await c.deleteOne({ _id: key });
      settle(known);
    }
  }

  /** A pair in two collections and a count of them: all three or none. */
  async #transact(client: MongoClient, db: Db): Promise<void> {
    this.#next += 1;
    const k = `t${this.#next}`;
    const made: Known<boolean> = { sure: false, perhaps: { value: true } };
    this.#pairs.set(k, made);
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await db.collection('left').insertOne({ k }, { session });
        await db.collection<Count>('sum').updateOne({ _id: 'pairs' }, { $inc: { n: 1 } }, { session });
        await db.collection('right').insertOne({ k }, { session });
      }),
    );
    settle(made);
  }

  async #bulk(client: MongoClient): Promise<void> {
    this.#next += 1;
    const k = `b${this.#next}`;
    const made: Known<boolean> = { sure: false, perhaps: { value: true } };
    this.#pairs.set(k, made);
    const pair = (name: string) => ({ name: 'insertOne' as const, namespace: `crash.${name}`, document: { k } });
    await client.withSession((session) =>
      session.withTransaction(() =>
        client.bulkWrite(
          [
            pair('left'),
            pair('right'),
            { name: 'updateOne', namespace: 'crash.sum', filter: SUM, update: { $inc: { n: 1 } } },
          ],
          { session },
        ),
      ),
    );
    settle(made);
  }

  /** Builds an index over many documents while they change, now and then. */
  async #build(db: Db): Promise<void> {
    const c = db.collection('built');
    await new Promise((resolve) => setTimeout(resolve, this.#random() * 200));
    await c.dropIndexes();
    const n = Math.floor(this.#random() * BUILT);
    await Promise.all([
      this.#random() < 0.5 ? c.createIndex({ n: 1 }, { unique: true }) : c.createIndex({ tags: 1, n: -1 }),
      c.updateOne({ n }, { $set: { n: n + BUILT } }).then(() => c.updateOne({ n: n + BUILT }, { $set: { n } })),
    ]);
  }

  /** Sends increments by hand; each is also sent twice now and then. */
  async #retryable(uri: string, session: ByHand): Promise<void> {
    const connection = await bareConnection(uri);
    const { lsid } = session;
    const send = async (command: Document): Promise<Document | undefined> => {
      connection.socket.write(message(1, command));
      return Promise.race([connection.answer().then(bodyOf), connection.closed.then(() => undefined)]);
    };
    for (;;) {
      const again = session.waiting !== undefined;
      if (!session.waiting) {
        session.number += 1;
        const change = { $inc: { n: 1 } };
        const identity = { lsid, txnNumber: Long.fromNumber(session.number), $db: 'crash' };
        session.waiting =
          session.number % 2 === 0
            ? { update: 'counted', updates: [{ q: { _id: session.id }, u: change, upsert: true }], ...identity }
            : {
                findAndModify: 'counted',
                query: { _id: session.id },
                update: change,
                upsert: true,
                new: true,
                ...identity,
              };
      }
      const answer = await send(session.waiting);
      if (!answer) return;
      if (again) this.repeated += 1;
      session.counted += 1;
      if (answer['ok'] !== 1) throw new Error(JSON.stringify(answer));
      if ('value' in answer && answer['value'].n !== session.counted)
        throw new Error(`${session.id} is ${answer['value'].n} and not ${session.counted}`);
      if (this.#random() < 0.2) {
        const same = await send(session.waiting);
        if (!same) return void (session.counted -= 1);
        if (JSON.stringify(unmarked(same)) !== JSON.stringify(unmarked(answer)))
          throw new Error('a repeat was answered otherwise');
      }
      session.waiting = undefined;
      this.acknowledged += 1;
    }
  }

  /** What is in the store and should not be, or is not and should; settles what was in doubt. */
  async differences(uri: string): Promise<string[]> {
    const client = await new MongoClient(uri).connect();
    const db = client.db('crash');
    const wrong: string[] = [];
    const there = new Map((await db.collection<Document>('single').find().toArray()).map((d) => [String(d['_id']), d]));
    const shown = (d: Document | undefined): string => (d ? JSON.stringify([d['u'], d['tags'], d['v']]) : 'nothing');
    for (const [key, known] of this.#singles) {
      const found = shown(there.get(key));
      if (known.perhaps) this.inDoubt += 1;
      if (known.perhaps && found === shown(known.perhaps.value)) settle(known);
      else if (found === shown(known.sure)) delete known.perhaps;
      else wrong.push(`${key} is ${found}, acknowledged was ${shown(known.sure)}`);
    }
    if (there.size > this.#singles.size) wrong.push('documents that nobody wrote');
    const keys = async (name: string): Promise<Set<string>> =>
      new Set((await db.collection(name).find().toArray()).map((d) => String(d['k'])));
    const [left, right] = [await keys('left'), await keys('right')];
    for (const [k, known] of this.#pairs) {
      if (known.perhaps) this.inDoubt += 1;
      if (left.has(k) !== right.has(k)) wrong.push(`half of the transaction ${k}`);
      else if (known.sure && !left.has(k)) wrong.push(`the acknowledged transaction ${k} is gone`);
      known.sure = left.has(k);
      delete known.perhaps;
    }
    const sum = await db.collection<Count>('sum').findOne({ _id: 'pairs' });
    if (sum?.n !== left.size) wrong.push(`the count is ${sum?.n} for ${left.size} transactions`);
    for (const session of this.#sessions) {
      const counted = (await db.collection<Count>('counted').findOne({ _id: session.id }))?.n ?? 0;
      const most = session.counted + (session.waiting ? 1 : 0);
      if (counted < session.counted || counted > most)
        wrong.push(`${session.id} counts ${counted}, acknowledged are ${session.counted}`);
    }
    await client.close();
    return wrong;
  }
}

function settle<T>(known: Known<T>): void {
  if (known.perhaps) known.sure = known.perhaps.value;
  delete known.perhaps;
}
