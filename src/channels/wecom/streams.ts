import { createHash } from 'node:crypto';
import type { Slot } from './ways.js';

/** A stream that was begun is asked for at most this long. Source: developer.work.weixin.qq.com/document/path/101031. */
const STREAM_MS = 330_000;
/** An answer that no refresh has fetched within this time goes by another road. */
const REFRESH_MS = 15_000;
const WAIT = '正在处理，请稍等…';
const GONE = '刚才没有办完，请再发一次';

/** The body of a passive answer, and who is told whether it went out. */
export interface Reply {
  readonly body: object;
  settle?(delivered: boolean): void;
}

/** One message has one stream, however often it is delivered. */
export const streamIdOf = (messageId: string): string =>
  createHash('sha256').update(messageId).digest('hex').slice(0, 32);

export const streamBody = (id: string, finish: boolean, content: string): object => ({
  msgtype: 'stream',
  stream: { id, finish, content },
});

/** Answers that were begun and are not ready: WeCom asks for them about every second. */
export class Streams {
  readonly #slots = new Map<string, Slot>();

  has(messageId: string): boolean {
    return this.#slots.has(streamIdOf(messageId));
  }

  begin(messageId: string, slot: Slot): object {
    const id = streamIdOf(messageId);
    const end = (): void => {
      this.#slots.delete(id);
      slot.settle(false);
    };
    this.#slots.set(id, slot);
    setTimeout(end, STREAM_MS).unref();
    slot.filled.then(() => setTimeout(end, REFRESH_MS).unref()).catch(() => undefined);
    return streamBody(id, false, WAIT);
  }

  async refresh(id: string): Promise<Reply> {
    const slot = this.#slots.get(id);
    if (!slot) return { body: streamBody(id, true, GONE) };
    const text = await Promise.race([slot.filled, Promise.resolve(undefined)]);
    if (text === undefined) return { body: streamBody(id, false, WAIT) };
    this.#slots.delete(id);
    return { body: streamBody(id, true, text), settle: (delivered) => slot.settle(delivered) };
  }
}
