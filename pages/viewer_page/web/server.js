/**
 * How the server is asked: at the viewer's own addresses or, where a host answers none of them,
 * through the page's channel. Found out once a slide; whatever is fetched is fetched here.
 */

/** @import {Channel} from "./channel.js" */

/** @type {Channel | null} */
let channel = null;

/**
 * As the browser's own, whichever way the answer comes.
 *
 * @param {string | URL} address
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export function fetch(address, options) {
  return channel ? channel.fetch(address, options) : globalThis.fetch(address, options);
}

/** Is it the slow way, with several answers at a time? */
export function throughChannel() {
  return channel !== null;
}

/**
 * Find the way by asking for one tile, to tell a reader in words what an empty picture would not.
 *
 * @param {string} tile its address
 * @param {Channel} pageChannel
 */
export async function findWay(tile, pageChannel) {
  channel = null;
  // A host that does not know the routes answers with the page itself, status 200, or anything.
  const answer = await fetch(tile).catch(() => null);
  if (answer && isImage(answer)) return;
  if (answer?.status === 404 && (await answer.text()).startsWith("This view has expired")) {
    throw new Error("This view has expired; reload the page to see the slide again.");
  }
  channel = pageChannel;
  const slowAnswer = await fetch(tile);
  if (!isImage(slowAnswer)) throw new Error(await slowAnswer.text());
}

/** @param {Response} answer */
function isImage(answer) {
  return answer.ok && Boolean(answer.headers.get("content-type")?.startsWith("image/"));
}
