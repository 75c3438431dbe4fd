import type { Attachment, OutgoingMessage } from '../../../bot/message.js';

/** One way by which a message can reach people in WeCom. */
export interface Road {
  readonly name: 'passive' | 'connection' | 'responseUrl' | 'webhook' | 'app' | 'appchat';
  readonly images: boolean;
  readonly files: boolean;
  readonly mentions: boolean;
  /** The text in this road's form, before it is cut into pieces; absent: as it stands. */
  encode?(text: string): string;
  /** Longest text of one message, in bytes of UTF-8. */
  readonly textBytes: number;
  /** Was the message that is answered said here? Then it is answered here, whatever the order of the roads. */
  isWayBack?(message: OutgoingMessage): boolean;
  /** Does it lead there at this moment? */
  leads(message: OutgoingMessage): boolean;
  /**
   * Sends one piece of the encoded text.
   *
   * @throws {NoWay} it does not lead there after all; {NotSent}, {Refused}, {SendUnknown}, {Undeliverable} as they say
   */
  text(message: OutgoingMessage, piece: string): Promise<void>;
  file(message: OutgoingMessage, attachment: Attachment, bytes: Buffer): Promise<void>;
  /** Shows the choices as buttons beside the text. */
  choices?(message: OutgoingMessage): Promise<void>;
}

export const isImage = (attachment: Attachment): boolean => attachment.type.startsWith('image/');
/** What WeCom takes as a picture; others go as files. */
export const isPhoto = (attachment: Attachment): boolean => /^image\/(?:png|jpeg)$/.test(attachment.type);
