import { FileBox } from 'file-box';
import { PERHAPS_AGAIN } from '../../bot/adaption.js';
import { NotNow, SendUnknown, Undeliverable } from '../../bot/channel.js';
import type { Attachment, OutgoingMessage } from '../../bot/message.js';
import type { Clock } from '../../clock.js';
import type { Echoes } from './echoes.js';
import { sortSendError } from './errors.js';
import { FETCH_MS, within } from './incoming.js';
import type { Lane } from './lane.js';
import { withMention } from './mention.js';
import type { Puppet } from './puppet.js';
import type { Rooms } from './rooms.js';

export interface OutgoingOptions {
  /** The puppet of the connection that is up. */
  readonly puppet: () => Puppet | undefined;
  readonly lane: Lane;
  readonly echoes: Echoes;
  readonly rooms: Rooms;
  readonly clock: Clock;
  readonly maxText: number;
  /** How long the network may take to say that it took a message. */
  readonly deadlineMs: number;
  /** How long nothing is sent after the network said that it was too much. */
  readonly restMs: number;
  readonly file: (id: string) => Promise<{ readonly bytes: Buffer } | null>;
  readonly onRest: (until: Date) => void;
}

/** Of so many unfinished messages it is kept which parts arrived. */
const MAX_IN_PARTS = 1000;
/** Messages that were sent a moment ago, which the network may still refuse in its own words. */
const REFUSABLE_MS = 15_000;

/** Sends the outbox's messages: text first, then each file, every part paced and with a deadline. */
export class Outgoing {
  readonly #options: OutgoingOptions;
  /** Parts of a message that the network has taken, while the rest is still to go. */
  readonly #done = new Map<string, number>();
  readonly #last = new Map<string, { id: string; at: number }>();
  #restUntil: Date | undefined;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** Nothing is sent until then. */
  get restUntil(): Date | undefined {
    return this.#restUntil !== undefined && this.#restUntil > this.#options.clock.now() ? this.#restUntil : undefined;
  }

  /** See Channel.send. */
  async send(message: OutgoingMessage, handsOver: () => Promise<void>): Promise<void> {
    const { lane, rooms } = this.#options;
    const to = 'room' in message.to ? message.to.room : message.to.person;
    if ('room' in message.to && rooms.hasLeft(to)) throw new Undeliverable(`the bot is no longer in the group ${to}`);
    this.#puppet();
    const texts = split(message.text, this.#options.maxText);
    const count = texts.length + message.attachments.length;
    const begin = this.#done.get(message.id) ?? 0;
    for (let part = begin; part < count; part += 1) {
      const perhaps = message.maybeSent === true && part === begin;
      await lane.run(to, async () => {
        const text = texts[part];
        const attachment = message.attachments[part - texts.length];
        if (text !== undefined) await this.#text(message, to, text, part === 0, perhaps, handsOver);
        else if (attachment) await this.#file(to, attachment, handsOver);
      });
      this.#done.set(message.id, part + 1);
      const [oldest] = this.#done.keys();
      if (this.#done.size > MAX_IN_PARTS && oldest !== undefined) this.#done.delete(oldest);
    }
    this.#done.delete(message.id);
    const now = performance.now();
    for (const [other, { at }] of this.#last) if (now - at > REFUSABLE_MS) this.#last.delete(other);
    this.#last.set(to, { id: message.id, at: now });
  }

  /** The network said that it was too much; returns the id of the message that it must have meant. */
  refused(to: string): string | undefined {
    this.#rest('the network said: too frequent');
    const last = this.#last.get(to);
    this.#last.delete(to);
    return last && performance.now() - last.at <= REFUSABLE_MS ? last.id : undefined;
  }

  async #text(
    message: OutgoingMessage,
    to: string,
    text: string,
    first: boolean,
    perhaps: boolean,
    handsOver: () => Promise<void>,
  ): Promise<void> {
    const { echoes } = this.#options;
    const meant = first && 'room' in message.to ? [message.answers ?? [], message.mentions].flat() : [];
    const mentions = [...new Set(meant)];
    const plain = perhaps ? `${PERHAPS_AGAIN}${text}` : text;
    const named = await this.#named(to, mentions, plain);
    if (perhaps && (echoes.proves(to, named.replace(PERHAPS_AGAIN, '')) || echoes.proves(to, named))) return;
    await this.#hand(handsOver, (puppet) => puppet.messageSendText(to, named, mentions), [to, named]);
    echoes.said(to, named);
  }

  async #file(to: string, { id, name }: Attachment, handsOver: () => Promise<void>): Promise<void> {
    const stored = await this.#options.file(id);
    if (!stored) throw new Undeliverable(`the file ${id} is not in the store`);
    const box = FileBox.fromBase64(stored.bytes.toString('base64'), name);
    await this.#hand(handsOver, (puppet) => puppet.messageSendFile(to, box), undefined);
  }

  /** With whom it is for, by the name that stands in this group; without, where it can't be found out. */
  async #named(room: string, ids: readonly string[], text: string): Promise<string> {
    let named = text;
    for (const id of [...ids].toReversed()) {
      const puppet = this.#puppet();
      const member = await within(FETCH_MS, 'name', puppet.roomMemberPayload(room, id)).catch(() => undefined);
      const name =
        member === undefined || member.roomAlias === undefined || member.roomAlias === ''
          ? member?.name
          : member.roomAlias;
      if (name !== undefined && name !== '') named = withMention(name, named);
    }
    return named;
  }

  async #hand(
    handsOver: () => Promise<void>,
    act: (puppet: Puppet) => Promise<unknown>,
    echo: readonly [to: string, text: string] | undefined,
  ): Promise<void> {
    const puppet = this.#puppet();
    await handsOver();
    try {
      await within(this.#options.deadlineMs, 'sending', act(puppet));
    } catch (error) {
      switch (sortSendError(error)) {
        case 'notSent':
          throw error;
        case 'never':
          throw new Undeliverable('the network takes no message of this size', { cause: error });
        case 'tooFrequent':
          throw this.#rest(error instanceof Error ? error.message : String(error));
        case 'unknown':
          if (echo && this.#options.echoes.proves(...echo)) {
            // What `said` takes away for a call that succeeded.
            this.#options.echoes.shown(...echo);
            return;
          }
          throw new SendUnknown('the network did not say whether it took the message', { cause: error });
      }
    }
  }

  #puppet(): Puppet {
    const { puppet } = this.#options;
    const until = this.restUntil;
    if (until) throw new NotNow('resting: the network said that it was too much', until);
    const now = puppet();
    if (!now) throw new NotNow('not connected');
    return now;
  }

  #rest(reason: string): NotNow {
    const { clock, restMs, lane, onRest } = this.#options;
    const until = new Date(clock.now().getTime() + restMs);
    if (!this.restUntil) onRest(until);
    this.#restUntil = until;
    const error = new NotNow(reason, until);
    lane.clear(error);
    return error;
  }
}

/** Cuts a text at line ends, or where there is none, so that no part is longer than `max` characters. */
export function split(text: string, max: number): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > max) {
    const line = rest.lastIndexOf('\n', max);
    let end = line > 0 ? line : max;
    // Not between the halves of one character.
    if (line <= 0 && /[\uD800-\uDBFF]/.test(rest.charAt(end - 1))) end -= 1;
    parts.push(rest.slice(0, end));
    rest = rest.slice(end).replace(/^\n/, '');
  }
  return rest === '' && parts.length > 0 ? parts : rest === '' ? [] : [...parts, rest];
}
