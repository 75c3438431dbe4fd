import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, MaxKey, ObjectId, serialize, Timestamp } from 'bson';
import { type Connection, createConnection } from 'mongoose';
import { demoPeople, demoUnits, seeded } from '../../src/domain/demo/people.js';
import { createModels } from '../../src/domain/models.js';
import { loadPointRules } from '../../src/domain/rules/point-rules.js';
import { createServices } from '../../src/domain/services.js';
import { rulesFile } from '../../src/paths.js';
import { encodeHeader, HEADER_BYTES, RECORD } from '../../src/store/backup/format.js';
import { restore as restoreBackup, type Restored } from '../../src/store/backup/restore.js';
import { verifyBackup } from '../../src/store/backup/read.js';
import { backUp } from '../../src/store/backup/write.js';
import { joinStore, openStore, type Store, type StoreAddress } from '../../src/store/connect.js';
import { servedAt } from '../../src/store/embedded/index.js';
import { type Migration, migrate, SCHEMA_VERSION } from '../../src/store/migrate.js';
import { transact } from '../../src/store/transaction.js';

const NOW = new Date('2026-11-25T02:00:00Z');
const NO_BACKUP = { backUp: () => Promise.reject(new Error('nothing to migrate')) };
/** Where a MongoDB is given, backups go from one store to the other and back; else from folder to folder. */
const URI = process.env['MONGODB_URI'];

let root: string;
let places = 0;
const opened: Store[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'gridmate-backup-'));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});
afterAll(() => rm(root, { recursive: true, force: true }));

type Kind = 'embedded' | 'MongoDB';
const newPlace = (kind: Kind): StoreAddress & { name: string } => {
  places += 1;
  return {
    folder: join(root, `store-${places}`),
    name: `backup_${process.pid}_${places}`,
    thread: 'same',
    ...(kind === 'MongoDB' && { uri: URI }),
  };
};
const opens = async (at: StoreAddress): Promise<Store> => {
  const store = await openStore(at);
  if (at.uri !== undefined)
    opened.push({
      ...store,
      close: () =>
        store.connection.readyState === 1
          ? store.connection.dropDatabase().then(() => store.close())
          : Promise.resolve(),
    });
  else opened.push({ ...store, close: () => (store.connection.readyState === 1 ? store.close() : Promise.resolve()) });
  return store;
};
const restore = (file: string, at: StoreAddress & { name: string }, replace = false): Promise<Restored> =>
  restoreBackup({ ...at, uri: at.uri, file, replace, at: NOW });
const fileFor = (name: string): string => join(root, `${name}-${places}.gmbackup`);

const ROUTES: readonly [Kind, Kind][] =
  URI === undefined
    ? [['embedded', 'embedded']]
    : [
        ['embedded', 'MongoDB'],
        ['MongoDB', 'embedded'],
        ['MongoDB', 'MongoDB'],
      ];

