import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  boxOf,
  crossesItself,
  distanceToSegment,
  isRectangle,
  moved,
  rectangleRing,
  simplified,
} from "../../../../pages/viewer_page/web/rings.js";

/** @import {Corner, Ring} from "../../../../pages/viewer_page/web/types.d.ts" */

const number = fc.integer({ min: -1000, max: 1000 });
const size = fc.integer({ min: 1, max: 1000 });
const corner = fc.tuple(number, number);
const box = fc.record(
  { x: number, y: number, width: size, height: size },
  { noNullPrototype: true },
);

test("a rectangle's ring has the box it was made of, wherever it begins", () => {
  fc.assert(
    fc.property(box, fc.nat(3), (each, turn) => {
      const ring = rectangleRing(each);
      /** @type {Ring} */
      const turned = [...ring.slice(turn), ...ring.slice(0, turn)];
      assert.deepEqual(boxOf(turned), each);
      assert(isRectangle([turned]));
    }),
  );
});

test("a tilted square, a triangle and a rectangle with a hole are no rectangles", () => {
  const square = rectangleRing({ x: 0, y: 0, width: 10, height: 10 });
  assert(!isRectangle([[[5, 0], [10, 5], [5, 10], [0, 5]]]));
  assert(!isRectangle([square.slice(0, 3)]));
  assert(!isRectangle([square, rectangleRing({ x: 2, y: 2, width: 3, height: 3 })]));
});

test("what is moved there and back is where it was", () => {
  fc.assert(
    fc.property(fc.array(corner, { minLength: 3 }), number, number, (ring, dx, dy) => {
      assert.deepEqual(moved(moved([ring], dx, dy), -dx, -dy), [ring]);
    }),
  );
});

test("moved corners are in hundredths of a pixel", () => {
  assert.deepEqual(moved([[[0.123, 0.127]]], 1, 1), [[[1.12, 1.13]]]);
});

test("a bow tie crosses itself and a square does not", () => {
  assert(crossesItself([[0, 0], [10, 10], [10, 0], [0, 10]]));
  assert(!crossesItself([[0, 0], [10, 0], [10, 10], [0, 10]]));
});

test("a corner that touches another side counts as a crossing", () => {
  assert(crossesItself([[0, 0], [10, 0], [10, 10], [5, 0], [0, 10]]));
});

test("no star-shaped ring crosses itself", () => {
  const radii = fc.array(fc.integer({ min: 10, max: 100 }), { minLength: 3, maxLength: 40 });
  fc.assert(
    fc.property(radii, (lengths) => {
      const ring = lengths.map((length, index) => {
        const angle = (2 * Math.PI * index) / lengths.length;
        return /** @type {Corner} */ ([length * Math.cos(angle), length * Math.sin(angle)]);
      });
      assert(!crossesItself(ring));
    }),
  );
});

test("a simplified line keeps its ends and comes no further from any point than allowed", () => {
  const line = fc.array(corner, { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(line, fc.integer({ min: 1, max: 50 }), (points, tolerance) => {
      const kept = simplified(points, tolerance);
      assert.deepEqual([kept[0], kept.at(-1)], [points[0], points.at(-1)]);
      for (const point of points) {
        const sides = kept.slice(1).map((end, index) => distanceToSegment(point, kept[index], end));
        assert(Math.min(...sides) <= tolerance + 1e-9);
      }
    }),
  );
});

test("the distance to a segment is that to its nearer end beyond it, and across beside it", () => {
  assert.equal(distanceToSegment([13, 4], [0, 0], [10, 0]), 5);
  assert.equal(distanceToSegment([5, -7], [0, 0], [10, 0]), 7);
  assert.equal(distanceToSegment([3, 4], [0, 0], [0, 0]), 5);
});
