import type { Collation } from '../../bson/collation.js';
import { compare } from '../../bson/compare.js';
import { isDoc, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import type { Compile, Evaluate, Operator, Variables } from '../expression.js';

type Compute = (values: readonly Value[], variables: Variables) => Value;

const list = (argument: Value): readonly Value[] => (Array.isArray(argument) ? argument : [argument]);

/** The argument as an array of expressions, or one alone. */
export const compileList = (argument: Value, compile: Compile): Evaluate[] => list(argument).map((a) => compile(a));

/** Any number of arguments. */
export const many =
  (compute: Compute): Operator =>
  (argument, _name, compile) => {
    const args = compileList(argument, compile);
    return (doc, v) =>
      compute(
        args.map((a) => a(doc, v)),
        v,
      );
  };

/** Any number of arguments, evaluated one by one for as long as they are asked for. */
export const lazily =
  (compute: (values: Iterable<Value>) => Value): Operator =>
  (argument, _name, compile) => {
    const args = compileList(argument, compile);
    return (doc, v) =>
      compute(
        (function* () {
          for (const a of args) yield a(doc, v);
        })(),
      );
  };

function assertCount(argument: Value, name: string, least: number, most: number): void {
  const n = list(argument).length;
  if (n >= least && n <= most) return;
  throw least === most
    ? new EngineError(
        16020,
        `Expression ${name} takes exactly ${least} argument${least === 1 ? '' : 's'}. ${n} were passed in.`,
      )
    : new EngineError(
        28667,
        `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${n} were passed in.`,
      );
}

/** @throws {EngineError} 16020, 28667: another number of arguments */
export const between =
  (least: number, most: number, compute: Compute): Operator =>
  (argument, name, compile) => {
    assertCount(argument, name, least, most);
    return many(compute)(argument, name, compile);
  };

/** Null where the first argument is, before the others are evaluated. @throws {EngineError} as `between` */
export const unlessNull =
  (least: number, most: number, compute: Compute): Operator =>
  (argument, name, compile) => {
    assertCount(argument, name, least, most);
    const [first, ...rest] = compileList(argument, compile);
    return (doc, v) => {
      const value = first?.(doc, v);
      return isNull(value) ? null : compute([value, ...rest.map((a) => a(doc, v))], v);
    };
  };

export const one = (compute: (a: Value, v: Variables) => Value): Operator => between(1, 1, ([a], v) => compute(a, v));
export const two = (compute: (a: Value, b: Value, v: Variables) => Value): Operator =>
  between(2, 2, ([a, b], v) => compute(a, b, v));

/** The codes of a named argument's mistakes. */
export interface NamedCodes {
  readonly notObject: number | 'FailedToParse';
  readonly unknown: number | 'FailedToParse';
  readonly missing: number | 'FailedToParse' | Readonly<Record<string, number>>;
}

/** @throws {EngineError} no object, an unknown field, one missing: with the operator's own codes */
export function fieldsOf(
  argument: Value,
  name: string,
  names: { readonly required: readonly string[]; readonly optional?: readonly string[] },
  codes: NamedCodes,
): Doc {
  if (!isDoc(argument)) throw new EngineError(codes.notObject, `${name} only supports an object as its argument`);
  const odd = Object.keys(argument).find((k) => !names.required.includes(k) && !names.optional?.includes(k));
  if (odd !== undefined) throw new EngineError(codes.unknown, `Unrecognized argument to ${name}: ${odd}`);
  for (const k of names.required)
    if (!(k in argument)) {
      const code = typeof codes.missing === 'object' ? codes.missing[k] : codes.missing;
      throw new EngineError(code ?? 'FailedToParse', `Missing '${k}' parameter to ${name}`);
    }
  return argument;
}

/** An operator whose argument is an object of expressions. */
export const named =
  (
    names: { readonly required: readonly string[]; readonly optional?: readonly string[] },
    codes: NamedCodes,
    compute: (values: Doc, variables: Variables) => Value,
  ): Operator =>
  (argument, name, compile) => {
    const fields = Object.entries(fieldsOf(argument, name, names, codes)).map(([k, v]) => [k, compile(v)] as const);
    return (doc, v) => compute(Object.fromEntries(fields.map(([k, evaluate]) => [k, evaluate(doc, v)])), v);
  };

/** @throws {EngineError} 9: a name that no variable of a user may have. https://www.mongodb.com/docs/manual/reference/aggregation-variables/#user-variables */
export function assertVariable(name: string): void {
  if (!/^[a-z\u0080-\uFFFF][\w\u0080-\uFFFF]*$/.test(name) && name !== 'CURRENT')
    throw new EngineError('FailedToParse', `'${name}' starts with an invalid character for a user variable name`);
}

export const isNull = (v: Value): v is null | undefined => v === null || v === undefined;

/** @throws {EngineError} with the operator's own code: no array */
export const arrayOf = (v: Value, code: number, message: string): readonly Value[] => {
  if (!Array.isArray(v)) throw new EngineError(code, `${message}, found: ${typeName(v)}`);
  return v;
};

/** As `compare`, but missing is below null. */
export const order = (a: Value, b: Value, collation?: Collation): number =>
  a === undefined || b === undefined
    ? Number(a !== undefined) - Number(b !== undefined) || 0
    : compare(a, b, collation?.compare);
