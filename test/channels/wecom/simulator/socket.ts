import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { ApiServer } from './api.js';
import { type Phones, plain } from './phones.js';

export const BOT = 'aib-simulated';
export const BOT_SECRET = 'bot-secret-of-the-simulator';

const Frame = z.object({
  cmd: z.string(),
  headers: z.object({ req_id: z.string() }),
  body: z.looseObject({}).optional(),
});
const Subscribe = z.object({ bot_id: z.string(), secret: z.string() });
const Body = z.object({
  chatid: z.string().optional(),
  chat_type: z.number().optional(),
  msgtype: z.string(),
  markdown: z.object({ content: z.string().refine((t) => Buffer.byteLength(t) <= 20_480) }).optional(),
  text: z.object({ content: z.string() }).optional(),
  image: z.object({ media_id: z.string() }).optional(),
  file: z.object({ media_id: z.string() }).optional(),
  template_card: z
    .object({
      task_id: z.string().regex(/^[\w@-]{1,128}$/),
      button_list: z.array(z.object({ text: z.string(), key: z.string().max(1024) })).max(6),
    })
    .optional(),
});
type To = { room: string } | { person: string };

/** The long connection's far end: one connection for a bot, a later one takes over. */
export class SocketServer {
  readonly #sockets: WebSocketServer;
  readonly #phones: Phones;
  readonly #api: ApiServer;
  #live: WebSocket | undefined;
  /** Request ids of messages that may be answered. */
  readonly #requests = new Map<string, { to: To; messageId: string; event: boolean }>();
  readonly #contacted = new Set<string>();
  readonly #uploads = new Map<string, { chunks: Map<number, Buffer> }>();
  #next = 0;
  #faults: (number | 'drop' | 'silence')[] = [];
  subscriptions = 0;
  /** Pings stay unanswered. */
  deaf = false;
  readonly updatedCards: string[] = [];
  #onLive: (() => void)[] = [];

