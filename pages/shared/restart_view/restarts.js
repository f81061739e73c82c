/** Loads the page again once another server than the one it came from answers at its address. */

/** @typedef {{address: string, server: string}} Came where the server tells its name, and that name */

const EVERY_MS = 4000;
const LOADED_FOR = "loaded again for";

/** @param {{data: Came}} component */
export default function ({ data }) {
  const timer = setInterval(() => look(data), EVERY_MS);
  return () => clearInterval(timer);
}

/** @param {Came} came */
async function look({ address, server }) {
  const answer = await fetch(new URL(address, document.baseURI), { cache: "no-store" }).catch(() => null);
  const now = answer?.ok ? await answer.text().catch(() => "") : "";
  if (!isAnother(now, server, sessionStorage.getItem(LOADED_FOR))) return;
  sessionStorage.setItem(LOADED_FOR, now);
  location.reload();
}

/**
 * Is it worth loading the page again? Once a server: where several answer at one address, as behind
 * a balancer that mixes them, a page must not load for ever. A host may answer with the page itself.
 *
 * @param {string} now who answers
 * @param {string} before whom the page came from
 * @param {string | null} loadedFor whom it was loaded again for
 */
export function isAnother(now, before, loadedFor) {
  return /^server-[0-9a-f]+$/.test(now) && now !== before && now !== loadedFor;
}
