import type { RunningApp } from '../../../src/app.js';

/** What a person types on their phone. */
export interface Said {
  readonly from: string;
  /** The group, null: the private chat with the bot. */
  readonly room: string | null;
  readonly text: string;
  /** The network's id of the message: the same one again is a redelivery. */
  readonly messageId: string;
  /** A picked mention of the bot, beside what the text says. */
  readonly mentionsBot: boolean;
  /** Names of pictures sent along; the name's bytes stand for the picture's. */
  readonly pictures: readonly string[];
  readonly at: Date;
}

/** The far side of a chat network: everybody's phones. Persons and groups go by the names that the tests give them. */
export interface Network {
  /** Also the channel's name in the store. */
  readonly name: string;
  /** False: the bot gets only those group messages that mention it, so people mention it. */
  readonly hearsGroups: boolean;
  /** False: nothing tells the bot that it was taken into a group; its first words there are an answer. */
  readonly hearsJoins: boolean;
  /** The settings that turn the channel on; whatever must listen first does so here. */
  prepare(): Promise<Readonly<Record<string, string>>>;
  /** The program runs; resolves when the channel is up. */
  attach(app: RunningApp): Promise<void>;
  /** The id by which the network knows a group. */
  roomId(room: string): string;
  /** Delivers a message; resolves when the bot has done with it, with what the writer was shown for it, in order. */
  say(said: Said): Promise<readonly string[]>;
  /** All that the bot has written to a person in private, oldest first. */
  told(person: string): Promise<readonly string[]>;
  /** All that the bot has written to a group, oldest first. */
  shownIn(room: string): Promise<readonly string[]>;
  /** The bot is taken into a new group; resolves when it has said what it has to say. Again: a redelivered event. */
  takeInto(room: string, name: string, at: Date): Promise<void>;
  stop(): Promise<void>;
}
