import assert from "node:assert/strict";
import { test } from "node:test";
import { Regions } from "../../../../pages/viewer_page/web/regions.js";

/** @import {Drawn, Ring, Roi} from "../../../../pages/viewer_page/web/types.d.ts" */

/** @type {Ring[]} */
const RINGS = [[[0, 0], [9, 0], [9, 9]]];
/** @type {Ring[]} */
const LARGER = [[[0, 0], [99, 0], [99, 99]]];

/**
 * @param {string} id
 * @param {string} name
 * @param {Ring[]} rings
 * @returns {Roi}
 */
function region(id, name, rings) {
  return { id, name, kind: "include", className: "", colour: "", rings };
}

function drawn() {
  /** @type {Drawn[]} */
  const told = [];
  return { regions: new Regions((value) => told.push(value)), told };
}

test("a new region is selected, named by its number, and told to Python", () => {
  const { regions, told } = drawn();
  regions.add(RINGS);
  regions.add(RINGS);
  assert.deepEqual(regions.rois.map(({ name }) => name), ["Region 1", "Region 2"]);
  assert.deepEqual(told.map(({ revision, selected }) => [revision, selected]), [
    [1, "Region 1"],
    [2, "Region 2"],
  ]);
});

test("a name that is taken is not given again", () => {
  const { regions } = drawn();
  regions.add(RINGS);
  regions.add(RINGS);
  regions.remove("Region 1");
  regions.add(RINGS);
  assert.deepEqual(regions.rois.map(({ name }) => name), ["Region 2", "Region 3"]);
});

test("changes are taken back one by one, the selection too", () => {
  const { regions } = drawn();
  regions.add(RINGS);
  regions.reshape("Region 1", LARGER);
  regions.remove("Region 1");
  regions.undo();
  assert.deepEqual([regions.rois[0].rings, regions.selected], [LARGER, "Region 1"]);
  regions.undo();
  assert.deepEqual(regions.rois[0].rings, RINGS);
  regions.undo();
  regions.undo();
  assert.deepEqual([regions.rois, regions.selected], [[], null]);
});

test("an answer to an older change does not undo a newer one", () => {
  const { regions, told } = drawn();
  regions.add(RINGS);
  regions.reshape("Region 1", LARGER);
  regions.update(told[0]);
  assert.deepEqual(regions.rois[0].rings, LARGER);
});

test("an echo changes nothing, and what another has drawn meanwhile is not taken back here", () => {
  const { regions, told } = drawn();
  regions.add(RINGS);
  let changes = 0;
  regions.addEventListener("change", () => (changes += 1));
  regions.update(structuredClone(told[0]));
  assert.equal(changes, 0);
  const nest = region("theirs", "nest", LARGER);
  regions.update({ ...told[0], rois: [nest, ...told[0].rois] });
  assert.equal(changes, 1);
  regions.undo();
  assert.deepEqual(regions.rois, [nest]);
});

test("Python is told what was touched since it last told the list, and nothing else", () => {
  const { regions, told } = drawn();
  const [mine, theirs] = [region("a", "mine", RINGS), region("b", "theirs", RINGS)];
  regions.update({ revision: 0, selected: null, rois: [mine, theirs] });
  regions.reshape("mine", LARGER);
  regions.remove("mine");
  assert.deepEqual(told.map(({ touched }) => touched), [["a"], ["a"]]);
  assert.deepEqual(told.map(({ removed }) => removed.map(({ id }) => id)), [[], ["a"]]);
  regions.add(RINGS);
  assert.equal(told[2].touched.length, 2);
  regions.update({ ...told[2], rois: [...told[2].rois, region("c", "later", RINGS)] });
  regions.select("theirs");
  assert.deepEqual([told[3].touched, told[3].removed], [[], []]);
});

test("what is drawn and removed before Python answers is sent as it was, until it is back", () => {
  const { regions, told } = drawn();
  regions.add(RINGS);
  const [nest] = regions.rois;
  regions.remove(nest.name);
  assert.deepEqual(told[1].removed, [nest]);
  regions.undo();
  assert.deepEqual([told[2].rois, told[2].removed], [[nest], []]);
});

test("a region removed is back in its place with all that it had", () => {
  const { regions } = drawn();
  const nest = { ...region("a", "nest", RINGS), className: "Tumor", colour: "#c80000" };
  regions.update({ revision: 0, selected: "nest", rois: [nest, region("b", "stroma", RINGS)] });
  regions.remove("nest");
  assert.equal(regions.undo(), true);
  assert.deepEqual([regions.rois[0], regions.selected], [nest, "nest"]);
  assert.equal(regions.undo(), false);
});
