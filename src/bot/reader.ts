import type { Grammar, Phrase, Place, ReadContext, Reading } from './grammar.js';

/** A message as far as reading it goes. */
export interface Said {
  readonly text: string;
  /** The network says that the bot is mentioned; a mention written in the text is seen as well. */
  readonly mentionsBot: boolean;
  readonly mentions: readonly string[];
  readonly quote?: string | undefined;
}

/** A reading with the grammar that made it; `unknown`: addressed, and nobody understands (slots.suggestions: near words). */
export type Read = Reading & { readonly grammar?: Grammar };

export interface Reader {
  /** The quick ignore: false for what `read` would ignore in nearly every case, never false for what it acts upon. */
  isForUs(message: { readonly text: string; readonly place: Place; readonly mentionsBot: boolean }): boolean;
  phrase(said: Said): Phrase;
  read(said: Said, context: ReadContext): Read;
}
