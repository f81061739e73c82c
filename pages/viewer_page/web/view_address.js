/** @import {SlideFrame} from "./slide_frame.js" */
/** @import {Place} from "./types.d.ts" */

const WRITING_MS = 300;

/**
 * Keeps slide and view in the page's address: the middle and the width of what is seen, level-0
 * pixels. A copied address shows a colleague the same place; nothing in it opens a slide by itself.
 */
export class ViewAddress {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {SlideFrame} frame */
  constructor(frame) {
    this.frame = frame;
    this.page = location.pathname;
    frame.osd.addHandler("viewport-change", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#write(), WRITING_MS);
    });
  }

  /** The place that the address names on this slide, or null. */
  read() {
    return placeNamed(location.search, this.frame.slide.id);
  }

  close() {
    clearTimeout(this.#timer);
  }

  #write() {
    const { osd, slide } = this.frame;
    if (!osd.isOpen() || location.pathname !== this.page) return; // another page has begun
    history.replaceState(history.state, "", addressOf(location.href, slide.id, this.frame.place));
  }
}

/**
 * The place on a slide that an address names, or null.
 *
 * @param {string} search what stands behind the path
 * @param {string} slide its id
 * @returns {Required<Place> | null}
 */
export function placeNamed(search, slide) {
  const query = new URLSearchParams(search);
  if (query.get("slide") !== slide) return null;
  const [x, y, width] = ["x", "y", "width"].map((name) => parseFloat(query.get(name) ?? ""));
  return Number.isFinite(x) && Number.isFinite(y) && width > 0 ? { x, y, width } : null;
}

/**
 * An address that names a place on a slide, in whole pixels.
 *
 * @param {string} href
 * @param {string} slide its id
 * @param {Required<Place>} place
 * @returns {string}
 */
export function addressOf(href, slide, place) {
  const address = new URL(href);
  address.searchParams.set("slide", slide);
  for (const [name, value] of Object.entries(place)) {
    address.searchParams.set(name, String(Math.round(value)));
  }
  return address.href;
}
