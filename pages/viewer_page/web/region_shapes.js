import {
  boxOf,
  crossesItself,
  distanceToSegment,
  isRectangle,
  moved,
  rectangleRing,
  tidy,
} from "./rings.js";
import { pathOf, shape } from "./shapes.js";

const HANDLE_PX = 5;
const KEY_STEP_PX = 5;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Draws the ROIs; the selected one can be moved by its border and changed by its handles. */
export class RegionShapes {
  #drag = null;

  constructor(layer, regions, hints) {
    this.layer = layer;
    this.regions = regions;
    this.hints = hints;
    this.group = layer.group("regions", (scale) => this.#rescale(scale));
    regions.addEventListener("change", () => this.#draw());
  }

  /** Name of the region that the keyboard is at. */
  get focused() {
    return this.group.getRootNode().activeElement?.dataset.region;
  }

  /** Keys for the region that has the focus. */
  key(event) {
    const roi = this.regions.get(this.focused);
    const step = STEPS[event.key];
    if (!roi) return false;
    if (event.key === "Enter" || event.key === " ") {
      this.regions.select(roi.name);
    } else if (step && roi.name === this.regions.selected) {
      const [dx, dy] = step.map((each) => (each * KEY_STEP_PX) / this.layer.scale);
      this.#reshape(roi, this.#movedBy(roi, dx, dy));
    } else {
      return false;
    }
    return true;
  }

  #draw() {
    this.#drag = null;
    const { focused } = this;
    this.group.replaceChildren(...this.regions.rois.map((roi) => this.#shapeOf(roi)));
    this.#drawHandles();
    this.#rescale(this.layer.scale);
    if (focused) this.group.querySelector(`[data-region="${CSS.escape(focused)}"]`)?.focus();
  }

  #shapeOf(roi) {
    const selected = roi.name === this.regions.selected;
    const group = shape("g", {
      class: `region ${roi.kind}`,
      tabindex: 0,
      role: "button",
      "aria-pressed": selected,
      "aria-label": `Region ${labelOf(roi)}`,
      "data-region": roi.name,
    });
    const d = outlineOf(roi.rings);
    const label = shape("text");
    label.textContent = labelOf(roi);
    const { x, y } = boxOf(roi.rings[0]);
    Object.assign(label.dataset, { x, y });
    group.append(
      shape("path", { class: "fill", d, "fill-rule": "evenodd" }),
      shape("path", { class: "casing", d }),
      shape("path", { class: "line", d }),
      shape("path", { class: "grip", d }),
      label,
    );
    group.addEventListener("pointerdown", (event) => this.#grip(event, roi));
    group.addEventListener("dblclick", (event) => this.#addCorner(event, roi));
    return group;
  }

  #drawHandles() {
    const roi = this.regions.get(this.regions.selected);
    this.handles = shape("g", { class: "handles" });
    if (!roi) return;
    const all = isRectangle(roi.rings) ? this.#boxHandles(roi) : this.#cornerHandles(roi);
    this.handles.append(...all);
    this.group.append(this.handles);
  }

  #boxHandles(roi) {
    const box = boxOf(roi.rings[0]);
    const sides = [-1, 0, 1].flatMap((h) => [-1, 0, 1].map((v) => [h, v]));
    return sides
      .filter(([h, v]) => h || v)
      .map(([h, v]) => {
        const at = [box.x + (box.width * (h + 1)) / 2, box.y + (box.height * (v + 1)) / 2];
        const cursor = h && v ? (h === v ? "nwse" : "nesw") : h ? "ew" : "ns";
        return this.#handle(at, `${cursor}-resize`, roi, (point) => [resized(box, h, v, point)]);
      });
  }

  #cornerHandles(roi) {
    return roi.rings.flatMap((ring, r) =>
      ring.map((corner, c) => {
        const rings = (point) =>
          roi.rings.map((each, i) => (i === r ? each.with(c, [tidy(point.x), tidy(point.y)]) : each));
        const handle = this.#handle(corner, "crosshair", roi, rings);
        handle.addEventListener("dblclick", (event) => {
          event.stopPropagation();
          if (ring.length > 3) this.#reshape(roi, roi.rings.with(r, ring.toSpliced(c, 1)));
        });
        return handle;
      }),
    );
  }

  #handle([cx, cy], cursor, roi, ringsAt) {
    const handle = shape("circle", { cx, cy, class: "handle", style: `cursor: ${cursor}` });
    const { frame } = this.layer;
    handle.addEventListener("pointerdown", (event) =>
      this.#follow(event, roi, (now) => ringsAt(frame.onSlide(frame.under(now)))),
    );
    return handle;
  }

