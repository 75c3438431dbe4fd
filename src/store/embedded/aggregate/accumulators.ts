import { Int32 } from 'bson';
import { compare } from '../bson/compare.js';
import { encodeValue } from '../bson/key.js';
import { isDoc, isNumeric, type Numeric, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileSort } from '../query/sort.js';
import { Sum } from './arithmetic.js';
import { compileExpression, type Evaluate, type Variables } from './expression.js';
import { fieldsOf, isNull } from './operators/arguments.js';
import { countOf, firstN } from './operators/first-n.js';
import { deviation, percentiles, quantileParts } from './operators/statistics.js';

/** Takes the values of a group, one after the other. */
export interface Accumulator {
  add(v: Value): void;
  result(): Value;
}

/** An accumulator compiled: what it takes of each document, and how a group begins. `key`: the group's own `_id`. */
export interface CompiledAccumulator {
  readonly evaluate: Evaluate;
  make(key: Value, variables: Variables): Accumulator;
}

const sum = (): Accumulator => {
  const total = new Sum();
  return { add: (v) => void (isNumeric(v) && total.add(v)), result: () => total.result() };
};
const average = (): Accumulator => {
  const total = new Sum();
  return { add: (v) => void (isNumeric(v) && total.add(v)), result: () => total.mean() };
};
/** Of equal values the first one, or the last one. */
const extreme = (sign: 1 | -1, takes: 'first' | 'last') => (): Accumulator => {
  let best: Value = null;
  const isBetter = (order: number): boolean => (takes === 'last' ? order >= 0 : order > 0);
  return {
    add: (v) => void (!isNull(v) && (best === null || isBetter(compare(v, best) * sign)) && (best = v)),
    result: () => best,
  };
};
/** Those that MongoDB's other engine, which groups what a scan finds, computes otherwise. */
export const OF_A_SCAN: Readonly<Record<string, () => Accumulator>> = {
  $min: extreme(-1, 'last'),
  $max: extreme(1, 'last'),
};
const pushed = (): Accumulator => {
  const items: Value[] = [];
  return { add: (v) => void (v !== undefined && items.push(v)), result: () => items };
};
const different = (): Accumulator => {
  const items = new Map<string, Value>();
  return {
    add(v) {
      if (v === undefined) return;
      const key = encodeValue(v).toString('latin1');
      if (!items.has(key)) items.set(key, v);
    },
    result: () => [...items.values()],
  };
};
/** The elements of the arrays. https://www.mongodb.com/docs/manual/reference/operator/aggregation/concatArrays/ */
const elements = (name: string, into: () => Accumulator) => (): Accumulator => {
  const items = into();
  return {
    add(v) {
      if (v === undefined) return;
      if (!Array.isArray(v)) throw new EngineError('TypeMismatch', `${name} requires arrays, found ${typeName(v)}`);
      for (const item of v) items.add(item);
    },
    result: () => items.result(),
  };
};
const first = (): Accumulator => {
  let seen = false;
  let value: Value;
  return {
    add(v) {
      if (!seen) value = v;
      seen = true;
    },
    result: () => value ?? null,
  };
};
const last = (): Accumulator => {
  let value: Value;
  return { add: (v) => void (value = v), result: () => value ?? null };
};
const merged = (): Accumulator => {
  const out: Doc = {};
  return {
    add(v) {
      if (isNull(v)) return;
      if (!isDoc(v)) throw new EngineError(40400, '$mergeObjects requires object inputs', { inGroup: 5911200 });
      Object.assign(out, v);
    },
    result: () => out,
  };
};
const spread = (sample: boolean) => (): Accumulator => {
  const items: Numeric[] = [];
  return { add: (v) => void (isNumeric(v) && items.push(v)), result: () => deviation(items, sample) };
};

const simple: Readonly<Record<string, () => Accumulator>> = {
  $sum: sum,
  $avg: average,
  $min: extreme(-1, 'first'),
  $max: extreme(1, 'first'),
  $push: pushed,
  $addToSet: different,
  $concatArrays: elements('$concatArrays', pushed),
  $setUnion: elements('$setUnion', different),
  $first: first,
  $last: last,
  $mergeObjects: merged,
  $stdDevPop: spread(false),
  $stdDevSamp: spread(true),
};

