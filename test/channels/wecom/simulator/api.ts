import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { encryptedFile, md5 } from './cipher.js';
import { type Phones, plain } from './phones.js';

export const CORP = 'ww0123456789abcdef';
export const AGENT = 1000002;
export const APP_SECRET = 'app-secret-of-the-simulator';

const MAX_TEXT = 2048;
const Text = z.object({ content: z.string(), mentioned_list: z.array(z.string()).default([]) });
const Media = z.object({ media_id: z.string() });
const Message = z.object({
  touser: z.string().optional(),
  chatid: z.string().optional(),
  agentid: z.number().optional(),
  msgtype: z.enum(['text', 'image', 'file', 'markdown']),
  text: Text.optional(),
  markdown: Text.optional(),
  file: Media.optional(),
});
const AppMessage = Message.extend({ image: Media.optional() });
const HookMessage = Message.extend({ image: z.object({ base64: z.string(), md5: z.string() }).optional() });

/** WeCom's HTTP API: tokens that expire, limits, errors on demand, files under keys. Answers 200 with an errcode, as WeCom does. */
export class ApiServer {
  readonly server: Server;
  readonly #phones: Phones;
  /** How often each path was called, refused calls too. */
  readonly calls = new Map<string, number>();
  /** Error codes that the next calls of a path get; 'drop' breaks the connection after the work is done. */
  readonly #faults = new Map<string, (number | 'drop')[]>();
  readonly #media = new Map<string, Buffer>();
  readonly #files = new Map<string, Buffer>();
  readonly #chats = new Map<string, readonly string[]>();
  /** Addresses for late answers, each good once. */
  readonly #responses = new Map<string, { to: { room: string } | { person: string }; answers: string }>();
  readonly unreachable = new Set<string>();
  /** Robots in groups: key to group. */
  readonly robots = new Map<string, string>();
  directory: {
    departments: { id: number; name: string }[];
    users: { userid: string; name: string; department: number[] }[];
  } = {
    departments: [],
    users: [],
  };
  #token = '';

