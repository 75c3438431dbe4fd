import { describe, expect, it } from '@jest/globals';
import type { Db } from 'mongodb';
import { refusal, running } from './running.js';

const names = ['Ärger', 'arg', 'Arg', 'Zeta', 'alpha', 'item 10', 'item 9'];
const fill = (db: Db): Promise<unknown> => db.collection('c').insertMany(names.map((name) => ({ name, tags: [name] })));

/** https://www.mongodb.com/docs/manual/reference/collation/ */
describe('a collation', () => {
  it('of strength 1 takes neither case nor accents, of strength 2 no case, of strength 3 both', async () => {
    const { db } = await running();
    await db.collection('c').insertMany(['café', 'Café', 'cafe'].map((name) => ({ name })));
    const found = async (strength: number): Promise<string[]> => {
      const docs = await db.collection('c').find({ name: 'café' }).collation({ locale: 'fr', strength }).toArray();
      return docs.map((d) => String(d['name'])).toSorted();
    };
    expect(await found(1)).toEqual(['Café', 'cafe', 'café']);
    expect(await found(2)).toEqual(['Café', 'café']);
    expect(await found(3)).toEqual(['café']);
  });

  it('chooses the element that a projection takes', async () => {
    const { db } = await running();
    await db.collection('c').insertOne({ list: [{ name: 'b' }, { name: 'A' }] });
    const projection = { _id: 0, list: { $elemMatch: { name: 'a' } } };
    const found = db.collection('c').find({}, { projection, collation: { locale: 'en', strength: 2 } });
    expect(await found.toArray()).toEqual([{ list: [{ name: 'A' }] }]);
  });

  it('orders sorts and ranges, and numbers in texts by numericOrdering; an index of bytes gives it no bounds', async () => {
    const { db } = await running();
    await fill(db);
    const c = db.collection('c');
    await c.createIndex({ name: 1 });
    const sorted = (options: object) =>
      c
        .find()
        .sort({ name: 1 })
        .collation({ locale: 'en', ...options })
        .map((d) => String(d['name']))
        .toArray();
    expect(await sorted({})).toEqual(['alpha', 'arg', 'Arg', 'Ärger', 'item 10', 'item 9', 'Zeta']);
    expect(await sorted({ numericOrdering: true, caseFirst: 'upper' })).toEqual([
      'alpha',
      'Arg',
      'arg',
      'Ärger',
      'item 9',
      'item 10',
      'Zeta',
    ]);
    const below = await c
      .find({ name: { $lt: 'B' } })
      .collation({ locale: 'en' })
      .toArray();
    expect(below.map((d) => String(d['name'])).toSorted()).toEqual(['Arg', 'alpha', 'arg', 'Ärger']);
    expect(
      await c
        .find({ name: { $in: ['ARG'] } })
        .collation({ locale: 'en', strength: 2 })
        .toArray(),
    ).toHaveLength(2);
  });

  it('is asked by updates, deletes, counts, distinct, findAndModify, arrayFilters and $pull', async () => {
    const { db } = await running();
    await fill(db);
    const c = db.collection('c');
    const collation = { locale: 'en', strength: 2 };
    expect(await c.countDocuments({ name: 'ARG' }, { collation })).toBe(2);
    expect(await c.distinct('name', { name: /arg/i }, { collation })).toHaveLength(1);
    await c.updateMany({ name: 'ARG' }, { $pull: { tags: 'ARG' }, $set: { n: 1 } } as object, { collation });
    expect(await c.countDocuments({ n: 1, tags: [] })).toBe(2);
    await c.updateOne({ name: 'ZETA' }, { $set: { 'tags.$[t]': 'z' } }, { collation, arrayFilters: [{ t: 'zeta' }] });
    expect(await c.findOne({ name: 'Zeta' })).toMatchObject({ tags: ['z'] });
    expect(await c.findOneAndUpdate({ name: 'ALPHA' }, { $set: { n: 2 } }, { collation })).toMatchObject({
      name: 'alpha',
    });
    expect((await c.deleteMany({ name: 'ARG' }, { collation })).deletedCount).toBe(2);
  });

  it('of a collection is its commands’ and its indexes’; a unique index holds by it', async () => {
    const { db, reopen } = await running();
    const c = await db.createCollection('c', { collation: { locale: 'en_US', strength: 2 } });
    await c.createIndex({ name: 1 }, { unique: true });
    await c.insertOne({ name: 'Alpha' });
    expect(await refusal(c.insertOne({ name: 'ALPHA' }))).toMatchObject({ code: 11000 });
    const again = (await reopen()).db.collection('c');
    expect(await again.findOne({ name: 'aLPHA' })).toMatchObject({ name: 'Alpha' });
    expect(await again.find({ name: 'aLPHA' }).collation({ locale: 'simple' }).toArray()).toEqual([]);
    const shown = expect.objectContaining({ collation: expect.objectContaining({ locale: 'en_US', strength: 2 }) });
    expect(await again.indexes()).toEqual([shown, shown]);
  });

  it('holds in $match, $sort and $group; what compares by bytes alone is refused, and so is what can not be', async () => {
    const { db } = await running();
    await fill(db);
    const collation = { locale: 'en', strength: 1 };
    const run = (stages: object[]) => db.collection('c').aggregate(stages, { collation }).toArray();
    const groups = await run([{ $match: { name: 'ARG' } }, { $group: { _id: '$name', n: { $sum: 1 } } }]);
    expect(groups).toEqual([{ _id: expect.stringMatching(/arg/i), n: 2 }]);
    const same = { $eq: ['$name', 'ARG'] };
    const c = db.collection('c');
    expect(await refusal(run([{ $set: { same } }]))).toMatchObject({ code: 238 });
    expect(await refusal(c.updateOne({}, [{ $set: { same } }], { collation }))).toMatchObject({ code: 238 });
    expect(await refusal(c.find({}, { projection: { same }, collation }).toArray())).toMatchObject({ code: 238 });
    expect(await refusal(c.findOneAndDelete({}, { projection: { same }, collation }))).toMatchObject({ code: 238 });
    const find = (bad: object) =>
      db
        .collection('c')
        .find()
        .collation(bad as { locale: string })
        .toArray();
    expect(await refusal(find({ locale: 'xx_no' }))).toMatchObject({ code: 2 });
    for (const strength of [0, 9, -1, Number.NaN, Infinity])
      expect(await refusal(find({ locale: 'en', strength }))).toMatchObject({ code: 2 });
    expect(await refusal(find({ locale: null }))).toMatchObject({ code: 40_414 });
    expect(await refusal(find({ locale: 'fr', backwards: true }))).toMatchObject({ code: 238 });
  });
});
