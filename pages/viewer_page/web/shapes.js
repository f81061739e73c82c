/** @import {SlideFrame} from "./slide_frame.js" */
/** @import {Ring} from "./types.d.ts" */

/** A drawing in level-0 pixels over the slide, which follows the view. */
export class ShapeLayer {
  /** @type {Set<(scale: number) => void>} */
  #followers = new Set();

  /** @param {SlideFrame} frame */
  constructor(frame) {
    this.frame = frame;
    this.svg = shape("svg", { class: "shapes" });
    this.slidePlane = shape("g");
    this.lastScale = 0;
    this.svg.append(this.slidePlane);
    frame.osd.canvas.append(this.svg);
    for (const event of /** @type {const} */ (["open", "update-viewport"])) {
      frame.osd.addHandler(event, () => this.#follow());
    }
  }

  /**
   * A group of its own in the slide's plane.
   *
   * @param {string} name
   * @param {(scale: number) => void} [follow] called when the enlargement changes
   */
  group(name, follow) {
    const group = shape("g", { class: name });
    this.slidePlane.append(group);
    if (follow) this.#followers.add(follow);
    return group;
  }

  get scale() {
    return this.frame.scale;
  }

  #follow() {
    if (!this.frame.osd.isOpen()) return;
    const { scale } = this.frame;
    const { x, y } = this.frame.toScreen({ x: 0, y: 0 });
    this.slidePlane.setAttribute("transform", `matrix(${scale} 0 0 ${scale} ${x} ${y})`);
    if (scale === this.lastScale) return;
    this.lastScale = scale;
    this.#followers.forEach((follow) => follow(scale));
  }
}

/**
 * A new element of a drawing.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean>} attributes
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function shape(tag, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/**
 * The path of rings, each a list of [x, y].
 *
 * @param {Ring[]} rings
 * @param {{open?: boolean}} [how] open: a line that does not come back to its start
 */
export function pathOf(rings, { open = false } = {}) {
  return rings.map((ring) => `M${ring.map((point) => point.join(" ")).join("L")}`).join("") + (open ? "" : "Z");
}
