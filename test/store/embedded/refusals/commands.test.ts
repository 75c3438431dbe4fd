import { describe, expect, it } from '@jest/globals';
import {
  Binary,
  BSONRegExp,
  Code,
  Decimal128,
  type Document,
  Double,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { byHand, newSession, running } from '../running.js';
import { type Case, refuses } from './refused.js';

/** One value of each type. */
const samples: Readonly<Record<string, unknown>> = {
  double: new Double(3.5),
  string: 'x',
  object: {},
  array: [],
  binData: new Binary(Buffer.from('data')),
  objectId: new ObjectId('000000000000000000000001'),
  bool: true,
  date: new Date(0),
  null: null,
  regex: new BSONRegExp('a', ''),
  javascript: new Code('f'),
  int: 1,
  timestamp: new Timestamp({ t: 1, i: 1 }),
  long: new Long(1),
  decimal: Decimal128.fromString('1'),
  minKey: new MinKey(),
  maxKey: new MaxKey(),
};
const NUMBERS = ['int', 'long', 'double', 'decimal'];

/** The types that a field does not take, and the code of their refusal. */
const rejects = (command: Document, field: string, taken: readonly string[], code = 14): Case[] =>
  Object.entries(samples)
    .filter(([type]) => !taken.includes(type))
    .map(([type, v]): Case => [`${Object.keys(command)[0]}.${field}: ${type}`, { ...command, [field]: v }, code]);

const find = { find: 'c' };
const insert = { insert: 'c', documents: [{ _id: 9 }] };
const update = { update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } } }] };
const findAndModify = { findAndModify: 'c', query: { _id: 1 }, update: { $set: { a: 1 } } };
const aggregate = { aggregate: 'c', pipeline: [], cursor: {} };
const OPTIONAL = ['object', 'null'];
const FLAG = ['bool', 'null', ...NUMBERS];

// https://github.com/documentdb/functional-tests: compatibility/tests/core, commands
describe('a field of the wrong type', () => {
  refuses('is refused by find', [
    ...['filter', 'sort', 'projection', 'collation'].flatMap((field) => rejects(find, field, ['object'])),
    ...['skip', 'limit', 'batchSize', 'maxTimeMS'].flatMap((field) => rejects(find, field, [...NUMBERS, 'null'])),
    ...['singleBatch', 'allowDiskUse', 'tailable'].flatMap((field) => rejects(find, field, ['bool'])),
    ...rejects(find, 'let', OPTIONAL),
    ...rejects(find, 'hint', ['string', 'object'], 9),
    ...rejects({ find: 'c' }, 'readConcern', OPTIONAL),
  ]);
  refuses('is refused by the commands that write', [
    ...rejects(insert, 'ordered', ['bool', 'null']),
    ...rejects(insert, 'bypassDocumentValidation', FLAG),
    ...rejects(insert, 'writeConcern', OPTIONAL),
    ...rejects(update, 'let', OPTIONAL),
    ...['query', 'sort', 'fields', 'let'].flatMap((field) => rejects(findAndModify, field, OPTIONAL)),
    ...['new', 'upsert'].flatMap((field) => rejects(findAndModify, field, FLAG)),
    ...rejects({ delete: 'c', deletes: [{ q: {}, limit: 1 }] }, 'ordered', ['bool', 'null']),
  ]);
  refuses('is refused by the other commands', [
    ...rejects({ dataSize: 'test.c' }, 'dataSize', ['string', 'null']),
    ...rejects({ listCollections: 1 }, 'nameOnly', ['bool', 'null']),
    ...rejects(aggregate, 'pipeline', ['array']),
    ...rejects(aggregate, 'cursor', ['object']),
    ...rejects({ distinct: 'c' }, 'key', ['string', 'null']),
    ...rejects({ listCollections: 1 }, 'filter', OPTIONAL),
    ...rejects({ collection: 'c' }, 'getMore', ['long']).map(([name, { getMore }]): Case => [
      name,
      { getMore, collection: 'c' },
      14,
    ]),
    ...Object.entries(samples)
      .filter(([type]) => type !== 'string')
      .flatMap(([type, v]) =>
        ['find', 'count', 'insert', 'update', 'delete', 'createIndexes', 'listIndexes', 'drop'].map((name): Case => [
          `${name} of ${type}`,
          { [name]: v },
          73,
        ]),
      ),
  ]);
});

