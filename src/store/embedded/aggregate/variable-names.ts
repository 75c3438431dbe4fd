import { EngineError } from '../errors.js';

function assertLetters(name: string, first: RegExp, kind: string): void {
  if (name === '') throw new EngineError('FailedToParse', 'empty variable names are not allowed');
  if (!first.test(name))
    throw new EngineError('FailedToParse', `'${name}' starts with an invalid character for a ${kind}`);
  const odd = /[^\w\u0080-\uFFFF]/.exec(name);
  if (odd)
    throw new EngineError('FailedToParse', `'${name}' contains an invalid character for a variable name: '${odd[0]}'`);
}

/** @throws {EngineError} 9: a name that no variable of a user may have. https://www.mongodb.com/docs/manual/reference/aggregation-variables/ */
export function assertVariable(name: string): void {
  if (name !== 'CURRENT') assertLetters(name, /^[a-z\u0080-\uFFFF]/, 'user variable name');
}

/** @throws {EngineError} 9: a name that no variable at all may have */
export const assertReadable = (name: string): void => assertLetters(name, /^[a-zA-Z\u0080-\uFFFF]/, 'variable name');
