import { Double } from 'bson';
import type { Operator } from '../expression.js';
import { EngineError } from '../../errors.js';
import { scoreOf } from '../../query/text/search.js';
import { statistics } from './statistics.js';
import { arrays } from './arrays.js';
import { loops } from './loops.js';
import { objects } from './objects.js';
import { sets } from './sets.js';
import { conversion } from './conversion.js';
import { dates } from './dates.js';
import { logic } from './logic.js';
import { numbers } from './numbers.js';
import { strings } from './strings.js';

/** Expressions of MongoDB that are refused by name: they run code, or belong to what the engine has not. */
const refused = ['$function', '$accumulator', '$toHashedIndexKey'];

const OF_SEARCH = new Set(['searchScore', 'searchHighlights', 'searchScoreDetails', 'vectorSearchScore']);

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/meta/ */
const meta: Operator = (argument) => {
  if (argument === 'textScore') return (doc) => new Double(scoreOf(doc));
  // No document was found by Atlas Search.
  if (typeof argument === 'string' && OF_SEARCH.has(argument)) return () => undefined;
  throw new EngineError('NotImplemented', `$meta of '${String(argument)}' is not supported by the embedded engine`);
};

/** Every operator of expressions by its name. Values keep their BSON types. */
export const operators: Readonly<Record<string, Operator>> = {
  ...numbers,
  ...strings,
  ...arrays,
  ...loops,
  ...objects,
  ...sets,
  ...dates,
  ...conversion,
  ...logic,
  ...statistics,
  $meta: meta,
  ...Object.fromEntries(
    refused.map((name): [string, Operator] => [
      name,
      () => {
        throw new EngineError('NotImplemented', `${name} is not supported by the embedded engine`);
      },
    ]),
  ),
};
