import { pathOf, shape } from "./shapes.js";

/** Measures a distance on the slide; what was measured stays until the tool is put away. */
export class RulerTool {
  hint = "Drag from one point to the other to measure. Esc stops.";

  constructor(layer, mpp) {
    Object.assign(this, { layer, mpp, from: null, to: null, held: false });
    this.group = layer.group("ruler", () => this.#show());
  }

  /** Length in µm, or in pixels where nobody knows how large one is; null before a measurement. */
  get length() {
    if (!this.from) return null;
    return Math.hypot(this.to.x - this.from.x, this.to.y - this.from.y) * (this.mpp ?? 1);
  }

  press(point) {
    Object.assign(this, { from: point, to: point, held: true });
    this.#show();
  }

  move(point) {
    if (!this.held) return;
    this.to = point;
    this.#show();
  }

  release(point) {
    this.move(point);
    this.held = false;
  }

  cancel() {
    Object.assign(this, { from: null, to: null, held: false });
    this.#show();
  }

  #show() {
    if (!this.from) return this.group.replaceChildren();
    const { from, to, layer } = this;
    const d = pathOf([[[from.x, from.y], [to.x, to.y]]], { open: true });
    const label = shape("text", {
      role: "status",
      transform: `translate(${(from.x + to.x) / 2} ${(from.y + to.y) / 2}) scale(${1 / layer.scale})`,
      y: -8,
    });
    label.textContent = this.#text();
    const ends = [from, to].map(({ x, y }) =>
      shape("circle", { class: "handle", cx: x, cy: y, r: 4 / layer.scale }),
    );
    return this.group.replaceChildren(
      shape("path", { class: "casing", d }),
      shape("path", { class: "line", d }),
      ...ends,
      label,
    );
  }

  #text() {
    const { length } = this;
    if (!this.mpp) return `${Math.round(length)} px`;
    if (length >= 1000) return `${(length / 1000).toFixed(2)} mm`;
    return `${length.toFixed(length < 100 ? 1 : 0)} µm`;
  }
}
