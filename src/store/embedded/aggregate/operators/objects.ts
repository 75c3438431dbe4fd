import { isDoc, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { field } from '../../query/path.js';
import type { Compile, Evaluate, Operator, Variables } from '../expression.js';
import { fieldsOf, isNull, many, one } from './arguments.js';

function arrayToObject(v: Value): Value {
  if (isNull(v)) return null;
  if (!Array.isArray(v)) throw new EngineError(40386, `$arrayToObject requires an array input, found: ${typeName(v)}`);
  const out: Doc = {};
  const pairs = v.length > 0 && Array.isArray(v[0]);
  for (const item of v) {
    if (pairs) {
      if (!Array.isArray(item))
        throw new EngineError(
          40396,
          '$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects.',
        );
      if (item.length !== 2)
        throw new EngineError(
          40397,
          `$arrayToObject requires an array of size 2 arrays, found array of size: ${item.length}`,
        );
      if (typeof item[0] !== 'string')
        throw new EngineError(
          40395,
          '$arrayToObject requires an array of key-value pairs, where the key must be of type string.',
        );
      if (item[0].includes('\0')) throw new EngineError(4940400, 'Key field cannot contain an embedded null byte');
      out[item[0]] = item[1];
    } else {
      if (Array.isArray(item))
        throw new EngineError(
          40391,
          '$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects.',
        );
      if (!isDoc(item))
        throw new EngineError(40398, `Unrecognised input type format for $arrayToObject: ${typeName(item)}`);
      if (Object.keys(item).length !== 2)
        throw new EngineError(40392, "$arrayToObject requires an object keys of 'k' and 'v'.");
      if (!('k' in item) || !('v' in item))
        throw new EngineError(40393, "$arrayToObject requires an object with keys 'k' and 'v'.");
      if (typeof item['k'] !== 'string')
        throw new EngineError(
          40394,
          "$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string.",
        );
      if (item['k'].includes('\0')) throw new EngineError(4940401, 'Key field cannot contain an embedded null byte');
      out[item['k']] = item['v'];
    }
  }
  return out;
}

const getField: Operator = (argument, name, compile) => {
  const short = !isDoc(argument) || Object.keys(argument)[0]?.startsWith('$') === true;
  const spec = short
    ? { field: argument, input: '$$CURRENT' }
    : fieldsOf(
        argument,
        name,
        { required: ['field', 'input'] },
        { notObject: 3041701, unknown: 3041701, missing: { field: 3041702, input: 3041703 } },
      );
  const [wanted, input] = [textOf(compile(spec['field']), name, 3041704), compile(spec['input'])];
  return (doc, v) => {
    const from = input(doc, v);
    const key = wanted(doc, v);
    return isDoc(from) ? field(from, key) : isNull(from) ? (from as Value) : undefined;
  };
};

/** @throws {EngineError} with the operator's own code: no text */
const textOf =
  (evaluate: Evaluate, name: string, code: number) =>
  (doc: Doc, variables: Variables): string => {
    const text = evaluate(doc, variables);
    if (typeof text !== 'string')
      throw new EngineError(code, `${name} requires 'field' to evaluate to type String, but got ${typeName(text)}`);
    return text;
  };

function constantText(
  v: Value,
  name: string,
  compile: Compile,
  [path, type, computed]: readonly [path: number, type: number, computed: number],
): (doc: Doc, variables: Variables) => string {
  if (typeof v === 'string' && v.startsWith('$') && !v.startsWith('$$'))
    throw new EngineError(path, `${name} requires 'field' to evaluate to a constant`);
  if (Array.isArray(v) || (isDoc(v) && Object.keys(v)[0]?.startsWith('$') === false))
    throw new EngineError(
      computed,
      `${name} requires 'field' to evaluate to a constant, but got a non-constant argument`,
    );
  return textOf(compile(v), name, type);
}

const setField =
  (removes: boolean): Operator =>
  (argument, name, compile) => {
    const spec = fieldsOf(
      argument,
      name,
      { required: removes ? ['field', 'input'] : ['field', 'value', 'input'] },
      { notObject: 4161100, unknown: 4161101, missing: { field: 4161102, input: 4161109, value: 4161103 } },
    );
    const [input, value] = [compile(spec['input']), removes ? undefined : compile(spec['value'])];
    const wanted = constantText(spec['field'], name, compile, [4161108, 4161107, 4161106]);
    return (doc, v) => {
      const from = input(doc, v);
      if (isNull(from)) return null;
      if (!isDoc(from)) throw new EngineError(4161105, `${name} requires 'input' to evaluate to type Object`);
      const set: Value = value?.(doc, v);
      const key = wanted(doc, v);
      if (set !== undefined) return { ...from, [key]: set };
      const { [key]: _gone, ...rest } = from;
      return rest;
    };
  };

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/#object-expression-operators */
export const objects: Readonly<Record<string, Operator>> = {
  $arrayToObject: one(arrayToObject),
  $objectToArray: one((v) => {
    if (isNull(v)) return null;
    if (!isDoc(v)) throw new EngineError(40390, `$objectToArray requires a document input, found: ${typeName(v)}`);
    return Object.entries(v).map(([k, item]) => ({ k, v: item }));
  }),
  $mergeObjects: many((values) => {
    const out: Doc = {};
    for (const v of values) {
      if (isNull(v)) continue;
      if (!isDoc(v))
        throw new EngineError(
          40400,
          `$mergeObjects requires object inputs, but input ${typeName(v)} is of type ${typeName(v)}`,
        );
      Object.assign(out, v);
    }
    return out;
  }),
  $getField: getField,
  $setField: setField(false),
  $unsetField: setField(true),
};
