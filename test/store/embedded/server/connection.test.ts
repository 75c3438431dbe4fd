import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { deserialize, type Document, serialize } from 'bson';
import { MongoWriteConcernError } from 'mongodb';
import { bareConnection, bodyOf, message, refusal, running } from '../running.js';

describe('a connection', () => {
  it('answers the handshake of old as the primary of a set of one, under the address the client used', async () => {
    const { engine } = await running();
    const { socket, answer } = await bareConnection(engine.uri);
    const all = Buffer.concat([
      Buffer.alloc(20),
      Buffer.from('admin.$cmd\0'),
      Buffer.alloc(8),
      serialize({ isMaster: 1 }),
    ]);
    all.writeInt32LE(all.length, 0);
    all.writeInt32LE(77, 4);
    all.writeInt32LE(2004, 12);
    socket.write(all);
    const reply = await answer();
    expect(reply.readInt32LE(12)).toBe(1);
    expect(reply.readInt32LE(8)).toBe(77);
    const doc = deserialize(reply.subarray(36));
    expect(doc).toMatchObject({ ismaster: true, setName: 'gridmate', logicalSessionTimeoutMinutes: 30, ok: 1 });
    expect(doc['hosts']).toEqual([doc['me']]);
    expect(doc['maxWireVersion']).toBeGreaterThanOrEqual(25);
  });

  // https://www.mongodb.com/docs/manual/legacy-opcodes/
  it('takes nothing but the handshake in the form of old', async () => {
    const { engine } = await running();
    const { socket, answer } = await bareConnection(engine.uri);
    const all = Buffer.concat([
      Buffer.alloc(20),
      Buffer.from('test.$cmd\0'),
      Buffer.alloc(8),
      serialize({ find: 'a' }),
    ]);
    all.writeInt32LE(all.length, 0);
    all.writeInt32LE(2004, 12);
    socket.write(all);
    expect(deserialize((await answer()).subarray(36))).toMatchObject({ ok: 0, code: 352 });
  });

  it('is closed by a broken frame, and the others go on', async () => {
    const { engine, db } = await running();
    const bad = await bareConnection(engine.uri);
    bad.socket.write(Buffer.concat([Buffer.from([64, 0, 0, 0]), randomBytes(60)]));
    await bad.closed;
    expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
  });

  it('that sends noise, a thousand pieces of it, takes nobody else down', async () => {
    const { engine, db } = await running();
    for (let i = 0; i < 40; i += 1) {
      const noisy = await bareConnection(engine.uri);
      for (let k = 0; k < 25; k += 1) noisy.socket.write(randomBytes(1 + ((k * 37) % 400)));
      noisy.socket.end();
      await noisy.closed;
    }
    expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
  });

  it('gives no answer to a request that asks for none (moreToCome), and the next answer is the next request’s', async () => {
    const { engine, db } = await running();
    const { socket, answer } = await bareConnection(engine.uri);
    socket.write(message(1, { insert: 'quiet', documents: [{ _id: 1 }], $db: 'test' }, { flags: 2 }));
    socket.write(message(2, { ping: 1, $db: 'test' }));
    expect((await answer()).readInt32LE(8)).toBe(2);
    expect(await db.collection('quiet').countDocuments()).toBe(1);
  });

  it('answers requests sent together one after the other', async () => {
    const { engine } = await running();
    const { socket, answer } = await bareConnection(engine.uri);
    socket.write(
      Buffer.concat(
        Array.from({ length: 200 }, (_, i) => message(i, { insert: 'c', documents: [{ _id: i }], $db: 'x' })),
      ),
    );
    for (let i = 0; i < 200; i += 1) {
      const reply = await answer();
      expect(reply.readInt32LE(8)).toBe(i);
      expect(bodyOf(reply)).toEqual({ n: 1, ok: 1 });
    }
  });

  it('of a client that does not read its answers is not read from either', async () => {
    const { engine, db } = await running();
    await db.collection('big').insertMany(Array.from({ length: 8 }, () => ({ text: 'x'.repeat(1_000_000) })));
    const { socket } = await bareConnection(engine.uri);
    socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    const request = message(1, { find: 'big', filter: {}, $db: 'test' });
    for (let i = 0; i < 60; i += 1) socket.write(request);
    for (let i = 0; i < 20; i += 1) await db.command({ ping: 1 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(120_000_000);
  });

  it('whose request waits is not read further, whatever it sends after, and answers all of it in the end', async () => {
    const { engine, client, db } = await running();
    await db.collection<{ _id: number }>('a').insertOne({ _id: 1 });
    const session = client.startSession();
    session.startTransaction();
    await db.collection('a').updateOne({}, { $set: { x: 1 } }, { session });
    const { socket, answer } = await bareConnection(engine.uri);
    // It waits for the transaction, which holds the document.
    socket.write(message(1, { update: 'a', updates: [{ q: {}, u: { $set: { x: 2 } } }], $db: 'test' }));
    const long = message(2, { ping: 1, comment: 'x'.repeat(1_000_000), $db: 'test' });
    for (let i = 0; i < 20; i += 1) socket.write(long);
    for (let i = 0; i < 100; i += 1) await db.command({ ping: 1 });
    expect(socket.writableLength).toBeGreaterThan(15_000_000);
    await session.commitTransaction();
    await session.endSession();
    for (const id of [1, ...Array.from({ length: 20 }, () => 2)]) expect((await answer()).readInt32LE(8)).toBe(id);
  });

  it('that sends halves of long messages costs bounded memory: the one that holds the most is closed', async () => {
    const { engine, db } = await running({ connectionBytes: 8_000_000 });
    const half = Buffer.alloc(3_000_000);
    half.writeInt32LE(48_000_000, 0);
    const hostile = await Promise.all(Array.from({ length: 6 }, () => bareConnection(engine.uri)));
    let closed = 0;
    for (const { socket, closed: gone } of hostile) {
      void gone.then(() => (closed += 1));
      await new Promise((resolve) => socket.write(half, resolve));
    }
    while (closed < 4) await db.command({ ping: 1 });
    expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
  });

  it('is answered where its documents lie in each other too deeply', async () => {
    const { engine, db } = await running();
    const { socket, answer } = await bareConnection(engine.uri);
    const [levels, { length: head }] = [50_000, serialize({})];
    const deep = Buffer.alloc(levels * 8 + head);
    for (let i = 0, at = 0; i <= levels; i += 1) {
      at = deep.writeInt32LE(deep.length - at - i, at);
      // A document (3) named a.
      if (i < levels) at = deep.write('\x03a\0', at, 'latin1') + at;
    }
    const sequence = Buffer.concat([Buffer.alloc(5), Buffer.from('documents\0'), deep]);
    sequence[0] = 1;
    sequence.writeInt32LE(sequence.length - 1, 1);
    const all = Buffer.concat([message(1, { insert: 'deep', $db: 'test' }), sequence]);
    all.writeInt32LE(all.length, 0);
    socket.write(all);
    expect(bodyOf(await answer())).toMatchObject({ ok: 0, code: 15, codeName: 'Overflow' });
    expect(await db.collection('deep').countDocuments()).toBe(0);
  });

  // https://www.mongodb.com/docs/manual/reference/method/db.collection.aggregate/#client-disconnection
  it('that is closed ends what it asked for, and a session that is ended too', async () => {
    const { engine, client, db } = await running();
    await db.collection('c').insertMany(Array.from({ length: 300 }, (_, i) => ({ i })));
    const all = (stages: Document[]): Document[] => [{ $lookup: { from: 'c', as: 'joined', pipeline: stages } }];
    const endless = all(all(all(all([]))));
    const { socket } = await bareConnection(engine.uri);
    socket.write(message(1, { aggregate: 'c', pipeline: endless, cursor: {}, $db: 'test' }));
    for (let i = 0; i < 5; i += 1) await db.command({ ping: 1 });
    socket.destroy();
    // Between its slices it waits for an immediate.
    while (process.getActiveResourcesInfo().includes('Immediate')) await new Promise((go) => setTimeout(go, 5));

    const session = client.startSession();
    const opened = db.collection('c').find({}, { session, batchSize: 10 });
    await opened.next();
    const going = refusal(db.collection('c').aggregate(endless, { session }).toArray());
    for (let i = 0; i < 5; i += 1) await db.command({ ping: 1 });
    await db.command({ killSessions: [session.id] });
    expect((await going).code).toBe(11601);
    expect((await refusal(opened.toArray())).code).toBe(43);
    await session.endSession();
  });

  it('is its owner’s alone', async () => {
    const { folder } = await running();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'store.sock')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'data.mdb')).mode & 0o777).toBe(0o600);
  });
});

