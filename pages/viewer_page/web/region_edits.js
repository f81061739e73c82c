import { distanceToSegment, rectangleRing } from "./rings.js";

/** @import {Box, Corner, Point, Ring} from "./types.d.ts" */

/**
 * A rectangle with its left (-1) or right (1) and top or bottom side at a point, whole pixels.
 *
 * @param {Box} box
 * @param {number} h -1, 0 or 1: which side follows from left to right
 * @param {number} v the same from top to bottom
 * @param {Point} point
 * @returns {Ring}
 */
export function resized(box, h, v, point) {
  const [left, right] = stretched(box.x, box.width, h, Math.round(point.x));
  const [top, bottom] = stretched(box.y, box.height, v, Math.round(point.y));
  return rectangleRing({ x: left, y: top, width: right - left, height: bottom - top });
}

/**
 * Rings with one corner more, on the side that is nearest to it.
 *
 * @param {Ring[]} rings
 * @param {Corner} corner
 * @returns {Ring[]}
 */
export function withCorner(rings, corner) {
  const sides = rings.flatMap((ring, r) =>
    ring.map((point, c) => ({
      r,
      c,
      distance: distanceToSegment(corner, point, ring[(c + 1) % ring.length]),
    })),
  );
  const { r, c } = sides.reduce((best, each) => (each.distance < best.distance ? each : best));
  return rings.with(r, rings[r].toSpliced(c + 1, 0, corner));
}

/**
 * @param {number} start
 * @param {number} length
 * @param {number} end -1: the start moves; 1: the end; 0: neither
 * @param {number} to where it moves
 */
function stretched(start, length, end, to) {
  const fixed = end < 0 ? start + length : start;
  if (!end) return [start, start + length];
  const other = to === fixed ? fixed + end : to;
  return [Math.min(fixed, other), Math.max(fixed, other)];
}
