import type { Unread } from './message.js';
import type { Where } from './script.js';

/** What the engine itself says, in the community's words. */
export interface Sentences {
  /** The sender's identity is tied to nobody on the roster. */
  readonly stranger: () => string;
  /** The command needs a stronger role. */
  readonly notAllowed: (word: string, role: string) => string;
  readonly wrongPlace: (word: string, needed: Exclude<Where, 'anywhere'>) => string;
  readonly unboundGroup: () => string;
  /** Addressed, and only polite (thanks, a greeting): what one answers; undefined: it is something else. */
  readonly courtesy: (text: string) => string | undefined;
  /** The network gives everybody another id at each login: nothing can be bound there. */
  readonly unstableIds: () => string;
  /** The network lets no program make groups. */
  readonly makesNoGroups: () => string;
  /** Stands before the answer to a message that came long after it was written. */
  readonly late: () => string;
  /** Addressed, but not understood; `near` are commands that look or sound alike. */
  readonly notUnderstood: (near: readonly string[]) => string;
  /** The message is none that the bot can read. */
  readonly unread: (why: Unread) => string;
  readonly cancelled: () => string;
  readonly nothingToCancel: () => string;
  /** A question ran out of time. */
  readonly expired: (intent: string) => string;
  /** Asked often enough without an answer. */
  readonly givenUp: () => string;
  /** Stands before a question that is asked again. */
  readonly again: () => string;
  readonly tooLong: (max: number) => string;
  readonly busy: () => string;
  /** A defect; `reference` is what the log names it by. */
  readonly apology: (reference: string) => string;
}
