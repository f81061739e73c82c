import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel } from "../../../../pages/viewer_page/web/channel.js";

Object.assign(globalThis, { document: { baseURI: "https://host/lab/viewer" } });

/** @import {Asked} from "../../../../pages/viewer_page/web/channel.js" */

/** @typedef {{number: string, addresses: Asked[]}} Question */

/** A channel with what it asks, question by question. */
function opened() {
  /** @type {((question: Question) => void)[]} */
  const listeners = [];
  /** @type {Question[]} */
  const asked = [];
  const channel = new Channel((question) => {
    const listener = listeners.shift();
    if (listener) listener(question);
    else asked.push(question);
  });
  /** @returns {Promise<Question>} */
  const next = () =>
    new Promise((resolve) => {
      const question = asked.shift();
      if (question) resolve(question);
      else listeners.push(resolve);
    });
  return { channel, next };
}

/** @param {Asked} text */
const answer = (text) => ({ status: 200, type: "text/plain", body: btoa(String(text)) });

test("addresses asked for at once are one question, answered each by its own", async () => {
  const { channel, next } = opened();
  const texts = ["a.txt", "https://host/lab/b.txt"].map((each) =>
    channel.fetch(each).then((found) => found.text()),
  );
  const { number, addresses } = await next();
  assert.deepEqual(addresses, ["a.txt", "b.txt"]);
  channel.take({ number, answers: [answer("of a"), answer("of b")] });
  assert.deepEqual(await Promise.all(texts), ["of a", "of b"]);
  assert.deepEqual((await next()).addresses, []); // nothing is asked any more
  channel.close();
});

test("an answer to another question is not taken for this one's", async () => {
  const { channel, next } = opened();
  const found = channel.fetch("a.txt").then((each) => each.text());
  const { number } = await next();
  channel.take({ number: "another", answers: [answer("wrong")] });
  channel.take(null);
  channel.take({ number, answers: [answer("right")] });
  assert.equal(await found, "right");
  channel.close();
});

test("what is no longer wanted is not asked for", async () => {
  const { channel, next } = opened();
  const stop = new AbortController();
  const given = channel.fetch("a.txt", { signal: stop.signal });
  const kept = channel.fetch("b.txt");
  stop.abort();
  await assert.rejects(given, { name: "AbortError" });
  const { number, addresses } = await next();
  assert.deepEqual(addresses, ["b.txt"]);
  channel.take({ number, answers: [answer("b")] });
  await kept;
  channel.close();
});

test("addresses of another server are never asked for", async () => {
  const { channel } = opened();
  await assert.rejects(async () => channel.fetch("https://elsewhere/a.txt"), /not of this server/);
});

test("more addresses than one answer holds are asked in turn", async () => {
  const { channel, next } = opened();
  const all = Promise.all(Array.from({ length: 30 }, (_, index) => channel.fetch(`${index}`)));
  const first = await next();
  assert.equal(first.addresses.length, 24);
  channel.take({ number: first.number, answers: first.addresses.map(answer) });
  const second = await next();
  assert.equal(second.addresses.length, 6);
  channel.take({ number: second.number, answers: second.addresses.map(answer) });
  assert.equal((await all).length, 30);
  channel.close();
});

test("what is sent goes along with its address, and is answered as well", async () => {
  const { channel, next } = opened();
  const sent = channel.fetch("c.json", { method: "POST", body: '{"id":"1"}' }).then((found) => found.text());
  const { number, addresses } = await next();
  assert.deepEqual(addresses, [{ address: "c.json", body: '{"id":"1"}' }]);
  channel.take({ number, answers: [answer("done")] });
  assert.equal(await sent, "done");
});
