import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  cellsWithin,
  edgesOf,
  nearestIn,
  pixelsBetween,
  pixelsOf,
} from "../../../../pages/viewer_page/web/boxes.js";

const real = fc.double({ min: -1000, max: 1000, noNaN: true });
const point = fc.record({ x: real, y: real });
const slide = { x: 100, y: 50, width: 400, height: 300 };

test("pixels between two points are whole, hold both, and do not mind their order", () => {
  fc.assert(
    fc.property(point, point, (one, other) => {
      const box = pixelsBetween(one, other);
      const { left, top, right, bottom } = edgesOf(box);
      assert(Object.values(box).every(Number.isInteger));
      for (const { x, y } of [one, other]) {
        assert(left <= x && x <= right && top <= y && y <= bottom);
      }
      assert(right - left <= Math.abs(one.x - other.x) + 2);
      assert.deepEqual(pixelsBetween(other, one), box);
    }),
  );
});

test("the pixels of a box are those of the slide that it touches", () => {
  const box = { x: 99.5, y: 60.2, width: 10.6, height: 1000 };
  assert.deepEqual(pixelsOf(box, slide), { x: 100, y: 60, width: 11, height: 290 });
});

test("the nearest point in a box is in it, and is the point itself where that is in it", () => {
  fc.assert(
    fc.property(point, (each) => {
      const nearest = nearestIn(each, slide);
      assert.deepEqual(nearestIn(nearest, slide), nearest);
      const { left, top, right, bottom } = edgesOf(slide);
      assert(left <= nearest.x && nearest.x <= right && top <= nearest.y && nearest.y <= bottom);
    }),
  );
});

test("cells cover the edges that ask for them, each once and none in vain", () => {
  fc.assert(
    fc.property(point, point, fc.integer({ min: 50, max: 300 }), (one, other, side) => {
      const edges = edgesOf(pixelsBetween(one, other));
      const cells = cellsWithin(edges, side);
      assert.equal(new Set(cells.map(({ name }) => name)).size, cells.length);
      const xs = cells.map(({ column }) => column * side);
      const ys = cells.map(({ row }) => row * side);
      assert(Math.min(...xs) <= edges.left && Math.max(...xs) + side > edges.right);
      assert(Math.min(...ys) <= edges.top && Math.max(...ys) + side > edges.bottom);
      assert(Math.max(...xs) <= edges.right && Math.min(...xs) + side > edges.left);
    }),
  );
});

test("where right lies left of left there is no cell", () => {
  assert.deepEqual(cellsWithin({ left: 500, top: 0, right: -1, bottom: 10 }, 100), []);
});
