/** @import {Line, Measurements} from "./measurements.js" */
/** @import {Point, Tool} from "./types.d.ts" */

const SHORTEST_PX = 4; // a shorter drag was meant as a click

/**
 * Measures one distance after the other on the slide.
 *
 * @implements {Tool}
 */
export class RulerTool {
  hint = "Drag from one point to the other to measure. Esc stops; what is measured stays.";

  done = () => {};

  /** @type {Line | null} */
  #line = null;

  /** Where the drag began on the screen. */
  #start = { x: 0, y: 0 };

  /**
   * @param {Measurements} measurements
   * @param {(px: number) => void} measured called with the length of a line, level-0 pixels
   */
  constructor(measurements, measured) {
    this.measurements = measurements;
    this.measured = measured;
  }

  /**
   * @param {Point} point
   * @param {PointerEvent} event
   */
  press(point, event) {
    this.#start = { x: event.clientX, y: event.clientY };
    this.#draw({ from: point, to: point });
  }

  /** @param {Point} point */
  move(point) {
    if (this.#line) this.#draw({ ...this.#line, to: point });
  }

  /**
   * @param {Point} point
   * @param {PointerEvent} event
   */
  release(point, event) {
    const line = this.#line;
    this.cancel();
    const far = Math.hypot(event.clientX - this.#start.x, event.clientY - this.#start.y);
    if (!line || far < SHORTEST_PX) return;
    this.measurements.add({ ...line, to: point });
    this.measured(Math.hypot(point.x - line.from.x, point.y - line.from.y));
  }

  cancel() {
    this.#draw(null);
  }

  /** @param {Line | null} line */
  #draw(line) {
    this.#line = line;
    this.measurements.show(line);
  }
}
