/** By which of WeCom's ways something came to be seen. */
export type Via = 'answer' | 'push' | 'welcome' | 'passive' | 'responseUrl' | 'webhook' | 'app' | 'appchat';

/** What people see of the bot. */
export interface Shown {
  readonly to: { readonly room: string } | { readonly person: string };
  text: string;
  readonly via: Via;
  /** Id of the message that it answers, where WeCom knows. */
  readonly answers?: string | undefined;
  /** Contents of the pictures and files. */
  readonly files: readonly Buffer[];
  readonly mentions: readonly string[];
  readonly card?: Card | undefined;
}

export interface Card {
  readonly task_id: string;
  readonly buttons: readonly { readonly text: string; readonly key: string }[];
}

/** Full-width signs that stand for the plain ones which markdown would take for marks. */
const PLAIN: Readonly<Record<string, string>> = {
  '＊': '*',
  '＿': '_',
  '｀': '`',
  '～': '~',
  '＜': '<',
  '［': '[',
  '｜': '|',
  '＼': '\\',
};
export const plain = (markdown: string): string =>
  markdown
    .replace(/[＊＿｀～＜［｜＼]/g, (sign) => PLAIN[sign] ?? sign)
    .replace(/^[＃＞]/gm, (s) => (s === '＃' ? '#' : '>'));

/** Everybody's phones: each bubble once. */
export class Phones {
  readonly shown: Shown[] = [];
  readonly #streams = new Map<string, Shown>();
  #listener: (shown: Shown) => void = () => undefined;

  onShown(listener: (shown: Shown) => void): void {
    this.#listener = listener;
  }

  show(shown: Partial<Shown> & Pick<Shown, 'to' | 'via' | 'text'>): void {
    const bubble: Shown = { files: [], mentions: [], ...shown };
    this.shown.push(bubble);
    this.#listener(bubble);
  }

  /** The same stream again refreshes its bubble. */
  stream(id: string, shown: Pick<Shown, 'to' | 'via' | 'text' | 'answers'>): void {
    const bubble = this.#streams.get(id);
    if (bubble) {
      bubble.text = shown.text;
      return;
    }
    this.show(shown);
    const made = this.shown.at(-1);
    if (made) this.#streams.set(id, made);
  }

  /** Texts in a group, oldest first. */
  inRoom(room: string): string[] {
    return this.shown.filter((s) => 'room' in s.to && s.to.room === room && !s.card).map((s) => s.text);
  }

  withPerson(person: string): string[] {
    return this.shown.filter((s) => 'person' in s.to && s.to.person === person && !s.card).map((s) => s.text);
  }

  cards(person: string): Card[] {
    return this.shown.flatMap((s) => ('person' in s.to && s.to.person === person && s.card ? [s.card] : []));
  }
}
