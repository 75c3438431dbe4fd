import type { PipelineStage } from 'mongoose';
import type { Names } from './grammar.js';
import type { Person } from './message.js';
import type { Community } from './script.js';
import type { Sentences } from './sentences.js';

/** One look-up of the dispatcher's single trip to the store: a pipeline over one collection. */
export interface Lookup {
  /** The collection's name in the store. */
  readonly collection: string;
  readonly pipeline: readonly Exclude<PipelineStage, PipelineStage.Merge | PipelineStage.Out>[];
}

/** The sender and the group as the community knows them. */
export interface Known<C extends Community> {
  readonly member: C['member'] | undefined;
  readonly group: C['group'] | undefined;
  /** The sender's strongest role; undefined: a stranger. */
  readonly role: C['role'] | undefined;
}

/** What the engine needs of a community; bound once, in bot-scripts/lib. */
export interface CommunityBinding<C extends Community> {
  readonly services: C['services'];
  readonly zone: string;
  readonly botNames: readonly string[];
  /** Roles from the weakest to the strongest. */
  readonly ranks: readonly C['role'][];
  readonly sentences: Sentences;
  readonly names: Names;
  /** How the sender and the group are found, by name of the look-up; all run in one trip. */
  lookups(person: Person, room: string | null): Readonly<Record<string, Lookup>>;
  /** Reads what the look-ups found. */
  known(found: Readonly<Record<string, readonly unknown[]>>): Known<C>;
  /** What a phone or ID number in a text is masked to before the text is stored. */
  mask(text: string): string;
}
