import { Int32 } from 'bson';
import type { Doc } from '../bson/value.js';
import type { Collection } from '../storage/catalogue.js';
import type { Transaction } from '../transactions/transactions.js';
import { type Examined, find, type FindRequest, planFor } from './execute.js';

/** The winning plan in MongoDB's words. https://www.mongodb.com/docs/manual/reference/explain-results/ */
export function explainFind(
  tx: Transaction,
  c: Collection | undefined,
  namespace: string,
  request: FindRequest,
  execute: boolean,
): Doc {
  const plan = c ? planFor(tx, c, request) : { kind: 'collection' as const };
  const unfiltered = Object.keys(request.filter).length === 0;
  let stage: Doc;
  if (!c) stage = { stage: 'EOF' };
  else if (plan.kind === 'collection')
    stage = { stage: 'COLLSCAN', ...(!unfiltered && { filter: request.filter }), direction: 'forward' };
  else {
    const { spec } = plan.index;
    const scan: Doc = {
      stage: 'IXSCAN',
      keyPattern: spec.key,
      indexName: spec.name,
      isMultiKey: plan.multikey,
      isUnique: spec.unique === true || spec.name === '_id_',
      isSparse: spec.sparse === true,
      isPartial: spec.partialFilterExpression !== undefined,
      indexVersion: new Int32(2),
      direction: plan.reverse ? 'backward' : 'forward',
      indexBounds: Object.fromEntries(Object.entries(plan.bounds).map(([path, bounds]) => [path, [...bounds]])),
    };
    stage = { stage: 'FETCH', ...(!plan.exact && { filter: request.filter }), inputStage: scan };
  }
  if (request.sort && Object.keys(request.sort).length > 0 && !(plan.kind === 'index' && plan.sorted))
    stage = { stage: 'SORT', sortPattern: request.sort, inputStage: stage };
  if (request.skip) stage = { stage: 'SKIP', skipAmount: new Int32(request.skip), inputStage: stage };
  if (request.limit) stage = { stage: 'LIMIT', limitAmount: new Int32(request.limit), inputStage: stage };
  const reply: Doc = {
    explainVersion: '1',
    queryPlanner: { namespace, parsedQuery: request.filter, winningPlan: stage, rejectedPlans: [] },
    ok: new Int32(1),
  };
  if (execute) {
    const examined: Examined = { keys: 0, docs: 0 };
    let n = 0;
    const started = performance.now();
    for (const _found of find(tx, c, request, undefined, examined)) n += 1;
    reply['executionStats'] = {
      executionSuccess: true,
      nReturned: new Int32(n),
      executionTimeMillis: new Int32(Math.round(performance.now() - started)),
      totalKeysExamined: new Int32(examined.keys),
      totalDocsExamined: new Int32(examined.docs),
      executionStages: stage,
    };
  }
  return reply;
}
