import { rectangleRing } from "./rings.js";
import { pathOf, shape } from "./shapes.js";

const SMALLEST_PX = 8; // a shorter drag was meant as a click

/** A rectangle from corner to corner, in whole level-0 pixels. */
export class RectangleTool {
  hint = "Drag from one corner to the other. Esc stops.";

  constructor(layer, regions) {
    Object.assign(this, { layer, regions, start: null });
    this.group = layer.group("draft");
  }

  press(point, event) {
    this.start = { point, x: event.clientX, y: event.clientY };
  }

  move(point) {
    if (this.start) this.#show(pixelsBetween(this.start.point, point));
  }

  release(point, event) {
    if (!this.start) return;
    const { start } = this;
    this.cancel();
    const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
    const box = pixelsBetween(start.point, point);
    if (Math.min(Math.abs(dx), Math.abs(dy)) < SMALLEST_PX || !box.width || !box.height) return;
    this.done();
    this.regions.add([rectangleRing(box)]);
  }

  cancel() {
    this.start = null;
    this.group.replaceChildren();
  }

  #show(box) {
    const d = pathOf([rectangleRing(box)]);
    this.group.replaceChildren(
      shape("path", { class: "casing", d }),
      shape("path", { class: "line", d }),
    );
  }
}

/** The whole pixels that two points span. */
export function pixelsBetween(one, other) {
  const [left, right] = [Math.min(one.x, other.x), Math.max(one.x, other.x)];
  const [top, bottom] = [Math.min(one.y, other.y), Math.max(one.y, other.y)];
  const [x, y] = [Math.floor(left), Math.floor(top)];
  return { x, y, width: Math.ceil(right) - x, height: Math.ceil(bottom) - y };
}
