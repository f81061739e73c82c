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
  // A link that names no run has its address written before this is loaded.
  const { navigation } = window;
  const doubled = navigation && entryBefore(navigation.entries(), navigation.currentEntry?.index ?? -1);
  if (doubled) void goBack(navigation, doubled, replace);
}

/**
 * Goes back to an entry and gives it the address that is shown now, unnoticed by the page.
 *
 * @param {Navigation} navigation
 * @param {{key: string}} entry
 * @param {Entering} replace
 */
async function goBack(navigation, entry, replace) {
  const { state } = history;
  const address = location.href;
  const listening = new AbortController();
  const take = (/** @type {Event} */ event) => {
    event.stopImmediatePropagation();
    replace(state, "", address);
  };
  window.addEventListener("popstate", take, { capture: true, signal: listening.signal });
  try {
    await navigation.traverseTo(entry.key).finished;
  } catch {
    // the reader was quicker, and has gone elsewhere
  } finally {
    listening.abort();
  }
}

/**
 * The entry before the one shown where both are the same page of the same visit; else undefined.
 *
 * @template {{url: string | null, sameDocument: boolean}} Entry
 * @param {Entry[]} entries
 * @param {number} shown
 * @returns {Entry | undefined}
 */
export function entryBefore(entries, shown) {
  const [before, now] = [entries[shown - 1], entries[shown]];
  if (!before?.sameDocument || !before.url || !now?.url) return undefined;
  return isSamePage(new URL(before.url), new URL(now.url)) ? before : undefined;
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
    (isSamePage(next, now) ? replace : push)(data, unused, url);
  };
}

/**
 * @param {URL} next
 * @param {URL} now
 */
function isSamePage(next, now) {
  return next.origin === now.origin && next.pathname === now.pathname && next.hash === now.hash;
}
