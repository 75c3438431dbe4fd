import { z } from 'zod';
import { SendUnknown } from '../../bot/channel.js';
import { NotSent, Refused } from './errors.js';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER = 4 * 1024 * 1024;

const Answer = z.looseObject({ errcode: z.number().int().default(0) });

/** More came than is taken. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** Failures before anything was sent: the address did not resolve or nobody listened. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The system's code of a failed fetch, which wraps its reason. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : '';
}

/**
 * Sends one request to WeCom and reads its JSON. `what` names it in errors; the address, which holds secrets, never does.
 *
 * @throws {Refused} WeCom answered with an error code
 * @throws {NotSent} the request did not leave
 * @throws {SendUnknown} no answer came: it may have been carried out
 */
export async function request<S extends z.ZodType>(
  what: string,
  url: string,
  init: RequestInit,
  answer: S,
): Promise<z.output<S>> {
  const { bytes } = await bytesOf(what, url, init, MAX_ANSWER);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
    const { errcode } = Answer.parse(json);
    if (errcode !== 0) throw new Refused(errcode, what);
    return answer.parse(json);
  } catch (cause) {
    throw cause instanceof Refused ? cause : new SendUnknown(`${what}: not the answer that is documented`, { cause });
  }
}

/** As `request`, for an answer that is a picture or file. */
export async function bytesOf(
  what: string,
  url: string,
  init: RequestInit,
  maxBytes: number,
): Promise<{ bytes: Buffer; type: string; name: string | undefined }> {
  let response: Response;
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    for await (const chunk of response.body ?? []) {
      length += (chunk as Uint8Array).length;
      if (length > maxBytes) break;
      chunks.push(chunk as Uint8Array);
    }
  } catch (cause) {
    const code = codeOf(cause);
    if (UNSENT.has(code)) throw new NotSent(`${what}: ${code}`);
    throw new SendUnknown(`${what}: no answer`, { cause });
  }
  if (length > maxBytes) throw new TooLarge(`${what}: the answer is over ${maxBytes} bytes`);
  if (!response.ok) throw new SendUnknown(`${what}: HTTP ${response.status}`);
  const name = /filename\*=UTF-8''([^;\s]+)|filename="?([^";]+)"?/i.exec(
    response.headers.get('content-disposition') ?? '',
  );
  return {
    bytes: Buffer.concat(chunks),
    type: response.headers.get('content-type') ?? '',
    name: name?.[1] === undefined ? name?.[2] : decodeURIComponent(name[1]),
  };
}

export const postJson = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
