import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { Router } from '@koa/router';
import { z } from 'zod';
import type { Attachment } from '../bot/message.js';
import { fileUrl, SANDBOX, type SandboxChannel } from '../channels/sandbox/index.js';
import type { Message } from '../channels/sandbox/conversations.js';
import { ClockGoesBack, type MovableClock } from '../movable-clock.js';
import { body, checked } from './body.js';
import { HttpError } from './http-error.js';

const MAX_ATTACHMENT_BYTES = 8 * 1024 * 1024;
const HEARTBEAT_MS = 15_000;

const Id = z.string().min(1).max(128);
const NewMessage = z.strictObject({
  from: Id,
  room: Id.nullable().default(null),
  text: z.string().max(4000),
  messageId: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[\x21-\x7e]+$/)
    .optional(),
  mentions: z.array(Id).max(100).default([]),
  quote: z
    .union([z.strictObject({ messageId: Id.optional(), text: z.string().max(4000) }), z.string().max(4000)])
    .optional(),
  attachments: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        type: z.string().regex(/^[\w.+-]+\/[\w.+-]+$/),
        base64: z.base64(),
      }),
    )
    .max(9)
    .default([]),
  at: z.iso.datetime({ offset: true }).optional(),
});
const NewPerson = z.strictObject({ name: z.string().trim().min(1).max(20) });
const NewRoom = z.strictObject({ name: z.string().trim().min(1).max(50), members: z.array(Id).max(500) });
const Move = z.strictObject({ now: z.iso.datetime({ offset: true }) });
const Read = z.strictObject({
  text: z.string().max(100_000),
  private: z.boolean().optional(),
  open: z.boolean().optional(),
  names: z.array(z.string().max(50)).max(5000).optional(),
  role: z.enum(['member', 'leader', 'secretary']).optional(),
  now: z
    .string()
    .refine((s) => !Number.isNaN(Date.parse(s)), 'a time in ISO 8601')
    .optional(),
});
export type ReadRequest = z.infer<typeof Read>;

export interface SandboxRoutesOptions {
  readonly channel: SandboxChannel;
  readonly clock: MovableClock;
  readonly attachments: {
    store(name: string, type: string, bytes: Buffer, at: Date): Promise<Attachment>;
    find(id: string): Promise<{ name: string; type: string; bytes: Buffer } | null>;
  };
  /** How the program would read a text, in the terms of the corpus. */
  readonly read: (request: ReadRequest) => { intent: string; slots: object };
  readonly chips: (
    person: string,
    room: string | null,
  ) => Promise<readonly { label: string; text: string; send?: boolean }[]>;
  readonly inspect: (messageId: string) => Promise<object>;
  readonly moveClock: (to: Date) => Promise<void>;
  readonly reset: () => Promise<void>;
}

