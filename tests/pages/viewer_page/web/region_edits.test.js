import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resized, withCorner } from "../../../../pages/viewer_page/web/region_edits.js";
import { boxOf, isRectangle } from "../../../../pages/viewer_page/web/rings.js";

const BOX = { x: 10, y: 20, width: 100, height: 50 };

test("a dragged corner goes where the pointer is and the opposite one stays", () => {
  assert.deepEqual(boxOf(resized(BOX, 1, 1, { x: 150.4, y: 90.6 })), {
    x: 10, y: 20, width: 140, height: 71,
  });
});

test("a dragged side leaves the other direction alone", () => {
  assert.deepEqual(boxOf(resized(BOX, -1, 0, { x: 60, y: 999 })), {
    x: 60, y: 20, width: 50, height: 50,
  });
});

test("a rectangle turned over by its handle is still one of at least a pixel", () => {
  const side = fc.constantFrom(-1, 0, 1);
  const at = fc.record({ x: fc.integer({ min: -50, max: 300 }), y: fc.integer({ min: -50, max: 300 }) });
  fc.assert(
    fc.property(side, side, at, (h, v, point) => {
      const ring = resized(BOX, h, v, point);
      assert(isRectangle([ring]));
      const { width, height } = boxOf(ring);
      assert(width >= 1 && height >= 1);
    }),
  );
});

test("a new corner stands on the side that is nearest to it, of whichever ring", () => {
  /** @type {[number, number][]} */
  const outline = [[0, 0], [100, 0], [100, 100], [0, 100]];
  /** @type {[number, number][]} */
  const hole = [[40, 40], [60, 40], [60, 60]];
  assert.deepEqual(withCorner([outline, hole], [50, 2])[0][1], [50, 2]);
  assert.deepEqual(withCorner([outline, hole], [1, 50])[0][4], [1, 50]);
  assert.deepEqual(withCorner([outline, hole], [61, 50]), [
    outline,
    [[40, 40], [60, 40], [61, 50], [60, 60]],
  ]);
});
