import { Choices } from "./choices.js";
import { element, part } from "./element.js";
import { pathOf, shape } from "./shapes.js";

/** @import {ShapeLayer} from "./shapes.js" */
/** @import {Point, Slide} from "./types.d.ts" */

/** @typedef {{from: Point, to: Point}} Line */

/** What was measured on the slide: drawn, listed, and kept for as long as the tab is open. */
export class Measurements {
  /** @type {Line | null} */
  #draft = null;

  /**
   * @param {ShapeLayer} layer
   * @param {ParentNode} root holds the list
   * @param {Slide} slide
   */
  constructor(layer, root, slide) {
    this.layer = layer;
    this.slide = slide;
    /** @type {Choices<Line[]>} */
    this.choices = new Choices("measurements");
    this.card = part(root, ".measured", HTMLElement);
    this.list = part(this.card, "ol", HTMLOListElement);
    const [copy, clear] = this.card.querySelectorAll("button");
    copy.onclick = () => navigator.clipboard.writeText(this.text);
    clear.onclick = () => this.#keep([]);
    this.group = layer.group("ruler", () => this.#draw());
    this.#keep(this.lines);
  }

  get lines() {
    return this.choices.get(this.slide.id) ?? [];
  }

  /** All of them for a table: number, length, and both ends in level-0 pixels. */
  get text() {
    const unit = this.slide.mpp === null ? "px" : "µm";
    const rows = this.lines.map((line, index) => {
      const ends = [line.from, line.to].flatMap(({ x, y }) => [x.toFixed(1), y.toFixed(1)]);
      return [index + 1, this.#lengthOf(line).toFixed(2), ...ends].join("\t");
    });
    return [["number", `length_${unit}`, "x1_px", "y1_px", "x2_px", "y2_px"].join("\t"), ...rows].join("\n");
  }

  /** @param {Line} line */
  add(line) {
    this.#keep([...this.lines, line]);
  }

  /**
   * What is just being measured.
   *
   * @param {Line | null} line
   */
  show(line) {
    this.#draft = line;
    this.#draw();
  }

  /** @param {Line[]} lines */
  #keep(lines) {
    this.choices.set(this.slide.id, lines);
    this.card.hidden = lines.length === 0;
    this.list.replaceChildren(...lines.map((line, index) => this.#row(line, index)));
    this.#draw();
  }

  /**
   * @param {Line} line
   * @param {number} index
   */
  #row(line, index) {
    const remove = element("button", { type: "button", textContent: "×", title: "Remove" });
    remove.setAttribute("aria-label", `Remove measurement ${index + 1}`);
    remove.onclick = () => this.#keep(this.lines.toSpliced(index, 1));
    const row = element("li", {});
    row.append(element("span", { textContent: this.#wordsOf(line) }), remove);
    return row;
  }

  #draw() {
    const kept = this.lines.flatMap((line, index) => this.#shapesOf(line, `${index + 1}: `));
    const draft = this.#draft ? this.#shapesOf(this.#draft, "") : [];
    this.group.replaceChildren(...kept, ...draft);
  }

  /**
   * @param {Line} line
   * @param {string} number
   */
  #shapesOf(line, number) {
    const { from, to } = line;
    const { scale } = this.layer;
    const d = pathOf([[[from.x, from.y], [to.x, to.y]]], { open: true });
    const label = shape("text", {
      role: "status",
      transform: `translate(${(from.x + to.x) / 2} ${(from.y + to.y) / 2}) scale(${1 / scale})`,
      y: -8,
    });
    label.textContent = number + this.#wordsOf(line);
    const ends = [from, to].map(({ x, y }) => shape("circle", { class: "handle", cx: x, cy: y, r: 4 / scale }));
    return [shape("path", { class: "casing", d }), shape("path", { class: "line", d }), ...ends, label];
  }

  /** @param {Line} line */
  #wordsOf(line) {
    return lengthInWords(this.#lengthOf(line), this.slide.mpp !== null);
  }

  /**
   * In µm, or in pixels where nobody knows how large one is.
   *
   * @param {Line} line
   */
  #lengthOf({ from, to }) {
    return Math.hypot(to.x - from.x, to.y - from.y) * (this.slide.mpp ?? 1);
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