/** The sandbox's API: other programs drive the bot through it, so its shapes are kept. */
export function sandboxRoutes(options: SandboxRoutesOptions): Router {
  const { channel, clock } = options;
  const { people, conversations } = channel;
  const api = new Router({ prefix: '/api/sandbox' });
  const person = (id: unknown): string => {
    const known = typeof id === 'string' && people.people.has(id) ? id : undefined;
    if (known === undefined) throw new HttpError(404, 'unknownPerson', `no person ${String(id)}`);
    return known;
  };
  const roomOf = (id: unknown, who: string): string | null => {
    if (id === undefined || id === null || id === '' || id === 'private' || id === 'null') return null;
    const room = typeof id === 'string' ? people.rooms.get(id) : undefined;
    if (!room) throw new HttpError(404, 'unknownRoom', `no room ${String(id)}`);
    if (!room.members.includes(who)) throw new HttpError(403, 'notInRoom', `${who} is not in the room ${room.id}`);
    return room.id;
  };

  /** A quote is a text, or the id of a message that stands in the same place. */
  const quoteOf = async (
    quote: z.infer<typeof NewMessage>['quote'],
    place: { room: string } | { person: string },
  ): Promise<{ text: string; messageId?: string | undefined } | undefined> => {
    if (typeof quote !== 'string') return quote;
    const meant = (await conversations.list(place, undefined)).find((m) => m.id === quote);
    return meant ? { text: meant.text, messageId: meant.id } : { text: quote };
  };

  api.get('/people', (ctx) => {
    ctx.body = [...people.people.values()];
  });
  api.post('/people', async (ctx) => {
    const { name } = await body(ctx, NewPerson);
    const made = { id: `stranger-${randomUUID().slice(0, 8)}`, name, title: 'stranger', unit: null };
    await people.addPeople([made]);
    ctx.status = 201;
    ctx.body = made;
  });
  api.get('/rooms', (ctx) => {
    ctx.body = [...people.rooms.values()];
  });
  api.post('/rooms', async (ctx) => {
    const { name, members } = await body(ctx, NewRoom);
    for (const id of members) person(id);
    const made = { id: `room-${randomUUID().slice(0, 8)}`, name, unit: null, members: [...new Set(members)] };
    await people.addRooms([made]);
    await channel.inbox().joined({ channel: SANDBOX, room: made.id, name, at: clock.now() });
    ctx.status = 201;
    ctx.body = made;
  });

  api.post('/messages', async (ctx) => {
    const given = await body(ctx, NewMessage);
    const from = person(given.from);
    const room = roomOf(given.room, from);
    const at = given.at === undefined ? clock.now() : new Date(given.at);
    const files = given.attachments.map((a) => ({ ...a, bytes: Buffer.from(a.base64, 'base64') }));
    if (files.reduce((sum, f) => sum + f.bytes.length, 0) > MAX_ATTACHMENT_BYTES)
      throw new HttpError(413, 'tooLarge', 'attachments are over 8 MB');
    const attachments = await Promise.all(files.map((f) => options.attachments.store(f.name, f.type, f.bytes, at)));
    const messageId = given.messageId ?? randomUUID();
    const quote = await quoteOf(given.quote, room === null ? { person: from } : { room });
    const shown: Message = {
      id: messageId,
      room,
      from,
      text: given.text,
      mentions: given.mentions,
      attachments: attachments.map(({ id, name, type }) => ({ name, type, url: fileUrl(id) })),
      ...(quote && {
        quote: { text: quote.text, ...(quote.messageId !== undefined && { messageId: quote.messageId }) },
      }),
      at: at.toISOString(),
    };
    conversations.add(shown);
    const handled = await channel
      .inbox()
      .receive({
        channel: SANDBOX,
        messageId,
        room,
        from,
        text: given.text,
        mentionsBot: given.mentions.includes('bot'),
        mentions: given.mentions.filter((m) => m !== 'bot'),
        quote: quote && { text: quote.text, ...(quote.messageId !== undefined && { messageId: quote.messageId }) },
        attachments,
        at,
      })
      .catch((cause: unknown) => {
        throw new HttpError(
          503,
          'unavailable',
          `not taken, send it again: ${cause instanceof Error ? cause.message : ''}`,
        );
      });
    if (ctx.query['wait'] !== '1') {
      ctx.status = 202;
      ctx.body = { messageId };
      return;
    }
    await handled.delivered;
    ctx.body = { messageId, outcome: handled.outcome, replies: handled.replies.map(channel.present) };
  });
  api.get('/messages', async (ctx) => {
    const who = person(ctx.query['person']);
    const room = roomOf(ctx.query['room'], who);
    const after = checked(ctx.query['after'], z.string().max(300).optional());
    ctx.body = await conversations.list(room === null ? { person: who } : { room }, after);
  });

  api.get('/events', (ctx) => {
    const who = person(ctx.query['person']);
    const stream = new PassThrough();
    const end = conversations.subscribe(who, (message) => {
      stream.write(`id: ${message.id}\nevent: message\ndata: ${JSON.stringify(message)}\n\n`);
    });
    if (!end) throw new HttpError(503, 'tooMany', 'too many listen');
    ctx.set({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    ctx.req.socket.setTimeout(0);
    stream.write('retry: 1000\n\n');
    const heart = setInterval(() => stream.write(': \n\n'), HEARTBEAT_MS);
    ctx.req.on('close', () => {
      clearInterval(heart);
      end();
      stream.end();
    });
    ctx.body = stream;
  });

  api.get('/clock', (ctx) => {
    ctx.body = { now: clock.now().toISOString() };
  });
  api.post('/clock', async (ctx) => {
    const { now } = await body(ctx, Move);
    await options.moveClock(new Date(now)).catch((error: unknown) => {
      throw error instanceof ClockGoesBack ? new HttpError(409, 'clockGoesBack', error.message) : error;
    });
    ctx.body = { now: clock.now().toISOString() };
  });
  api.post('/read', async (ctx) => {
    ctx.body = options.read(await body(ctx, Read));
  });
  api.get('/chips', async (ctx) => {
    const who = person(ctx.query['person']);
    ctx.body = await options.chips(who, roomOf(ctx.query['room'], who));
  });
  api.get('/inspect', async (ctx) => {
    ctx.body = await options.inspect(checked(ctx.query['messageId'], Id));
  });
  api.post('/reset', async (ctx) => {
    await options.reset();
    ctx.status = 202;
    ctx.body = {};
  });
  api.get('/files/:id', async (ctx) => {
    const file = await options.attachments.find(checked(ctx['params'].id, z.string().regex(/^[0-9a-f]{64}$/)));
    if (!file) throw new HttpError(404, 'unknownFile', 'no such file');
    const safe = /^image\/(?:png|jpeg|gif|webp)$/.test(file.type);
    ctx.set({
      'content-type': safe ? file.type : 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=86400',
      ...(!safe && { 'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}` }),
    });
    ctx.body = file.bytes;
  });
  return api;
}
