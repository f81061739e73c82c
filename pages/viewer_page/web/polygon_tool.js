import { crossesItself, simplified, tidy } from "./rings.js";
import { pathOf, shape } from "./shapes.js";

/** @import {Hints} from "./hints.js" */
/** @import {ShapeLayer} from "./shapes.js" */
/** @import {Outlined, Point, Ring, Tool} from "./types.d.ts" */

const STEP_PX = 3; // of the pointer between two points of a free line
const CLOSE_PX = 9; // so near to the first corner a click closes the outline
const TOLERANCE_PX = 1.2; // what a free line may lose when it is thinned out

/**
 * A free outline: drawn with the button held, or corner by corner with clicks.
 *
 * @implements {Tool}
 */
export class PolygonTool {
  hint =
    "Click corner by corner, or draw with the button held. Double click, Enter or the first corner " +
    "closes; Backspace takes the last corner back; Esc stops.";

  done = () => {};

  /** @type {Point[]} */
  corners = [];

  /**
   * The free line under way.
   *
   * @type {Point[] | null}
   */
  held = null;

  /** @type {Point | null} */
  pointer = null;

  /**
   * @param {ShapeLayer} layer
   * @param {Outlined} regions takes what was drawn
   * @param {Hints} hints
   */
  constructor(layer, regions, hints) {
    this.layer = layer;
    this.regions = regions;
    this.hints = hints;
    this.group = layer.group("draft", () => this.#show());
  }

  /** @param {Point} point */
  press(point) {
    if (this.#closes(point)) {
      this.#close(this.corners);
    } else {
      this.held = [point];
      this.#show(point);
    }
  }

  /**
   * @param {Point} point
   * @param {PointerEvent} event
   */
  move(point, event) {
    // Chromium joins the moves between two frames; a free line wants them all.
    const { held } = this;
    if (held) {
      const all = event.getCoalescedEvents?.() ?? [];
      const points = all.length ? all.map((each) => this.#pointOf(each)) : [point];
      points.forEach((each) => this.#draw(held, each));
    }
    this.#show(point);
  }

  /** @param {Point} point */
  release(point) {
    if (!this.held) return;
    const line = this.held;
    this.held = null;
    if (line.length < 3) {
      this.corners.push(line[0]);
      this.#show(point);
    } else if (this.corners.length) {
      this.corners.push(...this.#thinned(line));
      this.#show(point);
    } else {
      this.#close(this.#thinned(line));
    }
  }

  /** Both clicks have each set a corner; the second is one too many. */
  doubleClick() {
    const [last, before] = [this.corners.at(-1), this.corners.at(-2)];
    if (last && before && this.#px(last, before) < CLOSE_PX) this.corners.pop();
    this.#close(this.corners);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key === "Enter") this.#close(this.corners);
    else if (event.key === "Backspace") this.corners.pop();
    else return false;
    this.#show();
    return true;
  }

  cancel() {
    this.#reset();
    this.#show();
  }

  #reset() {
    this.corners = [];
    this.held = null;
    this.pointer = null;
  }

  /**
   * @param {Point[]} line
   * @param {Point} point
   */
  #draw(line, point) {
    if (this.#px(point, line[line.length - 1]) >= STEP_PX) line.push(point);
  }

  /** @param {Point} point */
  #closes(point) {
    return this.corners.length > 2 && this.#px(point, this.corners[0]) < CLOSE_PX;
  }

  /** @param {Point[]} corners */
  #close(corners) {
    /** @type {Ring} */
    const ring = corners.map(({ x, y }) => [tidy(x), tidy(y)]);
    if (ring.length < 3) {
      this.hints.tell("An outline needs three corners at least; go on, or press Esc.");
    } else if (crossesItself(ring)) {
      this.cancel();
      this.hints.tell("The outline crosses itself; draw it again without a crossing.");
    } else {
      this.done();
      this.regions.add([ring]);
    }
  }

  /** @param {Point[]} line */
  #thinned(line) {
    /** @type {Ring} */
    const points = line.map(({ x, y }) => [x, y]);
    return simplified(points, TOLERANCE_PX / this.layer.scale).map(([x, y]) => ({ x, y }));
  }

  /** @param {PointerEvent} event */
  #pointOf(event) {
    return this.layer.frame.onSlide(this.layer.frame.under(event));
  }

  /**
   * @param {Point} one
   * @param {Point} other
   */
  #px(one, other) {
    return Math.hypot(one.x - other.x, one.y - other.y) * this.layer.scale;
  }

  #show(pointer = this.pointer) {
    this.pointer = pointer;
    const points = [...this.corners, ...(this.held ?? []), ...(pointer ? [pointer] : [])];
    if (points.length < 2 && !this.held && !this.corners.length) {
      this.group.replaceChildren();
      return;
    }
    const d = pathOf([points.map(({ x, y }) => [x, y])], { open: true });
    const first = shape("circle", {
      class: "handle",
      cx: points[0].x,
      cy: points[0].y,
      r: 5 / this.layer.scale,
    });
    this.group.replaceChildren(
      shape("path", { class: "casing", d }),
      shape("path", { class: "line", d }),
      first,
    );
  }
}