describe.each(ROUTES)('a backup from %s to %s', (from, to) => {
  it('taken while everybody writes is one moment: totals are sums, every report has its number', async () => {
    const store = await opens(newPlace(from));
    const models = createModels(store.connection);
    const services = createServices(models, loadPointRules(rulesFile('points.yaml')), {
      zone: 'Asia/Shanghai',
      maxReportAgeDays: 7,
    });
    await migrate(store.connection, NO_BACKUP);
    const people = demoPeople().members;
    await models.units.insertMany(demoUnits);
    await models.members.insertMany(people);
    const secretary = people.find((m) => m.roles.some((r) => r.role === 'secretary'));
    const members = people.filter((m) => m.roles.length === 0).slice(0, 40);
    if (!secretary) throw new Error('the demo has no secretary');
    let writing = true;
    let written = 0;
    const random = seeded(3);
    const write = async (): Promise<void> => {
      while (writing) {
        const reporter = members[Math.floor(random() * members.length)];
        if (!reporter) continue;
        const day = `2026-11-${String(19 + Math.floor(random() * 7))}`;
        const { reports } = await transact(store.connection, (tx) =>
          services.services.report(tx, {
            reporter,
            items: [{ item: '护学', minutes: 10, day, members: ['@me'] }],
            group: null,
            evidence: [],
            today: '2026-11-25',
            at: NOW,
          }),
        );
        const numbers = reports.map((r) => r._id);
        await transact(store.connection, (tx) => services.services.approve(tx, { numbers, by: secretary, at: NOW }));
        written += 1;
      }
    };
    const writers = [write(), write(), write(), write()];
    while (written < 40) await new Promise((done) => setTimeout(done, 5));
    const file = fileFor('load');
    const { collections } = await backUp(store.connection, file, NOW);
    const before = written;
    while (written < before + 20) await new Promise((done) => setTimeout(done, 5));
    writing = false;
    await Promise.all(writers);
    expect(collections['serviceReports']).toBeGreaterThanOrEqual(40);
    expect(collections['serviceReports']).toBeLessThan(await models.serviceReports.countDocuments());

    const place = newPlace(to);
    await restore(file, place);
    const restored = await opens(place);
    const back = createModels(restored.connection);
    const backServices = createServices(back, loadPointRules(rulesFile('points.yaml')), {
      zone: 'Asia/Shanghai',
      maxReportAgeDays: 7,
    });
    expect(await transact(restored.connection, (tx) => backServices.ledger.differences(tx))).toEqual([]);
    const confirmed = await back.serviceReports.find({ status: 'confirmed' }).lean();
    const entries = await back.ledgerEntries.find({}).lean();
    const reports = new Set(confirmed.map((r) => `serviceReport:${r._id}`));
    expect(entries.filter((e) => !reports.has(e.source))).toEqual([]);
    const numbers = new Set((await back.numbered.find({}).lean()).map((n) => n._id));
    expect((await back.serviceReports.find({}).lean()).filter((r) => !numbers.has(r._id))).toEqual([]);
    // The next number is none that was given.
    await migrate(restored.connection, NO_BACKUP);
    const next = await transact(restored.connection, (tx) => backServices.numbers.next(tx, 'serviceReport'));
    expect(next).toBeGreaterThan(Math.max(...numbers));
    for (const [name, model] of Object.entries(back)) {
      const declared = model.schema.indexes().map(([key]) => JSON.stringify(key));
      const there = (await model.collection.indexes()).map((i) => JSON.stringify(i['key']));
      expect([name, declared.filter((key) => !there.includes(key))]).toEqual([name, []]);
    }
  }, 120_000);

  it('pictures and files are all in it, though they are read after the moment: that has to be short', async () => {
    const at = newPlace(from);
    const store = await opens(at);
    const pictures = Array.from({ length: 450 }, (_, n) => ({ _id: `picture-${n}`, bytes: Buffer.alloc(500, n) }));
    await store.connection.collection<{ _id: string }>('attachments').insertMany(pictures);
    const watched = await createConnection(at.uri ?? (await servedAt(at.folder))?.uri ?? '', {
      dbName: at.name,
      monitorCommands: true,
    }).asPromise();
    const inTransaction: unknown[] = [];
    watched.getClient().on('commandStarted', ({ commandName, command }) => {
      if (commandName === 'find' && command.find === 'attachments' && command.autocommit === false)
        inTransaction.push(command.projection);
    });
    const file = fileFor('pictures');
    const { collections } = await backUp(watched, file, NOW);
    await watched.close();
    expect(inTransaction).toEqual([{ _id: 1 }]);
    expect(collections['attachments']).toBe(450);
    const place = newPlace(to);
    await restore(file, place);
    const restored = await opens(place);
    const back = await restored.connection.collection('attachments').find({}).toArray();
    expect(back.map((p) => p['bytes'].buffer[0]).toSorted((a, b) => a - b)).toEqual(
      pictures.map((p) => p.bytes[0] ?? 0).toSorted((a, b) => a - b),
    );
  });

  it('gives every document back byte by byte, with the types of its values', async () => {
    const store = await opens(newPlace(from));
    const collection = store.connection.collection('oddities');
    await collection.insertMany([
      { _id: new ObjectId(), int: new Int32(7), double: new Double(7), long: Long.fromNumber(7), text: '网格 🙂' },
      { _id: new ObjectId(), decimal: Decimal128.fromString('1.10'), when: NOW, none: null, list: [1, [2.5, []], {}] },
      {
        _id: new ObjectId(),
        bytes: new Binary(Buffer.from([0, 255]), 5),
        re: new BSONRegExp('^a', 'i'),
        max: new MaxKey(),
      },
      {
        _id: new ObjectId(),
        stamp: new Timestamp({ t: 5, i: 1 }),
        big: Buffer.alloc(1_500_000, 'x'),
        _x: { b: 1, a: 2 },
      },
    ]);
    await collection.createIndex(
      { int: 1 },
      { unique: true, partialFilterExpression: { int: { $gt: 0 } }, name: 'some' },
    );
    await collection.createIndex({ when: 1 }, { expireAfterSeconds: 999_999_999 });
    const raw = async (of: Store): Promise<string[]> => {
      const all = await of.connection.collection('oddities').find({}, { raw: true }).sort({ _id: 1 }).toArray();
      return all.map((bytes) => Buffer.from(bytes as unknown as Uint8Array).toString('hex'));
    };
    const expected = await raw(store);
    const file = fileFor('bytes');
    await backUp(store.connection, file, NOW);
    const place = newPlace(to);
    await restore(file, place);
    const restored = await opens(place);
    expect(await raw(restored)).toEqual(expected);
    expect(await restored.connection.collection('oddities').indexes()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'some', unique: true, partialFilterExpression: { int: { $gt: 0 } } }),
        expect.objectContaining({ expireAfterSeconds: 999_999_999 }),
      ]),
    );
  });
});

