/** A place on the unit sphere. */
export type Vector = readonly [x: number, y: number, z: number];
export type Line = readonly Vector[];
/** The outer ring, then holes; each closes where it began. */
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
const length = (a: Vector): number => Math.sqrt(dot(a, a));

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

/** How often a ring goes round a place: the turns of the look from it to each corner. */
function surrounds(p: Vector, ring: Line): boolean {
  const middle = ring.reduce<Vector>((sum, v) => [sum[0] + v[0], sum[1] + v[1], sum[2] + v[2]], [0, 0, 0]);
  // A ring is less than half the sphere: what lies on the other half is outside, though the ring turns round it too.
  if (dot(p, middle) <= 0) return false;
  const east: Vector = Math.abs(p[2]) > 0.9 ? cross([1, 0, 0], p) : cross([0, 0, 1], p);
  const north = cross(p, east);
  let turned = 0;
  for (const [a, b] of arcs(ring)) {
    const turn = Math.atan2(dot(b, north), dot(b, east)) - Math.atan2(dot(a, north), dot(a, east));
    turned += turn > Math.PI ? turn - 2 * Math.PI : turn < -Math.PI ? turn + 2 * Math.PI : turn;
  }
  return Math.abs(turned) > Math.PI;
}

/** The border belongs to a polygon, and so does a hole's. */
export const inPolygon = (p: Vector, rings: Polygon): boolean =>
  rings.some((ring) => onLine(p, ring)) ||
  (rings[0] !== undefined && surrounds(p, rings[0]) && !rings.slice(1).some((hole) => surrounds(p, hole)));

/** Do two lines cross, other than by touching at an end? */
export const cross2 = (one: Line, other: Line): boolean =>
  arcs(one).some(([a, b]) =>
    arcs(other).some(([c, d]) => {
      const [ab, cd] = [cross(a, b), cross(c, d)];
      const sides = [-dot(ab, c), dot(ab, d), dot(cd, a), -dot(cd, b)];
      return sides.every((s) => s > 1e-15) || sides.every((s) => s < -1e-15);
    }),
  );
