/** A message as people see it. */
export interface Message {
  readonly id: string;
  readonly room: string | null;
  readonly from: string;
  readonly to?: string;
  readonly text: string;
  readonly mentions: readonly string[];
  readonly attachments: readonly { readonly name: string; readonly type: string; readonly url: string }[];
  readonly quote?: { readonly messageId?: string; readonly text: string };
  readonly at: string;
}

/** What the store still has of a place: commands and answers, not chatter. */
export interface History {
  before(place: { room: string } | { person: string }): Promise<Message[]>;
}

/** A place keeps so many messages; what people only chat about is nowhere else. */
const MAX_MESSAGES = 500;
const MAX_SUBSCRIBERS = 200;

interface Place {
  readonly messages: Message[];
  readonly ids: Set<string>;
  loaded: Promise<void> | undefined;
}

type Listener = (message: Message) => void;

/** The chats of the sandbox, in memory: bounded, each message once by its id. */
export class Conversations {
  readonly #places = new Map<string, Place>();
  readonly #listeners = new Map<Listener, string>();
  readonly #history: History;
  readonly #seenBy: (message: Message) => readonly string[];

  constructor(history: History, seenBy: (message: Message) => readonly string[]) {
    this.#history = history;
    this.#seenBy = seenBy;
  }

  clear(): void {
    this.#places.clear();
  }

  /** Shows a message to everyone who sees it; the same id again is the same message. */
  add(message: Message): void {
    const person = message.to ?? message.from;
    const place = this.#place(message.room === null ? `p${person}` : `r${message.room}`);
    if (place.ids.has(message.id)) return;
    place.ids.add(message.id);
    place.messages.push(message);
    if (place.messages.length > MAX_MESSAGES) place.ids.delete(place.messages.shift()?.id ?? '');
    const audience = new Set(this.#seenBy(message));
    for (const [listener, who] of this.#listeners) if (audience.has(who)) listener(message);
  }

  /** Oldest first. */
  async list(where: { room: string } | { person: string }, after: string | undefined): Promise<Message[]> {
    const place = this.#place('room' in where ? `r${where.room}` : `p${where.person}`);
    place.loaded ??= this.#history.before(where).then((stored) => {
      const older = stored.filter((m) => !place.ids.has(m.id));
      place.messages.unshift(...older.slice(-MAX_MESSAGES));
      for (const m of older) place.ids.add(m.id);
    });
    await place.loaded;
    const from = after === undefined ? -1 : place.messages.findIndex((m) => m.id === after);
    return place.messages.slice(from + 1);
  }

  /** Returns how to end it; undefined: too many listen. */
  subscribe(person: string, listener: Listener): (() => void) | undefined {
    if (this.#listeners.size >= MAX_SUBSCRIBERS) return undefined;
    this.#listeners.set(listener, person);
    return () => this.#listeners.delete(listener);
  }

  #place(key: string): Place {
    let place = this.#places.get(key);
    if (!place) {
      place = { messages: [], ids: new Set(), loaded: undefined };
      this.#places.set(key, place);
    }
    return place;
  }
}
