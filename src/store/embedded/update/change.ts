import type { Collation } from '../bson/collation.js';
import { isDoc, typeName } from '../bson/types.js';
import type { Value } from '../bson/value.js';
import { badValue as bad, EngineError } from '../errors.js';

/** Removes the field when it is what an operator gives back. */
export const REMOVE = Symbol('remove');

/** What an operator makes of the value at a path; undefined: there is none. */
export type Change = (before: Value, context: { inserting: boolean }) => Value | typeof REMOVE;

export interface OperatorOptions {
  readonly now: Date;
  readonly collation?: Collation | undefined;
}

/** Compiles an operator's operand for one path. @throws {EngineError} 2, 9, 14: it is of the wrong kind */
export type Operator = (operand: Value, path: string, options: OperatorOptions) => Change;

export { bad };
export const failed = (message: string): EngineError => new EngineError('FailedToParse', message);
export const mismatch = (message: string): EngineError => new EngineError('TypeMismatch', message);

/** A value as an error message tells it. */
export const show = (v: Value): string => (isDoc(v) || Array.isArray(v) ? JSON.stringify(v) : String(v));

/** In MongoDB's words, which clients look for. */
export function notArray(operator: '$push' | '$addToSet', path: string, v: Value): EngineError {
  const name = path.slice(path.lastIndexOf('.') + 1);
  return bad(
    operator === '$push'
      ? `The field '${name}' must be an array but is of type ${typeName(v)}`
      : `Cannot apply $addToSet to non-array field. Field named '${name}' has non-array type ${typeName(v)}`,
  );
}
