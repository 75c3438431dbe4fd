import type { Model } from 'mongoose';
import type { Member } from './schema.js';

/**
 * The members' names, in memory: reading a message must not ask the store. A name that is too old here makes the bot ask
 * or miss a name, never write a wrong record, since the operation looks it up again.
 */
export class MemberNames {
  #names = new Set<string>();
  #longest = 0;
  readonly #members: Model<Member>;

  constructor(members: Model<Member>) {
    this.#members = members;
  }

  async refresh(): Promise<void> {
    const found = await this.#members.find({}, { name: 1 }).lean<{ name: string }[]>();
    this.#names = new Set(found.map((m) => m.name));
    this.#longest = Math.max(0, ...found.map((m) => m.name.length));
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  prefixOf(text: string): string | undefined {
    for (let n = Math.min(this.#longest, text.length); n >= 2; n -= 1)
      if (this.#names.has(text.slice(0, n))) return text.slice(0, n);
    return undefined;
  }
}
