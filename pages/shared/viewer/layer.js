import { tileSource } from "./tiles.js";

/** One layer: at most two tiled images, the one seen and the one that is to replace it. */
export class Layer {
  /**
   * @param {object} osd the viewer
   * @param {object} slide
   * @param {Choices} choices switches and opacities by the layers' ids
   * @param {() => void} changed called when a tiled image has come or gone
   */
  constructor(osd, slide, choices, changed) {
    Object.assign(this, { osd, slide, choices, changed });
    this.items = [];
    this.wanted = null;
  }

  /** What Python says of it now; the picture changes when it is painted next. */
  describe(spec) {
    this.spec = spec;
  }

  get choice() {
    return { on: this.spec.on, opacity: this.spec.opacity, ...this.choices.get(this.spec.id) };
  }

  choose(change) {
    this.choices.set(this.spec.id, { ...this.choice, ...change });
    this.items.forEach((item) => item.setOpacity(this.opacity));
  }

  get opacity() {
    return this.choice.on ? this.choice.opacity : 0;
  }

  /** Paint the classes asked for; what is on the screen stays until the new tiles are there. */
  paint(show) {
    const wanted = this.spec.url.replace("{show}", show);
    if (!this.choice.on || wanted === this.wanted) return;
    this.wanted = wanted;
    this.osd.addTiledImage({
      tileSource: tileSource(this.slide, this.spec, show),
      width: 1,
      opacity: this.opacity,
      success: ({ item }) => {
        if (this.wanted !== wanted) return this.osd.world.removeItem(item);
        this.items.push(item);
        this.changed();
        item.whenFullyLoaded(() => this.#drop(this.#olderThan(item)));
        return item.setOpacity(this.opacity);
      },
    });
  }

  remove() {
    this.wanted = null;
    this.#drop([...this.items]);
  }

  #olderThan(item) {
    return this.items.slice(0, Math.max(0, this.items.indexOf(item)));
  }

  #drop(items) {
    this.items = this.items.filter((item) => !items.includes(item));
    items.forEach((item) => this.osd.world.removeItem(item));
  }
}
