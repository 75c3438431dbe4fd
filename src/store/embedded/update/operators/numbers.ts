import { Int32, Long } from 'bson';
import { compute } from '../../aggregate/arithmetic.js';
import { compare } from '../../bson/compare.js';
import { isDoc, isNumeric, typeName } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import { bad, failed, mismatch, type Operator, show } from '../change.js';

const arithmetic =
  (operator: '$inc' | '$mul'): Operator =>
  (operand, path) => {
    if (!isNumeric(operand))
      throw mismatch(
        `Cannot ${operator === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${path}: ${show(operand)}}`,
      );
    return (before) => {
      if (before === undefined) return operator === '$inc' ? operand : (compute(operand, new Int32(0), '*') ?? operand);
      if (!isNumeric(before))
        throw mismatch(
          `Cannot apply ${operator} to a value of non-numeric type. {_id: …} has the field '${path}' of non-numeric type ${typeName(before)}`,
        );
      const result = compute(before, operand, operator === '$inc' ? '+' : '*');
      if (!result)
        throw bad(
          `Failed to apply ${operator} operations to current value (${before.toString()}): it would overflow a 64-bit integer`,
        );
      // An equal number of the same type is not written, be it with another sign of 0 or other digits.
      return typeName(result) === typeName(before) && compare(result, before) === 0 ? before : result;
    };
  };

/** https://www.mongodb.com/docs/manual/reference/operator/update/inc/ */
export const inc = arithmetic('$inc');
/** https://www.mongodb.com/docs/manual/reference/operator/update/mul/ */
export const mul = arithmetic('$mul');

const extreme =
  (sign: 1 | -1): Operator =>
  (operand, _path, { collation }) =>
  (before) =>
    before === undefined || compare(operand, before, collation?.compare) * sign > 0 ? operand : before;

/** https://www.mongodb.com/docs/manual/reference/operator/update/min/ */
export const min = extreme(-1);
/** https://www.mongodb.com/docs/manual/reference/operator/update/max/ */
export const max = extreme(1);

const isInteger = (v: Value): v is Int32 | Long => v instanceof Int32 || typeName(v) === 'long';

const BITS: ReadonlyMap<string, (a: bigint, b: bigint) => bigint> = new Map([
  ['and', (a, b) => a & b],
  ['or', (a, b) => a | b],
  ['xor', (a, b) => a ^ b],
]);

/** https://www.mongodb.com/docs/manual/reference/operator/update/bit/ */
export const bit: Operator = (operand, path) => {
  if (!isDoc(operand))
    throw bad(`The $bit modifier is not compatible with a ${typeName(operand)}. You must pass in an embedded document`);
  const steps = Object.entries(operand).map(([name, v]) => {
    const apply = BITS.get(name);
    if (!apply) throw failed(`The $bit modifier only supports 'and', 'or', and 'xor', not '${name}'`);
    if (!isInteger(v))
      throw bad(`The $bit modifier field must be an Integer(32/64 bit); a '${typeName(v)}' is not supported here`);
    return { apply, v };
  });
  if (steps.length === 0) throw failed('You must pass in at least one bitwise operation');
  return (before) => {
    let n: Value = before === undefined ? new Int32(0) : before;
    for (const { apply, v } of steps) {
      if (!isInteger(n))
        throw bad(`Cannot apply $bit to a value of non-integral type: the field '${path}' is a ${typeName(n)}`);
      const result = apply(BigInt(n.toString()), BigInt(v.toString()));
      n = n instanceof Long || v instanceof Long ? Long.fromBigInt(result) : new Int32(Number(result));
    }
    return n;
  };
};
