import type { Collation } from '../bson/collation.js';
import { EngineError } from '../errors.js';
import { isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { assertPath, field, setField } from '../query/path.js';
import { constancyOf, noteReading, noteVarying } from './constancy.js';
import { assertTextSize } from './operators/arguments.js';
import { operators } from './operators/index.js';
import { assertReadable } from './variable-names.js';

export interface Variables {
  readonly now: Date;
  readonly let: Doc;
  /** How texts are compared. */
  readonly collation?: Collation | undefined;
}
export type Evaluate = (doc: Doc, variables: Variables) => Value;
/** Compiles an operand; `bound` names the variables that the operator sets for it. */
export type Compile = (expr: Value, bound?: readonly string[]) => Evaluate;
export type Operator = (argument: Value, name: string, compile: Compile) => Evaluate;

/** A path in an expression: an array on the way gives an array of what its documents have. */
export function pathValue(value: Value, parts: readonly string[], at = 0): Value {
  const part = parts[at];
  if (part === undefined) return value;
  if (isDoc(value)) return pathValue(field(value, part), parts, at + 1);
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((item) => {
    const inner = isDoc(item) ? pathValue(item, parts, at) : undefined;
    return inner === undefined ? [] : [inner];
  });
}

/** https://www.mongodb.com/docs/manual/reference/aggregation-variables/ */
function variable(text: string, bound: ReadonlySet<string> | undefined): Evaluate {
  const path = text.slice(2);
  const [name = '', ...parts] = path.split('.');
  assertReadable(name);
  const evaluate = variableOf(name, parts, bound);
  assertPath(path);
  if (name === 'ROOT' || name === 'CURRENT') noteReading();
  else noteVarying();
  return evaluate;
}

function variableOf(name: string, parts: readonly string[], bound: ReadonlySet<string> | undefined): Evaluate {
  switch (name) {
    case 'ROOT':
      return (doc) => pathValue(doc, parts);
    case 'CURRENT':
      return (doc, { let: set }) => pathValue(Object.hasOwn(set, 'CURRENT') ? set['CURRENT'] : doc, parts);
    case 'NOW':
      return (_doc, { now }) => pathValue(now, parts);
    case 'REMOVE':
      return () => undefined;
    case 'CLUSTER_TIME':
      throw new EngineError(10071200, "Builtin variable '$$CLUSTER_TIME' is not available");
    // What $redact decides.
    case 'DESCEND':
    case 'PRUNE':
    case 'KEEP':
      return () => name.toLowerCase();
    default:
      if (bound && !bound.has(name)) throw new EngineError(17276, `Use of undefined variable: ${name}`);
      return (_doc, variables) => {
        if (!Object.hasOwn(variables.let, name)) throw new EngineError(17276, `Use of undefined variable: ${name}`);
        return pathValue(variables.let[name], parts);
      };
  }
}

let scope: ReadonlySet<string> | undefined;

/** Compiles with these variables, and no others, known: one that there is not is refused before the first document. */
export function compileWith<T>({ let: known }: Pick<Variables, 'let'>, compile: () => T): T {
  const outer = scope;
  scope = new Set(Object.keys(known));
  try {
    return compile();
  } finally {
    scope = outer;
  }
}

/**
 * Compiles an aggregation expression over typed values. `known`: the variables there are; without it a variable is
 * looked for when it is used.
 *
 * @throws {EngineError} 168: no such operator; 17276: no such variable; what constants that cannot be evaluated have
 */
export function compileExpression(expr: Value, known = scope): Evaluate {
  const compile: Compile = (inner, bound = []) =>
    compileExpression(inner, known && bound.length > 0 ? new Set([...known, ...bound]) : known);
  if (typeof expr === 'string') {
    if (expr.startsWith('$$')) return variable(expr, known);
    if (expr.startsWith('$')) return path(expr.slice(1));
    assertTextSize(expr);
    return () => expr;
  }
  if (Array.isArray(expr)) {
    const items = expr.map((item) => compile(item));
    return (doc, v) => items.map((item) => item(doc, v) ?? null);
  }
  if (!isDoc(expr)) return () => expr;
  const [first = ''] = Object.keys(expr);
  if (!first.startsWith('$')) return object(expr, compile);
  if (Object.keys(expr).length > 1)
    throw new EngineError(
      15983,
      `an expression specification must contain exactly one field, the name of the expression. Found ${Object.keys(expr).length} fields`,
    );
  const operator = operators[first];
  if (!operator) throw new EngineError(168, `Unrecognized expression '${first}'`);
  const [evaluate, constant] = constancyOf(() => operator(expr[first], first, compile));
  // MongoDB evaluates constants beforehand, also those that no document asks for: their mistakes are told at once.
  if (CHANCES.has(first)) noteReading();
  else if (constant) evaluate({}, BEFOREHAND);
  else noteVarying();
  return evaluate;
}

/** Operators whose value differs although their operands are constants. */
const CHANCES = new Set(['$rand', '$meta']);
const BEFOREHAND: Variables = { now: new Date(0), let: {} };

export const isOperator = (name: string): boolean => Object.hasOwn(operators, name);

/** @throws {EngineError} 40352, 16410, 16412, 16411: a name that a field of a result may not have */
export function assertFieldName(name: string): void {
  if (name === '') throw new EngineError(40352, 'FieldPath cannot be constructed with empty string');
  if (name.includes('.')) throw new EngineError(16412, "FieldPath field names may not contain '.'.");
  assertPath(name);
}

function path(text: string): Evaluate {
  if (text === '') throw new EngineError(16872, "'$' by itself is not a valid FieldPath");
  const parts = assertPath(text);
  noteReading();
  // A variable CURRENT, set by $let alone, stands for the document.
  const [only = ''] = parts;
  if (parts.length === 1)
    return (doc, { let: set }) => (Object.hasOwn(set, 'CURRENT') ? pathValue(set['CURRENT'], parts) : field(doc, only));
  return (doc, { let: set }) => pathValue(Object.hasOwn(set, 'CURRENT') ? set['CURRENT'] : doc, parts);
}

function object(expr: Doc, compile: Compile): Evaluate {
  const fields = Object.entries(expr).map(([k, v]) => {
    if (k.startsWith('$'))
      throw new EngineError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
    if (k.includes('.')) throw new EngineError(16412, `FieldPath field names may not contain '.'.`);
    return [k, compile(v)] as const;
  });
  return (doc, v) => {
    const out: Doc = {};
    for (const [k, evaluate] of fields) {
      const value = evaluate(doc, v);
      if (value !== undefined) setField(out, k, value);
    }
    return out;
  };
}
