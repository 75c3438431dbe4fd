import type { Attachment } from '../../bot/message.js';
import type { AppApi } from './api.js';
import { type Envelope, openFile } from './crypto.js';
import { bytesOf, TooLarge } from './http.js';
import type { MediaSource } from './received.js';

/** A document of the store holds 16 MB. */
const MAX_BYTES = 15 * 1024 * 1024;
const TRIES = 2;

/** What the first bytes say; a name or a header may say anything. */
const SIGNS: readonly (readonly [type: string, ending: string, first: string])[] = [
  ['image/png', 'png', '89504e470d0a1a0a'],
  ['image/jpeg', 'jpg', 'ffd8ff'],
  ['image/gif', 'gif', '474946383'],
  ['image/webp', 'webp', '52494646'],
  ['application/pdf', 'pdf', '25504446'],
];

const typeOf = (bytes: Buffer, kind: MediaSource['kind']): { type: string; ending: string } => {
  const first = bytes.subarray(0, 8).toString('hex');
  const [type, ending] = SIGNS.find(([, , sign]) => first.startsWith(sign)) ?? [];
  if (type !== undefined && ending !== undefined) return { type, ending };
  return kind === 'image' ? { type: 'image/jpeg', ending: 'jpg' } : { type: 'application/octet-stream', ending: 'bin' };
};

interface Options {
  readonly api: AppApi | undefined;
  /** Opens the files of a bot that calls back; those of a long connection bring their own keys. */
  readonly envelope: Envelope | undefined;
  readonly store: (name: string, type: string, bytes: Buffer, at: Date) => Promise<Attachment>;
}

/** Fetches pictures and files, opens and stores them: WeCom serves them for five minutes (an app's for three days). */
export class MediaStore {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws {TooLarge} one is over 15 MB; Error: one could not be fetched */
  fetchAll(sources: readonly MediaSource[], at: Date): Promise<Attachment[]> {
    return Promise.all(sources.map((source, i) => this.#fetch(source, i + 1, at)));
  }

  async #fetch(source: MediaSource, n: number, at: Date): Promise<Attachment> {
    for (let tries = 1; ; tries += 1)
      try {
        const { bytes, name } = await this.#bytes(source);
        const { type, ending } = typeOf(bytes, source.kind);
        return await this.#options.store(name ?? `${source.kind}-${n}.${ending}`, type, bytes, at);
      } catch (error) {
        if (tries >= TRIES || error instanceof TooLarge) throw error;
      }
  }

  async #bytes(source: MediaSource): Promise<{ bytes: Buffer; name: string | undefined }> {
    const { api, envelope } = this.#options;
    if (source.from === 'app') {
      if (!api) throw new Error('no app to fetch the file with');
      return api.download(source.mediaId, MAX_BYTES);
    }
    const { bytes, name } = await bytesOf('media', source.url, {}, MAX_BYTES);
    if (source.aesKey !== undefined) return { bytes: openFile(bytes, Buffer.from(source.aesKey, 'base64')), name };
    if (!envelope) throw new Error('a picture came without its key');
    return { bytes: envelope.openFile(bytes), name };
  }
}
