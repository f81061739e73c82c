/** Keeps a page one entry of the browser's history, however often its address is written. */

/** @typedef {(data: any, unused: string, url?: string | URL | null) => void} Entering */

const KEPT = Symbol.for("one entry for each page");

export default function () {
  const pages = /** @type {History & {[KEPT]?: true}} */ (history);
  if (pages[KEPT]) return;
  pages[KEPT] = true;
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  history.pushState = entering(() => location.href, push, replace);
}

/**
 * Adds an entry for another page; what is written behind the path of the same one replaces its entry.
 *
 * @param {() => string} here the address shown
 * @param {Entering} push
 * @param {Entering} replace
 * @returns {Entering}
 */
export function entering(here, push, replace) {
  return (data, unused, url) => {
    const now = new URL(here());
    const next = new URL(url ?? "", now);
    const isSame = next.origin === now.origin && next.pathname === now.pathname && next.hash === now.hash;
    (isSame ? replace : push)(data, unused, url);
  };
}
