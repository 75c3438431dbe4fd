import { Double, Long } from 'bson';
import { isDoc, isNumeric, toNumber } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { Slice } from '../../query/slices.js';
import { add, divide, multiply, subtract, Sum } from '../arithmetic.js';
import { compileExpression } from '../expression.js';
import { UNIT_MS, unitOf } from '../operators/date-arithmetic.js';
import { bad, type Compute, type Window } from './window.js';

interface Point {
  readonly x: Value;
  readonly y: Value;
}
type OfWindow = (points: readonly Point[], from: number, to: number) => Value;

const isNaNumber = (v: Value): boolean => isNumeric(v) && Number.isNaN(toNumber(v));

/** With a unit places are dates, without one numbers. https://www.mongodb.com/docs/manual/reference/operator/aggregation/derivative/ */
const slope =
  (unit: Long | undefined): OfWindow =>
  (points, from, to) => {
    const [first, last] = to > from ? [points[from], points[to - 1]] : [];
    if (!first || !last) return null;
    for (const { x } of [first, last]) {
      if (unit && !(x instanceof Date))
        throw new EngineError(5624900, "$derivative with 'unit' expects the sortBy field to be a Date");
      if (!unit && !isNumeric(x))
        throw new EngineError(
          x instanceof Date ? 5624901 : 5624902,
          "$derivative (with no 'unit') expects the sortBy field to be numeric",
        );
    }
    const [run, rise] = [subtract(last.x, first.x), subtract(last.y, first.y)];
    if (rise === null) throw new EngineError(5624903, '$derivative input must not be null or missing');
    if (isNumeric(run) && toNumber(run) === 0) return null;
    const value = divide(rise, run);
    return unit ? multiply([value, unit]) : value;
  };

/** By trapezoids. https://www.mongodb.com/docs/manual/reference/operator/aggregation/integral/ */
const area =
  (unit: Long | undefined): OfWindow =>
  (points, from, to) => {
    if (to <= from) return null;
    const sum = new Sum();
    let undefinedThere = false;
    for (let i = from; i < to; i += 1) {
      const { x, y } = points[i] as Point;
      if (!isNumeric(y) || !(isNumeric(x) || x instanceof Date))
        throw new EngineError(5423900, '$integral takes numbers, over numbers or dates');
      if (unit ? isNumeric(x) : !isNumeric(x))
        throw new EngineError(unit ? 5423901 : 5423902, "$integral takes dates with a 'unit', and numbers without");
      undefinedThere ||= isNaNumber(x) || isNaNumber(y);
      const before = i > from ? (points[i - 1] as Point) : undefined;
      const part = before && divide(multiply([add([y, before.y]), subtract(x, before.x)]), new Double(2));
      if (isNumeric(part)) sum.add(part);
    }
    if (undefinedThere) return new Double(Number.NaN);
    return unit ? divide(sum.result(), unit) : sum.result();
  };

/**
 * $derivative and $integral over a window.
 *
 * @throws {EngineError} 9: not one field to sort by, or an argument that is none; 5490704: a unit of no fixed length
 */
export function calculus(name: string, argument: Value, sortBy: Doc | undefined): (window: Window) => Compute {
  if (Object.keys(sortBy ?? {}).length !== 1) throw bad(`${name} requires a non-compound sortBy`);
  if (!isDoc(argument)) throw bad(`${name} expects an object`);
  const { input, unit, ...rest } = argument as Record<string, Value>;
  const [odd] = Object.keys(rest);
  if (odd !== undefined) throw bad(`${name} got unexpected argument: ${odd}`);
  if (input === undefined) throw bad(`${name} requires an 'input' expression`);
  const ms = unit === undefined ? undefined : UNIT_MS[unitOf(unit, name, 9)];
  if (unit !== undefined && ms === undefined) throw new EngineError(5490704, "unit must be 'week' or smaller");
  const evaluate = compileExpression(input);
  const of = (name === '$derivative' ? slope : area)(ms === undefined ? undefined : Long.fromNumber(ms));
  return (window) =>
    function* (partition, v) {
      const points = partition.docs.map((doc, i) => ({ x: partition.by[i], y: evaluate(doc, v) }));
      const slice = new Slice();
      const values: Value[] = [];
      for (let i = 0; i < points.length; i += 1) {
        values.push(of(points, ...window(partition, i)));
        if (slice.over()) yield;
      }
      return values;
    };
}
