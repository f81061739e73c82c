import { pathOf, shape } from "./shapes.js";

/** @import {ShapeLayer} from "./shapes.js" */
/** @import {Point, Tool} from "./types.d.ts" */

/**
 * Measures a distance on the slide; what was measured stays until the tool is put away.
 *
 * @implements {Tool}
 */
export class RulerTool {
  hint = "Drag from one point to the other to measure. Esc stops.";

  done = () => {};

  /** @type {{from: Point, to: Point} | null} */
  line = null;

  held = false;

  /**
   * @param {ShapeLayer} layer
   * @param {number | null} mpp
   */
  constructor(layer, mpp) {
    this.layer = layer;
    this.mpp = mpp;
    this.group = layer.group("ruler", () => this.#show());
  }

  /** Length in µm, or in pixels where nobody knows how large one is; null before a measurement. */
  get length() {
    if (!this.line) return null;
    const { from, to } = this.line;
    return Math.hypot(to.x - from.x, to.y - from.y) * (this.mpp ?? 1);
  }

  /** @param {Point} point */
  press(point) {
    this.line = { from: point, to: point };
    this.held = true;
    this.#show();
  }

  /** @param {Point} point */
  move(point) {
    if (!this.held || !this.line) return;
    this.line.to = point;
    this.#show();
  }

  /** @param {Point} point */
  release(point) {
    this.move(point);
    this.held = false;
  }

  cancel() {
    this.line = null;
    this.held = false;
    this.#show();
  }

  #show() {
    if (!this.line) {
      this.group.replaceChildren();
      return;
    }
    const { layer } = this;
    const { from, to } = this.line;
    const d = pathOf([[[from.x, from.y], [to.x, to.y]]], { open: true });
    const label = shape("text", {
      role: "status",
      transform: `translate(${(from.x + to.x) / 2} ${(from.y + to.y) / 2}) scale(${1 / layer.scale})`,
      y: -8,
    });
    label.textContent = lengthInWords(this.length ?? 0, this.mpp !== null);
    const ends = [from, to].map(({ x, y }) =>
      shape("circle", { class: "handle", cx: x, cy: y, r: 4 / layer.scale }),
    );
    this.group.replaceChildren(
      shape("path", { class: "casing", d }),
      shape("path", { class: "line", d }),
      ...ends,
      label,
    );
  }
}

/**
 * @param {number} length µm, or pixels
 * @param {boolean} inUm
 */
export function lengthInWords(length, inUm) {
  if (!inUm) return `${Math.round(length)} px`;
  if (length >= 1000) return `${(length / 1000).toFixed(2)} mm`;
  return `${length.toFixed(length < 100 ? 1 : 0)} µm`;
}
