import type { Operator } from '../expression.js';
import { EngineError } from '../../errors.js';
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
const refused = ['$function', '$accumulator', '$meta', '$toHashedIndexKey'];

/** Every operator of expressions by its name. Computed here and not by mingo: values keep their BSON types. */
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
  ...Object.fromEntries(
    refused.map((name): [string, Operator] => [
      name,
      () => {
        throw new EngineError('NotImplemented', `${name} is not supported by the embedded engine`);
      },
    ]),
  ),
};
