/** @import {Box, Cell, Edges, Point} from "./types.d.ts" */

/**
 * @param {Box} box
 * @returns {Edges}
 */
export function edgesOf({ x, y, width, height }) {
  return { left: x, top: y, right: x + width, bottom: y + height };
}

/**
 * The nearest point that is in a box.
 *
 * @param {Point} point
 * @param {Box} box
 * @returns {Point}
 */
export function nearestIn({ x, y }, box) {
  return {
    x: Math.min(Math.max(x, box.x), box.x + box.width),
    y: Math.min(Math.max(y, box.y), box.y + box.height),
  };
}

/**
 * The whole pixels that two points span.
 *
 * @param {Point} one
 * @param {Point} other
 * @returns {Box}
 */
export function pixelsBetween(one, other) {
  const [left, right] = [Math.min(one.x, other.x), Math.max(one.x, other.x)];
  const [top, bottom] = [Math.min(one.y, other.y), Math.max(one.y, other.y)];
  const [x, y] = [Math.floor(left), Math.floor(top)];
  return { x, y, width: Math.ceil(right) - x, height: Math.ceil(bottom) - y };
}

/**
 * The whole pixels of a slide that a box touches.
 *
 * @param {Box} box
 * @param {Box} slide
 * @returns {Box}
 */
export function pixelsOf(box, slide) {
  const [inner, outer] = [edgesOf(box), edgesOf(slide)];
  const left = Math.max(outer.left, Math.floor(inner.left));
  const top = Math.max(outer.top, Math.floor(inner.top));
  const right = Math.min(outer.right, Math.ceil(inner.right));
  const bottom = Math.min(outer.bottom, Math.ceil(inner.bottom));
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/**
 * The cells of a grid of squares that edges touch, row by row.
 *
 * @param {Edges} edges
 * @param {number} side of a square
 * @returns {Cell[]}
 */
export function cellsWithin({ left, top, right, bottom }, side) {
  const [firstX, firstY, lastX, lastY] = [left, top, right, bottom].map((edge) =>
    Math.floor(edge / side),
  );
  const cells = [];
  for (let row = firstY; row <= lastY; row++) {
    for (let column = firstX; column <= lastX; column++) {
      cells.push({ column, row, name: `${column}_${row}` });
    }
  }
  return cells;
}
