import type { WSClient, WsFrameHeaders } from '@wecom/aibot-node-sdk';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type ChannelLease, SendUnknown } from '../../bot/channel.js';
import { NotSent, Refused } from './errors.js';
import { type FromBot, readBotPayload } from './received.js';

/** `standby`: another process holds it. `takenOver`: an instance that is none of ours. `refused`: id or secret is wrong. */
export type ConnectionState = 'standby' | 'connecting' | 'up' | 'takenOver' | 'refused' | 'stopped';

/** The lease lasts this many turns of the supervision. */
export const LEASE_TURNS = 3;
/** A client that is not up within this many turns is thrown away. */
const MAX_TURNS_DOWN = 6;

const Failed = z.object({ errcode: z.number().int() });
const Frame = z.object({ headers: z.object({ req_id: z.string().min(1).max(256) }), body: z.unknown() });

export interface ConnectionOptions {
  readonly botId: string;
  readonly secret: string;
  readonly wsUrl: string;
  readonly lease: ChannelLease;
  readonly log: Logger;
  readonly onReceived: (received: FromBot, requestId: string, connection: LongConnection) => void;
  readonly alert: (what: string, fields: object) => void;
  /** The kind of chat that is no longer heard, though the connection is up: a new one is made. */
  readonly missing?: () => string | undefined;
  readonly onState?: (state: ConnectionState) => void;
  /** How often the lease is renewed and the client looked at. */
  readonly turnMs?: number;
  /** Pause between two heartbeats; two that stay unanswered end the connection. */
  readonly heartbeatMs?: number;
  /** The first pause before a new attempt; it doubles up to half a minute. */
  readonly reconnectMs?: number;
}

/**
 * The long connection of an AI bot, by the vendor's SDK: one in all processes, kept up, and given up when another instance
 * takes it.
 *
 * Source: developer.work.weixin.qq.com/document/path/101463.
 */
export class LongConnection {
  readonly #options: ConnectionOptions;
  #client: WSClient | undefined;
  #state: ConnectionState = 'stopped';
  #turnsDown = 0;
  #timer: NodeJS.Timeout | undefined;
  #turning: Promise<void> = Promise.resolve();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Resolves when the first turn is done: connecting, or standing by. */
  async start(): Promise<void> {
    this.#set('standby');
    await this.#next();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#set('stopped');
    await this.#turning;
    this.#drop();
    await this.#options.lease.release();
  }

  /** Answers the message that `requestId` names. Body: document/path/101463, 'reply'. */
  answer(requestId: string, body: object, cmd?: string): Promise<void> {
    return this.#send((client) => client.reply(headers(requestId), body, cmd));
  }

  /** Writes to a group (`chatid`) or a person (`userid`) who has written before. */
  push(chatId: string, kind: 'single' | 'group', body: object): Promise<void> {
    const chat_type = kind === 'single' ? 1 : 2;
    // The SDK's types leave chat_type out, its code passes it through.
    return this.#send((client) => client.sendMessage(chatId, { ...body, chat_type } as never));
  }

  /** Returns the media id. */
  async upload(bytes: Buffer, kind: 'image' | 'file', filename: string): Promise<string> {
    if (!this.#client || this.#state !== 'up') throw new NotSent('the long connection is not up');
    try {
      return (await this.#client.uploadMedia(bytes, { type: kind, filename })).media_id;
    } catch (cause) {
      const failed = Failed.safeParse(cause);
      throw failed.success ? new Refused(failed.data.errcode, 'upload') : new NotSent('upload', { cause });
    }
  }

  async #send(send: (client: WSClient) => Promise<unknown>): Promise<void> {
    if (!this.#client?.isConnected || this.#state !== 'up') throw new NotSent('the long connection is not up');
    try {
      await send(this.#client);
    } catch (cause) {
      const failed = Failed.safeParse(cause);
      if (failed.success) throw new Refused(failed.data.errcode, 'long connection');
      if (cause instanceof Error && cause.message.includes('not connected'))
        throw new NotSent('the long connection broke', { cause });
      throw new SendUnknown('the long connection did not confirm', { cause });
    }
  }

  #next(): Promise<void> {
    this.#turning = this.#turn().catch((err: unknown) =>
      this.#options.log.error({ err }, 'supervision of WeCom failed'),
    );
    return this.#turning.then(() => {
      if (this.#state !== 'stopped') this.#timer = setTimeout(() => void this.#next(), this.#options.turnMs ?? 10_000);
    });
  }

  async #turn(): Promise<void> {
    if (this.#state === 'stopped') return;
    const ours = await this.#options.lease.take();
    if (this.#stopped()) return;
    if (!ours) {
      this.#drop();
      this.#set('standby');
      return;
    }
    if (this.#state === 'takenOver' || this.#state === 'refused') return;
    this.#turnsDown = this.#state === 'up' ? 0 : this.#turnsDown + 1;
    const missing = this.#state === 'up' ? this.#options.missing?.() : undefined;
    if (missing !== undefined) this.#options.alert('halfDeaf', { missing });
    else if (this.#client && this.#turnsDown <= MAX_TURNS_DOWN) return;
    this.#drop();
    this.#turnsDown = 0;
    this.#set('connecting');
    await this.#connect();
  }

  #stopped = (): boolean => this.#state === 'stopped';

  async #connect(): Promise<void> {
    const { botId, secret, wsUrl, log, alert, heartbeatMs, reconnectMs } = this.#options;
    const { default: sdk } = await import('@wecom/aibot-node-sdk');
    if (this.#stopped()) return;
    const client = new sdk.WSClient({
      botId,
      secret,
      wsUrl,
      maxReconnectAttempts: -1,
      heartbeatInterval: heartbeatMs ?? 25_000,
      reconnectInterval: reconnectMs ?? 1000,
      logger: quiet(log),
    });
    this.#client = client;
    const mine = (): boolean => this.#client === client;
    client.on('authenticated', () => {
      if (mine()) this.#set('up');
    });
    client.on('disconnected', () => {
      if (mine() && this.#state === 'up') this.#set('connecting');
    });
    client.on('error', (err: Error) => {
      if (!mine() || !('code' in err) || err.code !== 'WS_AUTH_FAILURE_EXHAUSTED') return;
      this.#set('refused');
      alert('credentials', { road: 'connection' });
    });
    const take = (frame: unknown): void => {
      const parsed = Frame.safeParse(frame);
      const received = parsed.success ? readBotPayload(parsed.data.body) : undefined;
      if (!parsed.success || !received) log.warn('a frame of WeCom was not understood');
      else if (received.is === 'event' && received.event.is === 'takenOver') this.#takenOver(mine());
      else this.#options.onReceived(received, parsed.data.headers.req_id, this);
    };
    client.on('message', take);
    client.on('event', take);
    client.connect();
  }

  /** Two instances that each take the connection back would go on for ever: this one stays away until it is started again. */
  #takenOver(mine: boolean): void {
    if (!mine) return;
    this.#set('takenOver');
    this.#options.alert('takenOver', {});
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
  }

  #set(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.log.info({ state }, 'long connection of WeCom');
    this.#options.onState?.(state);
  }
}

const headers = (requestId: string): WsFrameHeaders => ({ headers: { req_id: requestId } });

/** The SDK's own lines, without what it hangs on to them: those are whole messages. */
const quiet = (log: Logger) => ({
  debug: () => undefined,
  info: () => undefined,
  warn: (line: string) => log.debug({ line }, 'wecom sdk'),
  error: (line: string) => log.warn({ line }, 'wecom sdk'),
});
