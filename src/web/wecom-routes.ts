import { Router } from '@koa/router';
import type { Context } from 'koa';
import type { CallbackAnswer, Callbacks } from '../channels/wecom/callbacks.js';
import { rawBody } from './body.js';

/** The longest message of a person, quoted and encrypted, stays well below. */
const MAX_BODY = 256 * 1024;

/** Where WeCom posts to: `/callbacks/wecom/bot` for the AI bot, `/callbacks/wecom/app` for the app. */
export function wecomRoutes(callbacks: Callbacks): Router {
  const routes = new Router({ prefix: '/callbacks/wecom' });
  const answer = (ctx: Context, given: CallbackAnswer): void => {
    let told = false;
    const tell = (delivered: boolean): void => {
      if (!told) given.settled(delivered);
      told = true;
    };
    ctx.res.once('finish', () => tell(true));
    ctx.res.once('close', () => tell(ctx.res.writableFinished));
    if (ctx.res.destroyed) tell(false);
    ctx.status = given.status;
    ctx.type = given.type;
    // An empty text, not no body: WeCom takes 200 alone as taken.
    ctx.body = given.body;
  };
  routes.get('/:scene', async (ctx) => {
    answer(ctx, await callbacks.check(String(ctx['params'].scene), ctx.ip, ctx.query));
  });
  routes.post('/:scene', async (ctx) => {
    answer(ctx, await callbacks.post(String(ctx['params'].scene), ctx.ip, ctx.query, await rawBody(ctx, MAX_BODY)));
  });
  return routes;
}
