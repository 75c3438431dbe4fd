import type { z } from 'zod';

/** Where a message was written: in a group, or in the private chat with the bot. */
export type Place = 'group' | 'private';

/** The names of people, as far as reading a message needs them. */
export interface Names {
  /** Is this a member's full name (simplified characters)? */
  has(name: string): boolean;
  /** The longest member's name that `text` begins with, or undefined. */
  prefixOf(text: string): string | undefined;
}

/** What a message is read against. Nothing here needs the store at the moment of reading. */
export interface ReadContext {
  readonly now: Date;
  /** IANA zone in which days, months and half years are computed. */
  readonly zone: string;
  readonly place: Place;
  /** The message is meant for the bot: private chat, an @mention of it, or a quote of its own message. */
  readonly addressed: boolean;
  /** The sender's strongest role; decides between readings of one word (撤销 of a member, of a leader): `member`, `leader` or `secretary`. */
  readonly role: string;
  readonly names: Names;
  /** What is known to be open: `all` (as if one thing of each kind were), or unknown (`asWritten`). */
  readonly open: 'all' | 'asWritten';
}

/** A message after normalising: see language/normalise.ts. */
export interface Phrase {
  /** Simplified characters, half-width, single spaces, without the bot's mention, greetings and emoji at the ends. */
  readonly text: string;
  /** Line structure kept (`\n`), otherwise as `text`. */
  readonly lines: readonly string[];
  /** The command word that opened it, as found in the text (undefined: the whole sentence is offered). */
  readonly word: string | undefined;
  /** What follows the command word. */
  readonly rest: string;
  /** Persons mentioned beside the bot, by the name after @. */
  readonly mentions: readonly string[];
  /** The text that was quoted, when the message answers one. */
  readonly quote: string | undefined;
  /** The number that the line begins with (`231通过`, `#45处理好了`), if any. */
  readonly leadingNumbers: readonly number[];
}

/** What a message was taken for. `ask`: addressed but incomplete, `slots.missing` says what to ask for. */
export interface Reading<S extends object = Record<string, unknown>> {
  /** The grammar's intent, `ask`, `ignore`, or `reject.<why>`. */
  readonly intent: string;
  /** In the terms of the corpus: a slot that was not said is absent. */
  readonly slots: S & { readonly missing?: readonly string[]; readonly needsConfirm?: boolean };
}

/**
 * How people say one thing. A grammar is pure: text in, reading out; no store, no clock of its own.
 * It is handed to `on.command` together with who may say it, where, and what happens then.
 */
export interface Grammar<S extends z.ZodType = z.ZodType> {
  /** Such as `service.report`; unique in the program. */
  readonly intent: string;
  /** Command words that open a message, the canonical one first. Two scripts that claim one word fail at start. */
  readonly words: readonly string[];
  /** What the handler receives, parsed: the slots of a complete reading. */
  readonly slots: S;
  /**
   * Reads a message that begins with one of `words` (or a near word), or begins with a number followed by one.
   * Undefined: the word is there, but this is not meant (`服务态度真好`).
   */
  read(phrase: Phrase, context: ReadContext): Reading | undefined;
  /** Reads a whole sentence without a command word in front, where the grammar knows such forms (`我咋才12分`). */
  readSentence?(phrase: Phrase, context: ReadContext): Reading | undefined;
  /** Continues a reading that asked for something: `slots` as kept, and the next message of the same person. */
  answer?(slots: Record<string, unknown>, phrase: Phrase, context: ReadContext): Reading | undefined;
}
