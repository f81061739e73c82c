import assert from "node:assert/strict";
import { test } from "node:test";
import { Regions } from "../../../../pages/viewer_page/web/regions.js";

/** @import {Drawing, Ring} from "../../../../pages/viewer_page/web/types.d.ts" */

/** @type {Ring[]} */
const RINGS = [[[0, 0], [9, 0], [9, 9]]];
/** @type {Ring[]} */
const LARGER = [[[0, 0], [99, 0], [99, 99]]];

function drawn() {
  /** @type {Drawing[]} */
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

test("an echo changes nothing, and what Python changed since cannot be taken back here", () => {
  const { regions, told } = drawn();
  regions.add(RINGS);
  let changes = 0;
  regions.addEventListener("change", () => (changes += 1));
  regions.update(structuredClone(told[0]));
  assert.equal(changes, 0);
  regions.update({ ...told[0], rois: [{ name: "nest", kind: "exclude", rings: RINGS }], selected: "nest" });
  assert.equal(changes, 1);
  regions.undo();
  assert.equal(regions.rois[0].name, "nest");
});
