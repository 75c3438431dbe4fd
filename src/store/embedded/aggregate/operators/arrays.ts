import { Int32 } from 'bson';
import { compare } from '../../bson/compare.js';
import { isDoc, isNumeric, toInteger, toNumber, typeName } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { compareElements, elementFields } from '../../query/sort.js';
import type { Operator } from '../expression.js';
import { arrayOf, between, fieldsOf, isNull, lazily, named, one, order, two, unlessNull } from './arguments.js';
import { firstN } from './first-n.js';

function slice(values: readonly Value[]): Value {
  const [list, first, second] = values;
  if (values.some((v, i) => isNull(v) && (i < 2 || values.length > 2))) return null;
  if (!Array.isArray(list))
    throw new EngineError(28724, `First argument to $slice must be an array, but is of type: ${typeName(list)}`);
  if (!isNumeric(first))
    throw new EngineError(
      28725,
      `Second argument to $slice must be a numeric value, but is of type: ${typeName(first)}`,
    );
  const a = toInteger(first);
  if (a === undefined)
    throw new EngineError(28726, `Second argument to $slice can't be represented as a 32-bit integer: ${first}`);
  if (values.length === 2) return a < 0 ? list.slice(a) : list.slice(0, a);
  if (!isNumeric(second))
    throw new EngineError(28727, `Third argument to $slice must be numeric, but is of type: ${typeName(second)}`);
  const b = toInteger(second);
  if (b === undefined)
    throw new EngineError(28728, `Third argument to $slice can't be represented as a 32-bit integer: ${second}`);
  if (b <= 0) throw new EngineError(28729, `Third argument to $slice must be positive: ${b}`);
  const from = a < 0 ? Math.max(list.length + a, 0) : a;
  return list.slice(from, from + b);
}

function range(values: readonly Value[]): Value {
  const codes = [
    [34443, 34444],
    [34445, 34446],
    [34447, 34448],
  ] as const;
  const [start, end, step = 1] = values.map((v, i) => {
    const [type, size] = codes[i] as readonly [number, number];
    if (!isNumeric(v))
      throw new EngineError(type, `$range requires numeric arguments, found value of type: ${typeName(v)}`);
    const n = toInteger(v);
    if (n === undefined || n < -(2 ** 31) || n >= 2 ** 31)
      throw new EngineError(size, '$range requires arguments that can be represented as 32-bit integers');
    return n;
  });
  if (start === undefined || end === undefined) return null;
  if (step === 0) throw new EngineError(34449, '$range requires a non-zero step value');
  if ((end - start) / step > 1_000_000)
    throw new EngineError('ExceededMemoryLimit', '$range would use too much memory');
  const out: Value[] = [];
  for (let n = start; step > 0 ? n < end : n > end; n += step) out.push(new Int32(n));
  return out;
}

function indexOfArray(values: readonly Value[]): Value {
  const [list, wanted] = values;
  if (!Array.isArray(list))
    throw new EngineError(40090, `$indexOfArray requires an array as a first argument, found: ${typeName(list)}`);
  const place = (argument: number, fallback: number): number => {
    if (argument >= values.length) return fallback;
    const n = toInteger(values[argument]);
    if (n === undefined || n < -(2 ** 31) || n >= 2 ** 31)
      throw new EngineError(9711600, '$indexOfArray requires an integral index');
    if (n < 0) throw new EngineError(9711601, '$indexOfArray requires a nonnegative index');
    return n;
  };
  const to = Math.min(place(3, list.length), list.length);
  for (let i = place(2, 0); i < to; i += 1) if (order(list[i], wanted) === 0) return new Int32(i);
  return new Int32(-1);
}

