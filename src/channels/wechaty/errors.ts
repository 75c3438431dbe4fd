import { z } from 'zod';

/** What the framework throws and emits: a gRPC error, a GError, anything. Its texts are the only thing to go by. */
const Failure = z.object({
  code: z.unknown().optional(),
  message: z.string().catch('').default(''),
  details: z.string().catch('').default(''),
});

/** gRPC's status codes that were met (wechaty.ws has no list of its own; grpc.io/docs/guides/status-codes). */
const TIMEOUT = 4;
const TOO_LARGE = 8;
const UNAVAILABLE = 14;
const BAD_TOKEN = 16;

interface Read {
  readonly code: number | undefined;
  readonly text: string;
}

function readFailure(error: unknown): Read {
  const parsed = Failure.safeParse(error instanceof Object ? error : { message: String(error) });
  const { code, message, details } = parsed.success ? parsed.data : { code: undefined, message: '', details: '' };
  const text = `${message} ${details}`;
  // A GError that came over the wire has the code only in its text: `14 UNAVAILABLE: …`.
  const number = typeof code === 'number' ? code : Number(/(?:^|\s)(\d{1,2}) [A-Z_]+:/.exec(text)?.[1] ?? Number.NaN);
  return { code: Number.isNaN(number) ? undefined : number, text };
}

export const TOO_FREQUENT = /操作过于频繁|发送消息过于频繁|过于频繁|\b1205\b/;

/** What an `error` event of the bot means. `ignorable`: a known defect of the framework, the real event follows. */
export type BotErrorSort = 'ignorable' | 'connection' | 'token' | 'other';

/**
 * Sorts an `error` event.
 *
 * Every join, leave and topic event of a group brings two errors that name the room's id as a contact's (wechaty #2410);
 * room ids have an `@` (web and pad protocols) or begin with `R:` (WorkPro).
 */
export function sortBotError(error: unknown): BotErrorSort {
  const { code, text } = readFailure(error);
  if (/(?:no payload found for id|wrong id:|contactPayload\(\)).*(?:\S+@|@@\S|R:\d)/.test(text)) return 'ignorable';
  if (code === BAD_TOKEN || /Invalid Wechaty TOKEN|requires a SNI/i.test(text)) return 'token';
  if (code === UNAVAILABLE || code === TIMEOUT || /no grpc manager|not logged in|WatchdogAgent reset/i.test(text))
    return 'connection';
  return 'other';
}

/** What is known of a message whose sending failed. */
export type SendErrorSort = 'notSent' | 'unknown' | 'tooFrequent' | 'never';

/** Sorts what sending a message threw. Anything unheard-of is `unknown`: the far side may have done it before it failed. */
export function sortSendError(error: unknown): SendErrorSort {
  const { code, text } = readFailure(error);
  if (TOO_FREQUENT.test(text)) return 'tooFrequent';
  if (code === TOO_LARGE) return 'never';
  if (code === BAD_TOKEN) return 'notSent';
  // `Connection dropped` bears the same code 14, and was seen with a message that had arrived.
  if (/No connection established|not logged in|no grpc manager|NO CLIENT|logged out/i.test(text)) return 'notSent';
  return 'unknown';
}
