import { compilePipeline } from '../aggregate/pipeline.js';
import { type Doc, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { type FindRequest } from '../query/execute.js';
import { type Transaction } from '../transactions/transactions.js';
import { type Command, type Context, hintOf, optionalDoc, optionalNumber } from './command.js';
import { pause } from './reading.js';

function leadingOf(
  context: Context,
  stages: readonly Value[],
  tx: Transaction,
): { filter?: Doc; sort?: Doc; limit?: number } {
  void tx;
  return compilePipeline(stages, {
    variables: { now: new Date(), let: {} },
    read: () => [],
    memoryLimitBytes: context.engine.memoryLimitBytes,
    pause,
  }).leading;
}

export const explain: Command = {
  help: 'Tells how a command would find its documents.',
  fields: ['explain', 'verbosity'],
  async run(context) {
    const inner = optionalDoc(context.command, 'explain') ?? {};
    const name = [inner['find'], inner['aggregate'], inner['count'], inner['distinct']].find(
      (n) => typeof n === 'string',
    );
    if (typeof name !== 'string')
      throw new EngineError(
        'NotImplemented',
        `explain of ${Object.keys(inner)[0] ?? 'nothing'} is not supported by the embedded engine`,
      );
    const { explainFind } = await import('../query/explain.js');
    const { tx, release } = context.snapshot();
    try {
      const leading = Array.isArray(inner['pipeline']) ? leadingOf(context, inner['pipeline'], tx) : {};
      const request: FindRequest = {
        filter: optionalDoc(inner, 'filter') ?? optionalDoc(inner, 'query') ?? leading.filter ?? {},
        sort: optionalDoc(inner, 'sort') ?? leading.sort,
        limit: optionalNumber(inner, 'limit') ?? leading.limit,
        skip: optionalNumber(inner, 'skip'),
        hint: hintOf(inner['hint']),
      };
      return explainFind(
        tx,
        context.engine.catalogue.find(context.db, name),
        `${context.db}.${name}`,
        request,
        context.command['verbosity'] !== 'queryPlanner',
      );
    } finally {
      release();
    }
  },
};