/** $firstN, $lastN, $minN, $maxN. */
function someN(name: string, argument: Value): CompiledAccumulator {
  const spec = fieldsOf(
    argument,
    name,
    { required: ['n', 'input'] },
    { notObject: 5787801, unknown: 5787901, missing: 5787906 },
  );
  const n = compileExpression(spec['n']);
  return {
    evaluate: compileExpression(spec['input']),
    make(key, variables) {
      const most = new Int32(countOf(n(isDoc(key) ? key : {}, variables)));
      const items: Value[] = [];
      return { add: (v) => void items.push(v ?? null), result: () => firstN(name, items, most) };
    },
  };
}

/** $top, $bottom, $topN, $bottomN. https://www.mongodb.com/docs/manual/reference/operator/aggregation/topN/ */
function sorted(name: string, argument: Value): CompiledAccumulator {
  const several = name.endsWith('N');
  const spec = fieldsOf(
    argument,
    name,
    { required: several ? ['n', 'sortBy', 'output'] : ['sortBy', 'output'] },
    { notObject: 5788001, unknown: 5788002, missing: { n: 5788003, output: 5788004, sortBy: 5788005 } },
  );
  if (!isDoc(spec['sortBy'])) throw new EngineError(10065, 'invalid parameter: expected an object (sortBy)');
  const order = compileSort(spec['sortBy']);
  const output = compileExpression(spec['output']);
  const n = several ? compileExpression(spec['n']) : undefined;
  return {
    evaluate: (doc, v) => ({ doc, output: output(doc, v) }),
    make(key, variables) {
      const most = n ? countOf(n(isDoc(key) ? key : {}, variables)) : 1;
      const items: { doc: Doc; output: Value }[] = [];
      return {
        add: (v) => void items.push(v as { doc: Doc; output: Value }),
        result() {
          const all = items.toSorted((a, b) => order(a.doc, b.doc));
          const chosen = name.startsWith('$top') ? all.slice(0, most) : all.slice(Math.max(all.length - most, 0));
          const values = chosen.map((c) => c.output ?? null);
          return several ? values : (values[0] ?? null);
        },
      };
    },
  };
}

function quantile(name: string, argument: Value): CompiledAccumulator {
  const { input, shares } = quantileParts(name, argument, 7429703);
  const evaluateShares = compileExpression(shares);
  return {
    evaluate: compileExpression(input),
    make(_key, variables) {
      const items: Numeric[] = [];
      const wanted = evaluateShares({}, variables);
      return {
        add: (v) => void (isNumeric(v) && items.push(v)),
        result() {
          const values = percentiles(items, wanted);
          return name === '$median' ? (values[0] ?? null) : values;
        },
      };
    },
  };
}

/**
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/group/#accumulator-operator
 *
 * @throws {EngineError} 15952: no such accumulator
 */
export function compileAccumulator(name: string, argument: Value): CompiledAccumulator {
  const make = simple[name];
  if (make) return { evaluate: compileExpression(argument), make };
  if (name === '$count') {
    if (!isDoc(argument) || Object.keys(argument).length > 0)
      throw new EngineError('TypeMismatch', '$count takes no arguments, i.e. $count:{}');
    return { evaluate: () => new Int32(1), make: sum };
  }
  if (['$firstN', '$lastN', '$minN', '$maxN'].includes(name)) return someN(name, argument);
  if (['$top', '$bottom', '$topN', '$bottomN'].includes(name)) return sorted(name, argument);
  if (name === '$median' || name === '$percentile') return quantile(name, argument);
  if (name === '$accumulator')
    throw new EngineError('NotImplemented', `${name} is not supported by the embedded engine`);
  throw new EngineError(15952, `unknown group operator '${name}'`);
}

/** `field: { $sum: … }` of $group and $bucket. @throws {EngineError} 40234–40238: no accumulator */
export function accumulatorField(name: string, spec: Value): [operator: string, argument: Value] {
  if (name.includes('.')) throw new EngineError(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith('$')) throw new EngineError(40236, `The field name '${name}' cannot be an operator name`);
  if (!isDoc(spec) || Object.keys(spec).length === 0)
    throw new EngineError(40234, `The field '${name}' must be an accumulator object`);
  const entries = Object.entries(spec);
  if (entries.length !== 1) throw new EngineError(40238, `The field '${name}' must specify one accumulator`);
  const [entry] = entries as [[string, Value]];
  if (!entry[0].startsWith('$')) throw new EngineError(40234, `The field '${name}' must be an accumulator object`);
  if (Array.isArray(entry[1])) throw new EngineError(40237, `The ${entry[0]} accumulator is a unary operator`);
  return entry;
}
