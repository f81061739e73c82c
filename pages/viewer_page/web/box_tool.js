import { pixelsBetween } from "./boxes.js";
import { pathOf, shape } from "./shapes.js";

/** @import {ShapeLayer} from "./shapes.js" */
/** @import {Box, Outlined, Point, Ring, Tool} from "./types.d.ts" */

const SMALLEST_PX = 8; // a shorter drag was meant as a click

/**
 * What fills a box that is dragged from corner to corner, in whole level-0 pixels: a rectangle, an
 * ellipse.
 *
 * @implements {Tool}
 */
export class BoxTool {
  hint = "Drag from one corner to the other. Esc stops.";

  done = () => {};

  /**
   * Where the drag began, on the slide and on the screen.
   *
   * @type {{point: Point, x: number, y: number} | null}
   */
  start = null;

  /**
   * @param {ShapeLayer} layer
   * @param {Outlined} regions takes what was drawn
   * @param {(box: Box) => Ring} ringOf its outline
   */
  constructor(layer, regions, ringOf) {
    this.regions = regions;
    this.ringOf = ringOf;
    this.group = layer.group("draft");
  }

  /**
   * @param {Point} point
   * @param {PointerEvent} event
   */
  press(point, event) {
    this.start = { point, x: event.clientX, y: event.clientY };
  }

  /** @param {Point} point */
  move(point) {
    if (this.start) this.#show(pixelsBetween(this.start.point, point));
  }

  /**
   * @param {Point} point
   * @param {PointerEvent} event
   */
  release(point, event) {
    if (!this.start) return;
    const { start } = this;
    this.cancel();
    const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
    const box = pixelsBetween(start.point, point);
    if (Math.min(Math.abs(dx), Math.abs(dy)) < SMALLEST_PX || !box.width || !box.height) return;
    this.done();
    this.regions.add([this.ringOf(box)]);
  }

  cancel() {
    this.start = null;
    this.group.replaceChildren();
  }

  /** @param {Box} box */
  #show(box) {
    const d = pathOf([this.ringOf(box)]);
    this.group.replaceChildren(
      shape("path", { class: "casing", d }),
      shape("path", { class: "line", d }),
    );
  }
}
