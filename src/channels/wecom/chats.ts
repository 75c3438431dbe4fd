import { Schema, type Connection, type Model } from 'mongoose';
import type { Clock } from '../../clock.js';

/** By which part of WeCom a chat is known. */
export type KnownBy = 'bot' | 'app' | 'appchat';

interface Chat {
  /** `group:chatid` or `single:userid`. */
  readonly _id: string;
  readonly knownBy: readonly KnownBy[];
  readonly name?: string;
  readonly firstAt: Date;
}

const schema = new Schema<Chat>(
  {
    _id: { type: String, required: true },
    knownBy: { type: [String], default: [] },
    name: { type: String },
    firstAt: { type: Date, required: true },
  } as Record<keyof Chat, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

export const chatModel = (c: Connection): Model<Chat> => c.model<Chat>('WecomChat', schema, 'wecomChats');

export type Place = { readonly room: string } | { readonly person: string };
const keyOf = (place: Place): string => ('room' in place ? `group:${place.room}` : `single:${place.person}`);

/**
 * The chats that WeCom lets us write to: it takes a push only where somebody has written to the bot before, and only to
 * groups that the app has made. Kept in memory, written through.
 */
export class Chats {
  readonly #model: Model<Chat>;
  readonly #clock: Clock;
  readonly #known = new Set<string>();

  constructor(model: Model<Chat>, clock: Clock) {
    this.#model = model;
    this.#clock = clock;
  }

  async load(): Promise<void> {
    for (const { _id, knownBy } of await this.#model.find({}).lean<Chat[]>())
      for (const by of knownBy) this.#known.add(`${by}|${_id}`);
  }

  has(place: Place, by: KnownBy): boolean {
    return this.#known.has(`${by}|${keyOf(place)}`);
  }

  /** Another process may have met the chat. */
  async look(place: Place): Promise<void> {
    const _id = keyOf(place);
    const found = await this.#model.findById(_id).lean<Chat>();
    for (const by of found?.knownBy ?? []) this.#known.add(`${by}|${_id}`);
  }

  /** True when it is the first contact. */
  async remember(place: Place, by: KnownBy, name?: string): Promise<boolean> {
    if (this.has(place, by)) return false;
    const _id = keyOf(place);
    await this.#model.updateOne(
      { _id },
      {
        $addToSet: { knownBy: by },
        $setOnInsert: { firstAt: this.#clock.now(), ...(name !== undefined && { name }) },
      },
      { upsert: true },
    );
    this.#known.add(`${by}|${_id}`);
    return true;
  }
}
