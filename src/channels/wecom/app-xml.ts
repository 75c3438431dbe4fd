import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import { type Received, unreadOf } from './received.js';

/** Entities are not expanded, numbers stay text: a MsgId has more digits than a number keeps. */
const parser = new XMLParser({
  processEntities: false,
  parseTagValue: false,
  ignoreAttributes: true,
  trimValues: false,
});

const CDATA = /<!\[CDATA\[[\s\S]*?\]\]>/g;

/** The cipher of a posted message, found before its signature is known to be right: so without a parser. */
export function encryptedOf(xml: string): string | undefined {
  const found = [...xml.matchAll(/<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]{1,200000})(?:\]\]>)?\s*<\/Encrypt>/g)];
  return found.length === 1 ? found[0]?.[1] : undefined;
}

const id = z.string().min(1).max(256);
const Xml = z.object({
  xml: z.object({
    ToUserName: id,
    FromUserName: id,
    CreateTime: z.string().regex(/^\d{1,10}$/),
    MsgType: z.string().max(64),
    Content: z.string().max(65_536).optional(),
    MediaId: z.string().max(512).optional(),
    MsgId: z
      .string()
      .regex(/^\d{1,20}$/)
      .optional(),
    Event: z.string().max(64).optional(),
  }),
});

export type FromApp =
  | { readonly is: 'message'; readonly message: Received }
  | { readonly is: 'useless'; readonly type: string };

/**
 * Reads the XML that an app is sent, after its signature was checked and its cipher opened. Always a single chat.
 *
 * Source: developer.work.weixin.qq.com/document/path/90239. Undefined: it is none, or it declares types or entities.
 */
export function readAppXml(text: string): FromApp | undefined {
  if (text.replace(CDATA, '').includes('<!')) return undefined;
  let value: unknown;
  try {
    value = parser.parse(text, true);
  } catch {
    return undefined;
  }
  const parsed = Xml.safeParse(value);
  if (!parsed.success) return undefined;
  const { MsgType: type, MsgId, MediaId, Content, FromUserName, CreateTime, Event } = parsed.data.xml;
  if (MsgId === undefined || type === 'event') return { is: 'useless', type: Event ?? type };
  return {
    is: 'message',
    message: {
      messageId: `app:${MsgId}`,
      room: null,
      from: FromUserName,
      text: type === 'text' ? (Content ?? '') : '',
      unread: unreadOf(type),
      media:
        MediaId === undefined || (type !== 'image' && type !== 'file')
          ? []
          : [{ from: 'app', mediaId: MediaId, kind: type === 'file' ? 'file' : 'image' }],
      at: new Date(Number(CreateTime) * 1000),
    },
  };
}
