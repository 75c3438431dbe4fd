import { EngineError } from '../errors.js';

/** https://www.mongodb.com/docs/manual/reference/operator/query/regex/#pcre-regular-expressions */
const MAX_BYTES = 16_384;

/** Both forms of a regular expression; `invalid` is the code of a pattern that is none; PCRE's `x` is taken out here, since JavaScript has none. */
export function toRegExp(pattern: string, flags: string, invalid = 51091): RegExp {
  if (pattern.includes('\0'))
    throw new EngineError('BadValue', 'Regular expression cannot contain an embedded null byte');
  if (Buffer.byteLength(pattern) > MAX_BYTES)
    throw new EngineError(invalid, `Regular expression is invalid: longer than ${MAX_BYTES} bytes`);
  let source = pattern;
  let all = flags;
  const inline = /^\(\?([imsx]+)\)/.exec(source);
  if (inline) {
    source = source.slice(inline[0].length);
    all += inline[1] ?? '';
  }
  for (const flag of all)
    if (!'imsxu'.includes(flag)) throw new EngineError(51108, `invalid flag in regex options: ${flag}`);
  if (all.includes('x'))
    source = source.replace(/\\.|\[(?:\\.|[^\]])*\]|#[^\n]*|\s+/g, (m) =>
      m.startsWith('\\') || m.startsWith('[') ? m : '',
    );
  const kept = [...new Set(all)].filter((f) => 'ims'.includes(f)).join('');
  try {
    return new RegExp(source, kept.includes('u') ? kept : `${kept}u`);
  } catch {
    try {
      return new RegExp(source, kept);
    } catch (error) {
      throw new EngineError(invalid, `Regular expression is invalid: ${error instanceof Error ? error.message : ''}`);
    }
  }
}
