import { Decimal128, Double, Int32, Long } from 'bson';
import { compare } from '../../bson/compare.js';
import { isDoc, isNumeric, type Numeric, toInt32, toInteger, toNumber, typeName } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { add, divide, modulo, multiply, subtract, whole } from '../arithmetic.js';
import {
  cut,
  fitted,
  fromScaled,
  finite,
  isNegative,
  type Rounding,
  scaled,
  scaledDouble,
  signed,
  toDecimal,
  widened,
} from '../decimals.js';
import {
  atan2,
  exp,
  inBinaryRange,
  ln,
  log10,
  ofAngle,
  power as powerOfDecimal,
  root as wholeRoot,
} from '../transcendental.js';
import type { Operator } from '../expression.js';
import { between, isNull, lazily, many, one, two } from './arguments.js';

/** Of one number; null of null. */
const numeric = (name: string, compute: (v: Numeric) => Value): Operator =>
  one((v) => {
    if (isNull(v)) return null;
    if (!isNumeric(v)) throw new EngineError(28765, `${name} only supports numeric types, not ${typeName(v)}`);
    return compute(v);
  });

/** A function of doubles, and one of decimals. */
const real = (
  name: string,
  compute: (n: number) => number,
  check?: (v: Numeric) => void,
  ofDecimal: (v: Decimal128) => Value = (v) => ofAngle(name.slice(1), v),
): Operator =>
  numeric(name, (v) => {
    check?.(v);
    if (v instanceof Decimal128 && finite(v)) return ofDecimal(v);
    const result = compute(toNumber(v));
    return v instanceof Decimal128 ? Decimal128.fromString(String(result)) : new Double(result);
  });

/** NaN is within all bounds. */
const bounded = (name: string, low: number, high: number) => (v: Numeric) => {
  const outside = compare(v, new Double(low)) < 0 || compare(v, new Double(high)) > 0;
  if (outside && !Number.isNaN(toNumber(v)))
    throw new EngineError(50989, `cannot apply ${name} to ${v}, value must be in [${low},${high}]`);
};
const isPositive = (v: Numeric): boolean => compare(v, new Int32(0)) > 0 || Number.isNaN(toNumber(v));

function absolute(v: Numeric): Value {
  if (v instanceof Double) return new Double(Math.abs(v.value));
  if (v instanceof Decimal128) return Decimal128.fromString(v.toString().replace(/^-/, ''));
  const n = BigInt(v.toString());
  const result = whole(n < 0n ? -n : n, v instanceof Long);
  if (!result) throw new EngineError(28680, "can't take $abs of long long min");
  return result;
}

/** To a whole number of 34 digits; what needs more is NaN, and so is an infinity (IEEE 754-2008, quantize). */
function quantized(v: Decimal128, how: Rounding): Value {
  if (!finite(v)) return Decimal128.fromString('NaN');
  const { digits, exponent } = scaled(v);
  const result = exponent < 0 ? { digits: cut(digits, -exponent, how), exponent: 0 } : fitted({ digits, exponent }, 0);
  return result ? signed(result, isNegative(v)) : Decimal128.fromString('NaN');
}

/** Rounds at a decimal place, half to even; the type stays. https://www.mongodb.com/docs/manual/reference/operator/aggregation/round/ */
function rounded(v: Numeric, place: number, how: Rounding): Value {
  if (v instanceof Decimal128) {
    if (!finite(v)) return v;
    const { digits, exponent } = scaled(v);
    // As many places as are asked for, zeros too, if they fit into a decimal.
    if (exponent > 0 && place >= 0 && digits !== 0n) return v;
    const result =
      -exponent <= place
        ? fitted({ digits, exponent }, -place)
        : { digits: cut(digits, -exponent - place, how), exponent: -place };
    return result ? signed(result, isNegative(v)) : v;
  }
  if (v instanceof Double) {
    const n = v.value;
    if (!Number.isFinite(n) || n === 0) return v;
    if (place === 0 && how !== 'even') return new Double(Math[how](n));
    // By the digits that the double has, 0.28999999999999998… where it is written 0.29.
    const { digits, exponent } = scaledDouble(n);
    if (-exponent <= place) return v;
    const result = Number(`${cut(digits, -exponent - place, how)}e${-place}`);
    return new Double(result === 0 && n < 0 ? -0 : result);
  }
  if (place >= 0) return v;
  const unit = 10n ** BigInt(-place);
  const result = whole(cut(BigInt(v.toString()), -place, how) * unit, v instanceof Long);
  if (!result)
    throw new EngineError(51080, 'invalid conversion from Decimal128 result in $round resulting from arguments');
  return result;
}

