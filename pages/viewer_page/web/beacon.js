import { shape } from "./shapes.js";

/** @import {ShapeLayer} from "./shapes.js" */
/** @import {Point} from "./types.d.ts" */

const SHOWN_MS = 2500;
const RADIUS_PX = 26;

/** A ring around the place the reader was brought to, for a moment. */
export class Beacon {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {ShapeLayer} layer */
  constructor(layer) {
    this.layer = layer;
    this.group = layer.group("beacon", (scale) => this.#rescale(scale));
  }

  /** @param {Point} place */
  show({ x, y }) {
    clearTimeout(this.#timer);
    const at = { cx: x, cy: y };
    this.group.replaceChildren(
      shape("circle", { class: "casing", ...at }),
      shape("circle", { class: "line", ...at }),
    );
    this.#rescale(this.layer.scale);
    this.#timer = setTimeout(() => this.group.replaceChildren(), SHOWN_MS);
  }

  /** @param {number} scale */
  #rescale(scale) {
    this.group.querySelectorAll("circle").forEach((each) => each.setAttribute("r", String(RADIUS_PX / scale)));
  }
}
