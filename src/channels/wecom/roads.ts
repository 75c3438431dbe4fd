import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { adapt, type LinkTo, PERHAPS_AGAIN } from '../../bot/adaption.js';
import { SendUnknown, Undeliverable } from '../../bot/channel.js';
import type { Attachment, OutgoingMessage } from '../../bot/message.js';
import { BAD_CREDENTIALS, BAD_RECEIVER, BAD_TARGET, NoWay, NotSent, Refused, TOO_OFTEN } from './errors.js';
import type { Pace } from './pace.js';
import { isImage, type Road } from './road/road.js';
import { splitText } from './text.js';

/** After 'too often' a road rests for the minute that WeCom blocks it. */
const REST_MS = 60_000;
const MAX_DONE = 1000;

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
  /** No road leads there, as far as this process knows: looks whether another process has found one. */
  readonly lookAgain?: (message: OutgoingMessage) => Promise<void>;
  /** No road leads there now: may one be opened again soon, by a redelivery of the question? */
  readonly mayReopen: (message: OutgoingMessage) => boolean;
  readonly onSent?: (road: string) => void;
  readonly restMs?: number;
}

/** What of a message has gone out. */
interface Done {
  /** So many signs of its text. */
  signs: number;
  readonly files: Set<string>;
}

const conversationOf = ({ to }: OutgoingMessage): string => ('room' in to ? `group:${to.room}` : `single:${to.person}`);

/** Sends each message by the best road that leads to its reader, and by the next one where that fails. */
export class Roads {
  readonly #options: Options;
  /** Roads to conversations that WeCom has barred, with the moment until when. */
  readonly #resting = new Map<string, number>();
  /** A second try, by whichever road, goes on from there. */
  readonly #done = new Map<string, Done>();

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * What may have arrived before is said to be perhaps a repetition. `handsOver` is awaited before the first piece leaves.
   *
   * @throws {SendUnknown} a piece left and its taking was not confirmed
   * @throws {Undeliverable} no road leads to the reader, nor will one
   * @throws any other error: nothing of the present piece was sent
   */
  async send(message: OutgoingMessage, handsOver: () => Promise<void>): Promise<void> {
    if (this.#leading(message).length === 0) await this.#options.lookAgain?.(message);
    let handed: Promise<void> | undefined;
    const hands = (): Promise<void> => (handed ??= handsOver());
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
          await this.#sendBy(road, message, hands);
          this.#done.delete(message.id);
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

  async #sendBy(road: Road, message: OutgoingMessage, handsOver: () => Promise<void>): Promise<void> {
    const { pace, signal, linkTo, bytesOf } = this.#options;
    const adapted = adapt(message, road, linkTo);
    const done = this.#doneOf(message.id);
    const step = async (work: () => Promise<void>): Promise<void> => {
      await pace.take(conversationOf(message), signal);
      await handsOver();
      await work();
    };
    // No encoding changes how many signs a text has, so what another road has said of it is known.
    let rest = (road.encode?.(adapted.text) ?? adapted.text).slice(done.signs).replace(done.signs > 0 ? /^\n/ : '', '');
    let again = message.maybeSent === true ? PERHAPS_AGAIN : '';
    while (rest !== '') {
      const [piece = ''] = splitText(rest, road.textBytes - Buffer.byteLength(again));
      const said = again + piece;
      await step(() => road.text(adapted, said));
      again = '';
      const whole = piece.length === rest.length;
      const taken = piece.length + (rest[piece.length] === '\n' ? 1 : 0);
      done.signs += taken;
      rest = whole ? '' : rest.slice(taken);
    }
    for (const attachment of adapted.attachments.filter((a) => !done.files.has(a.id))) {
      const bytes = await bytesOf(attachment);
      await step(() => road.file(adapted, attachment, bytes));
      done.files.add(attachment.id);
    }
    if (road.choices && message.choices.length > 0) await step(() => this.#showChoices(road, adapted));
  }

  #doneOf(id: string): Done {
    const done = this.#done.get(id) ?? { signs: 0, files: new Set() };
    this.#done.delete(id);
    this.#done.set(id, done);
    if (this.#done.size > MAX_DONE) this.#done.delete(this.#done.keys().next().value ?? '');
    return done;
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
