import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ApiServer, CORP } from './api.js';
import { type CallbackKeys, makeKeys, openReply, sealed } from './cipher.js';
import { Phones, plain } from './phones.js';
import { SocketServer } from './socket.js';

/** What a person writes to the bot or the app. */
export interface Written {
  readonly from: string;
  readonly room: string | null;
  /** As typed, without the mention that a group message carries. */
  readonly text: string;
  readonly messageId: string;
  readonly pictures?: readonly Buffer[];
  readonly quote?: string;
  readonly voice?: boolean;
  readonly at?: Date | undefined;
}

const Stream = z.object({
  msgtype: z.literal('stream'),
  stream: z.object({ id: z.string(), finish: z.boolean(), content: z.string() }),
});
const Welcome = z.object({ msgtype: z.literal('text'), text: z.object({ content: z.string() }) });

const ATTEMPTS = 3;
/** A 64-bit id in digits. */
export const appMessageId = (id: string): string =>
  BigInt(`0x${createHash('sha256').update(id).digest('hex').slice(0, 15)}`).toString();
const illegalInXml = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

export interface PostOptions {
  /** WeCom gives up after so long and asks again. */
  readonly timeoutMs?: number;
  readonly attempts?: number;
}

/** The far side of WeCom: its API, its long connection, its callbacks, and everybody's phones. */
export class WecomSimulator {
  readonly phones = new Phones();
  readonly api = new ApiServer(this.phones);
  readonly socket = new SocketServer(this.api.server, this.phones, this.api);
  readonly botKeys: CallbackKeys = makeKeys('');
  appKeys: CallbackKeys = makeKeys(CORP);
  /** Where the program listens. */
  target = '';
  botName = '网格小助手';

  async start(): Promise<void> {
    await this.api.listen();
  }

  async stop(): Promise<void> {
    this.socket.close();
    await this.api.close();
  }

  get wsUrl(): string {
    return this.api.url.replace('http', 'ws');
  }

  /** The object that a message is over the long connection; `responses`: with an address for late answers, as in callback mode. */
  botMessage(
    w: Written,
    mode: 'connection' | 'callback',
  ): { readonly msgid: string; readonly [field: string]: unknown } {
    const text = w.room !== null && !w.text.startsWith('@') ? `@${this.botName} ${w.text}` : w.text;
    const pictures = (w.pictures ?? []).map((bytes) => {
      const key = mode === 'callback' ? Buffer.from(`${this.botKeys.aesKey}=`, 'base64') : undefined;
      const { url, aeskey } = this.api.serveFile(bytes, key);
      return { url, ...(mode === 'connection' && { aeskey }) };
    });
    const textItem = { msgtype: 'text', text: { content: text } };
    const content =
      pictures.length === 0
        ? w.voice === true
          ? { msgtype: 'voice', voice: { content: text } }
          : textItem
        : w.room === null && w.text === '' && pictures.length === 1
          ? { msgtype: 'image', image: pictures[0] }
          : {
              msgtype: 'mixed',
              mixed: { msg_item: [textItem, ...pictures.map((image) => ({ msgtype: 'image', image }))] },
            };
    return {
      msgid: w.messageId,
      aibotid: 'aib-simulated',
      ...(w.room === null ? { chattype: 'single' } : { chattype: 'group', chatid: w.room }),
      from: { userid: w.from },
      ...(w.at && { create_time: Math.floor(w.at.getTime() / 1000) }),
      ...(mode === 'callback' && { response_url: this.api.responseUrl(placeOf(w), w.messageId) }),
      ...(w.quote !== undefined && { quote: { msgtype: 'text', text: { content: w.quote } } }),
      ...content,
    };
  }

  /** Over the long connection. */
  writeByConnection(w: Written): Promise<void> {
    return this.socket.deliver('aibot_msg_callback', placeOf(w), this.botMessage(w, 'connection'));
  }

  /** To the bot's callback; shows its passive reply. */
  async writeByCallback(w: Written, options: PostOptions = {}): Promise<number> {
    return this.postBot(this.botMessage(w, 'callback'), placeOf(w), options);
  }

  async postBot(payload: { msgid: string }, to: Place, options: PostOptions = {}): Promise<number> {
    const { status, reply } = await this.#post('bot', JSON.stringify(payload), options);
    if (reply !== undefined) this.#showReply(reply, to, payload.msgid);
    return status;
  }

  /** To the app's callback: a single chat with the app. */
  async writeToApp(w: Written, options: PostOptions = {}): Promise<number> {
    const head = `<ToUserName><![CDATA[${CORP}]]></ToUserName><FromUserName><![CDATA[${w.from}]]></FromUserName><CreateTime>${Math.floor((w.at ?? new Date()).getTime() / 1000)}</CreateTime>`;
    const [picture] = w.pictures ?? [];
    const body = picture
      ? `<MsgType><![CDATA[image]]></MsgType><PicUrl><![CDATA[http://x/]]></PicUrl><MediaId><![CDATA[${this.api.keepMedia(picture)}]]></MediaId>`
      : `<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${w.text.replace(illegalInXml, '')}]]></Content>`;
    const xml = `<xml>${head}${body}<MsgId>${appMessageId(w.messageId)}</MsgId><AgentID>1000002</AgentID></xml>`;
    return (await this.#post('app', xml, options)).status;
  }

  /** One request, as WeCom would make it; `scene` says which credentials. */
  signed(scene: 'bot' | 'app', plain_: string, at?: Date): { url: string; body: string; nonce: string } {
    const { encrypt, query, nonce } = sealed(scene === 'bot' ? this.botKeys : this.appKeys, plain_, at);
    const body =
      scene === 'bot'
        ? JSON.stringify({ encrypt })
        : `<xml><ToUserName><![CDATA[${CORP}]]></ToUserName><AgentID><![CDATA[1000002]]></AgentID><Encrypt><![CDATA[${encrypt}]]></Encrypt></xml>`;
    return { url: `${this.target}/callbacks/wecom/${scene}?${query}`, body, nonce };
  }

  async #post(scene: 'bot' | 'app', text: string, options: PostOptions): Promise<{ status: number; reply?: unknown }> {
    const { timeoutMs = 5000, attempts = ATTEMPTS } = options;
    let status = 0;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const { url, body, nonce } = this.signed(scene, text);
      const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(timeoutMs) }).catch(
        () => undefined,
      );
      status = response?.status ?? 0;
      const answer = await response?.text().catch(() => undefined);
      if (status !== 200 || answer === undefined) continue;
      if (answer === '') return { status };
      return { status, reply: openReply(scene === 'bot' ? this.botKeys : this.appKeys, answer, nonce) };
    }
    return { status };
  }

  #showReply(reply: unknown, to: Place, answers: string): void {
    const welcome = Welcome.safeParse(reply);
    if (welcome.success) return this.phones.show({ to, via: 'welcome', text: plain(welcome.data.text.content) });
    const stream = Stream.safeParse(reply);
    if (!stream.success) return;
    const { id, content } = stream.data.stream;
    this.phones.stream(id, { to, via: 'passive', text: plain(content), answers });
  }
}

export type Place = { room: string } | { person: string };
export const placeOf = (w: Pick<Written, 'room' | 'from'>): Place =>
  w.room === null ? { person: w.from } : { room: w.room };
