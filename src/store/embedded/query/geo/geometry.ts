import { isDoc, isNumeric, toNumber } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import {
  angle,
  angleToLine,
  bounds,
  cross2,
  inPolygon,
  type Line,
  onLine,
  type Polygon,
  samePlace,
  smallerSide,
  type Vector,
  vectorOf,
} from './sphere.js';

/** A GeoJSON object or a pair of coordinates, by its parts. */
export interface Geometry {
  readonly points: readonly Vector[];
  readonly lines: readonly Line[];
  readonly polygons: readonly Polygon[];
}

export type Pair = readonly [x: number, y: number];

/** A pair of old: an array or a document of two finite numbers. */
export function pairOf(v: Value): Pair | undefined {
  const [x, y] = Array.isArray(v) ? v : isDoc(v) ? Object.values(v) : [];
  if (!isNumeric(x) || !isNumeric(y)) return undefined;
  const pair: Pair = [toNumber(x), toNumber(y)];
  return pair.every(Number.isFinite) ? pair : undefined;
}

export const onEarth = ([lng, lat]: Pair): boolean => Math.abs(lng) <= 180 && Math.abs(lat) <= 90;

function position(v: Value): Vector | undefined {
  const pair = Array.isArray(v) ? pairOf(v) : undefined;
  return pair && onEarth(pair) ? vectorOf(...pair) : undefined;
}

/** All of a list, or undefined if one can't be. */
function every<T>(v: Value, read: (item: Value) => T | undefined): T[] | undefined {
  if (!Array.isArray(v)) return undefined;
  const list = v.map(read);
  return list.every((item): item is T & ({} | null) => item !== undefined) ? list : undefined;
}

function line(v: Value): Line | undefined {
  const found = every(v, position);
  return found && found.length >= 2 ? found : undefined;
}

/** Corners told twice running are one. */
function ring(v: Value): Line | undefined {
  const found = line(v);
  const [first, last] = [found?.[0], found?.at(-1)];
  if (!found || !first || !last || found.length < 4 || !samePlace(first, last)) return undefined;
  return found.filter((p, i) => i === 0 || String(p) !== String(found[i - 1]));
}

/** Its smaller side is meant, unless it winds strictly: then it is one ring, and its left side is. */
function polygon(v: Value, strict = false): Polygon | undefined {
  const rings = every(v, ring);
  if (!rings || rings.length === 0 || (strict && rings.length > 1)) return undefined;
  return strict ? rings : rings.map(smallerSide);
}

const STRICT = 'urn:x-mongodb:crs:strictwinding:EPSG:4326';
const SYSTEMS: readonly Value[] = [STRICT, 'urn:ogc:def:crs:OGC:1.3:CRS84', 'EPSG:4326'];

/** The name of a coordinate reference system; undefined: it is unknown. …/reference/operator/query/geometry/ */
function systemOf(crs: Value): Value {
  if (crs === undefined) return 'EPSG:4326';
  const { type, properties } = isDoc(crs) ? crs : {};
  const name = type === 'name' && isDoc(properties) ? properties['name'] : undefined;
  return SYSTEMS.includes(name) ? name : undefined;
}

const made = (parts: Partial<Geometry>): Geometry => ({ points: [], lines: [], polygons: [], ...parts });

/** Undefined: it is no GeoJSON object. https://www.mongodb.com/docs/manual/reference/geojson/ */
function geoJson(v: Value): Geometry | undefined {
  if (!isDoc(v)) return undefined;
  const { type, coordinates: c = null, crs } = v as Record<string, Value>;
  const strict = systemOf(crs) === STRICT;
  if (systemOf(crs) === undefined || (strict && type !== 'Polygon')) return undefined;
  const one = <T>(part: T | undefined, name: keyof Geometry): Geometry | undefined => part && made({ [name]: [part] });
  const several = <T>(parts: T[] | undefined, name: keyof Geometry): Geometry | undefined =>
    parts && parts.length > 0 ? made({ [name]: parts }) : undefined;
  switch (type) {
    case 'Point':
      return one(position(c), 'points');
    case 'LineString':
      return one(line(c), 'lines');
    case 'Polygon':
      return one(polygon(c, strict), 'polygons');
    case 'MultiPoint':
      return several(every(c, position), 'points');
    case 'MultiLineString':
      return several(every(c, line), 'lines');
    case 'MultiPolygon':
      return several(
        every(c, (p) => polygon(p)),
        'polygons',
      );
    case 'GeometryCollection': {
      const parts = every(v['geometries'], geoJson);
      if (!parts || parts.length === 0) return undefined;
      return made({
        points: parts.flatMap((p) => p.points),
        lines: parts.flatMap((p) => p.lines),
        polygons: parts.flatMap((p) => p.polygons),
      });
    }
    default:
      return undefined;
  }
}

/** A value as a geometry on the sphere: GeoJSON, or a pair of degrees. Undefined: it is none. */
export function geometryOf(v: Value): Geometry | undefined {
  if (isDoc(v) && 'type' in v && typeof v['type'] === 'string') return geoJson(v);
  const pair = pairOf(v);
  return pair && onEarth(pair) ? made({ points: [vectorOf(...pair)] }) : undefined;
}

/** A geometry whose polygons bound an area. Undefined: it is none. */
export function soundGeometry(v: Value): Geometry | undefined {
  const found = geometryOf(v);
  return found?.polygons.every(bounds) ? found : undefined;
}

/** From a place to the nearest of a geometry, in radians. */
export const distance = (from: Vector, { points, lines, polygons }: Geometry): number =>
  Math.min(
    ...points.map((p) => angle(from, p)),
    ...lines.map((l) => angleToLine(from, l)),
    ...polygons.map((rings) => (inPolygon(from, rings) ? 0 : Math.min(...rings.map((r) => angleToLine(from, r))))),
  );

const outlines = (g: Geometry): Line[] => [...g.lines, ...g.polygons.flat()];

/** Does all of a geometry lie in one of the polygons? */
export const within = (g: Geometry, areas: readonly Polygon[]): boolean =>
  g.points.every((p) => areas.some((area) => inPolygon(p, area))) &&
  outlines(g).every((l) => areas.some((area) => l.every((p) => inPolygon(p, area)) && !area.some((r) => cross2(l, r))));

const touches = (p: Vector, g: Geometry): boolean =>
  g.points.some((q) => samePlace(p, q)) ||
  g.lines.some((l) => onLine(p, l)) ||
  g.polygons.some((area) => inPolygon(p, area));

const corners = (g: Geometry): Vector[] => [...g.points, ...outlines(g).flat()];

/** Have two geometries a place in common? */
export const intersects = (a: Geometry, b: Geometry): boolean =>
  corners(a).some((p) => touches(p, b)) ||
  corners(b).some((p) => touches(p, a)) ||
  outlines(a).some((one) => outlines(b).some((other) => cross2(one, other)));
