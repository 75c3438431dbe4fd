import type { Capabilities } from './channel.js';
import type { Attachment, OutgoingMessage } from './message.js';

/** Where people can fetch a stored picture or file; undefined: nowhere. */
export type LinkTo = (attachment: Attachment) => string | undefined;

/** Stands before a message that may be there already: a reader must not take it for something new. */
export const PERHAPS_AGAIN = '（可能重复）';

const noLink: LinkTo = () => undefined;

/**
 * The message as a network, or one of its roads, can carry it: what it can't is named in the text, with a link where there
 * is one.
 */
export function adapt(
  message: OutgoingMessage,
  { images, files }: Pick<Capabilities, 'images' | 'files'>,
  linkTo: LinkTo = noLink,
): OutgoingMessage {
  const carried = (a: Attachment): boolean => (a.type.startsWith('image/') ? images : files);
  const left = message.attachments.filter((a) => !carried(a));
  if (left.length === 0) return message;
  const lines = left.map((a) => {
    const what = a.type.startsWith('image/') ? '图片' : '文件';
    const link = linkTo(a);
    return link === undefined
      ? `（${what}「${a.name}」在这里发不出来，请向网格长要）`
      : `${what}「${a.name}」：${link}`;
  });
  return {
    ...message,
    text: [message.text, ...lines].filter((l) => l !== '').join('\n'),
    attachments: message.attachments.filter(carried),
  };
}