describe('a restore', () => {
  const kind: Kind = URI === undefined ? 'embedded' : 'MongoDB';
  const holding = async (value: string): Promise<{ place: ReturnType<typeof newPlace>; store: Store }> => {
    const place = newPlace(kind);
    const store = await opens(place);
    await migrate(store.connection, NO_BACKUP);
    await store.connection.collection('things').insertOne({ value });
    return { place, store };
  };
  const backedUp = async (value: string): Promise<string> => {
    const { store } = await holding(value);
    const file = fileFor(value);
    await backUp(store.connection, file, NOW);
    return file;
  };
  const valuesIn = async (at: StoreAddress): Promise<unknown[]> => {
    const store = await openStore(at);
    const all = await store.connection.collection('things').find({}).toArray();
    await store.close();
    return all.map((d) => d['value']);
  };

  it('refuses a damaged file, wherever the damage is, and changes nothing', async () => {
    const file = await backedUp('good');
    const bytes = await readFile(file);
    const place = newPlace(kind);
    const spots = [
      3,
      26,
      40,
      100,
      150,
      HEADER_BYTES - 1,
      HEADER_BYTES,
      HEADER_BYTES + 5,
      bytes.length - 3,
      bytes.length - 1,
    ];
    for (const at of spots) {
      const harmed = Buffer.from(bytes);
      harmed[at] = (harmed[at] ?? 0) ^ 0x04;
      await writeFile(`${file}.harmed`, harmed);
      await expect(restore(`${file}.harmed`, place)).rejects.toThrow(/损坏.*damaged|不是备份文件.*not a backup|格式/);
    }
    expect(await valuesIn(place)).toEqual([]);
  });

  it('refuses a file that is cut short, at every length', async () => {
    const file = await backedUp('whole');
    const bytes = await readFile(file);
    const place = newPlace(kind);
    for (const length of [0, 10, 200, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 20, bytes.length - 1]) {
      await writeFile(`${file}.cut`, bytes.subarray(0, length));
      await expect(restore(`${file}.cut`, place)).rejects.toThrow(/不完整.*cut short|不是备份文件/);
    }
    await writeFile(`${file}.long`, Buffer.concat([bytes, Buffer.from('more')]));
    await expect(restore(`${file}.long`, place)).rejects.toThrow('damaged');
    expect(await valuesIn(place)).toEqual([]);
  });

  it('refuses a newer format and a newer schema, and says which program it needs', async () => {
    const file = await backedUp('today');
    const place = newPlace(kind);
    const text = (await readFile(file)).toString('latin1');
    await writeFile(`${file}.newer`, text.replace('format 1\n', 'format 2\n'), 'latin1');
    await expect(restore(`${file}.newer`, place)).rejects.toThrow('the backup has format 2, this program reads 1');
    const { store } = await holding('tomorrow');
    await store.connection
      .collection<{ _id: string }>('storeState')
      .updateOne({ _id: 'schema' }, { $inc: { version: 1 } });
    const later = fileFor('later');
    await backUp(store.connection, later, NOW);
    await expect(restore(later, place)).rejects.toThrow(`the backup is of schema version ${SCHEMA_VERSION + 1}`);
    expect(await valuesIn(place)).toEqual([]);
  });

  it('goes into an empty store only; told to replace, it keeps a backup of what was there', async () => {
    const file = await backedUp('old');
    const { place, store } = await holding('new');
    await store.close();
    await expect(restore(file, place)).rejects.toThrow('--replace --yes');
    expect(await valuesIn(place)).toEqual(['new']);
    const { before } = await restore(file, place, true);
    expect(await valuesIn(place)).toEqual(['old']);
    await restore(before ?? '', place, true);
    expect(await valuesIn(place)).toEqual(['new']);
    expect((await stat(before ?? '')).mode & 0o077).toBe(0);
  });

  it('that fails half way leaves the store as it was', async () => {
    const record = (kind: number, document: object): Buffer =>
      Buffer.concat([Buffer.from([kind]), serialize(document)]);
    const twice = [{ _id: 1 }, { _id: 1 }].map((d) => record(RECORD.document, d));
    const packed = gzipSync(Buffer.concat([record(RECORD.collection, { name: 'things', indexes: [] }), ...twice]));
    const header = encodeHeader({
      createdAt: NOW.toISOString(),
      database: 'made by hand',
      schemaVersion: 1,
      collections: { things: 2 },
      bytes: packed.length,
      sha256: createHash('sha256').update(packed).digest('hex'),
    });
    places += 1;
    const file = fileFor('twice');
    await writeFile(file, Buffer.concat([header, packed]));
    const empty = newPlace(kind);
    await expect(restore(file, empty)).rejects.toThrow('E11000');
    const store = await opens(empty);
    expect(await store.connection.listCollections()).toEqual([]);
    await store.close();
    if (kind === 'MongoDB') return;
    const { place, store: held } = await holding('kept');
    await held.close();
    await expect(restore(file, place, true)).rejects.toThrow('E11000');
    expect(await valuesIn(place)).toEqual(['kept']);
  });

  it('that was killed half way leaves a store on which no program starts, and can be done again', async () => {
    const file = await backedUp('kept');
    const { place, store } = await holding('half');
    await store.connection.collection<{ _id: string }>('storeState').insertOne({ _id: 'restore' });
    await expect(migrate(store.connection, NO_BACKUP)).rejects.toThrow('a restore did not finish');
    await store.close();
    await restore(file, place, true);
    const again = await opens(place);
    await migrate(again.connection, NO_BACKUP);
    expect(await again.connection.collection('things').countDocuments()).toBe(1);
  });

  it('a backup never overwrites a file, and one that failed leaves none behind', async () => {
    const file = await backedUp('first');
    const { store } = await holding('second');
    await expect(backUp(store.connection, file, NOW)).rejects.toThrow('exists already');
    await store.close();
    await expect(backUp(store.connection, fileFor('closed'), NOW)).rejects.toThrow();
    expect((await readdir(root)).filter((name) => name.includes('closed') || /\.(?:part|reads)$/.test(name))).toEqual(
      [],
    );
    expect((await verifyBackup(file)).collections).toMatchObject({ things: 1 });
  });
});

