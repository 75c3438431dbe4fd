import { Decimal128, Double, Int32 } from 'bson';
import { isNumeric, type Numeric, toNumber } from '../bson/types.js';
import type { Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { CompiledAccumulator } from './accumulators.js';
import { divide, multiply, subtract, Sum } from './arithmetic.js';
import { compileExpression } from './expression.js';

const pairOf = (v: Value): readonly [Numeric, Numeric] | undefined =>
  Array.isArray(v) && v.length === 2 && isNumeric(v[0]) && isNumeric(v[1]) ? [v[0], v[1]] : undefined;

/** What pairs without an end add: NaN where their signs differ or one is NaN. */
function endless([x, y]: readonly [Numeric, Numeric]): Numeric {
  const [a, b] = [x, y].map((v) => (Number.isFinite(toNumber(v)) ? 0 : toNumber(v))) as [number, number];
  const sum = String(a + b);
  return x instanceof Decimal128 || y instanceof Decimal128 ? Decimal128.fromString(sum) : new Double(Number(sum));
}

/**
 * The covariance of pairs of numbers; what is no pair is left out. Null of too few.
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/covariancePop/ and covarianceSamp/
 *
 * @throws {EngineError} 15952: no such function
 */
export function covariance(name: string, argument: Value): CompiledAccumulator {
  if (name !== '$covariancePop' && name !== '$covarianceSamp')
    throw new EngineError(15952, `unknown window function '${name}'`);
  return {
    evaluate: compileExpression(argument),
    make() {
      const [meanX, meanY, products] = [new Sum(), new Sum(), new Sum()];
      return {
        add(v) {
          const pair = pairOf(v);
          if (!pair) return;
          if (pair.some((n) => !Number.isFinite(toNumber(n)))) {
            products.add(endless(pair));
            return;
          }
          // https://en.wikipedia.org/wiki/Algorithms_for_calculating_variance#Online, of two variables
          const dx = subtract(pair[0], meanX.mean() ?? new Int32(0));
          meanX.add(pair[0]);
          meanY.add(pair[1]);
          const product = multiply([dx, subtract(pair[1], meanY.mean())]);
          if (isNumeric(product)) products.add(product);
        },
        result() {
          const n = meanX.count;
          if (name === '$covariancePop' && n === 1) return new Double(0);
          const among = name === '$covariancePop' ? n : n - 1;
          return among <= 0 ? null : divide(products.result(), new Int32(among));
        },
      };
    },
  };
}
