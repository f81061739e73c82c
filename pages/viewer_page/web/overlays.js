import { Choices } from "./choices.js";
import { element, part } from "./element.js";
import { Layer } from "./layer.js";
import { drawLegend } from "./legend.js";

/** @import {Choice} from "./layer.js" */
/** @import {ColourScale, LayerSpec, NucleusClass, Slide} from "./types.d.ts" */

// As in the style: a narrower stage is all but covered by the panel, which then begins folded.
const NARROW_PX = 540;

/** The layers over the slide, with their panel: a switch and an opacity each, and the legend. */
export class Overlays {
  /**
   * @param {OpenSeadragon.Viewer} osd the viewer
   * @param {HTMLElement} panel
   * @param {Slide} slide
   */
  constructor(osd, panel, slide) {
    this.osd = osd;
    this.panel = panel;
    if (panel instanceof HTMLDetailsElement && osd.container.clientWidth < NARROW_PX) panel.open = false;
    this.slide = slide;
    /** @type {Layer[]} */
    this.layers = [];
    /** @type {NucleusClass[]} */
    this.classes = [];
    /** @type {string | null} */
    this.note = null;
    this.signature = "";
    /** @type {Choices<Choice>} */
    this.layerChoices = new Choices("layers");
    /** @type {Choices<boolean>} */
    this.classChoices = new Choices("classes");
    /** @type {Choices<string[]>} */
    this.putAway = new Choices("put-away");
    /** @type {(() => void)[]} */
    this.listeners = [];
  }

  /**
   * Call back whenever the tiled images, or what they show, have changed.
   *
   * @param {() => void} listener
   */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /**
   * @param {LayerSpec[]} layers from the lowest to the topmost
   * @param {NucleusClass[]} classes
   * @param {string | null} note what stands below the classes
   */
  update(layers, classes, note) {
    const signature = JSON.stringify([layers, classes, note]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.classes = classes;
    this.note = note;
    const before = this.layers;
    this.layers = layers.map((spec) => {
      const layer = before.find((each) => each.spec.id === spec.id) ?? this.#newLayer(spec);
      layer.describe(spec);
      return layer;
    });
    before.filter((layer) => !this.layers.includes(layer)).forEach((layer) => layer.remove());
    this.#drawPanel();
    this.#paint();
  }

  /** Ids of the classes switched on, in the address's form. */
  get shown() {
    return this.shownClasses.map(({ id }) => id).join(",");
  }

  get shownClasses() {
    return this.classes.filter((each) => this.#isOn(each));
  }

  /** Layers switched on, from the lowest to the topmost. */
  get shownLayers() {
    return this.layers.filter((layer) => layer.choice.on);
  }

  /** Switch all layers off, or those on again that were switched off so. */
  toggleAll() {
    const shown = this.shownLayers;
    const away = this.putAway.get("layers") ?? [];
    if (shown.length) this.putAway.set("layers", shown.map(({ spec }) => spec.id));
    const switched = shown.length ? shown : this.layers.filter(({ spec }) => away.includes(spec.id));
    switched.forEach((layer) => layer.choose({ on: !shown.length }));
    this.#drawPanel();
    this.#paint();
  }

  /** Tiled images of all layers, from the lowest to the topmost. */
  get items() {
    return this.layers.flatMap((layer) => layer.items);
  }

  /** @param {LayerSpec} spec */
  #newLayer(spec) {
    return new Layer(this.osd, this.slide, this.layerChoices, spec, () => this.#changed());
  }

  /** @param {NucleusClass} each */
  #isOn({ name, on }) {
    return this.classChoices.get(name) ?? on;
  }

  #paint() {
    this.layers.forEach((layer) => layer.paint(this.shown));
    this.#changed();
  }

  /** Tiled images arrive in any order; the slide stays lowest, then the layers in theirs. */
  #changed() {
    const { world } = this.osd;
    this.items.forEach((item, order) => {
      if (world.getIndexOfItem(item) !== order + 1) world.setItemIndex(item, order + 1);
    });
    this.listeners.forEach((listener) => listener());
  }

  #drawPanel() {
    this.panel.hidden = this.layers.length === 0;
    const rows = this.layers.flatMap((layer) => this.#layerRow(layer));
    part(this.panel, ".layers", HTMLElement).replaceChildren(...rows);
    const choose = (/** @type {NucleusClass} */ each, /** @type {boolean} */ on) => {
      this.classChoices.set(each.name, on);
      this.#paint();
    };
    const classes = this.classes.map((each) => ({ ...each, on: this.#isOn(each) }));
    drawLegend(part(this.panel, ".legend", HTMLElement), classes, choose);
    const note = part(this.panel, ".legend-note", HTMLElement);
    note.textContent = this.note ?? "";
    note.hidden = !this.note;
  }

  /** @param {Layer} layer */
  #layerRow(layer) {
    const { id, label, title, scale } = layer.spec;
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
      min: "0.05",
      max: "1",
      step: "0.05",
      title: "Opacity",
    });
    opacity.value = String(layer.choice.opacity);
    opacity.disabled = !layer.choice.on;
    opacity.setAttribute("aria-label", `Opacity of ${label}`);
    const key = scale ? scaleRow(scale, !layer.choice.on) : null;
    toggle.onchange = () => {
      layer.choose({ on: toggle.checked });
      opacity.disabled = !toggle.checked;
      if (key) key.hidden = !toggle.checked;
      this.#paint();
    };
    opacity.oninput = () => layer.choose({ opacity: Number(opacity.value) });
    return key ? [toggle, name, opacity, key] : [toggle, name, opacity];
  }
}

/**
 * How the colours of a layer are read.
 *
 * @param {ColourScale} scale
 * @param {boolean} hidden
 */
function scaleRow({ colours, low, high }, hidden) {
  const row = element("div", { className: "colour-scale", hidden });
  const bar = element("span", { className: "ramp" });
  bar.style.background = `linear-gradient(to right, ${colours.join(", ")})`;
  const [left, right] = [low, high].map((textContent) => element("span", { textContent }));
  row.append(left, bar, right);
  return row;
}
