/** @import {Answer, Answers} from "./types.d.ts" */

/**
 * Asks the server through the page's own connection, where a host answers no address but the
 * page's. Sent with the page, before mount.js.
 *
 * One question is open at a time, of several addresses: each costs a run of the page's fragment.
 * It is state, not an event, so that a run which overtakes another answers it as well.
 */

const GATHER_MS = 30;
const MOST_ADDRESSES = 24; // as in server/channel.py

/** @typedef {string | {address: string, body: string}} Asked what is sent there too is answered once */

/** @typedef {{address: string, body?: string, signal?: AbortSignal | null, resolve: (answer: Response) => void, reject: (reason: unknown) => void}} Request */

export class Channel {
  /** @type {Request[]} */
  #waiting = [];

  /** @type {{number: string, requests: Request[]} | null} */
  #open = null;

  #asked = 0;

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(question: {number: string, addresses: Asked[]}) => void} ask tells Python, which answers by `take` */
  constructor(ask) {
    this.ask = ask;
  }

  /**
   * As the browser's own, for addresses of this server.
   *
   * @param {string | URL} address
   * @param {RequestInit} [options]
   * @returns {Promise<Response>}
   */
  fetch(address, { signal, body } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      const asked = belowBase(address);
      const content = body ? String(body) : undefined;
      this.#waiting.push({ address: asked, body: content, signal, resolve, reject });
      this.#askSoon();
    });
  }

  /** @param {Answers} answers what Python says in this run */
  take(answers) {
    if (!this.#open || !answers || answers.number !== this.#open.number) return;
    const { requests } = this.#open;
    this.#open = null;
    requests.forEach(({ resolve }, index) => resolve(responseOf(answers.answers[index])));
    this.#askSoon(); // at the least that nothing is asked any more
  }

  /** Nobody listens any more. */
  close() {
    clearTimeout(this.#timer);
    this.ask = () => {};
    this.#waiting = [];
    this.#open = null;
  }

  #askSoon() {
    if (this.#open) return;
    this.#timer ??= setTimeout(() => this.#askNext(), GATHER_MS);
  }

  #askNext() {
    this.#timer = undefined;
    const wanted = this.#waiting.filter(({ signal }) => !signal?.aborted);
    const requests = wanted.splice(0, MOST_ADDRESSES);
    this.#waiting = wanted;
    const number = `${performance.now()} ${++this.#asked}`;
    if (requests.length) this.#open = { number, requests };
    const addresses = requests.map(({ address, body }) => (body === undefined ? address : { address, body }));
    this.ask({ number, addresses });
  }
}

/**
 * The address as Python names it: relative to what all pages have in common.
 *
 * @param {string | URL} address
 */
function belowBase(address) {
  const base = new URL(".", document.baseURI).href;
  const { href } = new URL(address, base);
  if (!href.startsWith(base)) throw new TypeError(`${href} is not of this server.`);
  return href.slice(base.length);
}

/** @param {Answer} answer */
function responseOf({ status, type, body }) {
  const bytes = Uint8Array.from(atob(body), (each) => each.charCodeAt(0));
  return new Response(bytes, { status, headers: { "content-type": type } });
}