const integral = (name: '$ceil' | '$floor', how: Rounding): Operator =>
  numeric(name, (v) => (v instanceof Decimal128 ? quantized(v, how) : rounded(v, 0, how)));

/** The place to round at: made a long first, and then to be a whole number of 32 bits. */
function placeOf(name: string, at: Value): number {
  if (!isNumeric(at)) throw new EngineError(16004, `can't convert from BSON type ${typeName(at)} to long`);
  if (at instanceof Double && !(at.value >= -(2 ** 63) && at.value < 2 ** 63))
    throw new EngineError(31109, `Can't coerce out of range value ${at} to long`);
  const place = toInt32(at);
  if (place === undefined) throw new EngineError(51082, `precision argument to  ${name} must be a integral value`);
  if (place < -20 || place > 100)
    throw new EngineError(51083, `cannot apply ${name} with precision value ${place} value must be in [-20, 100]`);
  return place;
}

const placed = (name: string, how: Rounding): Operator =>
  between(1, 2, (values) => {
    const [v, at] = values;
    if (isNull(v)) return null;
    if (!isNumeric(v)) throw new EngineError(51081, `${name} only supports numeric types, not ${typeName(v)}`);
    if (values.length === 1) return rounded(v, 0, how);
    return isNull(at) ? null : rounded(v, placeOf(name, at), how);
  });

/** JavaScript's `**` is off in the last digit now and then: of whole numbers the power is rounded once. In C 1 has one power. */
const doublePower = (b: number, e: number): number =>
  b === 1 || (b === -1 && Math.abs(e) === Infinity)
    ? 1
    : Number.isSafeInteger(b) && b !== 0 && Number.isInteger(e) && e >= 0 && e <= 64
      ? Number(BigInt(b) ** BigInt(e))
      : b ** e;

