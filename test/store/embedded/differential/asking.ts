import { type Document, EJSON } from 'bson';
import type { Db } from 'mongodb';
import { type Arrivals, arrivalsOf } from './arrivals.js';
import { parted, withDoubles, withPlainDates } from './equivalents.js';
import type { Operation } from './generate.js';
import type { Pair } from './pair.js';
import { outcomeOf, type Outcome, perform, RAW, shown, state } from './perform.js';
import { writes } from './recording.js';

/** What the servers are asked beyond the operation in which they differ, so that a verdict can look at the reason. */
export interface Further {
  readonly arrivals: readonly Arrivals[];
  /** The documents that the filter finds in a copy of what was stored, by their _id. */
  readonly found?: { readonly ours: Outcome; readonly theirs: Outcome };
  /** The pipeline with the documents that the engine finds named in each $match. */
  readonly named?: Again;
  /** The pipeline with a stage that changes nothing after each projection, which the second server takes one by one then. */
  readonly parted?: Again;
  /** The request with dates that are reckoned by hand. */
  readonly dated?: Again;
  /** What the second server answers where all decimals are doubles. */
  readonly doubled?: Outcome;
  /** What the second server makes of the beginnings of a pipeline, the shortest first. */
  readonly beginnings?: readonly Outcome[];
}
/** A request that comes to the same, and what the second server makes of it. */
export interface Again {
  readonly operation: Operation;
  readonly theirs: Outcome;
  /** What the second server has stored after a write, in JSON. */
  readonly stored?: string;
  readonly further: Further;
}
type Asker = Pick<Pair, 'both' | 'theirs'>;

const idsOf = async (db: Db, name: string, filter: Document): Promise<Document[]> =>
  db
    .collection(name)
    .find(filter, { ...RAW, projection: { _id: 1 } })
    .sort({ _id: 1 })
    .toArray();

async function copied(db: Db, documents: readonly Document[]): Promise<void> {
  await db.collection('copy').deleteMany({});
  if (documents.length > 0) await db.collection('copy').insertMany([...documents]);
}
/** What a filter finds in a copy of documents that has no index. */
async function found(
  pair: Asker,
  before: readonly Document[],
  filter: Document,
): Promise<NonNullable<Further['found']>> {
  const [ours, theirs] = await pair.both(async (db) => {
    await copied(db, before);
    return outcomeOf(async () => shown(await idsOf(db, 'copy', filter)));
  });
  return { ours, theirs };
}

const named = (rows: readonly Document[]): Document => ({
  $match: { _id: { $in: rows.map((row) => row['_id'] as unknown) } },
});

/** A pipeline in which each $match names the documents that it finds; undefined where one finds what has no _id. */
async function naming(db: Db, pipeline: readonly Document[], earlier: readonly Document[] = []): Promise<Document[]> {
  const stages: Document[] = [];
  for (const [i, stage] of pipeline.entries()) {
    const before = [...earlier, ...pipeline.slice(0, i)];
    const [[name, spec] = ['', {}]] = Object.entries(stage) as [string, Document][];
    const inner = spec['pipeline'] as Document[] | undefined;
    if (name === '$match') {
      const rows = await db
        .collection('c')
        .aggregate([...before, stage, { $project: { _id: 1 } }], RAW)
        .toArray();
      stages.push(rows.every((row) => '_id' in row) ? named(rows) : stage);
    } else if (name === '$facet') {
      const facets: Document = {};
      for (const [facet, part] of Object.entries(spec as Record<string, Document[]>))
        facets[facet] = await naming(db, part, before);
      stages.push({ $facet: facets });
    } else if (Array.isArray(inner)) {
      const parts: Document[] = [];
      for (const part of inner) {
        const filter = part['$match'] as Document | undefined;
        parts.push(filter === undefined || '$expr' in filter ? part : named(await idsOf(db, 'other', filter)));
      }
      stages.push({ [name]: { ...spec, pipeline: parts } });
    } else stages.push(stage);
  }
  return stages;
}

const SETS = /"\$(set(Union|Intersection|Difference|IsSubset|Equals)|addToSet)"/;

async function again(pair: Asker, operation: Operation): Promise<Again> {
  const theirs = await pair.theirs(async (db) => perform(db, operation, false, []));
  return { operation, theirs, further: { arrivals: await arrivalsOf(pair, operation) } };
}

/** The same of a write, in a copy of the documents as they were. */
async function writtenAgain(pair: Asker, operation: Operation, before: readonly Document[]): Promise<Again> {
  return pair.theirs(async (db) => {
    await copied(db, before);
    const theirs = await perform(db, operation, false, [], 'copy');
    return { operation, theirs, stored: shown(await state(db, 'copy')), further: { arrivals: [] } };
  });
}

/** The request with dates that are reckoned by hand, if there are any. */
async function dated(pair: Asker, operation: Operation, before: readonly Document[]): Promise<Pick<Further, 'dated'>> {
  const other = withPlainDates(operation);
  if (shown(other) === shown(operation)) return {};
  return { dated: writes(operation) ? await writtenAgain(pair, other, before) : await again(pair, other) };
}
async function doubled(pair: Asker, pipeline: Document[], before: readonly Document[]): Promise<Outcome> {
  const operation: Operation = { kind: 'aggregate', pipeline: withDoubles(pipeline) };
  return pair.theirs(async (db) => {
    await copied(db, withDoubles(before));
    return perform(db, operation, false, [], 'copy');
  });
}

/**
 * Asks both servers what a verdict may need on an operation in which they differ.
 * @param before what was stored before the operation
 * @throws SecondServerFell
 */
export async function ask(
  pair: Asker,
  operation: Operation,
  before: readonly Document[],
  { ours, theirs }: { readonly ours: Outcome; readonly theirs: Outcome },
): Promise<Further> {
  if (operation.kind !== 'aggregate')
    return {
      arrivals: [],
      ...('filter' in operation && { found: await found(pair, before, operation.filter) }),
      ...(await dated(pair, operation, before)),
    };
  const { pipeline } = operation;
  if ('result' in ours && 'result' in theirs) {
    const arrivals = await arrivalsOf(pair, operation);
    const [names] = await pair.both(async (db, mine) =>
      outcomeOf(async () => (mine ? shown(await naming(db, pipeline)) : '')),
    );
    // A beginning may be refused where the whole is not.
    const withNames = 'result' in names ? (EJSON.parse(names.result, { relaxed: false }) as Document[]) : pipeline;
    return {
      arrivals,
      ...(shown(withNames) !== shown(pipeline) && {
        named: await again(pair, { kind: 'aggregate', pipeline: withNames }),
      }),
      ...(shown(parted(pipeline)) !== shown(pipeline) && {
        parted: await again(pair, { kind: 'aggregate', pipeline: parted(pipeline) }),
      }),
      ...(await dated(pair, operation, before)),
      ...(SETS.test(shown(pipeline)) && { doubled: await doubled(pair, pipeline, before) }),
    };
  }
  const beginnings: Outcome[] = [];
  if ('code' in ours && 'result' in theirs)
    for (const i of pipeline.keys())
      beginnings.push(
        await pair.theirs(async (db) =>
          perform(db, { kind: 'aggregate', pipeline: pipeline.slice(0, i + 1) }, false, []),
        ),
      );
  return { arrivals: [], beginnings };
}
