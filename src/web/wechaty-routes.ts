import { Router } from '@koa/router';
import type { Context } from 'koa';
import QRCode from 'qrcode';
import type { WechatyChannel, WechatyStatus } from '../channels/wechaty/index.js';
import { HttpError } from './http-error.js';

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

/** Whoever scans the code is the bot: it is shown on this machine only, wherever the rest is served. */
function localOnly(ctx: Context): void {
  if (!LOOPBACK.test(ctx.req.socket.remoteAddress ?? '') || !LOCAL_HOST.test(ctx.get('host')))
    throw new HttpError(403, 'localOnly', 'the login code is shown on this machine only');
  ctx.set('cache-control', 'no-store');
}

/** The state of the Wechaty channel and, while somebody has to scan it, the login code: `/wechaty`, `/api/wechaty`. */
export function wechatyRoutes(channel: Pick<WechatyChannel, 'status'>): Router {
  const router = new Router();
  router.get('/wechaty', async (ctx) => {
    localOnly(ctx);
    ctx.type = 'html';
    ctx.body = await page(await channel.status());
  });
  router.get('/api/wechaty', async (ctx) => {
    localOnly(ctx);
    const { code, ...status } = await channel.status();
    ctx.body = { ...status, needsScan: code !== undefined };
  });
  return router;
}

const SIGNS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => SIGNS[c] ?? c);
const time = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z');

/** Written out here and without scripts: it must work when nothing else does. */
async function page({ puppet, up, since, reason, code, restUntil, rooms, gaps }: WechatyStatus): Promise<string> {
  const state = up ? '已连接' : '没有连接';
  const scan =
    code === undefined
      ? ''
      : `<h2>请用微信扫码登录</h2><p>扫码的微信号就是机器人，建议用专门的号。二维码过期会自动换新。</p>
<div style="width:min(320px,90vw)" role="img" aria-label="登录二维码">${await QRCode.toString(code, { type: 'svg', margin: 2 })}</div>`;
  const gapRows = gaps.map((g) => `<tr><td>${time(g.from)}<td>${time(g.to)}<td>${escaped(g.reason)}`);
  const roomRows = rooms.map((r) => `<tr><td>${escaped(r.topic)}<td>${r.size}`);
  return `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5"><title>微信通道</title>
<style>body{font:18px/1.5 sans-serif;margin:1em auto;max-width:48em;padding:0 1em}td,th{text-align:left;padding:.2em 1em .2em 0}</style>
<main><h1>微信通道（${escaped(puppet)}）</h1>
<p>${state}，自 ${time(since)}${up || reason === '' ? '' : `。原因：${escaped(reason)}`}</p>
${restUntil ? `<p>微信提示操作过于频繁，${time(restUntil)} 前不发消息</p>` : ''}${scan}
<h2>断开的时段</h2><p>这些时段里群里说的话可能没有收到。请大家先发「我的服务」看看登记上没有，没有再发一次。</p>
<table><tr><th>从<th>到<th>原因${gapRows.join('')}</table>
<h2>所在的群（${rooms.length}）</h2><table><tr><th>群名<th>人数${roomRows.join('')}</table></main></html>`;
}
