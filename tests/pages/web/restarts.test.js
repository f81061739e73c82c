import assert from "node:assert/strict";
import { test } from "node:test";

import { isAnother } from "../../../pages/shared/restart_view/restarts.js";

test("a page is loaded again for another server, once", () => {
  assert.equal(isAnother("server-02", "server-01", null), true);
  assert.equal(isAnother("server-02", "server-01", "server-01"), true);
  assert.equal(isAnother("server-02", "server-01", "server-02"), false);
});

test("and not for the same one, nor where none has answered, nor for a page", () => {
  for (const now of ["server-01", "", "<!doctype html>", "server-01\nserver-02"]) {
    assert.equal(isAnother(now, "server-01", null), false);
  }
});