/** Of what is below 0 only whole powers are numbers. */
function decimalPower(base: Decimal128, exponent: Decimal128, times: number | undefined): Value {
  const { digits } = scaled(base);
  if (digits === 0n) return widened({ digits, exponent: 0 });
  if (digits > 0n) return powerOfDecimal(base, exponent);
  if (times === undefined) return Decimal128.fromString('NaN');
  const result = powerOfDecimal(Decimal128.fromString(base.toString().slice(1)), exponent);
  return times % 2 === 0 ? result : multiply([result, new Int32(-1)]);
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/pow/ */
export function power(base: Value, exponent: Value): Value {
  if (isNull(base) || isNull(exponent)) return null;
  if (!isNumeric(base)) throw new EngineError(28762, `$pow's base must be numeric, not ${typeName(base)}`);
  if (!isNumeric(exponent)) throw new EngineError(28763, `$pow's exponent must be numeric, not ${typeName(exponent)}`);
  const [b, e] = [toNumber(base), toNumber(exponent)];
  if (compare(base, new Int32(0)) === 0 && e < 0)
    throw new EngineError(28764, '$pow cannot take a base of 0 and a negative exponent');
  if (base instanceof Decimal128 || exponent instanceof Decimal128) {
    const times = toInteger(exponent);
    const [of, by] = [toDecimal(base), toDecimal(exponent)];
    if (!finite(of) || !finite(by))
      return b ** e === 0 ? widened({ digits: 0n, exponent: 0 }) : Decimal128.fromString(String(b ** e));
    if (times === undefined || Math.abs(times) > 100) return decimalPower(of, by, times);
    const { digits, exponent: ten } = scaled(base);
    const raised = digits ** BigInt(Math.abs(e));
    if (e >= 0) return inBinaryRange(widened({ digits: raised, exponent: ten * e }));
    // Two digits more than a decimal has: they round it.
    const places = raised.toString().length + 36;
    return inBinaryRange(widened({ digits: 10n ** BigInt(places) / raised, exponent: ten * e - places }));
  }
  // Whole powers of 1 and -1 are whole, those below 0 too.
  if (base instanceof Double || exponent instanceof Double || (e < 0 && Math.abs(b) !== 1))
    return new Double(doublePower(b, e));
  if (Math.abs(b) > 1 && e > 64) return new Double(b ** e);
  const times = BigInt(exponent.toString());
  const exact = BigInt(base.toString()) ** (Math.abs(b) > 1 ? times : times === 0n ? 0n : times % 2n === 0n ? 2n : 1n);
  return whole(exact, base instanceof Long || exponent instanceof Long) ?? new Double(Number(exact));
}

function logarithm(v: Value, base: Value): Value {
  if (isNull(v) || isNull(base)) return null;
  if (!isNumeric(v)) throw new EngineError(28756, `$log's argument must be numeric, not ${typeName(v)}`);
  if (!isNumeric(base)) throw new EngineError(28757, `$log's base must be numeric, not ${typeName(base)}`);
  if (!isPositive(v)) throw new EngineError(28758, `$log's argument must be a positive number, but is ${v}`);
  if (!isPositive(base) || compare(base, new Int32(1)) === 0)
    throw new EngineError(28759, `$log's base must be a positive number not equal to 1, but is ${base}`);
  const quotient = Math.log(toNumber(v)) / Math.log(toNumber(base));
  const decimals = v instanceof Decimal128 || base instanceof Decimal128;
  if (!decimals || Number.isNaN(toNumber(v)) || Number.isNaN(toNumber(base))) return new Double(quotient);
  const [of, by] = [toDecimal(v), toDecimal(base)];
  return finite(of) && finite(by) ? divide(ln(of), ln(by)) : Decimal128.fromString(String(quotient));
}

function squareRoot(v: Numeric): Value {
  const n = toNumber(v);
  if (n < 0) throw new EngineError(28714, "$sqrt's argument must be greater than or equal to 0");
  if (!(v instanceof Decimal128)) return new Double(Math.sqrt(n));
  if (!finite(v)) return v;
  const { digits, exponent } = scaled(v);
  if (digits === 0n) return signed({ digits, exponent: Math.floor(exponent / 2) }, isNegative(v));
  const places = 72 + ((exponent + 72) % 2 === 0 ? 0 : 1);
  const square = digits * 10n ** BigInt(places);
  let root = wholeRoot(square);
  let ten = (exponent - places) / 2;
  const exact = root * root === square;
  // An exact root has half the places.
  while (exact && root % 10n === 0n && ten < Math.floor(exponent / 2)) {
    root /= 10n;
    ten += 1;
  }
  return fromScaled({ digits: root, exponent: ten });
}

/** Of a whole type. */
const isWhole = (v: Value): v is Int32 | Long => isNumeric(v) && !(v instanceof Double) && !(v instanceof Decimal128);

function bits(name: string, identity: number, compute: (a: bigint, b: bigint) => bigint): Operator {
  return many((values) => {
    let result = BigInt(identity);
    let wide = false;
    for (const v of values) {
      if (isNull(v)) return null;
      if (!isWhole(v))
        throw new EngineError('TypeMismatch', `${name} only supports int and long operands, not ${typeName(v)}`);
      wide ||= v instanceof Long;
      result = compute(result, BigInt(v.toString()));
    }
    return whole(result, wide) ?? null;
  });
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/#arithmetic-expression-operators */
export const numbers: Readonly<Record<string, Operator>> = {
  $add: lazily(add),
  $subtract: two(subtract),
  $multiply: lazily(multiply),
  $divide: two(divide),
  $mod: two(modulo),
  $abs: numeric('$abs', absolute),
  $ceil: integral('$ceil', 'ceil'),
  $floor: integral('$floor', 'floor'),
  $round: placed('$round', 'even'),
  $trunc: placed('$trunc', 'trunc'),
  $pow: two(power),
  $log: two(logarithm),
  $sqrt: numeric('$sqrt', squareRoot),
  $exp: real('$exp', Math.exp, undefined, exp),
  $ln: ofPositive('$ln', 28766, Math.log, ln),
  $log10: ofPositive('$log10', 28761, Math.log10, log10),
  // Written out, as MongoDB has it. https://www.mongodb.com/docs/manual/reference/operator/aggregation/sigmoid/
  $sigmoid: (argument, _name, compile) => {
    const one = new Int32(1);
    return compile({ $divide: [one, { $add: [one, { $exp: { $multiply: [new Int32(-1), argument] } }] }] });
  },
  $bitAnd: bits('$bitAnd', -1, (a, b) => a & b),
  $bitOr: bits('$bitOr', 0, (a, b) => a | b),
  $bitXor: bits('$bitXor', 0, (a, b) => a ^ b),
  $bitNot: one((v) => {
    if (isNull(v)) return null;
    if (!isWhole(v)) throw new EngineError('TypeMismatch', `$bitNot only supports int and long, not: ${typeName(v)}.`);
    return v instanceof Int32 ? new Int32(~v.value) : v.not();
  }),
  $rand(operand) {
    if (!Array.isArray(operand) && !isDoc(operand))
      throw new EngineError(10065, 'invalid parameter: expected an object ($rand)');
    if (Object.keys(operand).length > 0) throw new EngineError(3040501, '$rand does not currently accept arguments');
    return () => new Double(Math.random());
  },
  $sin: real('$sin', Math.sin, infiniteRefused('$sin')),
  $cos: real('$cos', Math.cos, infiniteRefused('$cos')),
  $tan: real('$tan', Math.tan, infiniteRefused('$tan')),
  $asin: real('$asin', Math.asin, bounded('$asin', -1, 1)),
  $acos: real('$acos', Math.acos, bounded('$acos', -1, 1)),
  $atan: numeric('$atan', (v) => {
    if (!(v instanceof Decimal128)) return new Double(Math.atan(toNumber(v)));
    return finite(v) ? ofAngle('atan', v) : atan2(v, Decimal128.fromString('1'));
  }),
  $sinh: real('$sinh', Math.sinh),
  $cosh: real('$cosh', Math.cosh),
  $tanh: real('$tanh', Math.tanh),
  $asinh: real('$asinh', Math.asinh),
  $acosh: real('$acosh', Math.acosh, bounded('$acosh', 1, Infinity)),
  $atanh: real('$atanh', Math.atanh, bounded('$atanh', -1, 1)),
  $degreesToRadians: real(
    '$degreesToRadians',
    (n) => n * (Math.PI / 180),
    undefined,
    (v) => multiply([v, RADIANS]),
  ),
  $radiansToDegrees: real(
    '$radiansToDegrees',
    (n) => n * (180 / Math.PI),
    undefined,
    (v) => multiply([v, DEGREES]),
  ),
  $atan2: two((a, b) => {
    if (isNull(a) || isNull(b)) return null;
    if (!isNumeric(a) || !isNumeric(b))
      throw new EngineError(51044, `$atan2 only supports numeric types, not ${typeName(isNumeric(a) ? b : a)}`);
    return a instanceof Decimal128 || b instanceof Decimal128
      ? atan2(toDecimal(a), toDecimal(b))
      : new Double(Math.atan2(toNumber(a), toNumber(b)));
  }),
};

/** π / 180 and 180 / π, to the digits that a decimal has. */
const RADIANS = Decimal128.fromString('0.01745329251994329576923690768488613');
const DEGREES = Decimal128.fromString('57.29577951308232087679815481410517');

/** A logarithm: a NaN of any type is a double there. https://www.mongodb.com/docs/manual/reference/operator/aggregation/ln/ */
function ofPositive(
  name: string,
  code: number,
  compute: (n: number) => number,
  ofDecimal: (v: Decimal128) => Value,
): Operator {
  return numeric(name, (v) => {
    if (!isPositive(v)) throw new EngineError(code, `${name}'s argument must be a positive number, but is ${v}`);
    if (!(v instanceof Decimal128) || Number.isNaN(toNumber(v))) return new Double(compute(toNumber(v)));
    return finite(v) ? ofDecimal(v) : v;
  });
}

function infiniteRefused(name: string): (v: Numeric) => void {
  return (v) => {
    const n = toNumber(v);
    if (Math.abs(n) === Infinity && !/\d/.test(v.toString()))
      throw new EngineError(50989, `cannot apply ${name} to ${n}, value must be in (-inf,inf)`);
  };
}
