import { describe, expect, it } from '@jest/globals';
import type { Collection, Document } from 'mongodb';
import { refusal, running } from './running.js';

const at = (lng: number, lat: number): Document => ({ type: 'Point', coordinates: [lng, lat] });
const square = (w: number, s: number, e: number, n: number): number[][] => [
  [w, s],
  [e, s],
  [e, n],
  [w, n],
  [w, s],
];
const area = (...rings: number[][][]): Document => ({ type: 'Polygon', coordinates: rings });
const names = async (c: Collection, filter: Document): Promise<string[]> =>
  (await c.find(filter).toArray()).map((d) => String(d['name']));

const cities = [
  { name: 'Beijing', loc: at(116.407, 39.904) },
  { name: 'Tianjin', loc: at(117.201, 39.084) },
  { name: 'Shanghai', loc: at(121.474, 31.23) },
  { name: 'Suva', loc: at(178.441, -18.141) },
];

/** https://www.mongodb.com/docs/manual/geospatial-queries/ */
describe('places', () => {
  // …/reference/operator/query/near/, …/reference/operator/query/nearSphere/
  it('$near on the sphere: nearest first, in metres, between limits, across the date line, sorted otherwise if asked', async () => {
    const { db } = await running();
    const c = db.collection('c');
    await c.insertMany(cities);
    const near = (lng: number, lat: number, limits: Document = {}): Document => ({
      loc: { $near: { $geometry: at(lng, lat), ...limits } },
    });
    expect(await refusal(names(c, near(0, 0)))).toMatchObject({ code: 291 });
    await c.createIndex({ loc: '2dsphere' });
    expect(await names(c, near(121, 31))).toEqual(['Shanghai', 'Tianjin', 'Beijing', 'Suva']);
    expect(await names(c, near(116.4, 39.9, { $maxDistance: 120_000 }))).toEqual(['Beijing', 'Tianjin']);
    expect(await names(c, near(116.4, 39.9, { $minDistance: 5000, $maxDistance: 120_000 }))).toEqual(['Tianjin']);
    expect(await names(c, { ...near(-179.5, -18), name: /^S/ })).toEqual(['Suva', 'Shanghai']);
    expect(await names(c, { loc: { $nearSphere: [116.4, 39.9], $maxDistance: 0.02 } })).toEqual(['Beijing', 'Tianjin']);
    const byName = await c
      .find(near(116, 39, { $maxDistance: 200_000 }))
      .sort({ name: -1 })
      .toArray();
    expect(byName.map((d) => String(d['name']))).toEqual(['Tianjin', 'Beijing']);
    expect(await refusal(c.countDocuments(near(0, 0)))).toMatchObject({ code: 5_626_500 });
    expect(await refusal(names(c, { $or: [near(0, 0)] }))).toMatchObject({ code: 2 });
  });

  // …/core/indexes/index-types/geospatial/2d/
  it('$near on the plane counts in the pair’s own unit; a field with several pairs counts as its nearest', async () => {
    const { db } = await running();
    const c = db.collection('c');
    await c.createIndex({ loc: '2d' });
    await c.insertMany([
      { name: 'a', loc: [10, 20] },
      { name: 'b', loc: { x: 40, y: 90 } },
      {
        name: 'c',
        loc: [
          [31, 41],
          [170, 0],
        ],
      },
    ]);
    expect(await names(c, { loc: { $near: [30, 40] } })).toEqual(['c', 'a', 'b']);
    expect(await names(c, { loc: { $near: [30, 40], $maxDistance: 30 } })).toEqual(['c', 'a']);
    expect(await refusal(c.insertOne({ loc: [1000, 1] }))).toMatchObject({ code: 13_027 });
  });

  // …/reference/operator/query/geoWithin/, …/reference/operator/query/box/ and its like
  it('$geoWithin: polygons with holes, edges along the great circle, boxes, circles, caps; needs no index', async () => {
    const { db } = await running();
    const c = db.collection('c');
    await c.insertMany(cities);
    const inside = (shape: Document): Promise<string[]> => names(c, { loc: { $geoWithin: shape } });
    expect(await inside({ $geometry: area(square(110, 30, 120, 45)) })).toEqual(['Beijing', 'Tianjin']);
    expect(await inside({ $geometry: area(square(110, 30, 120, 45), square(116, 39.5, 117, 40)) })).toEqual([
      'Tianjin',
    ]);
    expect(await inside({ $geometry: { type: 'MultiPolygon', coordinates: [[square(175, -20, -175, -15)]] } })).toEqual(
      ['Suva'],
    );
    expect(
      await inside({
        $box: [
          [110, 30],
          [122, 39.5],
        ],
      }),
    ).toEqual(['Tianjin', 'Shanghai']);
    expect(
      await inside({
        $polygon: [
          [110, 30],
          [125, 30],
          [117.3, 40],
        ],
      }),
    ).toEqual(['Tianjin', 'Shanghai']);
    expect(await inside({ $center: [[117, 39], 0.5] })).toEqual(['Tianjin']);
    expect(await inside({ $centerSphere: [[116.4, 39.9], 120 / 6378.1] })).toEqual(['Beijing', 'Tianjin']);
    // The edge at 45° N bends north: halfway it is above 45.4° though both its ends are at 45°.
    await c.insertOne({ name: 'bend', loc: at(115, 45.05) });
    expect(await inside({ $geometry: area(square(105, 30, 125, 45)) })).toContain('bend');
    expect(
      await inside({
        $box: [
          [105, 30],
          [125, 45],
        ],
      }),
    ).not.toContain('bend');
    expect(await refusal(inside({ $geometry: at(1, 1) }))).toMatchObject({ code: 2 });
  });

  // …/reference/operator/query/geoIntersects/
  it('$geoIntersects: points, lines and areas that have a place in common', async () => {
    const { db } = await running();
    const c = db.collection('c');
    await c.insertMany([
      {
        name: 'line',
        loc: {
          type: 'LineString',
          coordinates: [
            [0, 0],
            [10, 10],
          ],
        },
      },
      { name: 'area', loc: area(square(4, 4, 6, 6)) },
      { name: 'far', loc: area(square(40, 40, 41, 41)) },
      { name: 'point', loc: at(5, 5.5) },
    ]);
    const meets = ($geometry: Document): Promise<string[]> => names(c, { loc: { $geoIntersects: { $geometry } } });
    expect(await meets(area(square(5, 5, 8, 8)))).toEqual(['line', 'area', 'point']);
    expect(
      await meets({
        type: 'LineString',
        coordinates: [
          [0, 10],
          [10, 0],
        ],
      }),
    ).toEqual(['line', 'area']);
    expect(await meets(at(5, 5.5))).toEqual(['area', 'point']);
    expect(await meets(area(square(4.5, 4.5, 4.6, 4.6)))).toEqual(['line', 'area']);
  });

  // …/reference/operator/aggregation/geoNear/
  it('$geoNear tells the distance, filters by its query and stands first', async () => {
    const { db } = await running();
    const c = db.collection('c');
    await c.insertMany(cities);
    await c.createIndex({ loc: '2dsphere' });
    const stage = {
      near: at(116.407, 39.904),
      distanceField: 'd.m',
      includeLocs: 'd.at',
      query: { name: { $ne: 'Suva' } },
    };
    const found = await c.aggregate([{ $geoNear: { ...stage, distanceMultiplier: 0.001 } }]).toArray();
    expect(found.map((f) => [f['name'], Math.round(f['d'].m)])).toEqual([
      ['Beijing', 0],
      ['Tianjin', 114],
      ['Shanghai', 1069],
    ]);
    expect(found[0]).toMatchObject({ d: { at: at(116.407, 39.904) } });
    expect(await refusal(c.aggregate([{ $match: {} }, { $geoNear: stage }]).toArray())).toMatchObject({ code: 40_602 });
    // …/#geonear-with-bound-let-option: the place and the limits may be variables.
    const bound = { near: '$$place', distanceField: 'd', maxDistance: { $multiply: ['$$km', 1000] } };
    const within = await c.aggregate([{ $geoNear: bound }], { let: { place: at(117.2, 39), km: 150 } }).toArray();
    expect(within.map((f) => f['name'])).toEqual(['Tianjin', 'Beijing']);
    const each = [
      { $lookup: { from: 'c', let: { place: '$loc', km: 150 }, pipeline: [{ $geoNear: bound }], as: 'near' } },
    ];
    const around = await c.aggregate([...each, { $project: { name: 1, near: '$near.name' } }]).toArray();
    expect(around.map((f) => f['near'].length)).toEqual([2, 2, 1, 1]);
  });

  // …/core/indexes/index-types/geospatial/2dsphere/, …/index-hashed/, …/index-wildcard/
  it('indexes: a place must be one (16755); hashed and wildcard ones are kept and change no answer', async () => {
    const { db, reopen } = await running();
    const c = db.collection('c');
    await c.createIndex({ loc: '2dsphere', name: 1 });
    await c.createIndex({ h: 'hashed' });
    await c.createIndex({ '$**': 1 }, { wildcardProjection: { a: 1 } });
    expect(await refusal(c.insertOne({ loc: { type: 'Point' } }))).toMatchObject({ code: 16_755 });
    expect(await refusal(c.insertOne({ loc: at(1, 91) }))).toMatchObject({ code: 16_755 });
    expect(await refusal(c.insertOne({ h: [1] }))).toMatchObject({ code: 16_766 });

    await c.insertMany([
      { h: 'x', a: { b: 1 } },
      { h: 'y', a: { b: 2 } },
    ]);
    const again = (await reopen()).db.collection('c');
    expect(await again.findOne({ h: 'y' })).toMatchObject({ a: { b: 2 } });
    expect(await again.countDocuments({ 'a.b': { $gt: 1 } })).toBe(1);
    // Sparse by itself: a hint leaves out what has no place. core/indexes/index-types/geospatial/2dsphere/
    await again.insertOne({ h: 'z', loc: at(1, 1) });
    expect(await again.find({}, { hint: 'loc_2dsphere_name_1' }).toArray()).toMatchObject([{ h: 'z' }]);
    expect(await again.aggregate([{ $count: 'n' }], { hint: 'loc_2dsphere_name_1' }).toArray()).toEqual([{ n: 1 }]);
    expect(await again.indexes()).toMatchObject([
      {},
      { key: { loc: '2dsphere', name: 1 }, '2dsphereIndexVersion': 3 },
      { key: { h: 'hashed' } },
      { key: { '$**': 1 }, wildcardProjection: { a: 1 } },
    ]);
  });

  // https://github.com/documentdb/functional-tests: core/operator/query/geospatial; …/reference/geojson/, …/geometry/
  it('polygons: either way round the smaller side is meant, with strict winding the left one; half the sphere too', async () => {
    const { db } = await running();
    const c = db.collection('c');
    await c.insertMany([
      { name: 'in', loc: at(0.5, 0.5) },
      { name: 'out', loc: [10, 10] },
    ]);
    const ring = square(0, 0, 1, 1);
    const crs = (name: string): Document => ({ crs: { type: 'name', properties: { name } } });
    const strict = crs('urn:x-mongodb:crs:strictwinding:EPSG:4326');
    const inside = (rings: number[][][], more: Document = {}): Promise<string[]> =>
      names(c, { loc: { $geoWithin: { $geometry: { ...area(...rings), ...more } } } });
    expect(await inside([ring])).toEqual(['in']);
    expect(await inside([ring.toReversed()])).toEqual(['in']);
    expect(await inside([ring], crs('EPSG:4326'))).toEqual(['in']);
    expect(await inside([ring], strict)).toEqual(['in']);
    expect(await inside([ring.toReversed()], strict)).toEqual(['out']);
    // A line to and fro round the equator: its left is the north.
    const waves = Array.from({ length: 1001 }, (_, i) => [(i % 1000) * 0.36 - 180, i % 2 === 0 ? -0.5 : 0.5]);
    expect(await inside([waves])).toEqual(['in', 'out']);
    const bowtie = [
      [0, 0],
      [1, 1],
      [1, 0],
      [0, 1],
      [0, 0],
    ];
    for (const rings of [[bowtie], [ring, square(-1, -1, 2, 2)], [square(0, 0, 5, 5), square(0, 0, 2, 2)]])
      expect(await refusal(inside(rings))).toMatchObject({ code: 2 });
    for (const more of [crs('x'), { crs: { type: 'name' } }, { ...strict, crs: { ...strict['crs'], type: 'x' } }])
      expect(await refusal(inside([ring], more))).toMatchObject({ code: 2 });
    await c.createIndex({ loc: '2dsphere' });
    expect(await refusal(c.insertOne({ loc: area(bowtie) }))).toMatchObject({ code: 16_755 });
  });

  it('$polygon holds its corners, level and upright edges, and not what is on a slanted one; a 2d index has bounds', async () => {
    const { db } = await running();
    const c = db.collection('c');
    await c.createIndex({ loc: '2d' }, { min: -500, max: 500 });
    const places = [
      [5, 5],
      [5, 0],
      [10, 5],
      [0, 0],
      [7, 2],
      [400, 400],
    ];
    await c.insertMany(places.map((loc) => ({ name: String(loc), loc })));
    const triangle = [
      [0, 0],
      [10, 10],
      [10, 0],
    ];
    expect(await names(c, { loc: { $geoWithin: { $polygon: triangle } } })).toEqual(['5,0', '10,5', '0,0', '7,2']);
    expect(await refusal(c.insertOne({ loc: [501, 0] }))).toMatchObject({ code: 13_027 });
  });
});
