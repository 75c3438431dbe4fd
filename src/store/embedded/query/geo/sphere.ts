/** A place on the unit sphere. */
export type Vector = readonly [x: number, y: number, z: number];
export type Line = readonly Vector[];
/** The outer ring, then holes; each closes where it began, and has what it surrounds on its left. */
export type Polygon = readonly Line[];

/** As MongoDB has it, in metres. https://www.mongodb.com/docs/manual/reference/operator/query/nearSphere/ */
export const EARTH_RADIUS = 6_378_100;
/** Places as near as this (a centimetre) are one. */
const SAME = 1.6e-9;

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const plus = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const length = (a: Vector): number => Math.sqrt(dot(a, a));

const unit = (a: Vector): Vector => {
  const size = length(a);
  return [a[0] / size, a[1] / size, a[2] / size];
};

export function vectorOf(longitude: number, latitude: number): Vector {
  const [lng, lat] = [(longitude * Math.PI) / 180, (latitude * Math.PI) / 180];
  return [Math.cos(lat) * Math.cos(lng), Math.cos(lat) * Math.sin(lng), Math.sin(lat)];
}

/** The angle between two places, in radians. */
export const angle = (a: Vector, b: Vector): number => Math.atan2(length(cross(a, b)), dot(a, b));

/** From a place to the nearest of an arc between two others, in radians. */
function angleToArc(p: Vector, a: Vector, b: Vector): number {
  const n = cross(a, b);
  const size = length(n);
  if (size < 1e-15) return angle(p, a);
  const inside = dot(cross(n, a), p) >= 0 && dot(cross(b, n), p) >= 0;
  return inside ? Math.asin(Math.min(1, Math.abs(dot(n, p)) / size)) : Math.min(angle(p, a), angle(p, b));
}

export const arcs = (line: Line): [Vector, Vector][] => line.slice(1).map((b, i) => [line[i] ?? b, b]);

export const angleToLine = (p: Vector, line: Line): number =>
  Math.min(...arcs(line).map(([a, b]) => angleToArc(p, a, b)));

export const onLine = (p: Vector, line: Line): boolean => angleToLine(p, line) < SAME;
export const samePlace = (a: Vector, b: Vector): boolean => angle(a, b) < SAME;

/** The area on the left of a ring: 2π less what it turns to the left in all. */
function areaOf(ring: Line): number {
  const edges = arcs(ring).map(([a, b]) => ({ end: b, normal: cross(a, b) }));
  return edges.reduce((area, { end, normal }, i) => {
    const next = edges[(i + 1) % edges.length]?.normal ?? normal;
    return area - Math.atan2(dot(cross(normal, next), end), dot(normal, next));
  }, 2 * Math.PI);
}

/** The ring with its smaller side on the left: whichever way it was told. */
export const smallerSide = (ring: Line): Line => (areaOf(ring) <= 2 * Math.PI + 1e-12 ? ring : ring.toReversed());

/** On which side of the way from `a` to `b` a place is: the left is above 0. Differences keep the digits of what is near. */
const side = (a: Vector, b: Vector, p: Vector): number => dot(cross(a, minus(b, a)), minus(p, a));

/** Is a place on a ring's left? So it is if the way to it from a hair to the left of the first edge crosses the ring evenly often. */
function onLeft(p: Vector, ring: Line): boolean {
  const edges = arcs(ring);
  const [[a, b] = [p, p]] = edges;
  if (areaOf(ring) < 1e-15) return false;
  const normal = cross(a, minus(b, a));
  const hair = Math.min(1e-9, length(normal) / 1000) / length(normal);
  // No round part of the edge: a way through a corner would not be counted.
  const along = (i: 0 | 1 | 2): number => a[i] + 0.463_71 * (b[i] - a[i]) + hair * normal[i];
  const from: Vector = [along(0), along(1), along(2)];
  const crossed = edges.filter(([c, d]) => {
    const sides = [-side(from, p, c), side(from, p, d), side(c, d, from), -side(c, d, p)];
    return sides.every((s) => s > 0) || sides.every((s) => s < 0);
  });
  return crossed.length % 2 === 0;
}

/** The border belongs to a polygon, and so does a hole's. */
export const inPolygon = (p: Vector, rings: Polygon): boolean =>
  rings.some((ring) => onLine(p, ring)) ||
  (rings[0] !== undefined && onLeft(p, rings[0]) && !rings.slice(1).some((hole) => onLeft(p, hole)));

/** Do two lines cross, other than by touching at an end? */
export function cross2(one: Line, other: Line): boolean {
  const edges = arcs(other).map(([c, d]) => ({ c, d, cd: cross(c, d) }));
  return arcs(one).some(([a, b]) => {
    const ab = cross(a, b);
    return edges.some(({ c, d, cd }) => {
      const [ofC, ofD] = [-dot(ab, c), dot(ab, d)];
      if (ofC * ofD <= 0) return false;
      const sides = [ofC, ofD, dot(cd, a), -dot(cd, b)];
      return sides.every((s) => s > 1e-15) || sides.every((s) => s < -1e-15);
    });
  });
}

/**
 * Do rings bound an area? No corner comes twice, no edges cross, holes lie inside and outside of each other, and two rings
 * share no edge and one corner at most.
 * https://www.mongodb.com/docs/manual/reference/geojson/#polygons-with-multiple-rings
 */
export function bounds([outer = [], ...holes]: Polygon): boolean {
  const simple = (ring: Line): boolean =>
    new Set(ring.slice(1).map(String)).size === ring.length - 1 && !cross2(ring, ring);
  const inside = (hole: Line): boolean =>
    hole.every((p) => inPolygon(p, [outer])) &&
    !cross2(hole, outer) &&
    !arcs(hole).some(([a, b]) => onLine(unit(plus(a, b)), outer));
  const rings = [outer, ...holes];
  const shared = (a: Line, b: Line): number => {
    const corners = new Set(b.map(String));
    return a.slice(1).filter((p) => corners.has(String(p))).length;
  };
  const apart = (a: Line, b: Line): boolean =>
    !cross2(a, b) &&
    ![...a.filter((p) => onLeft(p, b)), ...b.filter((p) => onLeft(p, a))].some((p) => !(onLine(p, a) && onLine(p, b)));
  const pairs = (list: readonly Line[], hold: (a: Line, b: Line) => boolean): boolean =>
    list.every((a, i) => list.slice(i + 1).every((b) => hold(a, b)));
  return rings.every(simple) && holes.every(inside) && pairs(holes, apart) && pairs(rings, (a, b) => shared(a, b) <= 1);
}
