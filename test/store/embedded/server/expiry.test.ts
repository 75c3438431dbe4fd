import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as after } from 'node:timers/promises';
import { Cursors } from '../../../../src/store/embedded/server/cursors.js';
import { running } from '../running.js';

describe('what expires', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  // https://www.mongodb.com/docs/manual/core/index-ttl/
  it('is removed once its seconds are over; what has no date stays', async () => {
    const { db } = await running({ expireEveryMs: 10 });
    const c = db.collection<{ _id: number; at?: unknown }>('c');
    await c.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    await c.insertMany([
      { _id: 1, at: new Date(Date.now() - 61_000) },
      { _id: 2, at: new Date() },
      { _id: 3, at: [new Date(), new Date(0)] },
      { _id: 4, at: 'x' },
      { _id: 5 },
    ]);
    for (let tries = 0; tries < 500 && (await c.countDocuments()) > 3; tries += 1) await after(10);
    expect(await c.distinct('_id')).toEqual([2, 4, 5]);
  });

  // https://www.mongodb.com/docs/manual/reference/method/cursor.noCursorTimeout/
  it('is a cursor after ten minutes, with noCursorTimeout after a session’s thirty', async () => {
    const cursors = new Cursors();
    const open = async (noCursorTimeout: boolean): Promise<bigint> => {
      const rows = [1, 2, 3].map((n) => Uint8Array.of(n)).values();
      const source = { rows, opened: () => undefined, release: () => undefined };
      const options = { namespace: 'a.b', connection: 1, batchSize: 1, single: false, noCursorTimeout };
      return (await cursors.open(source, options)).id;
    };
    const [short, long] = [await open(false), await open(true)];
    const isThere = (id: bigint): Promise<boolean> =>
      cursors.more(id, { namespace: 'a.b', session: undefined, connection: 1, batchSize: 1, limited: false }).then(
        () => true,
        () => false,
      );
    cursors.expire(Date.now() + 11 * 60_000);
    expect([await isThere(short), await isThere(long)]).toEqual([false, true]);
    cursors.expire(Date.now() + 31 * 60_000);
    expect(await isThere(long)).toBe(false);
  });

  it('and can not be removed is told, with its cause', async () => {
    jest.spyOn(Cursors.prototype, 'expire').mockImplementation(() => {
      throw new Error('no more');
    });
    let tell: (error: Error) => void = () => undefined;
    const told = new Promise<Error>((resolve) => {
      tell = resolve;
    });
    await running({ expireEveryMs: 5, report: (error) => tell(error) });
    expect(await told).toMatchObject({
      message: 'removing what has expired failed',
      cause: { message: 'no more' },
    });
  });
});
