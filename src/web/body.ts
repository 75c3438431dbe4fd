import type { Context } from 'koa';
import { z } from 'zod';
import { HttpError } from './http-error.js';

const MAX_BODY = 12 * 1024 * 1024;

/** The request's bytes. @throws {HttpError} 413 too large */
export async function rawBody(ctx: Context, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): HttpError => new HttpError(413, 'tooLarge', `the body is over ${maxBytes} bytes`);
  if (Number(ctx.get('content-length')) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  // Read to its end even when it is too large: a request that is left half read takes the next one on its connection along.
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maxBytes) chunks.push(chunk);
  }
  if (length > maxBytes) throw tooLarge();
  return Buffer.concat(chunks);
}

/** The request's JSON, parsed by `schema`. @throws {HttpError} 413 too large, 400 no JSON or not what is asked for */
export async function body<S extends z.ZodType>(ctx: Context, schema: S): Promise<z.output<S>> {
  const bytes = await rawBody(ctx, MAX_BODY);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new HttpError(400, 'badJson', 'the body is no JSON');
  }
  return checked(json, schema);
}

/** @throws {HttpError} 400: says which field takes what */
export function checked<S extends z.ZodType>(value: unknown, schema: S): z.output<S> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new HttpError(400, 'badRequest', z.prettifyError(parsed.error));
  return parsed.data;
}
