import { tileSource } from "./tiles.js";

/** What the reader has switched; kept while the page is open, also from run to run. */
const layerChoices = new Map();
const classChoices = new Map();

/** The layers over the slide, with their panel: a switch and an opacity each, and the legend. */
export class Overlays {
  constructor(osd, panel, slide) {
    this.osd = osd;
    this.panel = panel;
    this.slide = slide;
    this.layers = [];
    this.classes = [];
    this.signature = "";
  }

  /**
   * @param {object[]} layers from the lowest to the topmost
   * @param {object[]} classes id, name, colour, count
   */
  update(layers, classes) {
    const signature = JSON.stringify([layers, classes]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.classes = classes;
    const before = this.layers;
    this.layers = layers.map((spec) => {
      const kept = before.find((layer) => layer.spec.url === spec.url);
      return kept ?? new Layer(this.osd, this.slide, spec);
    });
    before.filter((layer) => !this.layers.includes(layer)).forEach((layer) => layer.remove());
    this.#drawPanel();
    this.#paint();
  }

  /** Ids of the classes switched on, in the address's form. */
  get shown() {
    return this.classes
      .filter(isOn)
      .map(({ id }) => id)
      .join(",");
  }

  #paint() {
    this.layers.forEach((layer) => layer.paint(this.shown, () => this.#restack()));
  }

  /** Tiled images arrive in any order; the slide stays lowest, then the layers in theirs. */
  #restack() {
    const { world } = this.osd;
    this.layers
      .flatMap((layer) => layer.items)
      .forEach((item, order) => {
        if (world.getIndexOfItem(item) !== order + 1) world.setItemIndex(item, order + 1);
      });
  }

  #drawPanel() {
    this.panel.hidden = this.layers.length === 0;
    this.panel
      .querySelector(".layers")
      .replaceChildren(...this.layers.flatMap((layer) => this.#layerRow(layer)));
    this.panel
      .querySelector(".legend")
      .replaceChildren(...this.classes.map((each) => this.#classRow(each)));
  }

  #layerRow(layer) {
    const { id, label, title } = layer.spec;
    const name = element("label", { htmlFor: `layer-${id}`, textContent: label, title });
    const toggle = element("input", {
      type: "checkbox",
      id: `layer-${id}`,
      className: "switch",
      checked: layer.choice.on,
    });
    toggle.setAttribute("role", "switch");
    const opacity = element("input", {
      type: "range",
      min: 0.05,
      max: 1,
      step: 0.05,
      title: "Opacity",
    });
    opacity.value = layer.choice.opacity;
    opacity.disabled = !layer.choice.on;
    opacity.setAttribute("aria-label", `Opacity of ${label}`);
    toggle.onchange = () => {
      layer.choose({ on: toggle.checked });
      opacity.disabled = !toggle.checked;
      this.#paint();
    };
    opacity.oninput = () => layer.choose({ opacity: Number(opacity.value) });
    return [toggle, name, opacity];
  }

  #classRow(each) {
    const row = element("label", { title: `Show or hide ${each.name}` });
    const box = element("input", { type: "checkbox", checked: isOn(each) });
    box.style.setProperty("--colour", each.colour);
    box.onchange = () => {
      classChoices.set(each.name, box.checked);
      this.#paint();
    };
    const count = each.count?.toLocaleString() ?? "";
    row.append(
      box,
      element("span", { textContent: each.name }),
      element("span", { className: "count", textContent: count }),
    );
    return row;
  }
}

/** One overlay: at most two tiled images, the one seen and the one that is to replace it. */
class Layer {
  constructor(osd, slide, spec) {
    this.osd = osd;
    this.slide = slide;
    this.spec = spec;
    this.items = [];
    this.wanted = null;
  }

  get choice() {
    return { on: this.spec.on, opacity: this.spec.opacity, ...layerChoices.get(this.spec.id) };
  }

  choose(change) {
    layerChoices.set(this.spec.id, { ...this.choice, ...change });
    this.items.forEach((item) => item.setOpacity(this.opacity));
  }

  get opacity() {
    return this.choice.on ? this.choice.opacity : 0;
  }

  /** Paint the classes asked for; what is on the screen stays until the new tiles are there. */
  paint(show, restack) {
    if (!this.choice.on || show === this.wanted) return;
    this.wanted = show;
    this.osd.addTiledImage({
      tileSource: tileSource(this.slide, this.spec, show),
      width: 1,
      opacity: this.opacity,
      success: ({ item }) => {
        if (this.wanted !== show) return this.osd.world.removeItem(item);
        this.items.push(item);
        restack();
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

function isOn({ name, on }) {
  return classChoices.get(name) ?? on;
}

function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
