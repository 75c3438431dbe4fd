import { z } from 'zod';
import { Undeliverable } from '../../bot/channel.js';
import type { Founding } from '../../bot/message.js';
import { BAD_TOKEN, NoWay, NotSent, Refused } from './errors.js';
import { bytesOf, postJson, request } from './http.js';
import type { Tokens } from './tokens.js';

const Nothing = z.looseObject({});
const Sent = z.object({
  invaliduser: z.string().default(''),
  unlicenseduser: z.string().default(''),
  msgid: z.string().optional(),
});
const Uploaded = z.object({ media_id: z.string().min(1) });

/** The content of one message of an app, by its kind. */
export type Content =
  | {
      readonly msgtype: 'text';
      readonly text: { readonly content: string; readonly mentioned_list?: readonly string[] };
    }
  | { readonly msgtype: 'image'; readonly image: { readonly media_id: string } }
  | { readonly msgtype: 'file'; readonly file: { readonly media_id: string } };

/** A picture or file as a form that WeCom's upload takes. */
export function mediaForm(bytes: Buffer, name: string, type: string): FormData {
  const form = new FormData();
  form.set('media', new Blob([new Uint8Array(bytes)], { type }), name);
  return form;
}

/** What a 自建应用 can ask of WeCom's API. Every call renews a token that was refused, once. */
export class AppApi {
  readonly #apiUrl: string;
  readonly #agentId: number;
  readonly #tokens: Tokens;

  constructor({ apiUrl, agentId, tokens }: { apiUrl: string; agentId: number; tokens: Tokens }) {
    this.#apiUrl = apiUrl;
    this.#agentId = agentId;
    this.#tokens = tokens;
  }

  /**
   * Sends to a person. Source: developer.work.weixin.qq.com/document/path/90236.
   *
   * @throws {Undeliverable} the person is not among those whom the app may write to
   */
  async sendToPerson(person: string, content: Content): Promise<void> {
    const body = { touser: person, agentid: this.#agentId, ...content };
    const answer = await this.#call('message/send', {}, postJson(body), Sent);
    if (answer.invaliduser !== '' || answer.unlicenseduser !== '')
      throw new Undeliverable('the app may not write to this person');
  }

  /** Sends to a group that the app has made. Source: document/path/90248. */
  async sendToGroup(chatid: string, content: Content): Promise<void> {
    await this.#call('appchat/send', {}, postJson({ chatid, ...content }), Nothing);
  }

  /**
   * Makes a group of 2 to 2000 members under an id of ours, 32 letters and digits at most. Source: document/path/90245.
   *
   * @throws {Refused} also where it is there already
   */
  async makeGroup(chatid: string, { name, owner, members }: Founding): Promise<void> {
    await this.#call('appchat/create', {}, postJson({ chatid, name, owner, userlist: members }), Nothing);
  }

  /** Returns the media id, good for three days. Source: document/path/90253. */
  async upload(kind: 'image' | 'file', bytes: Buffer, name: string, type: string): Promise<string> {
    const body = mediaForm(bytes, name, type);
    return (await this.#call('media/upload', { type: kind }, { method: 'POST', body }, Uploaded)).media_id;
  }

  async download(
    mediaId: string,
    maxBytes: number,
  ): Promise<{ bytes: Buffer; type: string; name: string | undefined }> {
    const token = await this.#tokens.get();
    const get = (t: string): ReturnType<typeof bytesOf> =>
      bytesOf('media/get', this.#url('media/get', { media_id: mediaId }, t), {}, maxBytes);
    const found = await get(token);
    if (!found.type.includes('json')) return found;
    const code = z.object({ errcode: z.number() }).safeParse(JSON.parse(found.bytes.toString('utf8'))).data?.errcode;
    if (code !== undefined && BAD_TOKEN.has(code)) return get(await this.#tokens.get(token));
    throw new Refused(code ?? 0, 'media/get');
  }

  /** Any other reading call. */
  get<S extends z.ZodType>(path: string, query: Record<string, string>, answer: S): Promise<z.output<S>> {
    return this.#call(path, query, {}, answer);
  }

  async #call<S extends z.ZodType>(
    path: string,
    query: Record<string, string>,
    init: RequestInit,
    answer: S,
  ): Promise<z.output<S>> {
    const token = await this.#token();
    try {
      return await request(path, this.#url(path, query, token), init, answer);
    } catch (error) {
      if (!(error instanceof Refused) || !BAD_TOKEN.has(error.code)) throw error;
      return request(path, this.#url(path, query, await this.#token(token)), init, answer);
    }
  }

  /** Without a token nothing is sent: that is no answer to the message's own sending. */
  async #token(stale?: string): Promise<string> {
    try {
      return await this.#tokens.get(stale);
    } catch (cause) {
      if (cause instanceof Refused) throw new NoWay('the app has no access token', { cause });
      throw cause instanceof NotSent ? cause : new NotSent('no access token', { cause });
    }
  }

  #url(path: string, query: Record<string, string>, token: string): string {
    return `${this.#apiUrl}/cgi-bin/${path}?${new URLSearchParams({ access_token: token, ...query })}`;
  }
}
