import { resized, withCorner } from "./region_edits.js";
import { boxOf, crossesItself, holds, isRectangle, moved, tidy } from "./rings.js";
import { pathOf, shape } from "./shapes.js";

/** @import {Hints} from "./hints.js" */
/** @import {Regions} from "./regions.js" */
/** @import {ShapeLayer} from "./shapes.js" */
/** @import {Corner, Point, Ring, Roi} from "./types.d.ts" */

const HANDLE_PX = 5;
const KEY_STEP_PX = 5;

/** @type {Record<string, [dx: number, dy: number] | undefined>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Draws the ROIs; the selected one can be moved by its border and changed by its handles. */
export class RegionShapes {
  /** @type {{rings: Ring[] | null} | null} */
  #drag = null;

  /**
   * @param {ShapeLayer} layer
   * @param {Regions} regions
   * @param {Hints} hints
   */
  constructor(layer, regions, hints) {
    this.layer = layer;
    this.regions = regions;
    this.hints = hints;
    this.group = layer.group("regions", (scale) => this.#rescale(scale));
    this.handles = shape("g", { class: "handles" });
    regions.addEventListener("change", () => this.#draw());
    // before OpenSeadragon, for which it would be a drag of the slide
    layer.frame.osd.container.addEventListener("pointerdown", (event) => this.#gripInside(event), {
      capture: true,
    });
  }

  /** Name of the region that the keyboard is at. */
  get focused() {
    const root = /** @type {Document | ShadowRoot} */ (this.group.getRootNode());
    const { activeElement } = root;
    return activeElement instanceof SVGElement ? activeElement.dataset.region : undefined;
  }

  /**
   * Keys for the region that has the focus.
   *
   * @param {KeyboardEvent} event
   */
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
    if (focused) this.#groupOf(focused)?.focus();
  }

