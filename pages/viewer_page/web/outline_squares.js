import { cellsWithin, edgesOf } from "./boxes.js";
import { unpack } from "./outline_square.js";
import { fetch } from "./server.js";

/** @import {Box, Cell, Edges, OutlineSpec, OutlineSquare} from "./types.d.ts" */

/**
 * The outlines of nuclei, had from the server a square of the slide at a time.
 *
 * What is in a square, see `outline_square.js`. Those looked at last are kept, and
 * what the view has left is no longer waited for.
 */

const KEPT_BYTES = 64 * 2 ** 20;
const AT_ONCE = 6;

export class OutlineSquares {
  /**
   * From the one longest not looked at to the latest.
   *
   * @type {Map<string, OutlineSquare>}
   */
  #kept = new Map();

  /** @type {Map<string, AbortController>} */
  #loading = new Map();

  /** @type {Set<string>} */
  #failed = new Set();

  #bytes = 0;

  /**
   * @param {OutlineSpec} spec
   * @param {Box} bounds where there can be nuclei, level-0 pixels
   * @param {() => void} arrived called when a square has come, or cannot be had
   */
  constructor(spec, bounds, arrived) {
    this.url = spec.url;
    this.side = spec.side;
    this.reach = spec.reach;
    this.bounds = edgesOf(bounds);
    this.arrived = arrived;
  }

  /**
   * Squares whose nuclei may be seen in a box of level-0 pixels, or null while some are missing.
   *
   * @param {Edges} box
   */
  within(box) {
    const places = this.#places(box);
    const found = places.flatMap(({ name }) => this.#kept.get(name) ?? []);
    return found.length === places.length ? found : null;
  }

  /**
   * Have the squares of some boxes here, the first boxes first; nothing else is waited for.
   *
   * @param {Edges[]} boxes
   */
  want(boxes) {
    const places = new Map(boxes.flatMap((box) => this.#places(box)).map((each) => [each.name, each]));
    for (const [name, request] of this.#loading) if (!places.has(name)) request.abort();
    for (const name of this.#failed) if (!places.has(name)) this.#failed.delete(name);
    this.#tidy(places);
    for (const place of places.values()) {
      if (this.#loading.size >= AT_ONCE) return;
      const known = [this.#kept, this.#loading, this.#failed].some((each) => each.has(place.name));
      if (!known) this.#load(place);
    }
  }

  close() {
    this.arrived = () => {};
    this.want([]);
  }

  /**
   * The squares that a box touches, outlines that leave theirs minded.
   *
   * @param {Edges} box
   */
  #places({ left, top, right, bottom }) {
    const { side, reach, bounds } = this;
    const grown = {
      left: Math.max(left - reach, bounds.left),
      top: Math.max(top - reach, bounds.top),
      right: Math.min(right + reach, bounds.right - 1),
      bottom: Math.min(bottom + reach, bounds.bottom - 1),
    };
    return cellsWithin(grown, side);
  }

  /** @param {Cell} place */
  async #load({ column, row, name }) {
    const request = new AbortController();
    this.#loading.set(name, request);
    try {
      const square = unpack(await this.#fetch(column, row, request), column * this.side, row * this.side);
      this.#kept.set(name, square);
      this.#bytes += square.bytes;
    } catch {
      // The view has left it, or the server does not answer: then tiles show the nuclei.
      if (!request.signal.aborted) this.#failed.add(name);
    }
    this.#loading.delete(name);
    this.arrived();
  }

  /**
   * @param {number} column
   * @param {number} row
   * @param {AbortController} request
   */
  async #fetch(column, row, { signal }) {
    const url = this.url.replace("{x}", String(column)).replace("{y}", String(row));
    const answer = await fetch(new URL(url, document.baseURI), { signal });
    // A host that does not know the route answers with the page itself.
    if (!answer.ok || answer.headers.get("content-type")?.startsWith("text/")) {
      throw new Error(`There is no square ${column}, ${row}.`);
    }
    return answer.arrayBuffer();
  }

  /**
   * Forget the squares longest not looked at; those wanted now count as looked at.
   *
   * @param {Map<string, Cell>} wanted
   */
  #tidy(wanted) {
    for (const name of wanted.keys()) {
      const square = this.#kept.get(name);
      if (!square) continue;
      this.#kept.delete(name);
      this.#kept.set(name, square);
    }
    for (const [name, square] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES || wanted.has(name)) return;
      this.#kept.delete(name);
      this.#bytes -= square.bytes;
    }
  }
}
