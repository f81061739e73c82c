import assert from "node:assert/strict";
import { test } from "node:test";
import { Layer } from "../../../../pages/viewer_page/web/layer.js";

/** @import {LayerSpec, Slide} from "../../../../pages/viewer_page/web/types.d.ts" */

Object.assign(globalThis, { document: { baseURI: "http://dashboard/" } });

const BOX = { x: 0, y: 0, width: 512, height: 512 };
const SLIDE = /** @type {Slide} */ ({ ...BOX, tileSize: 256, levels: 10 });

/** A tiled image that is told when its tiles are there. */
class Item {
  opacity = NaN;
  preload = false;
  loaded = false;
  /** @type {() => void} */
  whenLoaded = () => {};

  /** @param {any} options */
  constructor(options) {
    this.url = options.tileSource.getTileUrl(3, 0, 0);
  }
  setOpacity(/** @type {number} */ opacity) {
    this.opacity = opacity;
  }
  setPreload(/** @type {boolean} */ preload) {
    this.preload = preload;
  }
  getFullyLoaded() {
    return this.loaded;
  }
  whenFullyLoaded(/** @type {() => void} */ then) {
    this.whenLoaded = then;
  }
  load() {
    this.loaded = true;
    this.whenLoaded();
  }
}

function opened() {
  /** @type {Item[]} */
  const items = [];
  const osd = {
    addTiledImage(/** @type {any} */ options) {
      const item = new Item(options);
      items.push(item);
      options.success({ item });
    },
    world: { removeItem: (/** @type {Item} */ item) => items.splice(items.indexOf(item), 1) },
  };
  const kept = new Map();
  const choices = { get: (/** @type {string} */ key) => kept.get(key), set: kept.set.bind(kept) };
  const layer = new Layer(/** @type {any} */ (osd), SLIDE, /** @type {any} */ (choices), grown(1), () => {});
  return { layer, items };
}

/** @param {number} version */
function grown(version) {
  const url = `classes/{level}/{x}_{y}.webp?maps=${version}&show={show}`;
  return /** @type {LayerSpec} */ ({ id: "classes", url, bounds: BOX, on: true, opacity: 0.35, extraLevels: 0 });
}

const seen = (/** @type {Item[]} */ items) => items.map(({ url, opacity }) => [url.slice(-13), opacity]);

test("what replaces a picture is not seen before all of it is there", () => {
  const { layer, items } = opened();
  layer.paint("1");
  assert.deepEqual(seen(items), [["maps=1&show=1", 0.35]]);
  items[0].load();
  layer.describe(grown(2));
  layer.paint("1");
  assert.deepEqual(seen(items), [["maps=1&show=1", 0.35], ["maps=2&show=1", 0]]);
  assert.ok(items[1].preload);
  layer.choose({ opacity: 0.5 });
  assert.deepEqual(seen(items), [["maps=1&show=1", 0.5], ["maps=2&show=1", 0]]);
  items[1].load();
  assert.deepEqual(seen(items), [["maps=2&show=1", 0.5]]);
  assert.ok(!items[0].preload);
});

test("what grows faster than it is brought is seen all the same, and the latest at the end", () => {
  const { layer, items } = opened();
  layer.paint("1");
  items[0].load();
  for (const version of [2, 3, 4]) {
    layer.describe(grown(version));
    layer.paint("1");
  }
  assert.deepEqual(seen(items), [["maps=1&show=1", 0.35], ["maps=2&show=1", 0]]);
  items[1].load();
  assert.deepEqual(seen(items), [["maps=2&show=1", 0.35], ["maps=4&show=1", 0]]);
  items[1].load();
  assert.deepEqual(seen(items), [["maps=4&show=1", 0.35]]);
});