  constructor(server: Server, phones: Phones, api: ApiServer) {
    this.#phones = phones;
    this.#api = api;
    this.#sockets = new WebSocketServer({ server });
    this.#sockets.on('connection', (socket) => {
      socket.on('message', (data) => this.#frame(socket, String(data)));
      socket.on('close', () => {
        if (this.#live === socket) this.#live = undefined;
      });
    });
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  /** Resolves when a bot is subscribed. */
  async live(): Promise<void> {
    if (!this.#live) await new Promise<void>((resolve) => this.#onLive.push(resolve));
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.#live?.terminate();
    this.#live = undefined;
  }

  /** What the next sends get: an error code, a broken connection after the work, or no ack at all. */
  failNext(...faults: (number | 'drop' | 'silence')[]): void {
    this.#faults.push(...faults);
  }

  /** Delivers a message or event; resolves when the bot's socket has read it. */
  async deliver(cmd: 'aibot_msg_callback' | 'aibot_event_callback', to: To, body: { msgid: string }): Promise<void> {
    await this.live();
    const socket = this.#live;
    if (!socket) throw new Error('no bot is connected');
    this.#next += 1;
    const req_id = `r${this.#next}`;
    const event = cmd === 'aibot_event_callback';
    this.#requests.set(req_id, { to, messageId: body.msgid, event });
    if (!event) this.#contacted.add(keyOf(to));
    socket.send(JSON.stringify({ cmd, headers: { req_id }, body }));
    await new Promise<void>((resolve, reject) => {
      socket.once('pong', () => resolve());
      socket.once('close', () => reject(new Error('the bot is gone')));
      socket.ping();
    });
  }

  #frame(socket: WebSocket, text: string): void {
    const { cmd, headers, body } = Frame.parse(JSON.parse(text));
    const ack = (errcode: number, more?: object): void =>
      socket.send(
        JSON.stringify({ headers, errcode, errmsg: errcode === 0 ? 'ok' : 'as told', ...(more && { body: more }) }),
      );
    if (cmd === 'ping') {
      if (!this.deaf) ack(0);
      return;
    }
    if (cmd === 'aibot_subscribe') {
      const { bot_id, secret } = Subscribe.parse(body);
      if (bot_id !== BOT || secret !== BOT_SECRET) return ack(40001);
      this.#takeOver(socket);
      ack(0);
      for (const tell of this.#onLive.splice(0)) tell();
      return;
    }
    if (socket !== this.#live) return ack(846604);
    const fault = cmd.startsWith('aibot_upload') ? undefined : this.#faults.shift();
    if (typeof fault === 'number') return ack(fault);
    const { errcode, more } = this.#carryOut(cmd, headers.req_id, body ?? {});
    if (fault === 'drop') return this.cut();
    if (fault !== 'silence') ack(errcode, more);
  }

  #takeOver(socket: WebSocket): void {
    this.subscriptions += 1;
    const old = this.#live;
    this.#live = socket;
    if (!old || old === socket) return;
    const event = { msgid: 'd', msgtype: 'event', event: { eventtype: 'disconnected_event' } };
    old.send(JSON.stringify({ cmd: 'aibot_event_callback', headers: { req_id: 'd' }, body: event }), () => old.close());
  }

  #carryOut(cmd: string, reqId: string, body: object): { errcode: number; more?: object } {
    if (cmd.startsWith('aibot_upload_media')) return { errcode: 0, more: this.#upload(cmd, body) };
    const asked = this.#requests.get(reqId);
    if (cmd === 'aibot_respond_update_msg') {
      if (!asked?.event) return { errcode: 846605 };
      const { template_card } = z.object({ template_card: z.object({ task_id: z.string() }) }).parse(body);
      this.updatedCards.push(template_card.task_id);
      return { errcode: 0 };
    }
    const parsed = Body.safeParse(body);
    if (!parsed.success) return { errcode: 40035 };
    const b = parsed.data;
    if (cmd === 'aibot_send_msg') {
      if (b.chatid === undefined || (b.chat_type !== 1 && b.chat_type !== 2) || b.msgtype === 'text')
        return { errcode: 40035 };
      const to = b.chat_type === 1 ? { person: b.chatid } : { room: b.chatid };
      if (!this.#contacted.has(keyOf(to))) return { errcode: 93006 };
      this.#show(b, to, 'push', undefined);
      return { errcode: 0 };
    }
    if (!asked) return { errcode: 846605 };
    const welcome = cmd === 'aibot_respond_welcome_msg';
    if (welcome !== asked.event || (!welcome && b.msgtype === 'text')) return { errcode: 40008 };
    this.#show(b, asked.to, welcome ? 'welcome' : 'answer', asked.messageId);
    return { errcode: 0 };
  }

  #show(b: z.output<typeof Body>, to: To, via: 'push' | 'answer' | 'welcome', answers: string | undefined): void {
    const media = b.image?.media_id ?? b.file?.media_id;
    const card = b.template_card && { task_id: b.template_card.task_id, buttons: b.template_card.button_list };
    this.#phones.show({
      to,
      via,
      text: plain(b.markdown?.content ?? b.text?.content ?? ''),
      files: media === undefined ? [] : [this.#api.media(media)],
      answers,
      card,
    });
  }

  #upload(cmd: string, body: object): object {
    if (cmd.endsWith('init')) {
      const upload_id = `u${this.#uploads.size + 1}`;
      this.#uploads.set(upload_id, { chunks: new Map() });
      return { upload_id };
    }
    const { upload_id, chunk_index, base64_data } = z
      .object({ upload_id: z.string(), chunk_index: z.number().default(0), base64_data: z.string().default('') })
      .parse(body);
    const { chunks } = this.#uploads.get(upload_id) ?? { chunks: new Map<number, Buffer>() };
    if (cmd.endsWith('chunk')) {
      chunks.set(chunk_index, Buffer.from(base64_data, 'base64'));
      return {};
    }
    const bytes = Buffer.concat([...chunks].toSorted(([a], [b]) => a - b).map(([, chunk]) => chunk));
    return { type: 'file', media_id: this.#api.keepMedia(bytes), created_at: '1' };
  }
}

const keyOf = (to: To): string => ('room' in to ? `g${to.room}` : `p${to.person}`);
