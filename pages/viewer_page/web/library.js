/** @import {Channel} from "./channel.js" */
/** @import {Library as Where} from "./types.d.ts" */

/**
 * OpenSeadragon, from this server where npm has installed it, else from the CDN; once a page.
 * Checked against its hash, whichever way it comes.
 */

/** @typedef {typeof OpenSeadragon} Library what the file defines */

/** @type {Promise<Library> | undefined} */
let library;

/**
 * @param {Where} where
 * @param {Channel} channel
 */
export function loadOpenSeadragon({ sources, integrity }, channel) {
  library ??= firstOf(sources, integrity, channel).then(() => window.OpenSeadragon);
  return library;
}

/**
 * @param {string[]} sources
 * @param {string} integrity
 * @param {Channel} channel
 */
async function firstOf(sources, integrity, channel) {
  for (const source of sources) {
    const { href, origin } = new URL(source, document.baseURI);
    if (await addScript(href, integrity)) return;
    if (origin !== location.origin) continue;
    // Its address may be one of those that the host does not answer.
    const answer = await channel.fetch(href);
    if (await addScript(URL.createObjectURL(await answer.blob()), integrity)) return;
  }
  library = undefined;
  throw new Error(
    "OpenSeadragon, which draws the slide, could not be loaded; " +
      "run “npm install” where the dashboard runs, or allow it to reach cdn.jsdelivr.net.",
  );
}

/**
 * @param {string} src
 * @param {string} integrity
 * @returns {Promise<boolean>} whether it has come
 */
function addScript(src, integrity) {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    Object.assign(script, { src, integrity, crossOrigin: "anonymous" });
    script.onload = () => resolve(true);
    script.onerror = () => resolve(false);
    document.head.append(script);
  });
}