describe('the embedded store, while a program serves it', () => {
  it('is backed up through its socket; a restore is refused', async () => {
    const place = newPlace('embedded');
    const { connection } = await opens(place);
    await connection.collection('things').insertOne({ value: 'served' });
    const beside = await joinStore(place);
    expect(beside.heldBy).toBe(process.pid);
    const file = fileFor('served');
    await backUp(beside.connection, file, NOW);
    await beside.close();
    await expect(restore(file, place, true)).rejects.toThrow(`in use by process ${process.pid}`);
    expect(await connection.collection('things').countDocuments()).toBe(1);
  });
});

describe('an upgrade', () => {
  const steps = (connection: Connection): Migration[] =>
    [1, 2].map((n) => ({
      to: SCHEMA_VERSION + n,
      run: async () => void (await connection.collection('things').insertOne({ value: `step ${n}` })),
    }));

  it('does not start on a store of a newer program, and leaves it as it is', async () => {
    const { connection } = await opens(newPlace('embedded'));
    await migrate(connection, NO_BACKUP);
    const states = connection.collection<{ _id: string; version: number }>('storeState');
    await states.updateOne({ _id: 'schema' }, { $set: { version: SCHEMA_VERSION + 1 } });
    await expect(migrate(connection, NO_BACKUP)).rejects.toThrow('Nothing was changed');
    expect(await states.find({}).toArray()).toEqual([{ _id: 'schema', version: SCHEMA_VERSION + 1 }]);
  });

  it('takes a backup before the first migration, runs them in order, and runs none twice', async () => {
    const { connection } = await opens(newPlace('embedded'));
    await migrate(connection, NO_BACKUP);
    const file = fileFor('upgrade');
    const migrations = steps(connection);
    await migrate(connection, { migrations, backUp: () => backUp(connection, file, NOW) });
    const things = await connection.collection('things').find({}).toArray();
    expect(things.map((t) => t['value'])).toEqual(['step 1', 'step 2']);
    expect((await verifyBackup(file)).collections['things']).toBeUndefined();
    await migrate(connection, { ...NO_BACKUP, migrations });
    expect(await connection.collection('things').countDocuments()).toBe(2);
  });

  it('whose backup fails changes nothing', async () => {
    const { connection } = await opens(newPlace('embedded'));
    await migrate(connection, NO_BACKUP);
    const migrations = steps(connection);
    await expect(
      migrate(connection, { migrations, backUp: () => Promise.reject(new Error('no room on the disk')) }),
    ).rejects.toThrow('no room');
    expect(await connection.collection('things').countDocuments()).toBe(0);
  });
});
