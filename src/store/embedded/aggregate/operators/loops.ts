import { toInt32, truthy, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import type { Operator, Variables } from '../expression.js';
import { assertVariable } from '../variable-names.js';
import { fieldsOf, isNull } from './arguments.js';

const with_ = (v: Variables, bound: Doc): Variables => ({ ...v, let: { ...v.let, ...bound } });

function nameOf(v: Value, fallback: string, operator: string): string {
  if (v === undefined) return fallback;
  if (typeof v !== 'string') throw new EngineError('FailedToParse', `${operator} needs a variable name`);
  assertVariable(v);
  return v;
}

const map: Operator = (argument, name, compile) => {
  const spec = fieldsOf(
    argument,
    name,
    { required: ['input', 'in'], optional: ['as', 'arrayIndexAs'] },
    { notObject: 16878, unknown: 16879, missing: { input: 16880, in: 16882 } },
  );
  const as = nameOf(spec['as'], 'this', name);
  const input = compile(spec['input']);
  const each = compile(spec['in'], [as]);
  return (doc, v) => {
    const items = input(doc, v);
    if (isNull(items)) return null;
    if (!Array.isArray(items)) throw new EngineError(16883, `input to $map must be an array not ${typeName(items)}`);
    return items.map((item) => each(doc, with_(v, { [as]: item })) ?? null);
  };
};

const filter: Operator = (argument, name, compile) => {
  const spec = fieldsOf(
    argument,
    name,
    { required: ['input', 'cond'], optional: ['as', 'limit'] },
    { notObject: 28646, unknown: 28647, missing: { input: 28648, cond: 28650 } },
  );
  const as = nameOf(spec['as'], 'this', name);
  const input = compile(spec['input']);
  const cond = compile(spec['cond'], [as]);
  const limit = spec['limit'] === undefined ? undefined : compile(spec['limit']);
  return (doc, v) => {
    const items = input(doc, v);
    if (isNull(items)) return null;
    if (!Array.isArray(items)) throw new EngineError(28651, `input to $filter must be an array not ${typeName(items)}`);
    const wanted = limit?.(doc, v);
    const most = isNull(wanted) ? Infinity : toInt32(wanted);
    if (most === undefined)
      throw new EngineError(327391, '$filter: limit must be represented as a 32-bit integral value');
    if (most < 1) throw new EngineError(327392, `$filter: limit must be greater than 0. Got ${most}`);
    const out: Value[] = [];
    for (const item of items) {
      if (out.length >= most) break;
      if (truthy(cond(doc, with_(v, { [as]: item })))) out.push(item);
    }
    return out;
  };
};

const reduce: Operator = (argument, name, compile) => {
  const spec = fieldsOf(
    argument,
    name,
    { required: ['input', 'initialValue', 'in'] },
    { notObject: 40075, unknown: 40076, missing: { input: 40077, initialValue: 40078, in: 40079 } },
  );
  const [input, initial, each] = [
    compile(spec['input']),
    compile(spec['initialValue']),
    compile(spec['in'], ['this', 'value']),
  ];
  return (doc, v) => {
    const items = input(doc, v);
    if (isNull(items)) return null;
    if (!Array.isArray(items))
      throw new EngineError(40080, `$reduce requires that 'input' be an array, found: ${typeName(items)}`);
    let value: Value = initial(doc, v);
    for (const item of items) value = each(doc, with_(v, { this: item, value }));
    return value;
  };
};

export const loops: Readonly<Record<string, Operator>> = { $map: map, $filter: filter, $reduce: reduce };
