import { crossesItself, simplified, tidy } from "./rings.js";
import { pathOf, shape } from "./shapes.js";

const STEP_PX = 3; // of the pointer between two points of a free line
const CLOSE_PX = 9; // so near to the first corner a click closes the outline
const TOLERANCE_PX = 1.2; // what a free line may lose when it is thinned out

/** A free outline: drawn with the button held, or corner by corner with clicks. */
export class PolygonTool {
  hint =
    "Click corner by corner, or draw with the button held. Double click, Enter or the first corner " +
    "closes; Backspace takes the last corner back; Esc stops.";

  constructor(layer, regions, hints) {
    Object.assign(this, { layer, regions, hints });
    this.group = layer.group("draft", () => this.#show());
    this.#reset();
  }

  press(point) {
    if (this.#closes(point)) return this.#close(this.corners);
    this.held = [point];
    this.#show(point);
  }

  move(point, event) {
    // Chromium joins the moves between two frames; a free line wants them all.
    if (this.held) {
      const all = event.getCoalescedEvents?.() ?? [];
      const points = all.length ? all.map((each) => this.#pointOf(each)) : [point];
      points.forEach((each) => this.#draw(each));
    }
    this.#show(point);
  }

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
    if (before && this.#px(last, before) < CLOSE_PX) this.corners.pop();
    this.#close(this.corners);
  }

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

  #draw(point) {
    if (this.#px(point, this.held.at(-1)) >= STEP_PX) this.held.push(point);
  }

  #closes(point) {
    return this.corners.length > 2 && this.#px(point, this.corners[0]) < CLOSE_PX;
  }

  #close(corners) {
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

  #thinned(line) {
    const points = line.map(({ x, y }) => [x, y]);
    return simplified(points, TOLERANCE_PX / this.layer.scale).map(([x, y]) => ({ x, y }));
  }

  #pointOf(event) {
    return this.layer.frame.onSlide(this.layer.frame.under(event));
  }

  #px(one, other) {
    return Math.hypot(one.x - other.x, one.y - other.y) * this.layer.scale;
  }

  #show(pointer = this.pointer) {
    this.pointer = pointer;
    const points = [...this.corners, ...(this.held ?? []), ...(pointer ? [pointer] : [])];
    if (points.length < 2 && !this.held && !this.corners.length) return this.group.replaceChildren();
    const d = pathOf([points.map(({ x, y }) => [x, y])], { open: true });
    const first = shape("circle", {
      class: "handle",
      cx: points[0].x,
      cy: points[0].y,
      r: 5 / this.layer.scale,
    });
    return this.group.replaceChildren(
      shape("path", { class: "casing", d }),
      shape("path", { class: "line", d }),
      first,
    );
  }
}
