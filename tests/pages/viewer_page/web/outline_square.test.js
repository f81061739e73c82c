import assert from "node:assert/strict";
import { test } from "node:test";
import { nucleiSeen, unpack } from "../../../../pages/viewer_page/web/outline_square.js";

/** @import {Corner} from "../../../../pages/viewer_page/web/types.d.ts" */

const UNIT = 0.25;

/**
 * As seg_core/picture/outline_squares.py does.
 *
 * @param {{ring: Corner[], id: number}[]} nuclei
 */
function packed(nuclei) {
  const corners = nuclei.flatMap(({ ring }) => ring);
  const buffer = new ArrayBuffer(12 + 4 * corners.length + 3 * nuclei.length);
  const view = new DataView(buffer);
  view.setUint32(0, nuclei.length, true);
  view.setUint32(4, corners.length, true);
  view.setFloat32(8, UNIT, true);
  corners.flat().forEach((each, index) => view.setInt16(12 + 2 * index, each, true));
  const countsAt = 12 + 4 * corners.length;
  nuclei.forEach(({ ring, id }, index) => {
    view.setUint16(countsAt + 2 * index, ring.length, true);
    view.setUint8(countsAt + 2 * nuclei.length + index, id);
  });
  return buffer;
}

// In units of a quarter pixel from the square's corner; the second reaches out of it.
const SQUARE = unpack(
  packed([
    { ring: [[0, 0], [40, 0], [40, 40], [0, 40]], id: 2 },
    { ring: [[-80, 100], [80, 100], [0, 200]], id: 1 },
  ]),
  1000,
  2000,
);
const EVERYTHING = { left: 0, top: 0, right: 9999, bottom: 9999 };

test("a square is read as it was packed, with the box of each outline", () => {
  assert.equal(SQUARE.count, 2);
  assert.deepEqual([...SQUARE.starts], [0, 4, 7]);
  assert.deepEqual([...SQUARE.classes], [2, 1]);
  assert.deepEqual([...SQUARE.boxes], [0, 0, 40, 40, -80, 100, 80, 200]);
});

test("nuclei are seen where their boxes are, level-0 pixels", () => {
  const shown = new Set([1, 2]);
  assert.deepEqual(nucleiSeen(SQUARE, EVERYTHING, shown), [0, 1]);
  const left = { left: 900, top: 2030, right: 985, bottom: 2040 };
  assert.deepEqual(nucleiSeen(SQUARE, left, shown), [1]);
  const above = { left: 1005, top: 1990, right: 1006, bottom: 2000 };
  assert.deepEqual(nucleiSeen(SQUARE, above, shown), [0]);
  const between = { left: 1021, top: 2000, right: 1030, bottom: 2060 };
  assert.deepEqual(nucleiSeen(SQUARE, between, shown), []);
});

test("nuclei of a class that is switched off are not seen", () => {
  assert.deepEqual(nucleiSeen(SQUARE, EVERYTHING, new Set([1])), [1]);
});

test("a square without nuclei is read too", () => {
  assert.deepEqual(nucleiSeen(unpack(packed([]), 0, 0), EVERYTHING, new Set([1])), []);
});
