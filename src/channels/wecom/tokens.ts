import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Schema, type Connection, type Model } from 'mongoose';
import { z } from 'zod';
import { SendUnknown } from '../../bot/channel.js';
import type { Clock } from '../../clock.js';
import { NotSent } from './errors.js';
import { request } from './http.js';

interface StoredToken {
  /** `corpId:agentId`. */
  readonly _id: string;
  /** Encrypted under the app's secret: whoever reads the store alone can't use it. */
  readonly sealed: string;
  readonly expiresAt: Date;
  /** A process is fetching a new one until then. */
  readonly fetchingUntil: Date;
}

const schema = new Schema<StoredToken>(
  {
    _id: { type: String, required: true },
    sealed: { type: String, default: '' },
    expiresAt: { type: Date, required: true },
    fetchingUntil: { type: Date, required: true },
  } as Record<keyof StoredToken, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

export const tokenModel = (c: Connection): Model<StoredToken> =>
  c.model<StoredToken>('WecomToken', schema, 'wecomTokens');

const Fetched = z.object({ access_token: z.string().min(1).max(512), expires_in: z.number().int().positive() });

/** A token is not used in its last minutes. */
const MARGIN_MS = 300_000;
const FETCHING_MS = 15_000;
const WAIT_MS = 50;

interface Options {
  readonly tokens: Model<StoredToken>;
  readonly clock: Clock;
  readonly apiUrl: string;
  readonly corpId: string;
  readonly agentId: number;
  readonly secret: string;
}

/**
 * The app's access token: fetched once, shared by all callers and all processes.
 *
 * Source: developer.work.weixin.qq.com/document/path/91039.
 */
export class Tokens {
  readonly #options: Options;
  readonly #id: string;
  readonly #key: Buffer;
  #held: { token: string; expiresAt: Date } | undefined;
  #fetching: Promise<string> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#id = `${options.corpId}:${options.agentId}`;
    this.#key = Buffer.from(hkdfSync('sha256', options.secret, this.#id, 'access token', 32));
  }

  /**
   * The token; `stale` is one that WeCom has refused, so that another is meant.
   *
   * @throws {Refused} the credentials are wrong
   * @throws {NotSent} WeCom does not answer
   */
  get(stale?: string): Promise<string> {
    const { clock } = this.#options;
    if (this.#held && this.#held.token !== stale && this.#held.expiresAt > clock.now())
      return Promise.resolve(this.#held.token);
    this.#fetching ??= this.#next(stale ?? this.#held?.token).finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  /** What another process has fetched meanwhile, or a new one. */
  async #next(stale: string | undefined): Promise<string> {
    const { tokens, clock } = this.#options;
    const _id = this.#id;
    await tokens.updateOne(
      { _id },
      { $setOnInsert: { sealed: '', expiresAt: new Date(0), fetchingUntil: new Date(0) } },
      { upsert: true },
    );
    for (;;) {
      const now = clock.now();
      const stored = await tokens.findById(_id).lean<StoredToken>();
      const token = stored && stored.expiresAt > now ? this.#unseal(stored.sealed) : undefined;
      if (stored && token !== undefined && token !== stale) {
        this.#held = { token, expiresAt: stored.expiresAt };
        return token;
      }
      const { modifiedCount } = await tokens.updateOne(
        { _id, fetchingUntil: { $lte: now } },
        { $set: { fetchingUntil: new Date(now.getTime() + FETCHING_MS) } },
      );
      if (modifiedCount === 1) return this.#fetch();
      await sleep(WAIT_MS);
    }
  }

  async #fetch(): Promise<string> {
    const { tokens, clock, apiUrl, corpId, secret } = this.#options;
    const query = new URLSearchParams({ corpid: corpId, corpsecret: secret });
    try {
      const { access_token: token, expires_in } = await request(
        'gettoken',
        `${apiUrl}/cgi-bin/gettoken?${query}`,
        {},
        Fetched,
      );
      const expiresAt = new Date(clock.now().getTime() + Math.max(expires_in * 1000 - MARGIN_MS, 1000));
      this.#held = { token, expiresAt };
      await tokens.updateOne(
        { _id: this.#id },
        { $set: { sealed: this.#seal(token), expiresAt, fetchingUntil: new Date(0) } },
      );
      return token;
    } catch (error) {
      await tokens.updateOne({ _id: this.#id }, { $set: { fetchingUntil: new Date(0) } });
      throw error instanceof SendUnknown ? new NotSent('gettoken: no answer', { cause: error }) : error;
    }
  }

  #seal(token: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    return Buffer.concat([iv, cipher.update(token), cipher.final(), cipher.getAuthTag()]).toString('base64');
  }

  /** Undefined: sealed under another secret, or nothing there. */
  #unseal(sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes.length < 28) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12)).setAuthTag(
        bytes.subarray(-16),
      );
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString();
    } catch {
      return undefined;
    }
  }
}
