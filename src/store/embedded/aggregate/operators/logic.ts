import { Int32 } from 'bson';
import { isDoc, truthy } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import type { Evaluate, Operator } from '../expression.js';
import { assertVariable, compileList, fieldsOf, isNull, one, order, two } from './arguments.js';

/** Stops at the first operand that decides. */
const connective =
  (decides: boolean): Operator =>
  (argument, _name, compile) => {
    const args = compileList(argument, compile);
    return (doc, v) => (args.some((a) => truthy(a(doc, v)) === decides) ? decides : !decides);
  };

const cond: Operator = (argument, name, compile) => {
  let parts: readonly Value[];
  if (isDoc(argument)) {
    const odd = Object.keys(argument).find((k) => !['if', 'then', 'else'].includes(k));
    if (odd !== undefined) throw new EngineError(17083, `Unrecognized parameter to $cond: ${odd}`);
    for (const [k, code] of [
      ['if', 17080],
      ['then', 17081],
      ['else', 17082],
    ] as const)
      if (!(k in argument)) throw new EngineError(code, `Missing '${k}' parameter to $cond`);
    parts = [argument['if'], argument['then'], argument['else']];
  } else parts = Array.isArray(argument) ? argument : [argument];
  if (parts.length !== 3)
    throw new EngineError(16020, `Expression ${name} takes exactly 3 arguments. ${parts.length} were passed in.`);
  const [test, then, otherwise] = parts.map((p) => compile(p)) as [Evaluate, Evaluate, Evaluate];
  return (doc, v) => (truthy(test(doc, v)) ? then(doc, v) : otherwise(doc, v));
};

const switch_: Operator = (argument, name, compile) => {
  const spec = fieldsOf(
    argument,
    name,
    { required: [], optional: ['branches', 'default'] },
    { notObject: 40060, unknown: 40067, missing: 40068 },
  );
  const list = spec['branches'];
  if (list !== undefined && !Array.isArray(list))
    throw new EngineError(40061, "$switch expected an array for 'branches'");
  if (!list || list.length === 0) throw new EngineError(40068, '$switch requires at least one branch');
  const branches = list.map((b) => {
    if (!isDoc(b)) throw new EngineError(40062, '$switch expected each branch to be an object');
    const odd = Object.keys(b).find((k) => k !== 'case' && k !== 'then');
    if (odd !== undefined) throw new EngineError(40063, `$switch found an unknown argument to a branch: ${odd}`);
    if (!('case' in b)) throw new EngineError(40064, "$switch requires each branch have a 'case' expression");
    if (!('then' in b)) throw new EngineError(40065, "$switch requires each branch have a 'then' expression.");
    return { test: compile(b['case']), result: compile(b['then']) };
  });
  const otherwise = 'default' in spec ? compile(spec['default']) : undefined;
  return (doc, v) => {
    for (const { test, result } of branches) if (truthy(test(doc, v))) return result(doc, v);
    if (!otherwise)
      throw new EngineError(
        40066,
        '$switch could not find a matching branch for an input, and no default was specified.',
      );
    return otherwise(doc, v);
  };
};

const let_: Operator = (argument, name, compile) => {
  const spec = fieldsOf(
    argument,
    name,
    { required: ['vars', 'in'] },
    { notObject: 16874, unknown: 16875, missing: { vars: 16876, in: 16877 } },
  );
  const { vars } = spec;
  if (!isDoc(vars)) throw new EngineError(10065, 'invalid parameter: expected an object (vars)');
  for (const k of Object.keys(vars)) assertVariable(k);
  const bindings = Object.entries(vars).map(([k, v]) => [k, compile(v)] as const);
  const inner = compile(spec['in'], Object.keys(vars));
  return (doc, v) => {
    const bound: Doc = Object.fromEntries(bindings.map(([k, evaluate]) => [k, evaluate(doc, v)]));
    return inner(doc, { ...v, let: { ...v.let, ...bound } });
  };
};

const ifNull: Operator = (argument, name, compile) => {
  const args = compileList(argument, compile);
  if (args.length < 2) throw new EngineError(1257300, `${name} needs at least two arguments, had: ${args.length}`);
  return (doc, v) => {
    let value: Value;
    for (const a of args) {
      value = a(doc, v);
      if (!isNull(value)) return value;
    }
    return value;
  };
};

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/#comparison-expression-operators */
export const logic: Readonly<Record<string, Operator>> = {
  $eq: two((a, b, v) => order(a, b, v.collation) === 0),
  $ne: two((a, b, v) => order(a, b, v.collation) !== 0),
  $gt: two((a, b, v) => order(a, b, v.collation) > 0),
  $gte: two((a, b, v) => order(a, b, v.collation) >= 0),
  $lt: two((a, b, v) => order(a, b, v.collation) < 0),
  $lte: two((a, b, v) => order(a, b, v.collation) <= 0),
  $cmp: two((a, b, v) => new Int32(order(a, b, v.collation))),
  $and: connective(false),
  $or: connective(true),
  $not: one((v) => !truthy(v)),
  $cond: cond,
  $switch: switch_,
  $ifNull: ifNull,
  $let: let_,
  $literal: (argument) => () => argument,
  $const: (argument) => () => argument,
};
