import { describe, expect, it } from '@jest/globals';
import { Decimal128 } from 'bson';
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

  it('holds in $match, $sort and $group; what compares by bytes alone is refused', async () => {
    const { db } = await running();
    await fill(db);
    const collation = { locale: 'en', strength: 1 };
    const run = (stages: object[]) => db.collection('c').aggregate(stages, { collation }).toArray();
    const groups = await run([{ $match: { name: 'ARG' } }, { $group: { _id: '$name', n: { $sum: 1 } } }]);
    expect(groups).toEqual([{ _id: expect.stringMatching(/arg/i), n: 2 }]);
    const same = await run([
      { $match: { $expr: { $in: ['$name', ['ARG']] } } },
      { $set: { same: { $eq: ['$name', 'ARG'] } } },
    ]);
    expect(same.map((d) => d['same'])).toEqual([true, true]);
    const compared = { same: { $eq: ['$name', 'ARG'] } };
    const c = db.collection('c');
    const arg = { _id: same[0]?._id };
    expect(await c.findOne(arg, { projection: { _id: 0, ...compared }, collation })).toEqual({ same: true });
    const changed = await c.findOneAndUpdate(arg, [{ $set: compared }], { collation, returnDocument: 'after' });
    expect(changed).toMatchObject({ same: true });
    const most = { most: { $max: ['$name', 'ARG'] } };
    expect(await refusal(run([{ $set: most }]))).toMatchObject({ code: 238 });
    expect(await refusal(c.updateOne({}, [{ $set: most }], { collation }))).toMatchObject({ code: 238 });
    expect(await refusal(c.find({}, { projection: most, collation }).toArray())).toMatchObject({ code: 238 });
    expect(await refusal(c.findOneAndDelete({}, { projection: most, collation }))).toMatchObject({ code: 238 });
  });

  // …/reference/collation/#collation-document, …/reference/collation-locales-defaults/, and
  // https://github.com/documentdb/functional-tests: core/aggregation/commands/{aggregate,count,distinct}
  it.each<[string, object, number]>([
    ['a locale that ICU does not know', { locale: 'xx_no' }, 2],
    ['one that MongoDB does not list', { locale: 'en_GB' }, 2],
    ['one in another case', { locale: 'EN' }, 2],
    ['one with a hyphen', { locale: 'fr-CA' }, 2],
    ['a variant not listed', { locale: 'zh@collation=pinyin' }, 2],
    ['one with an underscore', { locale: 'fr_CA' }, 0],
    ['a variant', { locale: 'de@collation=phonebook' }, 0],
    ['a locale of null', { locale: null }, 40414],
    ['a locale of another type', { locale: 1 }, 14],
    ['a strength too great', { locale: 'en', strength: 9 }, 2],
    ['a strength that is less than one', { locale: 'en', strength: 0.9 }, 2],
    ['a strength that loses its places', { locale: 'en', strength: 5.9 }, 0],
    ['a decimal that is rounded out of bounds', { locale: 'en', strength: Decimal128.fromString('5.5') }, 2],
    ['a decimal that is rounded to the even', { locale: 'en', strength: Decimal128.fromString('2.5') }, 0],
    ['a strength that is no number', { locale: 'en', strength: '1' }, 14],
    ['a null', { locale: 'en', caseLevel: null, strength: null }, 0],
    ['a null of backwards', { locale: 'en', backwards: null }, 14],
    ['backwards of strength 1', { locale: 'en', backwards: true, strength: 1 }, 2],
    ['backwards', { locale: 'fr', backwards: true }, 238],
    ['a word not known', { locale: 'en', alternate: 'Shifted' }, 2],
    ['a word of another type', { locale: 'en', alternate: 1 }, 14],
    ['caseFirst without case', { locale: 'en', caseFirst: 'upper', strength: 2 }, 2],
    ['caseFirst with caseLevel', { locale: 'en', caseFirst: 'upper', strength: 2, caseLevel: true }, 0],
    ['a field not known', { locale: 'en', Strength: 1 }, 40415],
    ['a version of another type', { locale: 'en', version: 1 }, 14],
  ])('%s', async (_, collation, code) => {
    const { db } = await running();
    const found = db.command({ find: 'c', collation });
    if (code === 0) expect(await found).toMatchObject({ ok: 1 });
    else expect(await refusal(found)).toMatchObject({ code });
  });

  it('orders what distinct finds, and keeps the first of equals', async () => {
    const { db } = await running();
    await db.collection('c').insertMany(['Banana', 'apple', 'Cherry', 'APPLE', 1, null].map((x) => ({ x })));
    const found = (collation?: object) => db.command({ distinct: 'c', key: 'x', ...(collation && { collation }) });
    expect(await found({ locale: 'en', strength: 1 })).toMatchObject({
      values: [null, 1, 'apple', 'Banana', 'Cherry'],
    });
    expect(await found()).toMatchObject({ values: [null, 1, 'APPLE', 'Banana', 'Cherry', 'apple'] });
  });

  // https://github.com/documentdb/functional-tests: core/collation; …/reference/operator/aggregation/lookup/
  it('goes with $lookup in all its forms, $graphLookup and $unionWith; that of the other collection is not asked', async () => {
    const { db } = await running();
    await db.collection<{ _id: number }>('c').insertOne({ _id: 1, x: 'Apple' } as { _id: number });
    await db.createCollection('other', { collation: { locale: 'fr', strength: 3 } });
    const apple = { _id: 10, x: 'apple', next: 'PEAR' };
    const pear = { _id: 11, x: 'pear' };
    await db.collection<{ _id: number }>('other').insertMany([apple, pear]);
    const run = (stage: object) =>
      db
        .collection('c')
        .aggregate([stage], { collation: { locale: 'en', strength: 1 } })
        .toArray();
    const from = 'other';
    const both = { localField: 'x', foreignField: 'x' };
    const inner = { let: { p: '$x' }, pipeline: [{ $match: { $expr: { $eq: ['$x', '$$p'] } } }] };
    const one = { _id: 1, x: 'Apple', m: [apple] };
    for (const form of [both, inner, { ...both, pipeline: [{ $match: { next: 'pear' } }] }])
      expect(await run({ $lookup: { from, as: 'm', ...form } })).toEqual([one]);
    const graph = { from, as: 'm', startWith: '$x', connectFromField: 'next', connectToField: 'x' };
    expect(await run({ $graphLookup: graph })).toEqual([{ ...one, m: [apple, pear] }]);
    const union = { coll: from, pipeline: [{ $match: { x: 'PEAR' } }] };
    expect(await run({ $unionWith: union })).toEqual([{ _id: 1, x: 'Apple' }, pear]);
  });

  // https://www.mongodb.com/docs/manual/core/views/#collation
  it('of a view is its own: another is refused (167), by what reads it and by a view of it', async () => {
    const { db } = await running();
    await fill(db);
    const own = { locale: 'en', strength: 2 };
    const other = { locale: 'fr', strength: 2 };
    const v = await db.createCollection('v', { viewOn: 'c', pipeline: [], collation: own });
    const join = (stage: object, collation?: { locale: string; strength: number }) =>
      db
        .collection('c')
        .aggregate([stage], collation && { collation })
        .toArray();
    const lookup = { $lookup: { from: 'v', localField: 'name', foreignField: 'name', as: 'm' } };
    expect(await v.find({ name: 'ARG' }).collation(own).toArray()).toHaveLength(2);
    expect(await v.distinct('name', { name: 'ARG' })).toHaveLength(1);
    expect(await db.command({ count: 'v', query: { name: 'ARG' }, collation: {} })).toMatchObject({ n: 2 });
    expect(await join({ $unionWith: 'v' }, own)).toHaveLength(2 * names.length);
    expect(await join(lookup, own)).toHaveLength(names.length);
    for (const asked of [
      () => v.find({ name: 'ARG' }).collation(other).toArray(),
      () => v.countDocuments({}, { collation: other }),
      () => join({ $unionWith: 'v' }),
      () => join(lookup, other),
      () => db.createCollection('w', { viewOn: 'v', pipeline: [] }),
    ])
      expect(await refusal(asked())).toMatchObject({ code: 167 });
  });
});