// https://www.mongodb.com/docs/manual/reference/error-codes/
describe('a command', () => {
  it('that does not exist is CommandNotFound', async () => {
    const { db } = await running();
    expect(await refusal(db.command({ teleport: 1 }))).toMatchObject({ code: 59, codeName: 'CommandNotFound' });
  });

  it('with a field that it does not know is refused', async () => {
    const { db } = await running();
    const error = await refusal(db.command({ find: 'a', filtre: {} }));
    expect(error.code).toBe(40415);
    expect(error.message).toContain('filtre');
  });

  it('without a database is refused', async () => {
    const { engine } = await running();
    const { socket, answer } = await bareConnection(engine.uri);
    socket.write(message(1, { ping: 1 }));
    expect(bodyOf(await answer())).toMatchObject({ ok: 0, code: 40571 });
  });

  // https://www.mongodb.com/docs/manual/reference/method/cursor.maxTimeMS/
  it('that takes longer than maxTimeMS ends with MaxTimeMSExpired', async () => {
    const { db } = await running();
    const c = db.collection('numbers');
    await c.insertMany(Array.from({ length: 20_000 }, (_, i) => ({ i, text: `text ${i}` })));
    expect(await refusal(c.find({ text: /9{9}/ }, { maxTimeMS: 1 }).toArray())).toMatchObject({ code: 50 });
    expect(await refusal(c.updateMany({ text: /9{9}/ }, { $inc: { i: 1 } }, { maxTimeMS: 1 }))).toMatchObject({
      code: 50,
    });
    expect(await c.countDocuments({}, { maxTimeMS: 20_000 })).toBe(20_000);
    expect(await refusal(db.command({ find: 'numbers', maxTimeMS: -1 }))).toMatchObject({ code: 2 });
  });

  // https://www.mongodb.com/docs/manual/reference/write-concern/
  it('with a write concern that one node can’t meet stands, and says so', async () => {
    const { db } = await running();
    const error: unknown = await db
      .command({ insert: 'a', documents: [{ _id: 1 }], writeConcern: { w: 3 } })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MongoWriteConcernError);
    expect(error).toMatchObject({ code: 100 });
    expect(await db.collection('a').countDocuments()).toBe(1);
  });

  it('with a read concern that does not exist is refused', async () => {
    const { db } = await running();
    expect(await refusal(db.command({ find: 'a', readConcern: { level: 'hearsay' } }))).toMatchObject({ code: 2 });
  });
});
