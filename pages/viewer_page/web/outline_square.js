/** @import {Edges, OutlineSquare} from "./types.d.ts" */

const HEADER_BYTES = 12;

/**
 * Read a square as seg_core/picture/outline_squares.py packs it: corners in units from its own
 * corner, with the box of each outline in the same.
 *
 * @param {ArrayBuffer} buffer
 * @param {number} x of its corner, level-0 pixels
 * @param {number} y
 * @returns {OutlineSquare}
 */
export function unpack(buffer, x, y) {
  const header = new DataView(buffer);
  const [count, cornerCount, unit] = [
    header.getUint32(0, true),
    header.getUint32(4, true),
    header.getFloat32(8, true),
  ];
  const corners = new Int16Array(buffer, HEADER_BYTES, 2 * cornerCount);
  const countsAt = HEADER_BYTES + corners.byteLength;
  const counts = new Uint16Array(buffer, countsAt, count);
  const classes = new Uint8Array(buffer, countsAt + counts.byteLength, count);
  const starts = new Uint32Array(count + 1);
  const boxes = new Int16Array(4 * count);
  for (let nucleus = 0; nucleus < count; nucleus++) {
    const end = starts[nucleus] + counts[nucleus];
    starts[nucleus + 1] = end;
    boxes.set(boxOf(corners, starts[nucleus], end), 4 * nucleus);
  }
  const bytes = buffer.byteLength + starts.byteLength + boxes.byteLength;
  return { x, y, unit, count, corners, classes, starts, boxes, bytes };
}

/**
 * Numbers of a square's nuclei that touch a box and are of a class that is shown.
 *
 * @param {OutlineSquare} square
 * @param {Edges} box
 * @param {{has: (id: number) => boolean}} shown ids of the classes
 * @returns {number[]}
 */
export function nucleiSeen({ x, y, unit, count, boxes, classes }, { left, top, right, bottom }, shown) {
  const edges = [(left - x) / unit, (top - y) / unit, (right - x) / unit, (bottom - y) / unit];
  const rows = [];
  for (let nucleus = 0; nucleus < count; nucleus++) {
    const at = 4 * nucleus;
    if (
      boxes[at] <= edges[2] &&
      boxes[at + 1] <= edges[3] &&
      boxes[at + 2] >= edges[0] &&
      boxes[at + 3] >= edges[1] &&
      shown.has(classes[nucleus])
    ) {
      rows.push(nucleus);
    }
  }
  return rows;
}

/**
 * @param {Int16Array} corners
 * @param {number} start
 * @param {number} end
 */
function boxOf(corners, start, end) {
  let [left, top, right, bottom] = [32767, 32767, -32768, -32768];
  for (let at = 2 * start; at < 2 * end; at += 2) {
    left = Math.min(left, corners[at]);
    right = Math.max(right, corners[at]);
    top = Math.min(top, corners[at + 1]);
    bottom = Math.max(bottom, corners[at + 1]);
  }
  return [left, top, right, bottom];
}
