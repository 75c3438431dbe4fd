import { beforeEach, describe, expect, it } from '@jest/globals';
import { calculateObjectSize, Double } from 'bson';
import { type Collection, type Db, type Document, MongoClient } from 'mongodb';
import { oneEngine } from './running.js';

/** Each command as its page says: https://www.mongodb.com/docs/manual/reference/command/ */
describe('commands', () => {
  let client: MongoClient;
  let db: Db;
  let c: Collection<Document>;
  oneEngine((opened) => {
    client = opened;
    db = client.db('commands');
    c = db.collection('c');
  });
  beforeEach(async () => {
    await db.dropDatabase();
  });
  const refused = (command: Document, code: number, on = db): Promise<void> =>
    expect(on.command(command)).rejects.toMatchObject({ code });

  // …/createIndexes/, https://www.mongodb.com/docs/manual/reference/error-codes/
  it('createIndexes: the same is nothing; another under the name is 86, other options 85; what can not be is 67', async () => {
    const create = (key: Document, options: Document = {}): Document => ({
      createIndexes: 'c',
      indexes: [{ key, name: 'i', ...options }],
    });
    expect(await db.command(create({ a: 1 }))).toMatchObject({
      numIndexesBefore: 1,
      numIndexesAfter: 2,
      createdCollectionAutomatically: true,
    });
    expect(await db.command(create({ a: 1 }))).toMatchObject({ numIndexesAfter: 2, note: 'all indexes already exist' });
    await refused(create({ b: 1 }), 86);
    await refused(create({ a: 1 }, { unique: true }), 86);
    await refused(create({ a: 1 }, { expireAfterSeconds: 5 }), 85);
    await refused(create({ a: 1 }, { name: 'other' }), 85);
    await refused(create({ a: 1, b: 1 }, { name: 'ttl', expireAfterSeconds: 5 }), 67);
    await refused(create({ a: 0 }, { name: 'zero' }), 67);
    await refused(create({ b: 1 }, { name: 'p', partialFilterExpression: { b: { $ne: 1 } } }), 67);
    await refused(create({ b: 1 }, { name: 'sp', sparse: true, partialFilterExpression: { b: 1 } }), 67);
    await refused(create({ _id: 1 }, { unique: true }), 197);
    await c.insertMany([{ u: 1 }, { u: 1 }]);
    await refused(create({ u: 1 }, { name: 'u', unique: true }), 11000);
    expect((await c.indexes()).map((i) => i.name)).toEqual(['_id_', 'i']);
  });

  // …/dropIndexes/, …/collMod/, …/renameCollection/
  it('dropIndexes by name, key and *; collMod hides an index and moves a TTL; renameCollection', async () => {
    await c.createIndexes([{ key: { a: 1 } }, { key: { b: -1 } }, { key: { d: 1 }, expireAfterSeconds: 60 }]);
    await refused({ dropIndexes: 'c', index: 'none' }, 27);
    await refused({ dropIndexes: 'c', index: '_id_' }, 72);
    expect(await db.command({ dropIndexes: 'c', index: { b: -1 } })).toMatchObject({ nIndexesWas: 4 });
    expect(await db.command({ collMod: 'c', index: { name: 'd_1', expireAfterSeconds: 90 } })).toMatchObject({
      expireAfterSeconds_old: 60,
      expireAfterSeconds_new: 90,
    });
    expect(await db.command({ collMod: 'c', index: { keyPattern: { a: 1 }, hidden: true } })).toMatchObject({
      hidden_old: false,
      hidden_new: true,
    });
    expect((await c.find({ a: 1 }).explain())['queryPlanner'].winningPlan.stage).toBe('COLLSCAN');
    await refused({ collMod: 'none', index: { name: 'x', hidden: true } }, 26);
    await refused({ renameCollection: 'commands.c', to: 'commands.d' }, 13);
    const admin = client.db('admin');
    await refused({ renameCollection: 'commands.none', to: 'commands.d' }, 26, admin);
    await refused({ renameCollection: 'commands.c', to: 'commands.c' }, 20, admin);
    await c.rename('d');
    expect((await db.listCollections({ name: 'd' }, { nameOnly: true }).toArray()).map((x) => x.name)).toEqual(['d']);
    await db.command({ dropIndexes: 'd', index: '*' });
    expect((await db.collection('d').indexes()).map((i) => i.name)).toEqual(['_id_']);
    await refused({ create: 'x', encryptedFields: { fields: [] } }, 238);
  });

  // …/explain/, https://www.mongodb.com/docs/manual/reference/explain-results/
  it('explain: the index, the order it serves and what was examined; a count of an index reads no document', async () => {
    await c.insertMany(Array.from({ length: 50 }, (_, i) => ({ n: i % 5, s: `x${i}` })));
    await c.createIndexes([{ key: { n: 1, s: -1 } }, { key: { s: 1 }, partialFilterExpression: { n: { $gt: 2 } } }]);
    const run = await c.find({ n: { $in: [1, 3] } }).explain('executionStats');
    expect(run['executionStats']).toMatchObject({ nReturned: 20, totalKeysExamined: 20, totalDocsExamined: 20 });
    const sorted = await c.find({ n: 1 }).sort({ s: 1 }).explain('queryPlanner');
    expect(sorted['queryPlanner'].winningPlan).toMatchObject({
      stage: 'FETCH',
      inputStage: { stage: 'IXSCAN', direction: 'backward' },
    });
    expect(sorted['executionStats']).toBeUndefined();
    expect((await c.find({ n: 1 }).sort({ t: 1 }).explain())['queryPlanner'].winningPlan.stage).toBe('SORT');
    expect((await c.find({ s: 'x1' }).explain())['queryPlanner'].winningPlan.stage).toBe('COLLSCAN');
    expect(
      (await c.find({ s: 'x3', n: 3 }).hint({ s: 1 }).explain())['queryPlanner'].winningPlan.inputStage.indexName,
    ).toBe('s_1');
    const counted = await db.command({ explain: { count: 'c', query: { n: 1 } }, verbosity: 'executionStats' });
    expect(counted['executionStats']).toMatchObject({ totalKeysExamined: 10, totalDocsExamined: 0 });
    const written = await db.command({ explain: { delete: 'c', deletes: [{ q: { n: 1 }, limit: 0 }] } });
    expect(written['queryPlanner'].winningPlan).toMatchObject({ stage: 'DELETE', inputStage: { stage: 'FETCH' } });
    expect(await c.countDocuments({ n: 1 })).toBe(10);
    const piped = await c.aggregate([{ $match: { n: 1 } }, { $group: { _id: null } }]).explain();
    expect(piped['stages'][0].$cursor.queryPlanner.winningPlan.inputStage.stage).toBe('IXSCAN');
  });

  // The same; the figures of a write: https://github.com/documentdb/functional-tests, test_explain_write_operations.py
  it('explain tells what a write would do, and does nothing; a search goes by the collation of its collection', async () => {
    const folded = db.collection<Document>('folded');
    await db.createCollection('folded', { collation: { locale: 'en', strength: 2 } });
    await folded.insertMany(['x', 'X', 'y'].map((s, n) => ({ _id: n, s, n }) as Document));
    const stages = async (explain: Document): Promise<unknown> =>
      (await db.command({ explain, verbosity: 'executionStats' }))['executionStats'].executionStages;
    const update = (q: Document, u: Document, more: Document = {}): Promise<unknown> =>
      stages({ update: 'folded', updates: [{ q, u, ...more }] });
    expect(await update({ s: 'x' }, { $set: { n: 0 } }, { multi: true })).toMatchObject({
      stage: 'UPDATE',
      nMatched: 2,
      nWouldModify: 1,
      nWouldUpsert: 0,
    });
    expect(await update({ s: 'x' }, { $inc: { n: 1 } })).toMatchObject({ nMatched: 1, nWouldModify: 1 });
    expect(await update({ s: 'z' }, { $inc: { n: 1 } }, { upsert: true })).toMatchObject({
      nMatched: 0,
      nWouldUpsert: 1,
    });
    const deleted = (limit: number): Promise<unknown> =>
      stages({ delete: 'folded', deletes: [{ q: { s: 'x' }, limit }] });
    expect(await deleted(0)).toMatchObject({ stage: 'DELETE', nWouldDelete: 2, inputStage: { stage: 'COLLSCAN' } });
    expect(await deleted(1)).toMatchObject({ nWouldDelete: 1, inputStage: { stage: 'COLLSCAN' } });
    const modified = (more: Document, s = 'x'): Promise<unknown> =>
      stages({ findAndModify: 'folded', query: { s }, ...(more['remove'] ? {} : { update: { n: 7 } }), ...more });
    expect(await modified({})).toMatchObject({ stage: 'UPDATE', nReturned: 1, nMatched: 1 });
    expect(await modified({ remove: true })).toMatchObject({ stage: 'DELETE', nReturned: 1, nWouldDelete: 1 });
    expect(await modified({ upsert: true }, 'z')).toMatchObject({ nReturned: 0, nWouldUpsert: 1 });
    expect(await modified({ upsert: true, new: true }, 'z')).toMatchObject({ nReturned: 1, nWouldUpsert: 1 });
    expect(await modified({ new: true }, 'z')).toMatchObject({ nReturned: 0, nWouldUpsert: 0 });
    expect(await modified({ fields: { n: 1 } })).toMatchObject({
      stage: 'PROJECTION_DEFAULT',
      nReturned: 1,
      inputStage: { stage: 'UPDATE', nReturned: 1, nMatched: 1, inputStage: { stage: 'COLLSCAN' } },
    });
    expect(await stages({ count: 'folded', query: { s: 'x' } })).toMatchObject({ stage: 'COUNT', nCounted: 2 });
    const none = { query: { s: 'x' }, skip: 1, limit: 2 };
    expect(await stages({ count: 'none', ...none })).toMatchObject({ nCounted: 0, inputStage: { stage: 'EOF' } });
    expect(await stages({ count: 'folded', ...none })).toMatchObject({ nCounted: 1 });
    expect(await stages({ findAndModify: 'none', update: {}, upsert: true, new: true })).toEqual({
      stage: 'EOF',
      nReturned: 0,
    });
    expect(await db.listCollections({ name: 'none' }).toArray()).toEqual([]);
    const pipeline = [{ $match: { s: 'x' } }];
    expect(await stages({ aggregate: 'folded', pipeline, cursor: {} })).toMatchObject({ nReturned: 2 });
    const collation = { locale: 'simple' };
    expect(await stages({ aggregate: 'folded', pipeline, cursor: {}, collation })).toMatchObject({ nReturned: 1 });
    expect(
      await folded
        .find()
        .map((d) => d['n'] as number)
        .toArray(),
    ).toEqual([0, 1, 2]);
  });

  // …/hostInfo/, …/listCommands/, …/getLog/, …/connectionStatus/
  it('what tells of the server has the fields of its page', async () => {
    const admin = client.db('admin');
    const { system } = await admin.command({ hostInfo: 1 });
    expect(system.memLimitMB).toBeLessThanOrEqual(system.memSizeMB);
    expect(system).toMatchObject({ numCores: expect.any(Number), hostname: expect.any(String) });
    const { commands } = await admin.command({ listCommands: 1 });
    expect(commands).toMatchObject({
      find: { adminOnly: false, apiVersions: ['1'], deprecatedApiVersions: [] },
      distinct: { apiVersions: [] },
      getLog: { adminOnly: true },
    });
    expect(await admin.command({ getLog: '*' })).toMatchObject({ names: ['global', 'startupWarnings'] });
    expect((await admin.command({ connectionStatus: 1, showPrivileges: true }))['authInfo']).toMatchObject({
      authenticatedUserPrivileges: [],
    });
  });

  // …/dbStats/, …/collStats/
  it('dbStats counts views apart; sizes by a scale, those of indexes and of the free store too', async () => {
    const documents = Array.from({ length: 10 }, (_, n) => ({ _id: n, s: 'x'.repeat(n) }) as Document);
    await c.insertMany(documents);
    await c.createIndex({ s: 1 });
    await db.createCollection('view', { viewOn: 'c', pipeline: [] });
    const options = { promoteValues: false };
    const stats = await db.command({ dbStats: 1 }, options);
    expect(stats).toMatchObject({
      collections: { low: 1 },
      views: { low: 1 },
      objects: { low: 10 },
      indexes: { low: 2 },
    });
    const bytes = documents.reduce((sum, d) => sum + calculateObjectSize(d), 0);
    expect(stats).toMatchObject({ dataSize: new Double(bytes), avgObjSize: new Double(bytes / 10) });
    const { storageSize, indexSize, totalSize, fsUsedSize, fsTotalSize } = await db.command({ dbStats: 1 });
    expect(totalSize).toBe(storageSize + indexSize);
    expect(indexSize).toBeGreaterThan(0);
    expect(fsUsedSize).toBeLessThanOrEqual(fsTotalSize);
    expect(stats).not.toHaveProperty('freeStorageSize');
    const scaled = await db.command({ dbStats: 1, scale: 2.5, freeStorage: 1 });
    expect(scaled).toMatchObject({ scaleFactor: 2, dataSize: bytes / 2, avgObjSize: bytes / 10, freeStorageSize: 0 });
    expect(await db.command({ collStats: 'c' })).toMatchObject({
      totalIndexSize: indexSize,
      indexSizes: { _id_: 0, s_1: indexSize },
    });
    const [about] = await c.aggregate([{ $collStats: { storageStats: {} } }]).toArray();
    expect(about?.['storageStats'].indexSizes).toEqual({ _id_: 0, s_1: indexSize });
  });

  // …/dataSize/
  it('dataSize tells the size of a collection', async () => {
    await c.insertOne({});
    expect(await db.command({ dataSize: 'commands.c' })).toMatchObject({ numObjects: 1 });
  });

  // …/bulkWrite/
  it('bulkWrite over several collections; ordered stops, unordered goes on; errorsOnly', async () => {
    const admin = client.db('admin');
    const nsInfo = [{ ns: 'commands.x' }, { ns: 'commands.y' }];
    const ops = [
      { insert: 0, document: { _id: 1 } },
      { insert: 0, document: { _id: 1 } },
      { insert: 1, document: { _id: 2 } },
      { update: 1, filter: { _id: 9 }, updateMods: { $set: { a: 1 } }, upsert: true },
    ];
    const first = await admin.command({ bulkWrite: 1, ops, nsInfo });
    expect(first).toMatchObject({ nErrors: 1, nInserted: 1, nUpserted: 0 });
    expect(first['cursor'].firstBatch[1]).toMatchObject({ ok: 0, idx: 1, code: 11000 });
    const second = await admin.command({ bulkWrite: 1, ops, nsInfo, ordered: false, errorsOnly: true });
    expect(second).toMatchObject({ nErrors: 2, nInserted: 1, nUpserted: 1 });
    expect(second['cursor'].firstBatch.map((r: Document) => r['idx'] as number)).toEqual([0, 1]);
    await refused({ bulkWrite: 1, ops, nsInfo }, 13);
  });

  // …/findAndModify/
  it('findAndModify: before or after, sorted, projected, upserted, removed; what excludes itself is 9', async () => {
    await c.insertMany([
      { _id: 1, n: 1, l: [1, 2] },
      { _id: 2, n: 2, l: [3] },
    ] as Document[]);
    const run = (command: Document): Promise<Document> => db.command({ findAndModify: 'c', ...command });
    expect(await run({ query: {}, sort: { n: -1 }, update: { $inc: { n: 10 } } })).toMatchObject({
      value: { _id: 2, n: 2 },
      lastErrorObject: { n: 1, updatedExisting: true },
    });
    expect(
      await run({ query: { l: 2 }, update: { $set: { 'l.$': 7 } }, new: true, fields: { l: 1, _id: 0 } }),
    ).toMatchObject({ value: { l: [1, 7] } });
    expect(await run({ query: { _id: 5 }, update: { $setOnInsert: { a: 1 } }, upsert: true, new: true })).toMatchObject(
      { value: { _id: 5, a: 1 }, lastErrorObject: { updatedExisting: false, upserted: 5 } },
    );
    expect(await run({ query: { _id: 5 }, remove: true })).toMatchObject({
      value: { _id: 5 },
      lastErrorObject: { n: 1 },
    });
    expect((await run({ query: { _id: 5 }, update: { $set: { a: 1 } } }))['value']).toBeNull();
    expect(await run({ query: { _id: 1 }, update: [{ $set: { n: { $size: '$l' } } }], new: true })).toMatchObject({
      value: { n: 2 },
    });
    await refused({ findAndModify: 'c', query: {}, remove: true, update: {} }, 9);
    await refused({ findAndModify: 'c', query: {}, remove: true, new: true }, 9);
    await refused({ findAndModify: 'c', query: { _id: 1 }, update: { $set: { _id: 3 } } }, 66);
  });

  // …/count/, …/distinct/, …/update/
  it('count with skip, limit and hint; distinct through arrays; update codes and let', async () => {
    await c.insertMany([
      { n: 1, l: [1, 2] },
      { n: 2, l: [2, 3] },
      { n: 3, l: 4 },
    ] as Document[]);
    await c.createIndex({ n: 1 });
    expect(await db.command({ count: 'c', query: { n: { $gt: 0 } }, skip: 1, limit: 5, hint: 'n_1' })).toMatchObject({
      n: 2,
    });
    expect(await c.distinct('l')).toEqual([1, 2, 3, 4]);
    expect(
      await db.command({
        find: 'c',
        filter: { $expr: { $eq: ['$n', '$$want'] } },
        let: { want: { $add: [1, 1] } },
        projection: { _id: 0, n: 1 },
      }),
    ).toMatchObject({ cursor: { firstBatch: [{ n: 2 }] } });
    const update = (u: Document): Promise<Document> => db.command({ update: 'c', updates: [{ q: { n: 1 }, ...u }] });
    expect(await update({ u: [{ $set: { n: '$$k' } }], c: { k: 8 } })).toMatchObject({ n: 1, nModified: 1 });
    expect((await update({ u: { n: 1 }, multi: true }))['writeErrors']).toMatchObject([{ index: 0, code: 9 }]);
    expect((await update({ u: { $set: { a: 1 } }, c: { k: 1 } }))['writeErrors']).toMatchObject([{ code: 51198 }]);
    expect(await c.find().sort({ $natural: -1 }).limit(1).toArray()).toMatchObject([{ n: 3 }]);
  });

  // https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/#arrays
  it('an empty array sorts below null and missing; a place in an array is its own value', async () => {
    await c.insertMany([
      { _id: 1, a: null },
      { _id: 2, a: [] },
      { _id: 3 },
      { _id: 4, a: [{ x: 2 }, { x: 0 }] },
    ] as Document[]);
    expect(
      (
        await c
          .find({}, { projection: { _id: 1 } })
          .sort({ a: 1, _id: 1 })
          .toArray()
      ).map((d) => Number(d['_id'])),
    ).toEqual([2, 1, 3, 4]);
    await c.createIndex({ 'a.0.x': 1 });
    expect(await c.find({ 'a.0.x': 2 }).hint('a.0.x_1').toArray()).toHaveLength(1);
  });

  // https://www.mongodb.com/docs/manual/reference/operator/update/rename/
  it('$rename refuses a path through an array, and one that can not be', async () => {
    await c.insertOne({ _id: 1, a: 5, l: [1] } as Document);
    await expect(c.updateOne({}, { $rename: { 'a.x': 'b' } })).rejects.toMatchObject({ code: 28 });
    await expect(c.updateOne({}, { $rename: { a: 'l.0' } })).rejects.toMatchObject({ code: 2 });
    expect(await c.updateOne({}, { $rename: { none: 'l.0' } })).toMatchObject({ matchedCount: 1, modifiedCount: 0 });
  });
});
