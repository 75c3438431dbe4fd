import { isDoc, isNumeric, toNumber } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { badValue as bad, EngineError } from '../../errors.js';
import { distance, geometryOf, intersects, onEarth, type Pair, pairOf, soundGeometry, within } from './geometry.js';
import { angle, EARTH_RADIUS, vectorOf } from './sphere.js';

type Test = (v: Value) => boolean;

const pair = (v: Value, what: string): Pair => {
  const found = pairOf(v);
  if (!found || (Array.isArray(v) && v.length > 2)) throw bad(`${what} needs points of two finite numbers`);
  return found;
};

/** A geometry's own point, or a pair: for the shapes of the plane. */
const flatPoint = (v: Value): Pair | undefined => pairOf(isDoc(v) && v['type'] === 'Point' ? v['coordinates'] : v);

/** As MongoDB (`Polygon::contains`): corners, level edges and upright ones are inside; what is on a slanted one is counted as left of it. */
function inRing([x, y]: Pair, corners: readonly Pair[]): boolean {
  let inside = false;
  for (const [i, [ax, ay]] of corners.entries()) {
    const [bx, by] = corners[(i + 1) % corners.length] ?? [ax, ay];
    if ((x === ax && y === ay) || (y === ay && ay === by && Math.min(ax, bx) <= x && x <= Math.max(ax, bx)))
      return true;
    if (y <= Math.min(ay, by) || y > Math.max(ay, by)) continue;
    if (x === ax && ax === bx) return true;
    if (x <= ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

function circle(v: Value, name: string): [centre: Pair, radius: number] {
  const [centre, radius, more] = Array.isArray(v) ? v : isDoc(v) ? Object.values(v) : [];
  if (more !== undefined) throw bad(`Only 2 fields allowed for circular region`);
  if (!isNumeric(radius) || !(toNumber(radius) >= 0)) throw bad(`radius must be a non-negative number in ${name}`);
  return [pair(centre, name), toNumber(radius)];
}

/** https://www.mongodb.com/docs/manual/reference/operator/query/geoWithin/ */
export function geoWithin(operand: Value): Test {
  if (!isDoc(operand)) throw bad('$geoWithin needs an object');
  const [[shape, v] = ['', null]] = Object.entries(operand);
  const flat =
    (test: (point: Pair) => boolean): Test =>
    (value) => {
      const point = flatPoint(value);
      return point !== undefined && test(point);
    };
  switch (shape) {
    case '$geometry': {
      const area = soundGeometry(v);
      if (!area || area.polygons.length === 0 || area.points.length + area.lines.length > 0)
        throw bad(`$geoWithin not supported with provided geometry: ${JSON.stringify(v)}`);
      return (value) => {
        const g = geometryOf(value);
        return g !== undefined && within(g, area.polygons);
      };
    }
    case '$box': {
      const [[ax, ay], [bx, by]] = (Array.isArray(v) ? [v[0], v[1]] : [v, v]).map((p) => pair(p, shape)) as [
        Pair,
        Pair,
      ];
      return flat(
        ([x, y]) => Math.min(ax, bx) <= x && x <= Math.max(ax, bx) && Math.min(ay, by) <= y && y <= Math.max(ay, by),
      );
    }
    case '$polygon': {
      const corners = (Array.isArray(v) ? v : isDoc(v) ? Object.values(v) : []).map((p) => pair(p, shape));
      if (corners.length < 3) throw bad('Polygon must have at least 3 points');
      return flat((point) => inRing(point, corners));
    }
    case '$center': {
      const [[cx, cy], radius] = circle(v, shape);
      return flat(([x, y]) => Math.hypot(x - cx, y - cy) <= radius);
    }
    case '$centerSphere': {
      const [centre, radius] = circle(v, shape);
      if (!onEarth(centre)) throw bad('longitude/latitude is out of bounds');
      const from = vectorOf(...centre);
      return (value) => {
        const g = geometryOf(value);
        if (!g) return false;
        const corners = [...g.points, ...g.lines.flat(), ...g.polygons.flat(2)];
        return corners.every((p) => angle(from, p) <= radius);
      };
    }
    default:
      throw bad(`unknown geo specifier: ${shape}`);
  }
}

/** https://www.mongodb.com/docs/manual/reference/operator/query/geoIntersects/ */
export function geoIntersects(operand: Value): Test {
  const area = isDoc(operand) ? soundGeometry(operand['$geometry']) : undefined;
  if (!area) throw bad('$geoIntersects needs a $geometry that is valid');
  return (value) => {
    const g = geometryOf(value);
    return g !== undefined && intersects(area, g);
  };
}

/** A search for what is near: how far a value is, if it is a place and within the limits. */
export interface Near {
  /** The kinds of index that serve it. */
  readonly kinds: readonly string[];
  /** Metres from GeoJSON, radians or degrees from a pair. */
  distanceTo(v: Value): number | undefined;
}

/** `near`: a GeoJSON point or a pair; limits in the unit of the result. @throws {EngineError} 2: no place, no limit */
export function nearOf(near: Value, spherical: boolean, limits: { min: Value; max: Value }): Near {
  const limit = (v: Value, otherwise: number): number => {
    if (v === undefined) return otherwise;
    if (!isNumeric(v) || !(toNumber(v) >= 0)) throw bad('$maxDistance and $minDistance must be non-negative numbers');
    return toNumber(v);
  };
  const [least, most] = [limit(limits.min, 0), limit(limits.max, Number.POSITIVE_INFINITY)];
  const isGeoJson = isDoc(near) && 'type' in near;
  const point = isGeoJson && near['type'] === 'Point' ? pairOf(near['coordinates'] ?? null) : pairOf(near);
  if (!point || (spherical && geometryOf(near) === undefined)) throw bad('invalid point in geo near query');
  const from = vectorOf(...point);
  const measure = (v: Value): number | undefined => {
    if (!spherical) {
      const to = flatPoint(v);
      return to && Math.hypot(to[0] - point[0], to[1] - point[1]);
    }
    const g = geometryOf(v);
    return g && distance(from, g) * (isGeoJson ? EARTH_RADIUS : 1);
  };
  return {
    kinds: isGeoJson ? ['2dsphere'] : spherical ? ['2dsphere', '2d'] : ['2d'],
    distanceTo(v) {
      // A field may hold several pairs: the nearest counts.
      const all = Array.isArray(v) && !pairOf(v) ? v.map(measure) : [measure(v)];
      const found = all.filter((d) => d !== undefined && d >= least && d <= most);
      return found.length === 0 ? undefined : Math.min(...(found as number[]));
    },
  };
}

/** Limits of a pair's search, which stand beside it. @throws {EngineError} 16893 to 16896: no number, below 0 */
function assertLimits({ $minDistance: min, $maxDistance: max }: Record<string, Value>): void {
  for (const [name, v, code] of [
    ['$minDistance', min, 16893],
    ['$maxDistance', max, 16895],
  ] as const) {
    if (v === undefined) continue;
    if (!isNumeric(v)) throw new EngineError(code, `${name} must be a number`);
    if (!(toNumber(v) >= 0)) throw new EngineError(code + 1, `${name} must be non-negative`);
  }
}

/**
 * `$near` and `$nearSphere`: of a pair with limits beside it, or of a `$geometry` with limits within.
 * https://www.mongodb.com/docs/manual/reference/operator/query/near/
 *
 * @throws {EngineError} 34413: it stands beside something else; 2: no place, an argument that there is not
 */
export function nearIn(condition: Doc): Near | undefined {
  const name = ['$near', '$nearSphere'].find((n) => n in condition);
  if (name === undefined) return undefined;
  const [odd] = Object.keys(condition).filter((key) => !NEAR.has(key));
  if (odd !== undefined) throw new EngineError(34413, `invalid argument in geo near query: ${odd}`);
  assertLimits(condition);
  const v = condition[name];
  if (!isDoc(v) || (!Object.keys(v)[0]?.startsWith('$') && Object.keys(v).length > 0))
    return nearOf(v, name === '$nearSphere', { min: condition['$minDistance'], max: condition['$maxDistance'] });
  if (Object.keys(condition).length > 1)
    throw bad('geo near accepts just one argument when querying for a GeoJSON point');
  const { $geometry, $minDistance: min, $maxDistance: max, ...rest } = v as Record<string, Value>;
  if (Object.keys(rest).length > 0) throw bad(`invalid argument in geo near query: ${Object.keys(rest).join()}`);
  if (!isDoc($geometry)) throw bad('$geometry is required for geo near query');
  return nearOf($geometry, true, { min, max });
}

/** What `$near` is written with. */
const NEAR = new Set(['$near', '$nearSphere', '$minDistance', '$maxDistance']);
