import { isDoc, isNumeric, toNumber } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { distance, geometryOf, intersects, onEarth, type Pair, pairOf, within } from './geometry.js';
import { angle, EARTH_RADIUS, vectorOf } from './sphere.js';

type Test = (v: Value) => boolean;

const bad = (message: string): EngineError => new EngineError('BadValue', message);

const pair = (v: Value, what: string): Pair => {
  const found = pairOf(v);
  if (!found?.every(Number.isFinite) || Object.keys(v as object).length > 2)
    throw bad(`${what} needs points of two numbers`);
  return found;
};

/** A geometry's own point, or a pair: for the shapes of the plane. */
const flatPoint = (v: Value): Pair | undefined => pairOf(isDoc(v) && v['type'] === 'Point' ? v['coordinates'] : v);

function inRing([x, y]: Pair, corners: readonly Pair[]): boolean {
  let inside = false;
  for (const [i, [ax, ay]] of corners.entries()) {
    const [bx, by] = corners[(i + 1) % corners.length] ?? [ax, ay];
    const side = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
    const between = Math.min(ax, bx) <= x && x <= Math.max(ax, bx) && Math.min(ay, by) <= y && y <= Math.max(ay, by);
    if (side === 0 && between) return true;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

function circle(v: Value, name: string): [centre: Pair, radius: number] {
  const [centre, radius, ...more] = Array.isArray(v) ? v : isDoc(v) ? Object.values(v) : [];
  if (more.length > 0) throw bad(`Only 2 fields allowed for circular region in ${name}`);
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
      const area = geometryOf(v);
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
      if (!onEarth(centre)) throw bad(`Spherical distance would require (unimplemented) wrapping in ${shape}`);
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
  const area = isDoc(operand) ? geometryOf(operand['$geometry']) : undefined;
  if (!area) throw bad('$geoIntersects needs a $geometry that is valid');
  return (value) => {
    const g = geometryOf(value);
    return g !== undefined && intersects(area, g);
  };
}

/** A search for what is near: how far a value is, if it is a place and within the limits. */
export interface Near {
  readonly spherical: boolean;
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
    spherical,
    distanceTo(v) {
      // A field may hold several pairs: the nearest counts.
      const all = Array.isArray(v) && !pairOf(v) ? v.map(measure) : [measure(v)];
      const found = all.filter((d) => d !== undefined && d >= least && d <= most);
      return found.length === 0 ? undefined : Math.min(...(found as number[]));
    },
  };
}

/** What may stand beside a place. */
const LIMITS = ['$minDistance', '$maxDistance'];

/**
 * `$near` and `$nearSphere` with what stands beside them.
 * https://www.mongodb.com/docs/manual/reference/operator/query/near/
 *
 * @throws {EngineError} 2, 34413: no place, no limit, or something else beside them
 */
export function nearIn(condition: Doc): Near | undefined {
  const [name, another] = ['$near', '$nearSphere'].filter((n) => n in condition);
  if (name === undefined) return undefined;
  if (another !== undefined) throw bad('Too many geoNear expressions');
  const beside = Object.keys(condition).find((n) => n !== name && !LIMITS.includes(n));
  if (beside !== undefined) throw new EngineError(34413, `invalid argument in geo near query: ${beside}`);
  const v = condition[name];
  const inside: Doc = isDoc(v) && '$geometry' in v ? v : {};
  const odd = Object.keys(inside).find((n) => n !== '$geometry' && !LIMITS.includes(n));
  if (odd !== undefined) throw bad(`invalid argument in geo near query: ${odd}`);
  const geometry = inside['$geometry'];
  const limits = { ...condition, ...inside } as Record<string, Value>;
  return nearOf(geometry ?? v, geometry !== undefined || name === '$nearSphere', {
    min: limits['$minDistance'],
    max: limits['$maxDistance'],
  });
}
