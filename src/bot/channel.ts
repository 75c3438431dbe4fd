import type { Handled, IncomingMessage, JoinedRoom, OutgoingMessage } from './message.js';

/** What a network can carry; a reply adapts to it. */
export interface Capabilities {
  readonly mentions: boolean;
  readonly images: boolean;
  readonly files: boolean;
  /** Can the bot write to a person who has not written to it first? */
  readonly firstWord: boolean;
  /** Can the bot make groups, under ids that it chooses (32 letters and digits at most)? */
  readonly makesGroups?: boolean;
  /** Longest text of one message, in characters. */
  readonly maxText: number;
  /** Pause between two messages of the outbox to one destination, in milliseconds. */
  readonly paceMs: number;
  /** Do persons and groups keep their ids for good? Where they do not, nothing is bound to an id. */
  readonly stableIds: boolean;
}

/** The bot as a channel sees it. */
export interface Inbox {
  /** Resolves when the bot has done with the message; a rejection means: not taken, deliver it again. */
  receive(message: IncomingMessage): Promise<Handled>;
  joined(room: JoinedRoom): Promise<void>;
}

/** A chat network. */
export interface Channel {
  readonly name: string;
  readonly capabilities: Capabilities;
  start(inbox: Inbox): Promise<void>;
  stop(): Promise<void>;
  /**
   * Sends one message; resolves when the network has taken it. Called again with the same id after a crash.
   *
   * A network that does not know a message by its id awaits `handsOver` just before it hands the message over, so that a
   * crash afterwards counts as unknown: the next call says `maybeSent`.
   *
   * @throws {Undeliverable} it will never be taken (the person is gone): no further try
   * @throws {SendUnknown} it may have been taken: tried again a few times, with `maybeSent`
   * @throws {NotNow} nothing can be sent at this moment: tried again for as long as that lasts
   * @throws any other error: it was not taken, and is tried again later
   */
  send(message: OutgoingMessage, handsOver: () => Promise<void>): Promise<void>;
  /** Does the network work at this moment? */
  healthy(): boolean;
  /** Has another process the network's only connection, so that what only it can send is left to that one? */
  isElsewhere?(): boolean;
  /** Why it does not, for operators. */
  problem?(): string | undefined;
}

/** What one process alone may have at the moment, such as a network's only connection. */
export interface ChannelLease {
  /** How long it lasts without being taken again. */
  readonly lastsMs: number;
  /** By this side's own reckoning, also while the store can't be asked. */
  readonly held: boolean;
  /** Takes or renews it; false: another has it. */
  take(): Promise<boolean>;
  release(): Promise<void>;
}

/** Makes the lease of that name, with a holder of its own. */
export type LeaseOf = (name: string, lastsMs?: number) => ChannelLease;

/** A message that the network will never take. */
export class Undeliverable extends Error {
  override readonly name = 'Undeliverable';
}

/** The network was handed a message and did not say what became of it. */
export class SendUnknown extends Error {
  override readonly name = 'SendUnknown';
}

/** The network takes nothing at this moment, whatever the message. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
  /** When it is worth trying again; undefined: soon. */
  readonly until: Date | undefined;
  constructor(reason: string, until?: Date) {
    super(reason);
    this.until = until;
  }
}
