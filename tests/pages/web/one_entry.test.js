import assert from "node:assert/strict";
import { test } from "node:test";

import { entering, entryBefore } from "../../../pages/shared/history_view/one_entry.js";

/** @param {string} here @param {string} url */
function entered(here, url) {
  /** @type {string[]} */
  const done = [];
  const enter = entering(
    () => here,
    (_data, _unused, next) => void done.push(`added ${next}`),
    (_data, _unused, next) => void done.push(`replaced ${next}`),
  );
  enter({}, "", url);
  return done;
}

test("another page is another entry", () => {
  const here = "http://localhost:8501/seg/viewer?slide=a&x=1";
  assert.deepEqual(entered(here, "/seg/nuclei"), ["added /seg/nuclei"]);
  assert.deepEqual(entered(here, "/seg/?slide=a"), ["added /seg/?slide=a"]);
});

test("what is written into the address of the same page is not", () => {
  const here = "http://localhost:8501/viewer";
  for (const url of ["/viewer?slide=a", "/viewer?slide=a&run=b", "/viewer", "http://localhost:8501/viewer?slide=b"]) {
    assert.deepEqual(entered(here, url), [`replaced ${url}`]);
  }
});

test("a place within a page that somebody turns to stays an entry", () => {
  assert.deepEqual(entered("http://localhost:8501/viewer", "#legend"), ["added #legend"]);
});

test("an entry is doubled where the one before is the same page of the same visit", () => {
  const link = { url: "http://localhost:8501/nuclei?slide=a", sameDocument: true };
  const written = { url: "http://localhost:8501/nuclei?slide=a&run=b", sameDocument: true };
  const elsewhere = { url: "http://localhost:8501/viewer?slide=a", sameDocument: true };
  const earlier = { ...link, sameDocument: false };
  assert.equal(entryBefore([elsewhere, link, written], 2), link);
  assert.equal(entryBefore([link, elsewhere], 1), undefined);
  assert.equal(entryBefore([earlier, written], 1), undefined);
  assert.equal(entryBefore([{ ...link, url: null }, written], 1), undefined);
  assert.equal(entryBefore([link], 0), undefined);
  assert.equal(entryBefore([], -1), undefined);
});
