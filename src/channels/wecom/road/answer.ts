import { z } from 'zod';
import { NoWay } from '../errors.js';
import { postJson, request } from '../http.js';
import { asMarkdown, BOT_BYTES } from '../text.js';
import type { Ways } from '../ways.js';
import type { Road } from './road.js';

const noFile = (): Promise<void> => Promise.reject(new NoWay('an answer to a callback carries text only'));

/** Into the answer of the callback itself, while it is open. Source: developer.work.weixin.qq.com/document/path/101031. */
export const passiveRoad = (ways: Ways): Road => ({
  name: 'passive',
  images: false,
  files: false,
  mentions: false,
  encode: asMarkdown,
  textBytes: BOT_BYTES,
  leads: (message) => ways.of(message)?.slot?.isOpen ?? false,
  async text(message, piece) {
    const taken = await ways.of(message)?.slot?.offer(piece);
    if (taken !== true) throw new NoWay('the callback waits no longer');
  },
  file: noFile,
});

/** To the address that came with the callback: once, within an hour. Source: document/path/101138. */
export const responseUrlRoad = (ways: Ways): Road => ({
  name: 'responseUrl',
  images: false,
  files: false,
  mentions: false,
  encode: asMarkdown,
  textBytes: BOT_BYTES,
  leads(message) {
    const url = ways.of(message)?.responseUrl;
    return url !== undefined && !ways.isUsed(url);
  },
  async text(message, piece) {
    const url = ways.of(message)?.responseUrl;
    if (url === undefined || !ways.use(url)) throw new NoWay('the address for late answers was used');
    const body = { msgtype: 'markdown', markdown: { content: piece } };
    await request('response_url', url, postJson(body), z.looseObject({}));
  },
  file: noFile,
});