// The same; its names in brackets
describe('what a command is given', () => {
  const wc = (writeConcern: Document): Document => ({ ...insert, writeConcern });
  refuses('must be there and within its bounds', [
    ['null stands for leaving out', { count: 'c', query: null, limit: null, skip: null }, 0],
    ['(key_type_null)', { distinct: 'c', key: null }, 40414],
    ['(missing_q_field)', { update: 'c', updates: [{ u: { $set: { x: 1 } } }] }, 40414],
    ['(q_field_rejects_array)', { update: 'c', updates: [{ q: [1], u: { $set: { x: 1 } } }] }, 14],
    ['(u_field_rejects_string)', { update: 'c', updates: [{ q: {}, u: 'x' }] }, 9],
    ['(empty_updates_array)', { update: 'c', updates: [] }, 16],
    ['multi of a number', { update: 'c', updates: [{ q: {}, u: { $set: { x: 1 } }, multi: 1 }] }, 14],
    ['a delete without q', { delete: 'c', deletes: [{ limit: 1 }] }, 40414],
    ['a delete with another field', { delete: 'c', deletes: [{ q: {}, limit: 1, foo: 1 }] }, 40415],
    ...['skip', 'limit', 'batchSize'].map((field): Case => [`${field} below 0`, { ...find, [field]: -1 }, 51024]),
    ['(maxtimems_err_fractional)', { ...find, maxTimeMS: new Double(1.5) }, 9],
    ['(maxtimems_err_nan)', { ...find, maxTimeMS: new Double(Number.NaN) }, 9],
    ['(maxtimems_err_exceeds_int32_max)', { ...find, maxTimeMS: 2147483648 }, 2],
    ['(key_null_byte_middle)', { distinct: 'c', key: 'x\0y' }, 31032],
    ['(hint_natural_direction_two)', { distinct: 'c', key: 'x', hint: { $natural: 2 } }, 2],
    ['(hint_natural_combined_with_other_fields)', { distinct: 'c', key: 'x', hint: { $natural: 1, x: 1 } }, 2],
    ['(collation_missing_locale)', { distinct: 'c', key: 'x', collation: { strength: 1 } }, 40414],
    ['(collation_invalid_locale)', { distinct: 'c', key: 'x', collation: { locale: '' } }, 2],
    ['a bad filter of a collection that is not there', { count: 'none', query: { $foo: 1 } }, 2],
    ['(writeconcern_empty_doc)', { distinct: 'c', key: 'x', writeConcern: {} }, 72],
    ['(w_int32_max)', wc({ w: 2147483647 }), 9],
    ['(w_bool_true)', wc({ w: true }), 9],
    ['(j_string)', wc({ j: 'true' }), 14],
    ['(wtimeout_string)', wc({ w: 1, wtimeout: '1000' }), 0],
    // https://www.mongodb.com/docs/manual/reference/write-concern/
    ...([true, 1, new Double(Number.NaN)] as const).map((j): Case => [`j ${j} and fsync`, wc({ j, fsync: true }), 9]),
    ['j without fsync', { ...update, writeConcern: { j: true, fsync: new Double(-0) } }, 0],
    ['(wc_provenance_invalid)', wc({ provenance: 'x' }), 2],
    ['(wc_getlasterror)', { ...update, writeConcern: { getLastError: [1] } }, 0],
    ...[{}, { dc1: 'x' }].map((w): Case => [`(w_tagged) ${JSON.stringify(w)}`, wc({ w }), 9]),
    ['(w_tagged_object)', { ...update, writeConcern: { w: { dc1: 1 } } }, 0],
    // …/aggregation/commands/aggregate, test_aggregate_field
    ...rejects({ pipeline: [], cursor: {} }, 'aggregate', ['string', ...NUMBERS], 73).map(
      ([name, { aggregate: target }]): Case => [name, { aggregate: target, pipeline: [], cursor: {} }, 73],
    ),
    ...[0, 2, new Double(Number.NaN)].map((n): Case => [`aggregate: ${n}`, { ...aggregate, aggregate: n }, 2]),
    ['(reject_cmd_aggregate)', { ...aggregate, aggregate: '$cmd.aggregate' }, 73],
    ['explain with a write concern', { ...aggregate, explain: true, writeConcern: { w: 1 } }, 9],
    // …/query_and_write/read_concern, test_count_snapshot_outside_transaction
    ['a snapshot of a count', { count: 'c', readConcern: { level: 'snapshot' } }, 72],
    ['a read concern of a write', { ...insert, readConcern: { level: 'majority' } }, 72],
    ['a snapshot session', { ...find, readConcern: { level: 'snapshot' } }, 238],
    ['another API version', { ...find, apiVersion: '2' }, 322],
    ['a command outside the API', { ...find, apiStrict: true }, 4886600],
    ['(strict) distinct', { distinct: 'c', key: 'x', apiVersion: '1', apiStrict: true }, 323],
    [
      'a document 200 deep',
      { insert: 'c', documents: [Array.from({ length: 200 }).reduce<Document>((a) => ({ a }), {})] },
      15,
    ],
    ['dropDatabase of 2', { dropDatabase: 2 }, 5255100, 'other'],
    ...['admin', 'local'].map((db): Case => [`dropDatabase of ${db}`, { dropDatabase: 1 }, 20, db]),
    ['dropIndexes of numbers', { dropIndexes: 'c', index: [1] }, 14],
    ['collMod of no index', { collMod: 'c', index: { hidden: true } }, 72],
    ['create with a level that is none', { create: 'd', validationLevel: 'x' }, 2],
    ['create over a collection with other options', { create: 'c', capped: true, size: 1000 }, 48],
    ['a name that begins with a dot', { find: '.x' }, 73],
    ['a database with a blank', { find: 'c' }, 73, 'a b'],
    ...['listDatabases', 'getParameter', 'abortTransaction'].map((name): Case => [
      `${name} elsewhere`,
      { [name]: 1 },
      13,
    ]),
  ]);

  // …/aggregation/commands: test_aggregate_collection_uuid, test_count_namespace
  const uuid = new Binary(Buffer.alloc(16, 1), 4);
  const short = new Binary(Buffer.alloc(3), 4);
  refuses('is the UUID of the collection', [
    ...[find, insert, update, aggregate].flatMap((command) => rejects(command, 'collectionUUID', ['null'])),
    ['(uuid_reject_binary_subtype4_wrong_size)', { ...find, collectionUUID: short }, 207],
    ['(uuid_mismatch_wrong_uuid)', { ...insert, collectionUUID: uuid }, 361],
    ['(uuid_mismatch_nonexistent_collection)', { find: 'none', collectionUUID: uuid }, 361],
    ['(uuid_reject_agnostic_mode)', { ...aggregate, aggregate: 1, collectionUUID: uuid }, 4928901],
    ...['find', 'count', 'listIndexes'].flatMap((name): Case[] => [
      [`${name} of another UUID`, { [name]: uuid }, 26],
      [`${name} of a short UUID`, { [name]: short }, 207],
    ]),
  ]);

  it('may be the UUID in place of the name', async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    await send({ insert: 'c', documents: [{ _id: 1, x: 'a' }] });
    const { cursor } = await send({ listCollections: 1 });
    const own = cursor.firstBatch[0].info.uuid;
    expect(await send({ find: own, collectionUUID: own })).toMatchObject({
      cursor: { ns: 'test.c', firstBatch: [{ _id: 1 }] },
    });
    expect(await send({ distinct: own, key: 'x' })).toMatchObject({ values: ['a'] });
    expect(await send({ insert: 'd', documents: [{}], collectionUUID: own })).toMatchObject({
      code: 361,
      expectedCollection: 'd',
      actualCollection: 'c',
    });
  });

  // …/query_and_write/commands/delete, test_delete_error_cases; https://www.mongodb.com/docs/manual/reference/command/update/
  const remove = { q: {}, limit: 0 };
  const change = { q: {}, u: { $set: { x: 'b' } } };
  it.each<[command: string, field: string, first: Document, wrong: readonly (readonly [Document, number])[]]>([
    [
      'delete',
      'deletes',
      remove,
      [
        [{ limit: 1 }, 40414],
        [{ q: {} }, 40414],
        [{ q: 'x', limit: 1 }, 14],
        [{ q: {}, limit: 2 }, 9],
        [{ ...remove, foo: 1 }, 40415],
        [{ ...remove, hint: 1 }, 9],
      ],
    ],
    [
      'update',
      'updates',
      change,
      [
        [{ u: {} }, 40414],
        [{ q: {} }, 40414],
        [{ q: {}, u: 1 }, 9],
        [{ ...change, multi: 1 }, 14],
        [{ ...change, arrayFilters: [1] }, 14],
        [{ ...change, foo: 1 }, 40415],
      ],
    ],
    [
      'bulkWrite',
      'ops',
      { update: 0, filter: {}, updateMods: { $set: { x: 'b' } } },
      [
        [{ delete: 0 }, 40414],
        [{ insert: 0 }, 40414],
        [{ update: 0, filter: {}, updateMods: 1 }, 9],
        [{ delete: 0, filter: {}, foo: 1 }, 40415],
        [{ foo: 0 }, 2],
      ],
    ],
  ])('of %s that can not be read leaves everything as it was', async (command, field, first, wrong) => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    await send({ insert: 'c', documents: [{ _id: 1, x: 'a' }] });
    const bulk = command === 'bulkWrite';
    for (const [statement, code] of wrong)
      for (const ordered of [true, false])
        expect(
          await send({
            [command]: bulk ? 1 : 'c',
            [field]: [first, statement],
            ordered,
            ...(bulk && { nsInfo: [{ ns: 'test.c' }], $db: 'admin' }),
          }),
        ).toMatchObject({ ok: 0, code });
    expect(await send({ count: 'c', query: { x: 'a' } })).toMatchObject({ n: 1 });
  });

  // …/write_concern, test_write_concern_behavior, _acceptance; https://www.mongodb.com/docs/manual/reference/write-concern/
  it('of a write concern tells what was not met, and with w: 0 no statement that failed', async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    await send({ insert: 'c', documents: [{ _id: 1, x: 'a' }] });
    const failing = (writeConcern: Document): Promise<Document> =>
      send({ update: 'c', updates: [{ q: {}, u: { a: 1 }, multi: true }], writeConcern });
    expect(await failing({ w: 0 })).not.toHaveProperty('writeErrors');
    for (const acknowledged of [{ w: 1 }, { w: 0, j: true }])
      expect(await failing(acknowledged)).toMatchObject({ writeErrors: [{ code: 9 }] });
    for (const [w, code] of [
      [null, 79],
      ['', 79],
      [{ dc1: 1 }, 100],
      [new Double(1.5), undefined],
    ] as const)
      expect((await send({ ...insert, documents: [{}], writeConcern: { w } }))['writeConcernError']?.code).toBe(code);
    expect(await send({ ...aggregate, pipeline: [{ $out: 'd' }], writeConcern: { w: 2 } })).toMatchObject({
      ok: 1,
      writeConcernError: { code: 100 },
    });
  });

  // …/collMod, test_collMod_pipeline: a null in a list of documents stands for nothing
  it('has nulls among its documents that stand for nothing', async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    await send({ insert: 'c', documents: [{ _id: 1, a: [2, 3] }] });
    expect(await send({ create: 'v', viewOn: 'c', pipeline: [null, { $project: { a: 1 } }] })).toMatchObject({ ok: 1 });
    expect(
      await send({
        ...findAndModify,
        update: { $set: { 'a.$[x]': 1 } },
        arrayFilters: [null, { x: 2 }],
        new: true,
      }),
    ).toMatchObject({ value: { a: [1, 3] } });
    expect(await send({ delete: 'c', deletes: [null] })).toMatchObject({ ok: 0, code: 16 });
  });

  // …/sessions/commands
  const lsid = newSession();
  refuses('names sessions as they are', [
    ['(element_empty_doc)', { killSessions: [{}] }, 40414],
    ['(element_wrong_field)', { killSessions: [{ notId: lsid.id }] }, 40415],
    ['(extra_field_alongside_id)', { killSessions: [{ ...lsid, extra: 1 }] }, 40415],
    ['(uuid_too_short)', { endSessions: [{ id: new Binary(Buffer.alloc(8), 4) }] }, 207],
    ['(id_binary_subtype3)', { refreshSessions: [{ id: new Binary(Buffer.alloc(16), 3) }] }, 14],
    ['all of them', { killAllSessions: [] }, 0],
    ...(
      [
        [{}, 40414],
        [{ user: 't', db: null }, 40414],
        [{ user: 123, db: 'admin' }, 14],
        [{ user: 't', db: 'admin', extra: 1 }, 40415],
        [{ user: 't', db: 'admin' }, 0],
      ] as const
    ).map(([user, code]): Case => [`killAllSessions ${JSON.stringify(user)}`, { killAllSessions: [user] }, code]),
    ['(w_negative_int)', { commitTransaction: 1, writeConcern: { w: -1 } }, 9, 'admin'],
    ['(j_string)', { abortTransaction: 1, writeConcern: { j: 'x' } }, 14, 'admin'],
    ['(autocommit_bool_true)', { abortTransaction: 1, autocommit: true }, 72, 'admin'],
    ['(autocommit_int32_zero)', { abortTransaction: 1, autocommit: 0 }, 14, 'admin'],
    ['(autocommit_null)', { abortTransaction: 1, autocommit: null }, 125, 'admin'],
    ['a number that is no long', { ...find, lsid, txnNumber: 1, autocommit: false, startTransaction: true }, 14],
  ]);

  it('startSession names a new session', async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    expect(await send({ startSession: 1 })).toMatchObject({ id: { id: { sub_type: 4 } }, timeoutMinutes: 30, ok: 1 });
  });
});

