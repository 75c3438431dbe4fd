import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import type { Router } from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.js';
import { HttpError } from './http-error.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
};
const CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors 'none'";
/** Requests that prove who sent them by a signature: they come through a proxy, under the name that people know. */
const SIGNED = /^\/(?:callbacks|files)\//;
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

export interface WebOptions {
  readonly routers: readonly Router[];
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Only requests to a loopback name are answered: a page elsewhere can't point its own name here. */
  readonly loopbackOnly: boolean;
  /** What /metrics asks for as a bearer token; undefined: it is open. */
  readonly metricsToken?: string | undefined;
  /** The built page. */
  readonly uiFolder: string;
  readonly ready: () => Promise<string | undefined>;
}

/** Digests have one length, so that the comparison tells nothing of the token. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The program's HTTP side: API, health, metrics and the page. */
export function createWeb({ routers, metrics, log, loopbackOnly, metricsToken, uiFolder, ready }: WebOptions): Koa {
  const app = new Koa();
  app.on('error', (err: NodeJS.ErrnoException) => {
    // A page that is closed while it listens for events: every day's business.
    if (err.code !== 'ERR_STREAM_PREMATURE_CLOSE' && err.code !== 'ECONNRESET') log.warn({ err }, 'http');
  });
  app.use(async (ctx, next) => {
    try {
      if (loopbackOnly && !SIGNED.test(ctx.path) && !LOCAL_HOST.test(ctx.get('host')))
        throw new HttpError(403, 'wrongHost', 'this address is served to this machine only');
      ctx.set({
        'content-security-policy': CSP,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      await next();
      if (ctx.status === 404 && ctx.body === undefined) throw new HttpError(404, 'notFound', `nothing at ${ctx.path}`);
    } catch (error) {
      const known = error instanceof HttpError;
      if (!known) log.error({ err: error, path: ctx.path }, 'request failed');
      ctx.status = known ? error.status : 500;
      ctx.body = {
        error: { code: known ? error.code : 'internal', message: known ? error.message : 'something went wrong' },
      };
    }
  });
  app.use(async (ctx, next) => {
    if (ctx.path === '/healthz') ctx.body = { ok: true };
    else if (ctx.path === '/readyz') {
      const problem = await ready();
      ctx.status = problem === undefined ? 200 : 503;
      ctx.body = problem === undefined ? { ok: true } : { ok: false, problem };
    } else if (ctx.path === '/metrics') {
      if (
        metricsToken !== undefined &&
        !timingSafeEqual(digest(ctx.get('authorization')), digest(`Bearer ${metricsToken}`))
      )
        throw new HttpError(401, 'unauthorized', 'the bearer token METRICS_TOKEN is asked for here');
      ctx.set('content-type', metrics.registry.contentType);
      ctx.body = await metrics.registry.metrics();
    } else await next();
  });
  for (const router of routers) app.use(router.routes()).use(router.allowedMethods());
  app.use(async (ctx) => {
    if ((ctx.method !== 'GET' && ctx.method !== 'HEAD') || ctx.path.startsWith('/api/')) return;
    const path = normalize(ctx.path === '/' ? '/index.html' : ctx.path);
    const file = join(uiFolder, path);
    const found = file.startsWith(uiFolder) ? await stat(file).catch(() => undefined) : undefined;
    if (!found?.isFile()) return;
    ctx.set({
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
    ctx.body = createReadStream(file);
  });
  return app;
}
