import { fetch } from "./server.js";

/**
 * The outlines of nuclei, had from the server a square of the slide at a time.
 *
 * What is in a square, see seg_core/picture/outline_squares.py. Those looked at last are kept, and
 * what the view has left is no longer waited for.
 */

const KEPT_BYTES = 64 * 2 ** 20;
const HEADER_BYTES = 12;
const AT_ONCE = 6;

export class OutlineSquares {
  #kept = new Map(); // from the one longest not looked at to the latest
  #loading = new Map();
  #failed = new Set();
  #bytes = 0;

  /**
   * @param {object} spec url, side and reach
   * @param {object} bounds where there can be nuclei, level-0 pixels
   * @param {() => void} arrived called when a square has come, or cannot be had
   */
  constructor(spec, bounds, arrived) {
    Object.assign(this, { ...spec, bounds, arrived });
  }

  /** Squares whose nuclei may be seen in a box of level-0 pixels, or null while some are missing. */
  within(box) {
    const found = this.#places(box).map((place) => this.#kept.get(place.name));
    return found.includes(undefined) ? null : found;
  }

  /** Have the squares of some boxes here, the first boxes first; nothing else is waited for. */
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

  /** Column, row and name of the squares that a box touches, outlines that leave theirs minded. */
  #places({ left, top, right, bottom }) {
    const { side, reach, bounds } = this;
    const number = (edge) => Math.floor(edge / side);
    const [firstX, firstY] = [
      number(Math.max(left - reach, bounds.x)),
      number(Math.max(top - reach, bounds.y)),
    ];
    const [lastX, lastY] = [
      number(Math.min(right + reach, bounds.x + bounds.width - 1)),
      number(Math.min(bottom + reach, bounds.y + bounds.height - 1)),
    ];
    const places = [];
    for (let row = firstY; row <= lastY; row++) {
      for (let column = firstX; column <= lastX; column++) {
        places.push({ column, row, name: `${column}_${row}` });
      }
    }
    return places;
  }

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

  async #fetch(column, row, { signal }) {
    const url = this.url.replace("{x}", column).replace("{y}", row);
    const answer = await fetch(new URL(url, document.baseURI), { signal });
    // A host that does not know the route answers with the page itself.
    if (!answer.ok || answer.headers.get("content-type")?.startsWith("text/")) {
      throw new Error(`There is no square ${column}, ${row}.`);
    }
    return answer.arrayBuffer();
  }

  /** Forget the squares longest not looked at; those wanted now count as looked at. */
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

/** Read a square: corners in units from its own corner, with the box of each outline in the same. */
function unpack(buffer, x, y) {
  const header = new DataView(buffer);
  const [count, cornerCount, unit] = [
    header.getUint32(0, true),
    header.getUint32(4, true),
    header.getFloat32(8, true),
  ];
  const corners = new Int16Array(buffer, HEADER_BYTES, 2 * cornerCount);
  const countsAt = HEADER_BYTES + corners.byteLength;
  const counts = new Uint16Array(buffer, countsAt, count);
  const classes = new Uint8Array(buffer, countsAt + counts.byteLength, count);
  const starts = new Uint32Array(count + 1);
  const boxes = new Int16Array(4 * count);
  for (let nucleus = 0; nucleus < count; nucleus++) {
    const end = starts[nucleus] + counts[nucleus];
    starts[nucleus + 1] = end;
    boxes.set(boxOf(corners, starts[nucleus], end), 4 * nucleus);
  }
  const bytes = buffer.byteLength + starts.byteLength + boxes.byteLength;
  return { x, y, unit, count, corners, classes, starts, boxes, bytes };
}

function boxOf(corners, start, end) {
  let [left, top, right, bottom] = [32767, 32767, -32768, -32768];
  for (let at = 2 * start; at < 2 * end; at += 2) {
    left = Math.min(left, corners[at]);
    right = Math.max(right, corners[at]);
    top = Math.min(top, corners[at + 1]);
    bottom = Math.max(bottom, corners[at + 1]);
  }
  return [left, top, right, bottom];
}
