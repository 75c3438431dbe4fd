import { EngineError } from '../errors.js';
import { fromPcre, PatternError } from './pcre.js';

/** https://www.mongodb.com/docs/manual/reference/operator/query/regex/#pcre-regular-expressions */
const MAX_BYTES = 16_384;

/** Compiled ones, since an expression compiles its own for each document. */
const compiled = new Map<string, RegExp>();
const MOST_KEPT = 256;

/** Both forms of a regular expression, which is PCRE's; `invalid` is the code of a pattern that is none. */
export function toRegExp(pattern: string, flags: string, invalid = 51091): RegExp {
  const key = `${flags}/${pattern}`;
  const kept = compiled.get(key);
  if (kept) return kept;
  if (pattern.includes('\0'))
    throw new EngineError('BadValue', 'Regular expression cannot contain an embedded null byte');
  if (Buffer.byteLength(pattern) > MAX_BYTES)
    throw new EngineError(invalid, `Regular expression is invalid: longer than ${MAX_BYTES} bytes`);
  for (const flag of flags)
    if (!'imsxu'.includes(flag)) throw new EngineError(51108, `invalid flag in regex options: ${flag}`);
  const has = (flag: string): boolean => flags.includes(flag);
  try {
    const { source, ignoreCase } = fromPcre(pattern, { i: has('i'), m: has('m'), s: has('s'), x: has('x') });
    const regex = new RegExp(source, ignoreCase ? 'iu' : 'u');
    if (compiled.size >= MOST_KEPT) compiled.clear();
    compiled.set(key, regex);
    return regex;
  } catch (error) {
    if (error instanceof PatternError && !error.supported)
      throw new EngineError(
        'NotImplemented',
        `${error.message} in a regular expression is not supported by the embedded engine`,
      );
    if (error instanceof PatternError || error instanceof SyntaxError)
      throw new EngineError(invalid, `Regular expression is invalid: ${error.message}`);
    throw error;
  }
}
