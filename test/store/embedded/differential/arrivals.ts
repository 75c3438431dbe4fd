import type { Document } from 'bson';
import type { Db } from 'mongodb';
import type { Operation } from './generate.js';
import type { Pair } from './pair.js';
import { outcomeOf, type Outcome, RAW, shown } from './perform.js';

/**
 * What comes to a stage that looks at many documents, as each server has it: a list of `{ _id, k, v, by }`, in order. `k` is
 * what the stage groups by, `v` the value that each of its accumulators takes, `by` what the stage or an accumulator sorts by.
 */
export interface Arrivals {
  /** The place of the stage: its number, or number, name and number within $facet. */
  readonly at: string;
  readonly pipeline: readonly Document[];
  readonly ours: Outcome;
  readonly theirs: Outcome;
}
type Asked = Pick<Arrivals, 'at' | 'pipeline'>;

/** Values of the fields that a sort names: null where there is none. */
const sortedBy = (sort: unknown): readonly string[] => Object.keys((sort ?? {}) as Document).map((path) => `$${path}`);

/** The stage that gives what another stage looks at, or undefined for a stage that looks at one document at a time. */
function lookedAt(stage: Document): Document | undefined {
  const [[name, spec] = ['', {}]] = Object.entries(stage) as [string, Document][];
  const fields = Object.entries<Document>(
    name === '$group' ? spec : ['$bucket', '$setWindowFields'].includes(name) ? (spec['output'] as Document) : {},
  ).filter(([field]) => field !== '_id');
  const v = Object.fromEntries(
    fields.map(([field, made]) => {
      const [[operator, operand] = ['', {}]] = Object.entries(made) as [string, Document][];
      return [field, operator.endsWith('N') ? operand['input'] : (operand['output'] ?? operand)] as [string, unknown];
    }),
  );
  const by = Object.fromEntries(
    fields.map(([field, made]) => [field, sortedBy((Object.values(made)[0] as Document | null)?.['sortBy'])]),
  );
  switch (name) {
    case '$group':
      return { _id: '$_id', k: spec['_id'] as unknown, v, by };
    case '$sortByCount':
      return { _id: '$_id', k: spec, v: {} };
    case '$count':
      return { _id: '$_id', k: null, v: {} };
    case '$bucket':
      return { _id: '$_id', k: spec['groupBy'] as unknown, v };
    case '$setWindowFields':
      return { _id: '$_id', k: spec['partitionBy'] as unknown, v, by: sortedBy(spec['sortBy']) };
    default:
      return undefined;
  }
}

/** Which pipelines give what comes to the stages of another. */
export function asked(pipeline: readonly Document[], before: readonly Document[] = [], place = ''): readonly Asked[] {
  return pipeline.flatMap((stage, i): readonly Asked[] => {
    const earlier = [...before, ...pipeline.slice(0, i)];
    const facets = Object.entries((stage['$facet'] ?? {}) as Record<string, Document[]>);
    const rows = lookedAt(stage);
    return [
      ...(rows ? [{ at: `${place}${i}`, pipeline: [...earlier, { $replaceWith: rows }] }] : []),
      ...facets.flatMap(([name, inner]) => asked(inner, earlier, `${place}${i}.${name}.`)),
    ];
  });
}

const rowsOf = async (db: Db, pipeline: readonly Document[]): Promise<Outcome> =>
  outcomeOf(async () =>
    shown(
      await db
        .collection('c')
        .aggregate([...pipeline], RAW)
        .toArray(),
    ),
  );

/** Asks both servers what comes to the stages of a pipeline; nothing for other operations. @throws SecondServerFell */
export async function arrivalsOf(pair: Pick<Pair, 'both'>, operation: Operation): Promise<readonly Arrivals[]> {
  const arrivals: Arrivals[] = [];
  if (operation.kind !== 'aggregate') return arrivals;
  for (const { at, pipeline } of asked(operation.pipeline)) {
    const [ours, theirs] = await pair.both(async (db) => rowsOf(db, pipeline));
    arrivals.push({ at, pipeline, ours, theirs });
  }
  return arrivals;
}
