import assert from "node:assert/strict";
import { test } from "node:test";

import { Answers } from "../../../../pages/teach_page/label_view/labels.js";

test("an answer leads to the next nucleus without one", () => {
  const answers = new Answers(4, [{ nucleus: 1, name: "a" }]);
  assert.equal(answers.current, 0);
  answers.give("b");
  assert.equal(answers.current, 2);
  answers.give(null);
  answers.give("a");
  assert.equal(answers.done, 4);
  assert.equal(answers.current, 3);
});

test("what is taken back is open again, and the log says both", () => {
  const answers = new Answers(3, []);
  answers.give("a");
  answers.give("b");
  assert.ok(answers.undo());
  assert.equal(answers.current, 1);
  assert.equal(answers.of(1), undefined);
  assert.deepEqual(answers.log, [{ nucleus: 0, name: "a" }, { nucleus: 1, name: "b" }, "undo"]);
  assert.ok(answers.undo());
  assert.ok(!answers.undo());
  assert.equal(answers.log.length, 4);
});

test("the later answer of a nucleus counts, and taking it back brings the earlier", () => {
  const answers = new Answers(2, []);
  answers.give("a");
  answers.goTo(0);
  answers.give("b");
  assert.equal(answers.of(0)?.name, "b");
  answers.undo();
  assert.equal(answers.of(0)?.name, "a");
});

test("the arrows stay on the screen", () => {
  const answers = new Answers(3, []);
  answers.goTo(-4);
  assert.equal(answers.current, 0);
  answers.goTo(9);
  assert.equal(answers.current, 2);
});

test("answers of before can be taken back on a screen that is shown anew", () => {
  const answers = new Answers(3, [{ nucleus: 2, name: "a" }]);
  assert.ok(answers.undo());
  assert.equal(answers.current, 2);
  assert.deepEqual(answers.log, ["undo"]);
});
