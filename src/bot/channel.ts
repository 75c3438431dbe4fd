import type { Handled, IncomingMessage, JoinedRoom, OutgoingMessage } from './message.js';

/** What a network can carry; a reply adapts to it. */
export interface Capabilities {
  readonly mentions: boolean;
  readonly images: boolean;
  readonly files: boolean;
  /** Can the bot write to a person who has not written to it first? */
  readonly firstWord: boolean;
  /** Longest text of one message, in characters. */
  readonly maxText: number;
  /** Pause between two messages of the outbox to one destination, in milliseconds. */
  readonly paceMs: number;
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
   * @throws {Undeliverable} it will never be taken (the person is gone): no further try
   * @throws {SendUnknown} it may have been taken: recorded as such, no further try
   * @throws any other error: tried again later
   */
  send(message: OutgoingMessage): Promise<void>;
  /** Does the network work at this moment? */
  healthy(): boolean;
}

/** A message that the network will never take. */
export class Undeliverable extends Error {
  override readonly name = 'Undeliverable';
}

/** A message that left and whose taking the network did not confirm: sending it again could say it twice. */
export class SendUnknown extends Error {
  override readonly name = 'SendUnknown';
}
