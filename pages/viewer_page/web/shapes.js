/** A drawing in level-0 pixels over the slide, which follows the view. */
export class ShapeLayer {
  #followers = new Set();

  constructor(frame) {
    this.frame = frame;
    this.svg = shape("svg", { class: "shapes" });
    this.slidePlane = shape("g");
    this.svg.append(this.slidePlane);
    frame.osd.canvas.append(this.svg);
    for (const event of ["open", "update-viewport"]) {
      frame.osd.addHandler(event, () => this.#follow());
    }
  }

  /** A group of its own in the slide's plane; `follow(scale)` is called when the enlargement changes. */
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

export function shape(tag, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** The path of rings, each a list of [x, y]; an open line where `close` says so. */
export function pathOf(rings, { open = false } = {}) {
  return rings.map((ring) => `M${ring.map((point) => point.join(" ")).join("L")}`).join("") + (open ? "" : "Z");
}
