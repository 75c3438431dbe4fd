import { hostname } from 'node:os';
import { Int32, Long } from 'bson';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Collection } from '../storage/catalogue.js';
import type { Transaction } from '../transactions/transactions.js';
import { countMatching, type Examined, type FindRequest, type Found, nearOf, planFor, search } from './execute.js';
import type { Plan } from './plan.js';

export type Verbosity = 'queryPlanner' | 'executionStats' | 'allPlansExecution';

/** What is explained: the search, and what a command does with what is found. */
export interface Explained {
  readonly namespace: string;
  readonly request: FindRequest;
  /** The stage over the search. */
  readonly over?: 'UPDATE' | 'DELETE' | 'COUNT';
  readonly would?: WouldWrite;
  readonly projection?: Doc | undefined;
  readonly version: string;
}

/** Follows what a write would do with what is found, where it runs. */
export interface WouldWrite {
  see(found: Found): void;
  /** What its stage tells of it. */
  figures(): Doc;
  /** How many documents the command gives back. */
  returned(): number;
}

/** @throws {EngineError} 2: no such verbosity */
export function verbosityOf(v: Value): Verbosity {
  if (v === undefined) return 'allPlansExecution';
  if (v === 'queryPlanner' || v === 'executionStats' || v === 'allPlansExecution') return v;
  throw new EngineError(
    'BadValue',
    "verbosity string must be one of {'queryPlanner', 'executionStats', 'allPlansExecution'}",
  );
}

interface Stage {
  readonly stage: string;
  readonly about: Doc;
  readonly inner?: Stage;
}

function scanOf(plan: Plan, filter: Doc): Stage {
  const unfiltered = Object.keys(filter).length === 0;
  if (plan.kind === 'collection')
    return {
      stage: 'COLLSCAN',
      about: { ...(!unfiltered && { filter }), direction: plan.reverse ? 'backward' : 'forward' },
    };
  const { spec } = plan.index;
  const scan: Stage = {
    stage: 'IXSCAN',
    about: {
      keyPattern: spec.key,
      indexName: spec.name,
      isMultiKey: plan.multikey,
      isUnique: spec.unique === true || spec.name === '_id_',
      isSparse: spec.sparse === true,
      isPartial: spec.partialFilterExpression !== undefined,
      indexVersion: new Int32(2),
      direction: plan.reverse ? 'backward' : 'forward',
      indexBounds: Object.fromEntries(Object.entries(plan.bounds).map(([path, bounds]) => [path, [...bounds]])),
    },
  };
  return { stage: 'FETCH', about: !plan.exact && !unfiltered ? { filter } : {}, inner: scan };
}

function stagesOf(plan: Plan | undefined, { request, over, projection }: Explained): Stage {
  const none: Stage = { stage: 'EOF', about: {} };
  if (!plan) return over === 'COUNT' ? { stage: over, about: {}, inner: none } : none;
  let stage = scanOf(plan, request.filter);
  const counts = over === 'COUNT' && plan.kind === 'index' && plan.exact;
  if (counts && stage.inner) stage = { stage: 'COUNT_SCAN', about: stage.inner.about };
  const sorts = request.sort && Object.keys(request.sort).length > 0 && !('$natural' in request.sort);
  if (sorts && !(plan.kind === 'index' && plan.sorted))
    stage = {
      stage: 'SORT',
      about: { sortPattern: request.sort ?? {}, memLimit: new Int32(request.memoryLimitBytes ?? 0), type: 'simple' },
      inner: stage,
    };
  // The stage of a write or of a count keeps the limit itself.
  if (over) stage = { stage: over, about: {}, inner: stage };
  if (request.skip && !over)
    stage = { stage: 'SKIP', about: { skipAmount: Long.fromNumber(request.skip) }, inner: stage };
  if (request.limit && !over)
    stage = { stage: 'LIMIT', about: { limitAmount: Long.fromNumber(request.limit) }, inner: stage };
  if (projection && Object.keys(projection).length > 0)
    stage = { stage: 'PROJECTION_DEFAULT', about: { transformBy: projection }, inner: stage };
  return stage;
}

const shown = ({ stage, about, inner }: Stage): Doc => ({
  stage,
  ...about,
  ...(inner && { inputStage: shown(inner) }),
});

const OVER = ['UPDATE', 'DELETE', 'COUNT'];
const isOver = (stage: string): boolean => OVER.includes(stage);

/** As `shown`, with the figures of the run; `over`: those of the stage over the search, and how many come through it. */
function measured(
  { stage, about, inner }: Stage,
  found: number,
  examined: Examined,
  over?: { figures: Doc; returned: number } | false,
): Doc {
  const below = inner && { inputStage: measured(inner, found, examined, isOver(stage) ? undefined : over) };
  if (over) return { stage, nReturned: new Int32(over.returned), ...(isOver(stage) ? over.figures : about), ...below };
  const own: Doc =
    stage === 'IXSCAN' || stage === 'COUNT_SCAN'
      ? { nReturned: new Int32(examined.keys), keysExamined: new Int32(examined.keys) }
      : stage === 'FETCH' || stage === 'COLLSCAN'
        ? { nReturned: new Int32(found), docsExamined: new Int32(examined.docs) }
        : { nReturned: new Int32(found) };
  return { stage, ...own, ...about, ...below };
}

/** The winning plan in MongoDB's words; where it runs, in slices. https://www.mongodb.com/docs/manual/reference/explain-results/ */
export function* explainSearch(
  tx: Transaction,
  c: Collection | undefined,
  explained: Explained,
  verbosity: Verbosity,
): Generator<undefined, Doc> {
  const { request, namespace, version } = explained;
  const chosen = c && planFor(tx, c, request);
  if (c) nearOf(c, request);
  const stage = stagesOf(chosen, explained);
  const reply: Doc = {
    explainVersion: '1',
    queryPlanner: {
      namespace,
      indexFilterSet: false,
      parsedQuery: request.filter,
      winningPlan: shown(stage),
      rejectedPlans: [],
    },
  };
  if (verbosity !== 'queryPlanner') {
    const examined: Examined = { keys: 0, docs: 0 };
    const started = performance.now();
    let found = 0;
    if (explained.over === 'COUNT') found = yield* countMatching(tx, c, request, examined);
    else
      for (const one of search(tx, c, request, undefined, examined))
        if (one) {
          found += 1;
          explained.would?.see(one);
        } else yield;
    const over = stage.stage !== 'EOF' &&
      explained.over && {
        figures: explained.would?.figures() ?? { nCounted: new Int32(found) },
        returned: explained.would?.returned() ?? 0,
      };
    reply['executionStats'] = {
      executionSuccess: true,
      nReturned: new Int32(over ? over.returned : found),
      executionTimeMillis: new Int32(Math.round(performance.now() - started)),
      totalKeysExamined: new Int32(examined.keys),
      totalDocsExamined: new Int32(examined.docs),
      executionStages: measured(stage, found, examined, over),
      ...(verbosity === 'allPlansExecution' && { allPlansExecution: [] }),
    };
  }
  return { ...reply, serverInfo: { host: hostname(), version } };
}
