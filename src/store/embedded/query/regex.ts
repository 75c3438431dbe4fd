import { EngineError } from '../errors.js';
import { fromPcre } from './pcre.js';

/** https://www.mongodb.com/docs/manual/reference/operator/query/regex/#pcre-regular-expressions */
const MAX_BYTES = 16_384;

/** Compiled ones, since an expression compiles its own for each document. */
const compiled = new Map<string, RegExp>();
const MOST_KEPT = 256;

/**
 * Both forms of a regular expression, which is PCRE's.
 *
 * @throws {EngineError} `invalid`: the pattern is none, or of a kind that JavaScript can not search by; 2: a null byte;
 *   51108: a flag there is not
 */
export function toRegExp(pattern: string, flags: string, invalid = 51091): RegExp {
  const kept = compiled.get(`${flags}/${pattern}`);
  if (kept) return kept;
  if (pattern.includes('\0'))
    throw new EngineError('BadValue', 'Regular expression cannot contain an embedded null byte');
  if (Buffer.byteLength(pattern) > MAX_BYTES)
    throw new EngineError(invalid, `Regular expression is invalid: longer than ${MAX_BYTES} bytes`);
  for (const flag of flags)
    if (!'imsxu'.includes(flag)) throw new EngineError(51108, `invalid flag in regex options: ${flag}`);
  try {
    const translated = fromPcre(pattern, flags);
    const regex = new RegExp(translated.source, translated.flags);
    if (compiled.size >= MOST_KEPT) compiled.clear();
    compiled.set(`${flags}/${pattern}`, regex);
    return regex;
  } catch (error) {
    throw new EngineError(invalid, `Regular expression is invalid: ${error instanceof Error ? error.message : ''}`);
  }
}