  /** The border of a region was pressed: select it, and move it while it is held. */
  #grip(event, roi) {
    const start = this.layer.frame.under(event);
    this.#follow(event, roi, (now) => {
      const { x, y } = this.layer.frame.under(now);
      return this.#movedBy(roi, x - start.x, y - start.y);
    });
  }

  #movedBy(roi, dx, dy) {
    // a rectangle stays in whole pixels
    const round = isRectangle(roi.rings) ? Math.round : tidy;
    return moved(roi.rings, round(dx), round(dy));
  }

  /** Show the outline `ringsAt` gives while the pointer is down, and keep the last one. */
  #follow(event, roi, ringsAt) {
    if (event.button !== 0) return;
    event.stopPropagation(); // or the slide would move too
    const { target } = event;
    target.setPointerCapture(event.pointerId);
    const drag = { rings: null };
    this.#drag = drag;
    const move = (now) => {
      now.stopPropagation();
      const far = Math.hypot(now.clientX - event.clientX, now.clientY - event.clientY) > 3;
      if (!far && !drag.rings) return;
      drag.rings = ringsAt(now);
      this.#preview(roi, drag.rings);
    };
    const end = (now) => {
      now.stopPropagation();
      target.removeEventListener("pointermove", move);
      if (this.#drag !== drag) return; // the list has changed meanwhile
      this.#drag = null;
      if (now.type === "pointercancel") this.#draw();
      else if (drag.rings) this.#reshape(roi, drag.rings);
      else this.regions.select(roi.name);
    };
    target.addEventListener("pointermove", move);
    target.addEventListener("pointerup", end, { once: true });
    target.addEventListener("pointercancel", end, { once: true });
  }

  #preview(roi, rings) {
    const group = this.group.querySelector(`[data-region="${CSS.escape(roi.name)}"]`);
    group.querySelectorAll("path").forEach((path) => path.setAttribute("d", outlineOf(rings)));
    this.handles.setAttribute("visibility", "hidden");
  }

  #reshape(roi, rings) {
    if (rings.some(crossesItself)) {
      this.hints.tell(`The outline of ${roi.name} would cross itself; it stays as it was.`);
      this.#draw();
    } else {
      this.regions.reshape(roi.name, rings);
    }
  }

  #addCorner(event, roi) {
    event.stopPropagation();
    if (roi.name !== this.regions.selected || isRectangle(roi.rings)) return;
    const { x, y } = this.layer.frame.under(event);
    this.#reshape(roi, withCorner(roi.rings, [tidy(x), tidy(y)]));
  }

  #rescale(scale) {
    this.group.querySelectorAll("circle").forEach((each) => each.setAttribute("r", HANDLE_PX / scale));
    this.group.querySelectorAll("text").forEach((each) => {
      const { x, y } = each.dataset;
      each.setAttribute("transform", `translate(${x} ${y}) scale(${1 / scale}) translate(2 -6)`);
    });
  }
}

function labelOf({ name, kind }) {
  return kind === "exclude" ? `${name} (left out)` : name;
}

/** Each ring closed for itself: holes too. */
function outlineOf(rings) {
  return rings.map((ring) => pathOf([ring])).join("");
}

/** A rectangle with its left (-1) or right (1) and top or bottom side at a point, whole pixels. */
function resized(box, h, v, point) {
  const [left, right] = stretched(box.x, box.width, h, Math.round(point.x));
  const [top, bottom] = stretched(box.y, box.height, v, Math.round(point.y));
  return rectangleRing({ x: left, y: top, width: right - left, height: bottom - top });
}

function stretched(start, length, end, to) {
  const fixed = end < 0 ? start + length : start;
  if (!end) return [start, start + length];
  const other = to === fixed ? fixed + end : to;
  return [Math.min(fixed, other), Math.max(fixed, other)];
}

/** Rings with one corner more, on the side that is nearest to it. */
function withCorner(rings, corner) {
  const sides = rings.flatMap((ring, r) =>
    ring.map((point, c) => ({ r, c, distance: distanceToSegment(corner, point, ring[(c + 1) % ring.length]) })),
  );
  const { r, c } = sides.reduce((best, each) => (each.distance < best.distance ? each : best));
  return rings.with(r, rings[r].toSpliced(c + 1, 0, corner));
}
