import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Router } from '@koa/router';
import { Schema, type Connection } from 'mongoose';
import { z } from 'zod';
import type { LinkTo } from '../bot/adaption.js';
import type { Clock } from '../clock.js';
import { HttpError } from './http-error.js';

interface LinkKey {
  readonly _id: string;
  readonly key: string;
}
const schema = new Schema<LinkKey>(
  { _id: { type: String, required: true }, key: { type: String, required: true } } as Record<keyof LinkKey, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

/** A link is good for a week: as long as a report can be asked about. */
const LINK_MS = 7 * 86_400_000;
const Params = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  until: z.string().regex(/^[0-9a-z]{1,10}$/),
  signature: z.string().regex(/^[\w-]{43}$/),
});

export interface FileLinks {
  readonly linkTo: LinkTo;
  readonly routes: Router;
  /** Reads the key that all processes sign with, or makes it. Before that no link is given. */
  load(): Promise<void>;
}

interface Options {
  readonly connection: Connection;
  readonly clock: Clock;
  /** The address under which people reach the program; undefined: there is none, and so no link. */
  readonly publicUrl: string | undefined;
  readonly find: (id: string) => Promise<{ name: string; type: string; bytes: Buffer } | null>;
}

/** Links by which a reader whose network carries no files fetches one: signed, for a week, of that one file. */
export function fileLinks({ connection, clock, publicUrl, find }: Options): FileLinks {
  const keys = connection.model<LinkKey>('FileLinkKey', schema, 'fileLinkKeys');
  let key: Buffer | undefined;
  const sign = (id: string, until: string): string | undefined =>
    key && createHmac('sha256', key).update(`${id}/${until}`).digest('base64url');

  const routes = new Router({ prefix: '/files' });
  routes.get('/:id/:until/:signature', async (ctx) => {
    const given = Params.safeParse(ctx['params']).data;
    const expected = given && sign(given.id, given.until);
    if (
      !given ||
      expected === undefined ||
      !timingSafeEqual(Buffer.from(given.signature), Buffer.from(expected)) ||
      Number.parseInt(given.until, 36) * 1000 < clock.now().getTime()
    )
      throw new HttpError(404, 'unknownFile', 'no such file, or the link has run out');
    const file = await find(given.id);
    if (!file) throw new HttpError(404, 'unknownFile', 'no such file, or the link has run out');
    ctx.set({
      'content-type': /^image\/(?:png|jpeg|gif|webp)$/.test(file.type) ? file.type : 'application/octet-stream',
      'content-disposition': `inline; filename*=UTF-8''${encodeURIComponent(file.name)}`,
      'cache-control': 'private, no-store',
    });
    ctx.body = file.bytes;
  });

  return {
    routes,
    linkTo({ id }) {
      const until = Math.floor((clock.now().getTime() + LINK_MS) / 1000).toString(36);
      const signature = sign(id, until);
      return publicUrl === undefined || signature === undefined
        ? undefined
        : `${publicUrl}/files/${id}/${until}/${signature}`;
    },
    async load() {
      const _id = 'files';
      await keys.updateOne({ _id }, { $setOnInsert: { key: randomBytes(32).toString('base64') } }, { upsert: true });
      const found = await keys.findById(_id).lean<LinkKey>();
      key = found ? Buffer.from(found.key, 'base64') : undefined;
    },
  };
}
