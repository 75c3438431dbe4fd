import { isDoc, isNumeric, toNumber } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import {
  angle,
  angleToLine,
  cross2,
  inPolygon,
  type Line,
  onLine,
  type Polygon,
  samePlace,
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

/** A pair of old: an array or a document of two numbers. */
export function pairOf(v: Value): Pair | undefined {
  const [x, y] = Array.isArray(v) ? v : isDoc(v) ? Object.values(v) : [];
  if (!isNumeric(x) || !isNumeric(y)) return undefined;
  return [toNumber(x), toNumber(y)];
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

function ring(v: Value): Line | undefined {
  const found = line(v);
  const [first, last] = [found?.[0], found?.at(-1)];
  return found && first && last && found.length >= 4 && samePlace(first, last) ? found : undefined;
}

function polygon(v: Value): Polygon | undefined {
  const rings = every(v, ring);
  return rings && rings.length > 0 ? rings : undefined;
}

const made = (parts: Partial<Geometry>): Geometry => ({ points: [], lines: [], polygons: [], ...parts });

const SYSTEMS = ['urn:ogc:def:crs:OGC:1.3:CRS84', 'EPSG:4326'];
/** Has the side to the left of a polygon's ring, which is the smaller one unless the ring goes clockwise. */
const STRICT = 'urn:x-mongodb:crs:strictwinding:EPSG:4326';

/** Twice the area of a ring of degrees, as on the plane: below 0 where it goes clockwise. */
const areaOf = (ring: readonly Pair[]): number =>
  ring.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = ring[(i + 1) % ring.length] ?? [x, y];
    return sum + (x * nextY - nextX * y);
  }, 0);

/** Can a geometry be of this reference system? @throws {EngineError} 238: it is more than half the sphere */
function isSystem(crs: Value, geometry: Doc): boolean {
  const { type, properties } = isDoc(crs) ? (crs as Record<string, Value>) : {};
  const name = isDoc(properties) ? properties['name'] : undefined;
  if (type !== 'name' || name !== STRICT) return type === 'name' && SYSTEMS.includes(String(name));
  const { coordinates } = geometry;
  const ring = Array.isArray(coordinates) ? every(coordinates[0], pairOf) : undefined;
  if (ring && areaOf(ring) < 0)
    throw new EngineError(
      'NotImplemented',
      'a polygon of more than half the sphere is not supported by the embedded engine',
    );
  return geometry['type'] === 'Polygon';
}

/** Undefined: it is no GeoJSON object. https://www.mongodb.com/docs/manual/reference/geojson/ */
function geoJson(v: Value): Geometry | undefined {
  if (!isDoc(v)) return undefined;
  const { type, coordinates: c = null, crs } = v as Record<string, Value>;
  if (crs !== undefined && !isSystem(crs, v)) return undefined;
  const one = <T>(part: T | undefined, name: keyof Geometry): Geometry | undefined => part && made({ [name]: [part] });
  const several = <T>(parts: T[] | undefined, name: keyof Geometry): Geometry | undefined =>
    parts && made({ [name]: parts });
  switch (type) {
    case 'Point':
      return one(position(c), 'points');
    case 'LineString':
      return one(line(c), 'lines');
    case 'Polygon':
      return one(polygon(c), 'polygons');
    case 'MultiPoint':
      return several(every(c, position), 'points');
    case 'MultiLineString':
      return several(every(c, line), 'lines');
    case 'MultiPolygon':
      return several(every(c, polygon), 'polygons');
    case 'GeometryCollection': {
      const parts = every(v['geometries'], geoJson);
      return (
        parts &&
        made({
          points: parts.flatMap((p) => p.points),
          lines: parts.flatMap((p) => p.lines),
          polygons: parts.flatMap((p) => p.polygons),
        })
      );
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