  constructor(phones: Phones) {
    this.#phones = phones;
    this.server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  failNext(path: string, ...codes: (number | 'drop')[]): void {
    this.#faults.set(path, [...(this.#faults.get(path) ?? []), ...codes]);
  }

  /** Tokens given out so far are no longer good. */
  revokeToken(): void {
    this.#token = '';
  }

  called(path: string): number {
    return this.calls.get(path) ?? 0;
  }

  responseUrl(to: { room: string } | { person: string }, answers: string): string {
    const code = randomBytes(12).toString('hex');
    this.#responses.set(code, { to, answers });
    return `${this.url}/cgi-bin/aibot/response?response_code=${code}`;
  }

  /** Serves a picture under its own key, as in long-connection mode, or under the callback's. */
  serveFile(bytes: Buffer, key: Buffer = randomBytes(32)): { url: string; aeskey: string } {
    const id = randomBytes(8).toString('hex');
    this.#files.set(id, encryptedFile(bytes, key));
    return { url: `${this.url}/files/${id}`, aeskey: key.toString('base64') };
  }

  /** A picture that somebody sent to the app. */
  keepMedia(bytes: Buffer): string {
    const id = `m${this.#media.size + 1}`;
    this.#media.set(id, bytes);
    return id;
  }

  media(id: string): Buffer {
    const found = this.#media.get(id);
    if (!found) throw new Error(`no media ${id}`);
    return found;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const path = url.pathname.replace('/cgi-bin/', '');
    this.calls.set(path, (this.calls.get(path) ?? 0) + 1);
    const fault = this.#faults.get(path)?.shift();
    const file = this.#files.get(url.pathname.replace('/files/', ''));
    if (file) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(file);
      return;
    }
    if (path === 'media/get' && this.#authorised(url)) {
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end(this.media(url.searchParams.get('media_id') ?? ''));
      return;
    }
    const answer =
      typeof fault === 'number' ? { errcode: fault, errmsg: 'as told' } : await this.#answer(path, url, body, request);
    if (fault === 'drop') {
      request.socket.destroy();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #authorised = (url: URL): boolean => this.#token !== '' && url.searchParams.get('access_token') === this.#token;

  async #answer(path: string, url: URL, body: Buffer, request: IncomingMessage): Promise<object> {
    const q = url.searchParams;
    if (path === 'gettoken') {
      if (q.get('corpid') !== CORP || q.get('corpsecret') !== APP_SECRET) return { errcode: 40001 };
      this.#token ||= randomBytes(32).toString('hex');
      return { errcode: 0, errmsg: 'ok', access_token: this.#token, expires_in: 7200 };
    }
    if (path === 'aibot/response') return this.#late(q.get('response_code') ?? '', body);
    if (path.startsWith('webhook/')) return this.#webhook(path, q.get('key') ?? '', body, request);
    if (!this.#authorised(url)) return { errcode: 42001, errmsg: 'access_token expired' };
    switch (path) {
      case 'message/send':
        return this.#send(AppMessage.parse(JSON.parse(body.toString())));
      case 'appchat/create': {
        const { userlist, chatid } = z
          .object({ userlist: z.array(z.string()).min(2), chatid: z.string().regex(/^[0-9a-zA-Z]{1,32}$/) })
          .parse(JSON.parse(body.toString()));
        if (this.#chats.has(chatid)) return { errcode: 86215 };
        this.#chats.set(chatid, userlist);
        return { errcode: 0, chatid };
      }
      case 'appchat/send': {
        const message = AppMessage.parse(JSON.parse(body.toString()));
        if (!this.#chats.has(message.chatid ?? '')) return { errcode: 86004 };
        this.#show(message, { room: message.chatid ?? '' }, 'appchat');
        return { errcode: 0 };
      }
      case 'media/upload':
        return { errcode: 0, media_id: this.keepMedia(await uploaded(request, body)), created_at: '1' };
      case 'department/list':
        return { errcode: 0, department: this.directory.departments };
      case 'user/simplelist':
        return { errcode: 0, userlist: this.directory.users };
      default:
        return { errcode: 40066, errmsg: path };
    }
  }

  #send(message: z.output<typeof AppMessage>): object {
    if (message.agentid !== AGENT) return { errcode: 301002 };
    const to = message.touser ?? '';
    if (this.unreachable.has(to)) return { errcode: 81013, errmsg: 'all invalid' };
    if (Buffer.byteLength(message.text?.content ?? '') > MAX_TEXT) return { errcode: 45002 };
    this.#show(message, { person: to }, 'app');
    return { errcode: 0, msgid: 'x' };
  }

  #show(message: z.output<typeof AppMessage>, to: { room: string } | { person: string }, via: 'app' | 'appchat'): void {
    const id = message.image?.media_id ?? message.file?.media_id;
    this.#phones.show({
      to,
      via,
      text: message.text?.content ?? '',
      mentions: message.text?.mentioned_list ?? [],
      files: id === undefined ? [] : [this.media(id)],
    });
  }

  #late(code: string, body: Buffer): object {
    const waiting = this.#responses.get(code);
    if (!waiting) return { errcode: 95012, errmsg: 'used or unknown' };
    this.#responses.delete(code);
    const { markdown } = z
      .object({ msgtype: z.literal('markdown'), markdown: Text })
      .parse(JSON.parse(body.toString()));
    this.#phones.show({ ...waiting, via: 'responseUrl', text: plain(markdown.content) });
    return { errcode: 0 };
  }

  async #webhook(path: string, key: string, body: Buffer, request: IncomingMessage): Promise<object> {
    const room = this.robots.get(key);
    if (room === undefined) return { errcode: 93000, errmsg: 'invalid webhook url' };
    if (path === 'webhook/upload_media') return { errcode: 0, media_id: this.keepMedia(await uploaded(request, body)) };
    const message = HookMessage.parse(JSON.parse(body.toString()));
    const text = message.text?.content ?? (message.markdown ? plain(message.markdown.content) : '');
    if (Buffer.byteLength(text) > (message.markdown ? 4096 : MAX_TEXT)) return { errcode: 45002 };
    const picture = message.image ? Buffer.from(message.image.base64, 'base64') : undefined;
    if (picture && md5(picture) !== message.image?.md5) return { errcode: 40035 };
    this.#phones.show({
      to: { room },
      via: 'webhook',
      text,
      mentions: message.text?.mentioned_list ?? [],
      files: picture ? [picture] : message.file ? [this.media(message.file.media_id)] : [],
    });
    return { errcode: 0 };
  }
}

async function uploaded(request: IncomingMessage, body: Buffer): Promise<Buffer> {
  const form = await new Response(new Uint8Array(body), {
    headers: { 'content-type': request.headers['content-type'] ?? '' },
  }).formData();
  const media = form.get('media');
  if (!(media instanceof Blob) || media.size <= 5) throw new Error('no media');
  return Buffer.from(await media.arrayBuffer());
}
