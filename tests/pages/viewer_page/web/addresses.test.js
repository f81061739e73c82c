import assert from "node:assert/strict";
import { test } from "node:test";
import { placeIn } from "../../../../pages/viewer_page/web/go_to.js";
import { tileSource } from "../../../../pages/viewer_page/web/tiles.js";
import { addressOf, placeNamed } from "../../../../pages/viewer_page/web/view_address.js";

/** @import {LayerSpec, Slide} from "../../../../pages/viewer_page/web/types.d.ts" */

Object.assign(globalThis, { document: { baseURI: "https://host/lab/viewer" } });

/** @type {Slide} */
const SLIDE = {
  ...{ id: "slide-1", title: "a.svs", picture: "", brush: "", tileSize: 256, levels: 12, mpp: 0.25 },
  ...{ url: "app/wsi/token/slide/{level}/{x}_{y}.jpg", x: 0, y: 0, width: 2000, height: 1000 },
};

/** @type {LayerSpec} */
const LAYER = {
  ...{ id: "nuclei", label: "", title: "", byClass: true, opaque: false, extraLevels: 2 },
  ...{ url: "app/wsi/token/nuclei/{level}/{x}_{y}.webp?run=r&show={show}", on: true, opacity: 1 },
  ...{ bounds: { x: 600, y: 0, width: 100, height: 100 }, outlines: null, scale: null },
};

test("a place that was written into an address is read from it, whole pixels", () => {
  const href = addressOf("https://host/viewer?other=1", "slide-1", { x: 10.4, y: 20.6, width: 300 });
  assert.equal(href, "https://host/viewer?other=1&slide=slide-1&x=10&y=21&width=300");
  assert.deepEqual(placeNamed(new URL(href).search, "slide-1"), { x: 10, y: 21, width: 300 });
});

test("an address of another slide, or with half a place, names none", () => {
  assert.equal(placeNamed("?slide=slide-2&x=1&y=2&width=3", "slide-1"), null);
  assert.equal(placeNamed("?slide=slide-1&x=1&y=2", "slide-1"), null);
  assert.equal(placeNamed("?slide=slide-1&x=1&y=2&width=0", "slide-1"), null);
  assert.equal(placeNamed("?slide=slide-1&x=one&y=2&width=3", "slide-1"), null);
});

test("two numbers are a place, in pixels or in µm", () => {
  assert.deepEqual(placeIn("120, -45.5", 1), { x: 120, y: -45.5 });
  assert.deepEqual(placeIn("x 30 y 40", 0.25), { x: 120, y: 160 });
  assert.equal(placeIn("12", 1), null);
  assert.equal(placeIn("1 2 3", 1), null);
});

test("a tile's address is relative to the page's base", () => {
  const { getTileUrl } = tileSource(SLIDE);
  assert.equal(getTileUrl(9, 3, 1), "https://host/lab/app/wsi/token/slide/9/3_1.jpg");
});

test("a layer's address names the classes shown, and its pyramid goes on beyond the slide's", () => {
  const source = tileSource(SLIDE, LAYER, "1,2");
  assert.match(source.getTileUrl(13, 0, 0), /nuclei\/13\/0_0\.webp\?run=r&show=1,2$/);
  assert.deepEqual([source.width, source.maxLevel], [8000, 13]);
});

test("the smallest level asked for is the one at which the slide is one tile", () => {
  const { minLevel, maxLevel } = tileSource(SLIDE);
  assert.equal(Math.ceil(SLIDE.width / 2 ** (maxLevel - minLevel)), 250);
});

test("only tiles that touch the analysed region are asked for", () => {
  const { tileExists } = tileSource(SLIDE, LAYER);
  assert(tileExists);
  const found = [0, 1, 2, 3, 4, 5, 6, 7].filter((column) => tileExists(11, column, 0));
  assert.deepEqual(found, [2]); // pixels 512 to 767
  assert(!tileExists(11, 2, 1));
  assert(!tileExists(14, 20, 0));
});