const zip: Operator = (argument, name, compile) => {
  const spec = fieldsOf(
    argument,
    name,
    { required: ['inputs'], optional: ['useLongestLength', 'defaults'] },
    { notObject: 34460, unknown: 34464, missing: 34465 },
  );
  if (!Array.isArray(spec['inputs'])) throw new EngineError(34461, 'inputs must be an array of expressions');
  if (spec['inputs'].length === 0) throw new EngineError(34465, '$zip requires at least one input array');
  const longest = spec['useLongestLength'];
  if (longest !== undefined && typeof longest !== 'boolean')
    throw new EngineError(34463, 'useLongestLength must be a bool');
  const defaults = spec['defaults'];
  if (defaults !== undefined && !Array.isArray(defaults))
    throw new EngineError(34462, 'defaults must be an array of expressions');
  if (defaults && !longest) throw new EngineError(34466, 'cannot specify defaults unless useLongestLength is true');
  if (defaults && defaults.length !== spec['inputs'].length)
    throw new EngineError(34467, 'defaults and inputs must have the same length');
  const inputs = spec['inputs'].map((i) => compile(i));
  const fill = (defaults ?? []).map((d) => compile(d));
  return (doc, v) => {
    const lists = inputs.map((i) => i(doc, v));
    if (lists.some(isNull)) return null;
    const arrays = lists.map((l) => {
      if (!Array.isArray(l)) throw new EngineError(34468, `$zip found a non-array expression in input: ${typeName(l)}`);
      return l;
    });
    const lengths = arrays.map((l) => l.length);
    const n = longest ? Math.max(...lengths) : Math.min(...lengths);
    return Array.from({ length: n }, (_, i) =>
      arrays.map((l, k) => (i < l.length ? (l[i] ?? null) : (fill[k]?.(doc, v) ?? null))),
    );
  };
};

const someN = (name: string): Operator =>
  named({ required: ['n', 'input'] }, { notObject: 5787801, unknown: 5787901, missing: 5787906 }, ({ n, input }) =>
    firstN(name, input, n),
  );

const sortArray: Operator = (argument, name, compile) => {
  const spec = fieldsOf(
    argument,
    name,
    { required: ['input', 'sortBy'] },
    { notObject: 2942500, unknown: 2942501, missing: { input: 2942502, sortBy: 2942503 } },
  );
  const input = compile(spec['input']);
  const by = spec['sortBy'];
  const direction = isNumeric(by) ? toNumber(by) : undefined;
  if (direction !== undefined && direction !== 1 && direction !== -1)
    throw new EngineError(2942506, 'The $sort element value must be either 1 or -1');
  if (!isDoc(by) && direction === undefined) throw new EngineError(2942507, 'sortBy must be 1, -1 or an object');
  const compareItems = isDoc(by)
    ? compareElements(elementFields(by, (reason) => new EngineError(2942505, reason)))
    : (a: Value, b: Value): number => compare(a, b) * (direction ?? 1);
  return (doc, v) => {
    const items = input(doc, v);
    if (isNull(items)) return null;
    if (!Array.isArray(items))
      throw new EngineError(
        2942504,
        `The input argument to $sortArray must be an array, but was of type: ${typeName(items)}`,
      );
    return items.toSorted(compareItems);
  };
};

function elementAt(list: Value, at: Value): Value {
  if (isNull(list) || isNull(at)) return null;
  if (!Array.isArray(list))
    throw new EngineError(28689, `$arrayElemAt's first argument must be an array, but is ${typeName(list)}`);
  if (!isNumeric(at))
    throw new EngineError(28690, `$arrayElemAt's second argument must be a numeric value, but is ${typeName(at)}`);
  const n = toInteger(at);
  if (n === undefined)
    throw new EngineError(28691, `$arrayElemAt's second argument must be representable as a 32-bit integer: ${at}`);
  return list.at(n);
}

const end = (name: string, at: 0 | -1): Operator =>
  one((list) => {
    if (isNull(list)) return null;
    if (!Array.isArray(list))
      throw new EngineError(28689, `${name}'s argument must be an array, but is ${typeName(list)}`);
    return list.at(at);
  });

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/#array-expression-operators */
export const arrays: Readonly<Record<string, Operator>> = {
  $zip: zip,
  $sortArray: sortArray,
  $arrayElemAt: two(elementAt),
  $first: end('$first', 0),
  $last: end('$last', -1),
  $firstN: someN('$firstN'),
  $lastN: someN('$lastN'),
  $minN: someN('$minN'),
  $maxN: someN('$maxN'),
  $slice: between(2, 3, slice),
  $range: between(2, 3, range),
  $indexOfArray: unlessNull(2, 4, indexOfArray),
  $isArray: one((v) => Array.isArray(v)),
  $size: one((v) => new Int32(arrayOf(v, 17124, 'The argument to $size must be an array').length)),
  $reverseArray: one((v) =>
    isNull(v) ? null : arrayOf(v, 34435, 'The argument to $reverseArray must be an array').toReversed(),
  ),
  $concatArrays: lazily((values) => {
    const all: Value[] = [];
    for (const v of values) {
      if (isNull(v)) return null;
      all.push(...arrayOf(v, 28664, '$concatArrays only supports arrays'));
    }
    return all;
  }),
  $in: two((a, b, { collation }) => {
    const list = arrayOf(b, 40081, '$in requires an array as a second argument');
    return list.some((item) => order(item, a, collation) === 0);
  }),
};
