import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { adapt, type LinkTo } from '../../bot/adaption.js';
import { SendUnknown, Undeliverable } from '../../bot/channel.js';
import type { Attachment, OutgoingMessage } from '../../bot/message.js';
import { BAD_CREDENTIALS, BAD_RECEIVER, BAD_TARGET, NoWay, NotSent, Refused, TOO_OFTEN } from './errors.js';
import type { Pace } from './pace.js';
import { isImage, type Road } from './road/road.js';
import { splitText } from './text.js';

/** After 'too often' a road rests for the minute that WeCom blocks it. */
const REST_MS = 60_000;
const MAX_PROGRESS = 1000;

interface Options {
  /** The best first. */
  readonly roads: readonly Road[];
  /** What goes to one conversation, over all roads. */
  readonly pace: Pace;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly linkTo: LinkTo;
  readonly bytesOf: (attachment: Attachment) => Promise<Buffer>;
  readonly alert: (what: string, fields: object) => void;
  /** No road leads there now: may one be opened again soon, by a redelivery of the question? */
  readonly mayReopen: (message: OutgoingMessage) => boolean;
  readonly onSent?: (road: string) => void;
  readonly restMs?: number;
}

type Piece = { readonly text: string } | { readonly attachment: Attachment } | { readonly choices: true };

const conversationOf = ({ to }: OutgoingMessage): string => ('room' in to ? `group:${to.room}` : `single:${to.person}`);

/** Sends each message by the best road that leads to its reader, and by the next one where that fails. */
export class Roads {
  readonly #options: Options;
  /** Roads to conversations that WeCom has barred, with the moment until when. */
  readonly #resting = new Map<string, number>();
  /** How many pieces of a message have gone out: a second try goes on from there. */
  readonly #progress = new Map<string, number>();

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * @throws {SendUnknown} a piece left and its taking was not confirmed
   * @throws {Undeliverable} no road leads to the reader, nor will one
   * @throws any other error: nothing of the present piece was sent
   */
  async send(message: OutgoingMessage): Promise<void> {
    for (;;) {
      let failure: unknown = this.#options.mayReopen(message)
        ? new NotSent('no road leads there yet')
        : new Undeliverable('no road leads there');
      const leading = this.#leading(message);
      const awake = leading.filter((road) => this.#restOf(road, message) <= 0);
      if (leading.length > 0 && awake.length === 0) {
        await sleep(Math.min(...leading.map((r) => this.#restOf(r, message))), undefined, {
          signal: this.#options.signal,
        });
        continue;
      }
      for (const road of awake) {
        try {
          await this.#sendBy(road, message);
          this.#progress.delete(message.id);
          this.#options.onSent?.(road.name);
          return;
        } catch (error) {
          const judged = this.#judge(road, message, error);
          // One road that may lead there later outweighs those that never will.
          if (failure instanceof Undeliverable || !(judged instanceof Undeliverable)) failure = judged;
        }
      }
      throw failure;
    }
  }

  /** Those that carry all of it come first, and before them the one by which the question came. */
  #leading(message: OutgoingMessage): Road[] {
    const lacks = (road: Road): number =>
      (road.isWayBack?.(message) === true ? 0 : 4) +
      Number(message.attachments.some((a) => !(isImage(a) ? road.images : road.files))) * 2 +
      Number(message.mentions.length > 0 && !road.mentions);
    return this.#options.roads.filter((road) => road.leads(message)).toSorted((a, b) => lacks(a) - lacks(b));
  }

  async #sendBy(road: Road, message: OutgoingMessage): Promise<void> {
    const { pace, signal, linkTo, bytesOf } = this.#options;
    const adapted = adapt(message, road, linkTo);
    const pieces: Piece[] = [
      ...(adapted.text === ''
        ? []
        : splitText(road.encode?.(adapted.text) ?? adapted.text, road.textBytes).map((text) => ({ text }))),
      ...adapted.attachments.map((attachment) => ({ attachment })),
      ...(road.choices && message.choices.length > 0 ? [{ choices: true as const }] : []),
    ];
    for (let n = this.#progress.get(message.id) ?? 0; n < pieces.length; n += 1) {
      const piece = pieces[n];
      if (!piece) break;
      await pace.take(conversationOf(message), signal);
      if ('text' in piece) await road.text(adapted, piece.text);
      else if ('attachment' in piece) await road.file(adapted, piece.attachment, await bytesOf(piece.attachment));
      else await this.#showChoices(road, adapted);
      this.#progress.set(message.id, n + 1);
      if (this.#progress.size > MAX_PROGRESS) this.#progress.delete(this.#progress.keys().next().value ?? '');
    }
  }

  /** The text has said it all: without buttons nothing is lost. */
  async #showChoices(road: Road, message: OutgoingMessage): Promise<void> {
    await road.choices?.(message).catch((err: unknown) => {
      this.#options.log.warn({ road: road.name, outbox: message.id, err }, 'no buttons shown');
    });
  }

  /** Says what a failure means; throws where no other road may be tried. */
  #judge(road: Road, message: OutgoingMessage, error: unknown): unknown {
    const { log, alert } = this.#options;
    const ids = { road: road.name, outbox: message.id };
    if (error instanceof SendUnknown || this.#options.signal.aborted) throw error;
    if (error instanceof NoWay || error instanceof Undeliverable) {
      log.info({ ...ids, err: error }, 'road does not lead there');
      return error instanceof Undeliverable || !this.#options.mayReopen(message)
        ? new Undeliverable(error.message, { cause: error })
        : error;
    }
    if (!(error instanceof Refused)) {
      log.warn({ ...ids, err: error }, 'road failed');
      return error;
    }
    const { code } = error;
    log.warn({ ...ids, code }, 'road refused');
    if (TOO_OFTEN.has(code)) this.#rest(road, message);
    if (BAD_CREDENTIALS.has(code)) alert('credentials', { road: road.name, code });
    if (BAD_RECEIVER.has(code) || BAD_TARGET.has(code))
      return new Undeliverable('WeCom does not let it through to there', { cause: error });
    return error;
  }

  #key = (road: Road, message: OutgoingMessage): string => `${road.name}|${conversationOf(message)}`;

  #rest(road: Road, message: OutgoingMessage): void {
    for (const [key, until] of this.#resting) if (until < performance.now()) this.#resting.delete(key);
    this.#resting.set(this.#key(road, message), performance.now() + (this.#options.restMs ?? REST_MS));
  }

  #restOf(road: Road, message: OutgoingMessage): number {
    return (this.#resting.get(this.#key(road, message)) ?? 0) - performance.now();
  }
}
