/** A picture or file that came with a message or goes with a reply. */
export interface Attachment {
  /** Its address in the store: the SHA-256 of its bytes, in hex. */
  readonly id: string;
  readonly name: string;
  /** MIME type, such as `image/jpeg`. */
  readonly type: string;
  /** Size in bytes. */
  readonly bytes: number;
}

/** A chat identity: one account of one network. */
export interface Person {
  readonly channel: string;
  readonly userId: string;
}

/** Why there is nothing to read in a message: of a kind that the bot does not read, or its picture or file could not be had. */
export type Unread = 'video' | 'voice' | 'file' | 'place' | 'link' | 'other' | 'lost' | 'tooLarge';

/** A chat message as a channel hands it to the bot; already parsed, ids are the network's stable ones. */
export interface IncomingMessage {
  readonly channel: string;
  /** The network's own id: the same message delivered again carries the same one. */
  readonly messageId: string;
  /** The group's id on the network; null is the private chat with the bot. */
  readonly room: string | null;
  readonly from: string;
  readonly text: string;
  /** The network says that the bot itself is mentioned. */
  readonly mentionsBot: boolean;
  /** Ids of the persons mentioned beside the bot. */
  readonly mentions: readonly string[];
  readonly quote?: { readonly messageId?: string; readonly text: string } | undefined;
  readonly attachments: readonly Attachment[];
  /** When it was written. */
  readonly at: Date;
  /** Whoever wrote it to the bot is told so. */
  readonly unread?: Unread | undefined;
  /** It came so long after it was written that the answer has to say so. */
  readonly late?: boolean;
}

/** The bot was taken into a group. */
export interface JoinedRoom {
  readonly channel: string;
  readonly room: string;
  readonly name: string;
  readonly at: Date;
}

/** Where a message goes: a group, or a person's private chat. */
export type Destination =
  | { readonly channel: string; readonly room: string }
  | { readonly channel: string; readonly person: string };

/** Something the reader may choose: a network with buttons shows one, everywhere else it is typed. */
export interface Choice {
  readonly label: string;
  /** What pressing it says, in the reader's name. */
  readonly says: string;
}

/** A group that is made for its first message. */
export interface Founding {
  readonly name: string;
  /** Chat ids, the owner's among the members'. */
  readonly owner: string;
  readonly members: readonly string[];
}

/** One message to send. */
export interface OutgoingMessage {
  /** Natural key: sending it twice is one message. */
  readonly id: string;
  /** `channel:messageId` of the message that it comes of. */
  readonly interaction: string;
  readonly to: Destination;
  readonly text: string;
  /** Ids of persons to mention. */
  readonly mentions: readonly string[];
  readonly attachments: readonly Attachment[];
  /** The text says all of it; these only save typing. */
  readonly choices: readonly Choice[];
  readonly at: Date;
  /** The group is made first where it is not there, under the id that the message goes to. */
  readonly founds?: Founding;
  /** In a group: the person whose message it answers. */
  readonly answers?: string;
  /** It was handed to the network before, which did not say whether it was taken. */
  readonly maybeSent?: boolean;
}

/** What became of an incoming message. */
export type Outcome = 'ignored' | 'duplicate' | 'handled' | 'refused' | 'failed';

export interface Handled {
  readonly messageId: string;
  readonly outcome: Outcome;
  /** What the bot answered to the sender, in this conversation or in private; a duplicate gives the first answers again. */
  readonly replies: readonly OutgoingMessage[];
  /** Resolves when the replies were sent, or given up. */
  readonly delivered?: Promise<void>;
}

/** The key of what one person says in one place; order is kept within it. */
export const conversationOf = (m: { channel: string; room: string | null; from: string }): string =>
  `${m.channel}|${m.room ?? ''}|${m.from}`;