describe('a cursor', () => {
  // …/cursors/commands; the codes: https://www.mongodb.com/docs/manual/reference/command/getMore/
  it('is its session’s, and takes no time limit', async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    await send({ insert: 'c', documents: [{ _id: 1 }, { _id: 2 }, { _id: 3 }] });
    const [one, other] = [newSession(), newSession()];
    const open = async (lsid?: Document): Promise<Long> =>
      Long.fromNumber((await send({ find: 'c', batchSize: 1, ...(lsid && { lsid }) }))['cursor'].id as number);
    const more = async (id: Long, rest: Document = {}): Promise<unknown> =>
      (await send({ getMore: id, collection: 'c', ...rest }))['code'] ?? 0;
    expect(await more(await open(one))).toBe(50737);
    expect(await more(await open(one), { lsid: other })).toBe(50738);
    expect(await more(await open(), { lsid: other })).toBe(50736);
    expect(await more(await open(one), { lsid: one })).toBe(0);
    expect(await more(await open(), { maxTimeMS: 10 })).toBe(2);
  });

  it('gives the names of collections and indexes in batches', async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    for (const name of ['a', 'b', 'c']) await send({ create: name });
    const { cursor } = await send({ listCollections: 1, nameOnly: true, cursor: { batchSize: 1 } });
    expect(cursor).toMatchObject({ firstBatch: [{ name: 'a', type: 'collection' }], ns: 'test.$cmd.listCollections' });
    const next = await send({ getMore: Long.fromNumber(cursor.id as number), collection: '$cmd.listCollections' });
    expect(next['cursor'].nextBatch.map(({ name }: Document) => name)).toEqual(['b', 'c']);
    expect(await send({ listIndexes: 'a', cursor: { batchSize: 0 } })).toMatchObject({ cursor: { firstBatch: [] } });
  });
});

// https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps
it('an empty timestamp at the top of a document stands for now', async () => {
  const { engine } = await running();
  const send = await byHand(engine.uri);
  const t = new Timestamp({ t: 0, i: 0 });
  await send({ insert: 'c', documents: [{ _id: 1, t, in: { t } }] });
  const [doc] = (await send({ find: 'c' }))['cursor'].firstBatch as Document[];
  expect(doc?.['t'].isZero()).toBe(false);
  expect(doc?.['in'].t.isZero()).toBe(true);
});
