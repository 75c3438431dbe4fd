import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createMetrics } from '../../src/metrics.js';
import { createWeb } from '../../src/web/app.js';

const TOKEN = 'a-token-of-some-length';

describe('what is served to the operator', () => {
  let server: Server;
  let problem: string | undefined;
  beforeAll(async () => {
    const web = createWeb({
      routers: [],
      metrics: createMetrics(),
      log: pino({ level: 'silent' }),
      loopbackOnly: true,
      metricsToken: TOKEN,
      uiFolder: '/nowhere',
      ready: () => Promise.resolve(problem),
    });
    server = await new Promise<Server>((resolve) => {
      const listening = web.listen(0, '127.0.0.1', () => resolve(listening));
    });
  });
  afterAll(() => void server.close());
  const get = (path: string, authorization?: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {
      headers: authorization === undefined ? {} : { authorization },
    });

  it('/metrics asks for its token where there is one', async () => {
    expect((await get('/metrics', `Bearer ${TOKEN}`)).status).toBe(200);
    for (const wrong of [undefined, TOKEN, `Bearer ${TOKEN}x`, 'Bearer '])
      expect((await get('/metrics', wrong)).status).toBe(401);
  });

  it('/healthz says that the process lives, /readyz what keeps it from working', async () => {
    problem = 'the channel phones is down';
    expect((await get('/healthz')).status).toBe(200);
    const ready = await get('/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ ok: false, problem });
  });
});
