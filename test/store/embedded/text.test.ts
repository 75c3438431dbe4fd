import { describe, expect, it } from '@jest/globals';
import type { Document } from 'mongodb';
import { stem } from '../../../src/store/embedded/query/text/stem.js';
import { refusal, running } from './running.js';

/** https://www.mongodb.com/docs/manual/reference/operator/query/text/ */
describe('a search for words', () => {
  // The collection and the searches of the page.
  const subjects = [
    'coffee', 'Coffee Shopping', 'Baking a cake', 'baking', 'Café Con Leche', 'Сырники', 'coffee and cream', 'Cafe con Leche',
  ]; // prettier-ignore

  it('finds any word by its stem, whole phrases, and nothing that is negated; case and accents if asked', async () => {
    const { db } = await running();
    const c = db.collection<{ _id: number; subject: string }>('articles');
    const find = async ($search: string, options: Document = {}): Promise<number[]> =>
      (await c.find({ $text: { $search, ...options } }).toArray()).map((d) => d._id);
    await c.insertMany(subjects.map((subject, i) => ({ _id: i + 1, subject })));
    expect(await refusal(find('coffee'))).toMatchObject({ code: 27 });
    await c.createIndex({ subject: 'text' });
    expect(await find('coffee')).toEqual([1, 2, 7]);
    expect(await find('bake coffee cake')).toEqual([1, 2, 3, 4, 7]);
    expect(await find('"coffee shop"')).toEqual([2]);
    expect(await find('coffee -shop')).toEqual([1, 7]);
    expect(await find('сырники CAFÉS')).toEqual([5, 6, 8]);
    expect(await find('Coffee', { $caseSensitive: true })).toEqual([2]);
    expect(await find('CAFÉ', { $diacriticSensitive: true })).toEqual([5]);
    expect(await find('a and')).toEqual([]);
    expect(await refusal(find('x', { $language: 'german' }))).toMatchObject({ code: 238 });
  });

  // https://www.mongodb.com/docs/manual/reference/operator/aggregation/meta/
  it('tells how well each fits, by weights, in finds and pipelines, and sorts by it', async () => {
    const { db, reopen } = await running();
    const c = db.collection('c');
    await c.insertMany([
      { _id: 1 as never, title: 'cakes and ale', body: 'none' },
      { _id: 2 as never, title: 'none', body: 'Cake cake' },
      { _id: 3 as never, title: 'a cake', body: ['cake', 'pie'] },
    ]);
    await c.createIndex({ title: 'text', body: 'text', n: 1 }, { weights: { title: 10 } });
    const again = (await reopen()).db.collection('c');
    const score = { $meta: 'textScore' };
    const $text = { $search: 'cake' };
    const found = await again.find({ $text }).project({ score, _id: 1 }).sort({ score }).toArray();
    expect(found.map((d) => [d['_id'], d['score']])).toEqual([
      [3, 11.1],
      [1, 7.5],
      [2, 1.5],
    ]);
    const stages = [
      { $match: { $text } },
      { $set: { s: score } },
      { $sort: { s: -1 } },
      { $project: { s: 1, t: score } },
    ];
    expect((await again.aggregate(stages).toArray())[0]).toEqual({ _id: 3, s: 11.1, t: 11.1 });
    // Of a score alone: all fields in a find, but with _id named; in a pipeline none but it.
    const fields = async (project: object): Promise<string[][]> => {
      const docs = [
        await again.findOne({ $text }, { projection: project }),
        (await again.aggregate([{ $match: { $text } }, { $project: project }]).toArray())[0],
      ];
      return docs.map((doc) => Object.keys(doc ?? {}));
    };
    expect(await fields({ score })).toEqual([
      ['_id', 'title', 'body', 'score'],
      ['_id', 'score'],
    ]);
    expect(await fields({ _id: 1, score })).toEqual([
      ['_id', 'score'],
      ['_id', 'score'],
    ]);
    expect(await fields({ _id: 0, score })).toEqual([['title', 'body', 'score'], ['score']]);
    expect(await again.countDocuments({ $text })).toBe(3);
    expect(await refusal(again.find().sort({ score }).toArray())).toMatchObject({ code: 40_218 });
    expect(await refusal(again.aggregate([{ $limit: 1 }, { $match: { $text } }]).toArray())).toMatchObject({
      code: 17_313,
    });
    expect(await again.indexes()).toMatchObject([
      {},
      {
        key: { _fts: 'text', _ftsx: 1, n: 1 },
        name: 'title_text_body_text_n_1',
        weights: { body: 1, title: 10 },
        default_language: 'english',
        language_override: 'language',
        textIndexVersion: 3,
      },
    ]);
    expect(await refusal(again.createIndex({ t: 'text' }, { default_language: 'german' }))).toMatchObject({ code: 67 });
    expect(await refusal(again.createIndex({ t: 'text' }))).toMatchObject({ code: 67 });
  });

  // https://snowballstem.org/algorithms/english/stemmer.html: its sample vocabulary and words of its rules
  it.each(Object.entries({
    consign: 'consign consigned consigning consignment', consist: 'consist consisted consistency consistent consistently',
    knack: 'knack knacks', knee: 'knee', kneel: 'kneel kneeled kneeling kneels', knight: 'knight knightly knights',
    cri: 'cries cry', by: 'by', say: 'say says', tie: 'ties tie', gas: 'gas', happi: 'happy happiness',
    hop: 'hopping hopped hop', hope: 'hoping hoped hope', general: 'general generally', generat: 'generate generating generation',
    luxuri: 'luxuriate luxury', sky: 'sky skies', news: 'news', relat: 'relational relate relating',
    agre: 'agreed agree', run: 'running run', communiti: 'community communities',
  }))('%s: %s', (root, words) => {
    for (const word of words.split(' ')) expect([word, stem(word)]).toEqual([word, root]);
  }); // prettier-ignore
});
