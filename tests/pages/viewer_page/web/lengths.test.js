import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { roundLength } from "../../../../pages/viewer_page/web/readout.js";
import { lengthInWords } from "../../../../pages/viewer_page/web/measurements.js";

test("a scale bar is 1, 2 or 5 times a power of ten, and at least two fifths of what fits", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 1e6, noNaN: true }), (longest) => {
      const length = roundLength(longest);
      assert(length <= longest * 1.000001 && length >= longest * 0.4 * 0.999999);
      const digit = length / 10 ** Math.floor(Math.log10(length * 1.000001));
      assert([1, 2, 5].some((each) => Math.abs(each - digit) < 1e-6));
    }),
  );
});

test("a length has the digits and the unit in which one says it", () => {
  assert.equal(lengthInWords(12.345, true), "12.3 µm");
  assert.equal(lengthInWords(123.45, true), "123 µm");
  assert.equal(lengthInWords(1234.5, true), "1.23 mm");
  assert.equal(lengthInWords(1234.5, false), "1235 px");
});
