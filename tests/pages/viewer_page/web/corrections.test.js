import assert from "node:assert/strict";
import { test } from "node:test";
import { CorrectionPanel, inWords } from "../../../../pages/viewer_page/web/correction_panel.js";
import { either } from "../../../../pages/viewer_page/web/corrections.js";

/** @import {Selected} from "../../../../pages/viewer_page/web/types.d.ts" */

/**
 * @param {number} id
 * @returns {Selected}
 */
const nucleus = (id, name = "lymphocyte") => ({ id, name, ring: null });

test("a second click takes a nucleus out of the selection, a first one adds it", () => {
  const [one, two, three] = [1, 2, 3].map((id) => nucleus(id));
  assert.deepEqual(either([one, two], [three]), [one, two, three]);
  assert.deepEqual(either([one, two], [nucleus(2)]), [one]);
  assert.deepEqual(either([], [one]), [one]);
  assert.deepEqual(either([one], []), [one]);
});

test("what is selected is said by class", () => {
  assert.match(inWords([]), /^Click a nucleus/);
  assert.equal(inWords([nucleus(1)]), "1 nucleus selected: 1 lymphocyte");
  const many = Array.from({ length: 1200 }, (_, id) => nucleus(id, id ? "lymphocyte" : "other"));
  assert.equal(inWords(many), "1,200 nuclei selected: 1 other, 1,199 lymphocyte");
});

test("a digit names by the class that has it as its key, and not by the place of the class", () => {
  const names = Array.from({ length: 10 }, (_, k) => ({ name: `class ${k + 1}`, key: k < 8 ? `${k + 1}` : "" }));
  const classes = [...names, { name: "other", key: "9" }];
  /** @type {(string | null)[]} */
  const given = [];
  const corrections = { active: true, spec: { classes }, give: given.push.bind(given) };
  /** @param {string} key */
  const press = (key) => Reflect.apply(CorrectionPanel.prototype.key, { corrections }, [{ key }]);
  assert.ok(["8", "9", "0"].every(press));
  assert.deepEqual(given, ["class 8", "other", null]);
  assert.ok(!press("x"));
});
