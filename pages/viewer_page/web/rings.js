/** Outlines as lists of [x, y], without the first point again at the end. */

/** @import {Box, Corner, Point, Ring} from "./types.d.ts" */

/**
 * @param {Box} box
 * @returns {Ring}
 */
export function rectangleRing({ x, y, width, height }) {
  return [
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
  ];
}

const ELLIPSE_CORNERS = 64; // its sides stay within 0.1 % of its size of the ellipse

/**
 * The ellipse that fills a box.
 *
 * @param {Box} box
 * @returns {Ring}
 */
export function ellipseRing({ x, y, width, height }) {
  return Array.from({ length: ELLIPSE_CORNERS }, (_, corner) => {
    const angle = (2 * Math.PI * corner) / ELLIPSE_CORNERS;
    return [
      tidy(x + (width / 2) * (1 + Math.cos(angle))),
      tidy(y + (height / 2) * (1 + Math.sin(angle))),
    ];
  });
}

/**
 * Does a point lie in an outline, and in none of its holes?
 *
 * @param {Ring[]} rings
 * @param {Point} point
 */
export function holds(rings, { x, y }) {
  let inside = false;
  for (const ring of rings) {
    ring.forEach(([x1, y1], corner) => {
      const [x2, y2] = ring[(corner + 1) % ring.length];
      if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
    });
  }
  return inside;
}

/**
 * The box of a ring.
 *
 * @param {Ring} ring
 * @returns {Box}
 */
export function boxOf(ring) {
  const xs = ring.map(([x]) => x);
  const ys = ring.map(([, y]) => y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/**
 * Is it an upright rectangle, of four corners and no hole?
 *
 * @param {Ring[]} rings
 */
export function isRectangle(rings) {
  if (rings.length !== 1 || rings[0].length !== 4) return false;
  const { x, y, width, height } = boxOf(rings[0]);
  const corners = rectangleRing({ x, y, width, height });
  return corners.every(([cx, cy]) => rings[0].some(([px, py]) => px === cx && py === cy));
}

/**
 * @param {Ring[]} rings
 * @param {number} dx
 * @param {number} dy
 * @returns {Ring[]}
 */
export function moved(rings, dx, dy) {
  return rings.map((ring) => ring.map(([x, y]) => [tidy(x + dx), tidy(y + dy)]));
}

/**
 * Hundredths of a pixel are nobody's pixel.
 *
 * @param {number} length
 */
export function tidy(length) {
  return Math.round(length * 100) / 100;
}

/**
 * Do two sides of the ring that are no neighbours meet?
 *
 * @param {Ring} ring
 */
export function crossesItself(ring) {
  const count = ring.length;
  for (let i = 0; i < count; i++) {
    for (let j = i + 2; j < count; j++) {
      const neighbours = i === 0 && j === count - 1;
      if (neighbours) continue;
      if (meet(ring[i], ring[i + 1], ring[j], ring[(j + 1) % count])) return true;
    }
  }
  return false;
}

/**
 * Leave out points that are nearer than `tolerance` to the line without them (Douglas and Peucker).
 *
 * @param {Ring} line open
 * @param {number} tolerance
 * @returns {Ring}
 */
export function simplified(line, tolerance) {
  if (line.length < 3) return line;
  const first = line[0];
  const last = line[line.length - 1];
  let farthest = 0;
  let distance = 0;
  for (let i = 1; i < line.length - 1; i++) {
    const d = distanceToSegment(line[i], first, last);
    if (d > distance) [farthest, distance] = [i, d];
  }
  if (distance <= tolerance) return [first, last];
  const before = simplified(line.slice(0, farthest + 1), tolerance);
  return [...before.slice(0, -1), ...simplified(line.slice(farthest), tolerance)];
}

/**
 * @param {Corner} point
 * @param {Corner} from
 * @param {Corner} to
 */
export function distanceToSegment([px, py], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length2 = dx * dx + dy * dy;
  const t = length2 ? Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length2)) : 0;
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}

/**
 * Have the lines from a to b and from c to d a point in common?
 *
 * @param {Corner} a
 * @param {Corner} b
 * @param {Corner} c
 * @param {Corner} d
 */
function meet(a, b, c, d) {
  const [abc, abd, cda, cdb] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
  if (abc !== abd && cda !== cdb) return true;
  return (
    (abc === 0 && within(a, b, c)) ||
    (abd === 0 && within(a, b, d)) ||
    (cda === 0 && within(c, d, a)) ||
    (cdb === 0 && within(c, d, b))
  );
}

/**
 * On which side of the line from a to b a point is: -1, 0 or 1.
 *
 * @param {Corner} a
 * @param {Corner} b
 * @param {Corner} point
 */
function side([ax, ay], [bx, by], [px, py]) {
  return Math.sign((bx - ax) * (py - ay) - (by - ay) * (px - ax));
}

/**
 * Is a point of the line from a to b between the two?
 *
 * @param {Corner} a
 * @param {Corner} b
 * @param {Corner} point
 */
function within([ax, ay], [bx, by], [px, py]) {
  return (
    Math.min(ax, bx) <= px && px <= Math.max(ax, bx) && Math.min(ay, by) <= py && py <= Math.max(ay, by)
  );
}
