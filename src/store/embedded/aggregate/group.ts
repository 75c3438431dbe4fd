import { Double, Int32 } from 'bson';
import { compare } from '../bson/compare.js';
import { encodeValue } from '../bson/key.js';
import { isDoc, isNumeric, type Numeric, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { computeWide } from './arithmetic.js';
import { compileExpression, type Evaluate, type Variables } from './expression.js';

interface Accumulator {
  add(v: Value): void;
  result(): Value;
}

function sum(): Accumulator {
  let total: Numeric = new Int32(0);
  return { add: (v) => void (isNumeric(v) && (total = computeWide(total, v, '+'))), result: () => total };
}
function average(): Accumulator {
  let total: Numeric = new Int32(0);
  let count = 0;
  return {
    add(v) {
      if (!isNumeric(v)) return;
      total = computeWide(total, v, '+');
      count += 1;
    },
    result: () => (count === 0 ? null : new Double(toNumber(total) / count)),
  };
}
function extreme(sign: 1 | -1): Accumulator {
  let best: Value = null;
  return {
    add: (v) => void (v !== null && v !== undefined && (best === null || compare(v, best) * sign > 0) && (best = v)),
    result: () => best,
  };
}
function list(different: boolean): Accumulator {
  const items: Value[] = [];
  const seen = new Set<string>();
  return {
    add(v) {
      if (v === undefined) return;
      if (different) {
        const key = encodeValue(v).toString('latin1');
        if (seen.has(key)) return;
        seen.add(key);
      }
      items.push(v);
    },
    result: () => items,
  };
}
function end(which: 'first' | 'last'): Accumulator {
  let value: Value;
  let any = false;
  return {
    add(v) {
      if (which === 'first' && any) return;
      any = true;
      value = v;
    },
    result: () => value ?? null,
  };
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/group/#accumulator-operator */
const accumulators: Readonly<Record<string, () => Accumulator>> = {
  $sum: sum,
  $count: sum,
  $avg: average,
  $min: () => extreme(-1),
  $max: () => extreme(1),
  $push: () => list(false),
  $addToSet: () => list(true),
  $first: () => end('first'),
  $last: () => end('last'),
};

/** Can $group be done here? Other accumulators go to mingo. */
export const knowsGroup = (spec: Value): boolean =>
  isDoc(spec) &&
  Object.entries(spec).every(
    ([name, v]) =>
      name === '_id' || (isDoc(v) && Object.keys(v).length === 1 && (Object.keys(v)[0] ?? '') in accumulators),
  );

/** Groups documents one at a time; what it holds grows with the groups, and with what $push and $addToSet keep. */
export function createGroup(spec: Doc, variables: Variables): { add(doc: Doc): void; results(): Doc[] } {
  if (!('_id' in spec)) throw new EngineError(15955, 'a group specification must include an _id');
  const id = compileExpression(spec['_id']);
  const fields = Object.entries(spec)
    .filter(([name]) => name !== '_id')
    .map(([name, v]) => {
      const [[operator, argument]] = Object.entries(v as Doc) as [[string, Value]];
      const evaluate: Evaluate = operator === '$count' ? () => new Int32(1) : compileExpression(argument);
      return { name, evaluate, make: accumulators[operator] as () => Accumulator };
    });
  const groups = new Map<string, { id: Value; parts: Accumulator[] }>();
  return {
    add(doc) {
      const value = id(doc, variables);
      const key = encodeValue(value).toString('latin1');
      let group = groups.get(key);
      if (!group) {
        group = { id: value ?? null, parts: fields.map((f) => f.make()) };
        groups.set(key, group);
      }
      for (const [i, f] of fields.entries()) group.parts[i]?.add(f.evaluate(doc, variables));
    },
    results: () =>
      [...groups.values()].map((g) => ({
        _id: g.id,
        ...Object.fromEntries(fields.map((f, i) => [f.name, g.parts[i]?.result()])),
      })),
  };
}