  /**
   * @param {string} name
   * @returns {SVGElement | null}
   */
  #groupOf(name) {
    return this.group.querySelector(`[data-region="${CSS.escape(name)}"]`);
  }

  /** @param {Roi} roi */
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
    Object.assign(label.dataset, { x: String(x), y: String(y) });
    group.append(
      shape("path", { class: "fill", d, "fill-rule": "evenodd" }),
      shape("path", { class: "casing", d }),
      shape("path", { class: "line", d, ...(roi.colour ? { style: `stroke: ${roi.colour}` } : {}) }),
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

  /** @param {Roi} roi */
  #boxHandles(roi) {
    const box = boxOf(roi.rings[0]);
    const sides = [-1, 0, 1].flatMap((h) => [-1, 0, 1].map((v) => [h, v]));
    return sides
      .filter(([h, v]) => h || v)
      .map(([h, v]) => {
        /** @type {Corner} */
        const at = [box.x + (box.width * (h + 1)) / 2, box.y + (box.height * (v + 1)) / 2];
        const cursor = h && v ? (h === v ? "nwse" : "nesw") : h ? "ew" : "ns";
        return this.#handle(at, `${cursor}-resize`, roi, (point) => [resized(box, h, v, point)]);
      });
  }

  /** @param {Roi} roi */
  #cornerHandles(roi) {
    return roi.rings.flatMap((ring, r) =>
      ring.map((corner, c) => {
        const rings = (/** @type {Point} */ point) =>
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

  /**
   * @param {Corner} corner
   * @param {string} cursor
   * @param {Roi} roi
   * @param {(point: Point) => Ring[]} ringsAt
   */
  #handle([cx, cy], cursor, roi, ringsAt) {
    const handle = shape("circle", { cx, cy, class: "handle", style: `cursor: ${cursor}` });
    const { frame } = this.layer;
    handle.addEventListener("pointerdown", (event) =>
      this.#follow(event, roi, (now) => ringsAt(frame.onSlide(frame.under(now)))),
    );
    return handle;
  }

  /**
   * The border of a region was pressed: select it, and move it while it is held.
   *
   * @param {PointerEvent} event
   * @param {Roi} roi
   */
  #grip(event, roi) {
    const start = this.layer.frame.under(event);
    this.#follow(event, roi, (now) => {
      const { x, y } = this.layer.frame.under(now);
      return this.#movedBy(roi, x - start.x, y - start.y);
    });
  }

  /**
   * With Shift the selected region is moved by its inside, where else the slide is and its nuclei.
   *
   * @param {PointerEvent} event
   */
  #gripInside(event) {
    const roi = this.regions.get(this.regions.selected);
    const onSlide = event.target === this.layer.frame.osd.canvas;
    if (roi && onSlide && event.shiftKey && holds(roi.rings, this.layer.frame.under(event))) {
      this.#grip(event, roi);
    }
  }

  /**
   * @param {Roi} roi
   * @param {number} dx
   * @param {number} dy
   */
  #movedBy(roi, dx, dy) {
    // a rectangle stays in whole pixels
    const round = isRectangle(roi.rings) ? Math.round : tidy;
    return moved(roi.rings, round(dx), round(dy));
  }

  /**
   * Show the outline `ringsAt` gives while the pointer is down, and keep the last one.
   *
   * @param {PointerEvent} event
   * @param {Roi} roi
   * @param {(now: PointerEvent) => Ring[]} ringsAt
   */
  #follow(event, roi, ringsAt) {
    if (event.button !== 0) return;
    event.stopPropagation(); // or the slide would move too
    const target = /** @type {SVGElement} */ (event.target);
    target.setPointerCapture(event.pointerId);
    const drag = { rings: /** @type {Ring[] | null} */ (null) };
    this.#drag = drag;
    const move = (/** @type {PointerEvent} */ now) => {
      now.stopPropagation();
      const far = Math.hypot(now.clientX - event.clientX, now.clientY - event.clientY) > 3;
      if (!far && !drag.rings) return;
      drag.rings = ringsAt(now);
      this.#preview(roi, drag.rings);
    };
    const end = (/** @type {PointerEvent} */ now) => {
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

  /**
   * @param {Roi} roi
   * @param {Ring[]} rings
   */
  #preview(roi, rings) {
    const paths = this.#groupOf(roi.name)?.querySelectorAll("path") ?? [];
    paths.forEach((path) => path.setAttribute("d", outlineOf(rings)));
    this.handles.setAttribute("visibility", "hidden");
  }

  /**
   * @param {Roi} roi
   * @param {Ring[]} rings
   */
  #reshape(roi, rings) {
    if (rings.some(crossesItself)) {
      this.hints.tell(`The outline of ${roi.name} would cross itself; it stays as it was.`);
      this.#draw();
    } else {
      this.regions.reshape(roi.name, rings);
    }
  }

  /**
   * @param {MouseEvent} event
   * @param {Roi} roi
   */
  #addCorner(event, roi) {
    event.stopPropagation();
    if (roi.name !== this.regions.selected || isRectangle(roi.rings)) return;
    const { x, y } = this.layer.frame.under(event);
    this.#reshape(roi, withCorner(roi.rings, [tidy(x), tidy(y)]));
  }

  /** @param {number} scale */
  #rescale(scale) {
    this.group.querySelectorAll("circle").forEach((each) => each.setAttribute("r", String(HANDLE_PX / scale)));
    this.group.querySelectorAll("text").forEach((each) => {
      const { x, y } = each.dataset;
      each.setAttribute("transform", `translate(${x} ${y}) scale(${1 / scale}) translate(2 -6)`);
    });
  }
}

/** @param {Roi} roi */
function labelOf({ name, kind }) {
  const said = { include: "", tumour: " (tumour)", exclude: " (left out)" }[kind];
  return `${name}${said}`;
}

/**
 * Each ring closed for itself: holes too.
 *
 * @param {Ring[]} rings
 */
function outlineOf(rings) {
  return rings.map((ring) => pathOf([ring])).join("");
}
