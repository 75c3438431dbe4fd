import { type Document, EJSON } from 'bson';
import { type Collection, type Db, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import type { Operation, Scene } from './generate.js';

/** Numbers keep their BSON types, so that an int where a double should be shows. */
export const RAW = { promoteValues: false, promoteBuffers: false, promoteLongs: false, bsonRegExp: true } as const;

export const shown = (v: unknown): string => EJSON.stringify(v as Document, { relaxed: false });

/** What an operation came to: its result as canonical text, or the code of its error. */
export type Outcome = { readonly result: string } | { readonly code: number; readonly message: string };

/** A number of the driver's own options: read from a record it has a BSON type. */
const plain = (n: number): number => Number(String(n));

/** What a server whose process has died answers, through its gateway or by not answering. */
const DEAD =
  /recovery mode|starting up|shutting down|terminating connection|terminated unexpectedly|ECONN|EPIPE|connection .* (closed|timed out)/i;
/** Whether an error says that the second server fell over, not that it refuses. */
export const fellOver = (error: unknown): boolean =>
  error instanceof MongoNetworkError ||
  error instanceof MongoServerSelectionError ||
  (error instanceof MongoServerError && DEAD.test(error.message));

const sortedText = (docs: readonly unknown[]): string => `[${docs.map(shown).toSorted().join(',')}]`;

async function run(
  c: Collection<Document>,
  op: Operation,
  ours: boolean,
  indexes: readonly Document[],
): Promise<string> {
  switch (op.kind) {
    case 'find': {
      const hint = ours && op.hint !== undefined ? indexes[plain(op.hint)] : undefined;
      // A hinted sparse or partial index is read as it is, so it changes the result: documented.
      const safe = hint && !hint['sparse'] && !hint['partialFilterExpression'];
      const docs = await c
        .find(op.filter, {
          ...RAW,
          ...(op.projection && { projection: op.projection }),
          ...(op.sort && { sort: op.sort as Record<string, 1 | -1> }),
          ...(op.limit && { limit: plain(op.limit) }),
          ...(op.skip && { skip: plain(op.skip) }),
          ...(safe && { hint: hint['key'] as Document }),
        })
        .toArray();
      return op.sort ? shown(docs) : sortedText(docs);
    }
    case 'count': {
      const { n } = await c.db.command({
        count: c.collectionName,
        query: op.filter,
        ...(op.limit && { limit: op.limit, skip: op.skip }),
      });
      return String(n);
    }
    case 'distinct': {
      const { values } = await c.db.command({ distinct: c.collectionName, key: op.key, query: op.filter }, RAW);
      return sortedText(values as unknown[]);
    }
    case 'aggregate': {
      const docs = await c.aggregate(op.pipeline, RAW).toArray();
      const sets = setsOf(op.pipeline);
      return sortedText(docs.map((d) => unordered(d, sets)));
    }
    case 'update': {
      const r = await c.db.command({
        update: c.collectionName,
        updates: [
          {
            q: op.filter,
            u: op.update,
            multi: op.multi,
            upsert: op.upsert,
            ...(op.arrayFilters && { arrayFilters: op.arrayFilters }),
          },
        ],
      });
      return written(r);
    }
    case 'replace':
      return written(
        await c.db.command({
          update: c.collectionName,
          updates: [{ q: op.filter, u: op.replacement, upsert: op.upsert }],
        }),
      );
    case 'delete':
      return written(
        await c.db.command({ delete: c.collectionName, deletes: [{ q: op.filter, limit: op.multi ? 0 : 1 }] }),
      );
    case 'insert':
      return written(await c.db.command({ insert: c.collectionName, documents: op.documents }));
    case 'findAndModify': {
      const r = await c.db.command(
        {
          findAndModify: c.collectionName,
          query: op.filter,
          sort: op.sort,
          ...(op.update ? { update: op.update, new: op.after } : { remove: true }),
          ...(op.fields && { fields: op.fields }),
        },
        RAW,
      );
      return shown({ value: r['value'] as unknown });
    }
  }
}

/** The fields that $addToSet makes, unless a later stage makes them anew. */
const setsOf = (pipeline: readonly Document[]): readonly string[] => {
  const made = pipeline.flatMap((stage) => Object.entries((stage['$group'] ?? {}) as Record<string, Document | null>));
  const last = Object.fromEntries(made.map(([field, v]) => [field, Object.keys(v ?? {})[0]]));
  return Object.keys(last).filter((field) => last[field] === '$addToSet');
};
/** $addToSet gives its values in no order. */
function unordered(d: Document, sets: readonly string[]): Document {
  const byText = (a: unknown, b: unknown): number => (shown(a) < shown(b) ? -1 : 1);
  return Object.fromEntries(
    Object.entries(d).map(([k, v]) => [k, sets.includes(k) && Array.isArray(v) ? v.toSorted(byText) : (v as unknown)]),
  );
}

function written(r: Document): string {
  const errors = r['writeErrors'] as { code: number; errmsg: string }[] | undefined;
  if (errors?.[0]) throw Object.assign(new MongoServerError({ message: errors[0].errmsg }), { code: errors[0].code });
  return shown({
    n: r['n'] as number,
    nModified: r['nModified'] as number | undefined,
    upserted: r['upserted'] as unknown,
  });
}

/** What comes of a request; @throws what is no refusal, as `fellOver` tells. */
export async function outcomeOf(request: () => Promise<string>): Promise<Outcome> {
  try {
    return { result: await request() };
  } catch (error) {
    if (error instanceof MongoServerError && !fellOver(error))
      return { code: Number(error.code), message: error.message };
    throw error;
  }
}
/** What comes of an operation; @throws as `outcomeOf`. */
export const perform = async (
  db: Db,
  op: Operation,
  ours: boolean,
  indexes: readonly Document[],
  collection = 'c',
): Promise<Outcome> => outcomeOf(async () => run(db.collection(collection), op, ours, indexes));

/** Everything that is stored, in order. */
export const state = async (db: Db, collection = 'c'): Promise<Document[]> =>
  db.collection(collection).find({}, RAW).sort({ _id: 1 }).toArray();

export const OTHER: readonly Document[] = [0, 1, 2, 3, 4, 5].map((i) => ({
  _id: i,
  a: i % 3,
  n: i,
  m: (i + 1) % 6,
  s: i % 2 ? 'a' : 'b',
  r: [i, i + 1],
  o: { x: i },
}));

export async function reset(db: Db, documents: readonly Document[]): Promise<void> {
  await db.collection('c').deleteMany({});
  if (documents.length > 0) await db.collection('c').insertMany([...documents]);
}

/** `ours` gets the indexes, the other server none: so results that depend on an index differ. */
export async function prepare(db: Db, scene: Scene, ours: boolean): Promise<readonly Document[]> {
  await reset(db, scene.documents);
  const built: Document[] = [];
  if (!ours) return built;
  const c = db.collection('c');
  await c.dropIndexes();
  for (const { key, ...options } of scene.indexes)
    try {
      await c.createIndex(key as Record<string, 1>, options);
      built.push({ key: key as unknown, ...options });
    } catch (error) {
      // Two arrays in one document can't be indexed together.
      if (!(error instanceof MongoServerError && error.code === 171)) throw error;
    }
  return built;
}
