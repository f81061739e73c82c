import { fetch } from "./server.js";
import { pathOf, shape } from "./shapes.js";

/** @import {Hints} from "./hints.js" */
/** @import {Regions} from "./regions.js" */
/** @import {ShapeLayer} from "./shapes.js" */
/** @import {Point, Ring, Tool} from "./types.d.ts" */

const SMALLEST_PX = 4;
const LARGEST_PX = 128;
const GROWS = 1.25; // by one press of a key
const STEP = 0.25; // of the radius between two points of a stroke

/**
 * Paints a region: a stroke that touches the selected one is joined to it or, with Alt, taken off.
 *
 * The server joins the outlines, and the answer is a change of the region as any other: it is kept,
 * and taken back by the same key.
 *
 * @implements {Tool}
 */
export class BrushTool {
  hint = "Paint with the button held; Alt takes away, [ and ] change the size. Esc stops.";

  done = () => {};

  /** On the screen. */
  #radiusPx = 20;

  /** @type {{points: Point[], erase: boolean} | null} */
  #stroke = null;

  /** @type {Point | null} */
  #pointer = null;

  /**
   * Strokes that are joined: one after the other, since each is joined to what came of the last.
   *
   * @type {Promise<unknown>}
   */
  #queue = Promise.resolve();

  /**
   * @param {ShapeLayer} layer
   * @param {Regions} regions
   * @param {Hints} hints
   * @param {string} address joins outlines
   */
  constructor(layer, regions, hints, address) {
    this.layer = layer;
    this.regions = regions;
    this.hints = hints;
    this.address = address;
    this.group = layer.group("brush", () => this.#show());
  }

  /** In level-0 pixels, at the enlargement of now. */
  get #radius() {
    return this.#radiusPx / this.layer.scale;
  }

  /**
   * @param {Point} point
   * @param {PointerEvent} event
   */
  press(point, event) {
    this.#stroke = { points: [point], erase: event.altKey };
    this.move(point);
  }

  /** @param {Point} point */
  move(point) {
    const points = this.#stroke?.points;
    const last = points?.at(-1);
    if (points && last && Math.hypot(point.x - last.x, point.y - last.y) > STEP * this.#radius) {
      points.push(point);
    }
    this.#pointer = point;
    this.#show();
  }

  /** @param {Point} point */
  release(point) {
    if (!this.#stroke) return;
    const { points, erase } = this.#stroke;
    this.#stroke = null;
    const radius = this.#radius;
    this.move(point);
    this.#queue = this.#queue
      .then(() => this.#join([...points, point], radius, erase))
      .catch((error) => this.hints.tell(error.message));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== "[" && event.key !== "]") return false;
    const wanted = event.key === "]" ? this.#radiusPx * GROWS : this.#radiusPx / GROWS;
    this.#radiusPx = Math.min(LARGEST_PX, Math.max(SMALLEST_PX, wanted));
    this.#show();
    return true;
  }

  cancel() {
    this.#stroke = null;
    this.#pointer = null;
    this.#show();
  }

  /**
   * @param {Point[]} points
   * @param {number} radius
   * @param {boolean} erase
   */
  async #join(points, radius, erase) {
    const selected = this.regions.get(this.regions.selected);
    const line = points.map(({ x, y }) => [x, y]);
    const body = JSON.stringify({ rings: selected?.rings ?? [], line, radius, erase });
    const answer = await fetch(this.address, { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
    /** @type {{rings: Ring[], joined: boolean}} */
    const { rings, joined } = await answer.json();
    if (!joined) {
      if (erase) this.hints.tell("Nothing of the selected region is there to be taken away.");
      else this.regions.add(rings);
    } else if (selected) {
      if (rings.length) this.regions.reshape(selected.name, rings);
      else this.regions.remove(selected.name);
    }
  }

  #show() {
    const [radius, pointer] = [this.#radius, this.#pointer];
    const shapes = [];
    if (this.#stroke) {
      const points = this.#stroke.points.map(({ x, y }) => /** @type {[number, number]} */ ([x, y]));
      const d = pathOf([points.length > 1 ? points : [points[0], points[0]]], { open: true });
      const width = `stroke-width: ${2 * this.#radiusPx}px`;
      shapes.push(shape("path", { class: this.#stroke.erase ? "stroke erase" : "stroke", d, style: width }));
    }
    if (pointer) {
      const at = { cx: pointer.x, cy: pointer.y, r: radius };
      shapes.push(shape("circle", { class: "casing", ...at }), shape("circle", { class: "line", ...at }));
    }
    this.group.replaceChildren(...shapes);
  }
}
