import { Int32 } from 'bson';
import { compare, equals } from '../bson/compare.js';
import { isDoc, isNumeric, toInteger, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { field } from '../query/path.js';
import { add, multiply, subtract } from './arithmetic.js';
import { compilePlain, isExpressionOperator } from './mingo.js';

export interface Variables {
  readonly now: Date;
  readonly let: Doc;
}
export type Evaluate = (doc: Doc, variables: Variables) => Value;

const truthy = (v: Value): boolean =>
  v !== undefined && v !== null && v !== false && !(isNumeric(v) && toNumber(v) === 0);

/** A path in an expression: an array on the way gives an array of what its documents have. */
export function pathValue(value: Value, parts: readonly string[], at = 0): Value {
  const part = parts[at];
  if (part === undefined) return value;
  if (isDoc(value)) return pathValue(field(value, part), parts, at + 1);
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((item) => {
    const inner = isDoc(item) || Array.isArray(item) ? pathValue(item, parts, at) : undefined;
    return inner === undefined ? [] : [inner];
  });
}

/** Thrown for $$REMOVE: the field is left out. */
function variable(text: string): Evaluate {
  const [name = '', ...parts] = text.slice(2).split('.');
  switch (name) {
    case 'ROOT':
    case 'CURRENT':
      return (doc) => pathValue(doc, parts);
    case 'NOW':
      return (_doc, { now }) => now;
    case 'REMOVE':
      return () => undefined;
    default:
      return (_doc, variables) => {
        if (!Object.hasOwn(variables.let, name)) throw new EngineError(17276, `Use of undefined variable: ${name}`);
        return pathValue(variables.let[name], parts);
      };
  }
}

type Operator = (args: readonly Evaluate[], operator: string) => Evaluate;
const many =
  (compute: (values: readonly Value[]) => Value): Operator =>
  (args) =>
  (doc, v) =>
    compute(args.map((a) => a(doc, v)));
const two =
  (compute: (a: Value, b: Value) => Value): Operator =>
  (args, operator) => {
    const [a, b] = args;
    if (args.length !== 2 || !a || !b)
      throw new EngineError(16020, `Expression ${operator} takes exactly 2 arguments. ${args.length} were passed in.`);
    return (doc, v) => compute(a(doc, v), b(doc, v));
  };
/** As `compare`, but missing is below null. */
const order = (a: Value, b: Value): number =>
  a === undefined || b === undefined ? Number(a !== undefined) - Number(b !== undefined) || 0 : compare(a, b);

/** Operators whose result depends on BSON types, nulls or the order of values: computed here. The rest is mingo's. */
const operators: Readonly<Record<string, Operator>> = {
  $eq: two((a, b) => order(a, b) === 0),
  $ne: two((a, b) => order(a, b) !== 0),
  $gt: two((a, b) => order(a, b) > 0),
  $gte: two((a, b) => order(a, b) >= 0),
  $lt: two((a, b) => order(a, b) < 0),
  $lte: two((a, b) => order(a, b) <= 0),
  $cmp: two((a, b) => new Int32(order(a, b))),
  $and: many((values) => values.every(truthy)),
  $or: many((values) => values.some(truthy)),
  $not: many((values) => !truthy(values[0])),
  $add: many(add),
  $subtract: two(subtract),
  $multiply: many(multiply),
  $ifNull: many((values) => values.find((v) => v !== null && v !== undefined) ?? values.at(-1)),
  $in: two((a, b) => {
    if (!Array.isArray(b)) throw new EngineError(40081, '$in requires an array as a second argument');
    return b.some((item) => equals(item, a));
  }),
  $size: many(([a]) => {
    if (!Array.isArray(a)) throw new EngineError(17124, 'The argument to $size must be an array');
    return new Int32(a.length);
  }),
  $arrayElemAt: two((a, b) => {
    if (a === null || a === undefined || b === null || b === undefined) return null;
    const at = toInteger(b);
    if (!Array.isArray(a) || at === undefined)
      throw new EngineError(28689, "$arrayElemAt's first argument must be an array");
    return a.at(at);
  }),
  $concatArrays: many((values) => (values.some((v) => !Array.isArray(v)) ? null : values.flatMap((v) => v as Value[]))),
};

/**
 * Compiles an aggregation expression over typed values.
 *
 * @throws {EngineError} 168: no such operator
 */
export function compileExpression(expr: Value): Evaluate {
  if (typeof expr === 'string') {
    if (expr.startsWith('$$')) return variable(expr);
    if (expr.startsWith('$')) {
      const parts = expr.slice(1).split('.');
      if (parts.some((p) => p === '')) throw new EngineError(40353, "FieldPath must not end with a '.' or be empty");
      return (doc) => pathValue(doc, parts);
    }
    return () => expr;
  }
  if (Array.isArray(expr)) {
    const items = expr.map((item) => compileExpression(item));
    return (doc, v) => items.map((item) => item(doc, v) ?? null);
  }
  if (!isDoc(expr)) return () => expr;
  const [first = ''] = Object.keys(expr);
  if (!first.startsWith('$')) {
    const fields = Object.entries(expr).map(([k, v]) => [k, compileExpression(v)] as const);
    return (doc, v) => {
      const out: Doc = {};
      for (const [k, evaluate] of fields) {
        const value = evaluate(doc, v);
        if (value !== undefined) out[k] = value;
      }
      return out;
    };
  }
  if (Object.keys(expr).length > 1)
    throw new EngineError(15983, `Object expressions cannot have more than one operator field: ${first}`);
  const argument = expr[first];
  if (first === '$literal' || first === '$const') return () => argument;
  if (first === '$cond') return conditional(argument);
  const operator = operators[first];
  if (operator)
    return operator(
      (Array.isArray(argument) ? argument : [argument]).map((a) => compileExpression(a)),
      first,
    );
  if (!isExpressionOperator(first)) throw new EngineError(168, `Unrecognized expression '${first}'`);
  return compilePlain(expr);
}

function conditional(argument: Value): Evaluate {
  const parts = isDoc(argument)
    ? [argument['if'], argument['then'], argument['else']]
    : Array.isArray(argument)
      ? argument
      : [];
  if (parts.length !== 3)
    throw new EngineError(16020, `Expression $cond takes exactly 3 arguments. ${parts.length} were passed in.`);
  const [test, then, otherwise] = parts.map((p) => compileExpression(p)) as [Evaluate, Evaluate, Evaluate];
  return (doc, v) => (truthy(test(doc, v)) ? then(doc, v) : otherwise(doc, v));
}
